"""The pages in a browser, over the embedded cloud with the demo's run in it.

Needs the binary in STT_EVAL_LOCAL_BIN, the packages of requirements.txt and Debian's
chromium-headless-shell (another Chromium by CHROMIUM_BIN). Screenshots go to PAGES_SHOTS
when it is set.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from functools import cached_property
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect, sync_playwright

# How long a state may take to come: machines are shared, and others compile beside this.
expect.set_options(timeout=20_000)

BINARY = os.environ.get("STT_EVAL_LOCAL_BIN", "target/debug/stt-eval-local")
CHROMIUM = os.environ.get("CHROMIUM_BIN", "/usr/bin/chromium-headless-shell")
# A browser tells of what a policy refused by an event alone. What moves inside its own
# player has no element of the page, and is its own affair.
LISTEN = """
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) => {
  const what = `${event.violatedDirective} ${event.blockedURI} on ${location.pathname}`;
  window.refused.push(what);
  window.wasRefused(what);
});
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.sources.some((source) => source.node)) window.shifted += entry.value;
  }
}).observe({ type: 'layout-shift', buffered: true });
"""


class Site:
    def __init__(self, ready):
        self.url = ready["url"]
        self.key = ready["api_keys"]["demo"]
        self.key_of_other = ready["api_keys"].get("other")

    def api(self, method, path, body=None, key=None):
        data = json.dumps(body).encode() if body is not None else None
        return self.sent(method, path, data, "application/json", key)

    def sent(self, method, path, data, kind, key=None):
        headers = {"x-api-key": key or self.key, "content-type": kind}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    # What the demo has made, asked for before tests make more than a page of a list has.
    @cached_property
    def run(self):
        """The oldest run: that of the demo."""
        return self.api("GET", "/api/v1/evaluations/stt/runs?limit=100")[-1]["id"]

    @cached_property
    def demo(self):
        """The samples of the demo."""
        dataset = self.api("GET", f"/api/v1/evaluations/stt/runs/{self.run}")["dataset_id"]
        path = f"/api/v1/evaluations/stt/datasets/{dataset}?include_samples=true&limit=100"
        return self.api("GET", path)["samples"]

    @cached_property
    def recordings(self):
        return self.api("GET", "/api/v1/evaluations/stt/files?limit=100")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    demo = [BINARY, "demo", "--gemini", "sim", "--recordings-only", "--data", str(data)]
    subprocess.run(demo, check=True, stdout=subprocess.DEVNULL, timeout=300)
    # Recordings are seldom of the same minute, and the older they are the longer a browser
    # keeps them unasked.
    old = time.time() - 30 * 24 * 3600
    for recording in data.glob("cloud/s3/*/audio/**/*"):
        os.utime(recording, (old, old))
    # Runs that tests start take long enough to be looked at.
    serve = [BINARY, "serve", "--gemini", "sim", "--batch-delay", "3s"]
    serve += ["--project", "demo", "--project", "other"]
    serve += ["--simulate-others", "--listen", "127.0.0.1:0", "--data", str(data)]
    with open(data / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            site = Site(json.loads(process.stdout.readline()))
            assert site.run and site.recordings
            yield site
        finally:
            process.terminate()
            process.wait(20)


class Driver:
    """What drives browsers, and one browser, which most tests share."""

    def __init__(self):
        self._driver = sync_playwright()
        self._playwright = self._driver.__enter__()
        self.browser = self.start()

    def start(self, *args):
        return self._playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *args])

    def answers(self):
        try:
            self.browser.new_browser_cdp_session().detach()
        except Error as error:
            print(f"The browser or its driver has ended, and is started anew: {error}", file=sys.stderr)
            return False
        return True

    def close(self):
        try:
            self.browser.close()
        except Error as error:
            print(f"A browser has not ended as it is asked to: {error}", file=sys.stderr)
        self._driver.__exit__()


@pytest.fixture(scope="session")
def drivers():
    """The driver that is used now, if there is one."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium-headless-shell", True)
    drivers = []
    yield drivers
    for driver in drivers:
        driver.close()


@pytest.fixture
def driver(drivers):
    """One that ended in a test before fails that test, and not those behind it."""
    if drivers and not drivers[0].answers():
        drivers.pop().close()
    if not drivers:
        drivers.append(Driver())
        print(f"Chromium {drivers[0].browser.version}")
    return drivers[0]


@pytest.fixture
def browser(driver):
    return driver.browser


@pytest.fixture
def launch(driver):
    """Starts browsers with arguments of their own."""
    browsers = []

    def start(*args):
        browsers.append(driver.start(*args))
        return browsers[-1]

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture
def watched():
    """Opens contexts of any browser and site; none may be refused anything by the policy of any
    page it was on, and no script may fail."""
    contexts, refused, failed = [], [], []

    def open_context(browser, url, **options):
        context = browser.new_context(base_url=url, **options)
        context.on("weberror", lambda error: failed.append(str(error.error)))
        if options.get("java_script_enabled", True):
            context.expose_binding("wasRefused", lambda _, what: refused.append(what))
            context.add_init_script(LISTEN)
        contexts.append((context, url))
        return context

    yield open_context
    for context, url in contexts:
        for page in context.pages:
            if page.url.startswith(url):
                assert page.evaluate("window.refused ?? []") == []
        context.close()
    assert refused == []
    assert failed == []


@pytest.fixture
def visit(browser, site, watched):
    """Opens contexts that are watched, each with a page of somebody who is signed in."""

    def open_page(signed_in=True, **options):
        page = watched(browser, site.url, **options).new_page()
        if signed_in:
            sign_in(page, site.key)
        return page

    return open_page


def shot(page, name, full_page=True):
    folder = os.environ.get("PAGES_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=full_page)


def sign_in(page, key, name="Asha", path="/runs"):
    page.goto(path)
    page.get_by_label("API key").fill(key)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Sign in").click()
