"""From `serve`, just started, to the tenth verdict: what a first-time reviewer clicks and presses."""

import json
import re
import subprocess
import time

import pytest
from conftest import BINARY, Site
from playwright.sync_api import expect
from test_review import until

AUDIO = "document.querySelector('#review audio')"
API = "/api/v1/evaluations/stt"


class Hand:
    """Does what a person does, and counts it."""

    def __init__(self, page):
        self.page, self.clicks, self.keys = page, 0, 0

    def click(self, target):
        target.click()
        self.clicks += 1

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def paste(self, text):
        self.page.keyboard.insert_text(text)
        self.keys += 1


@pytest.fixture(params=["open", "url"])
def machine(request, tmp_path):
    """A machine that was just started, and the link that signs in by itself where it gives one."""
    serve = [BINARY, "serve", "--gemini", "sim", "--listen", "127.0.0.1:0", "--data", str(tmp_path)]
    serve += ["--open"] if request.param == "open" else []
    log = tmp_path / "log.txt"
    with open(log, "w", encoding="utf-8") as told:
        process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=told, text=True)
        try:
            site = Site(json.loads(process.stdout.readline()))
            if request.param == "open":
                until(lambda: "signs in once" in log.read_text(encoding="utf-8"), True)
                yield site, re.search(r"^ +(http\S+)$", log.read_text(encoding="utf-8"), re.M).group(1)
            else:
                yield site, None
        finally:
            process.terminate()
            process.wait(20)


def test_the_tenth_verdict_is_two_clicks_and_fifteen_keys_away(browser, machine, watched):
    site, link = machine
    page = watched(browser, site.url).new_page()
    hand = Hand(page)
    begun = time.monotonic()
    page.goto(link or "/")
    if not link:
        hand.click(page.get_by_label("Your name"))
        hand.press(*"Asha")
        hand.press("Tab")
        expect(page.get_by_label("API key")).to_be_focused()
        hand.paste(site.key)
        hand.press("Enter")
    hand.click(page.get_by_role("button", name="Load the demo"))
    expect(page.locator("[data-state=completed]")).to_be_attached(timeout=120000)
    hand.click(page.get_by_role("main").get_by_role("link", name="Review", exact=True))
    spaces = 0
    for number in range(1, 6):
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"^Clip {number} of "))
        until(lambda: page.evaluate(f"{AUDIO}.readyState"), 4)
        told = page.locator("[data-told]")
        until(lambda told=told: page.evaluate(f"!{AUDIO}.paused") or "Press Space" in told.inner_text(), True)
        if page.evaluate(f"{AUDIO}.paused"):
            hand.press("Space")
            spaces += 1
        until(lambda: page.evaluate(f"{AUDIO}.ended"), True)
        hand.press("y", "y")
        # Both are judged before anything is sent.
        expect(page.locator("[data-slot] [aria-pressed=true]")).to_have_count(2)
        hand.press("Enter")
    run = site.run
    results = f"{API}/runs/{run}/results?limit=100"
    until(lambda: sum(result["reviews"] for result in site.api("GET", results)), 10)
    seconds = time.monotonic() - begun
    print(f"{hand.clicks} clicks, {hand.keys} keys, {spaces} of them to listen, {seconds:.0f} s")
    signing_in = (0, 0) if link else (1, 7)
    assert hand.clicks == 2 + signing_in[0]
    # A browser that plays nothing by itself is told to once.
    assert spaces <= 1 and hand.keys == 15 + spaces + signing_in[1]
