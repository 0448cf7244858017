#!/usr/bin/env python3
"""The pages over a large run: how long they take beside what they ask of tables and
bucket, how large they are, and how soon the next clip is heard.

    cargo build --profile proof --bins
    target/venvs/pages/bin/python infra/bench/pages.py --binaries target/proof [--samples 10000]

`stt-eval-local serve` keeps everything; recordings are uploaded as people's are, a table
makes the dataset of them and two more a run of two models. Then

- each page is asked `--rounds` times of the deployed binary behind its Runtime API, from the
  event that it is given to its answer; what it asks of DynamoDB and S3 for it is recorded beside a second one, and sent again by itself,
  one after the other: that is what the store needs;
- a browser opens them, and counts requests, bytes and what moves;
- a browser goes from clip to clip by a key: the time until the next one is heard.

With `--data DIR` all of it is kept, and found again the next time.
"""

import argparse
import base64
import gzip
import http.client
import io
import json
import math
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import wave
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))

from runtime_api import Function  # noqa: E402

API = "/api/v1/evaluations/stt"
CHROMIUM = os.environ.get("CHROMIUM_BIN", "/usr/bin/chromium-headless-shell")
TABLES = ["files", "datasets", "samples", "runs", "units", "results", "access"]
WORDS = "नमस्ते किसान फसल बारिश पानी मौसम बीज खेत गाँव स्कूल बच्चा माता पिता डॉक्टर दवा अस्पताल टीका बुखार".split()
AT_ONCE = 100
SECONDS = 0.5
MOST_BYTES = 100_000
MOST_REQUESTS = 4
MOST_MS_TO_SOUND = 300


def tone(number):
    """Half a second that can be heard: 8 kHz, 16 bits, another pitch for each."""
    out = io.BytesIO()
    step = 2 * math.pi * (200 + number % 600) / 8_000
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        count = int(8_000 * SECONDS)
        # The number is in it, so that no two are the same file.
        values = [number % 30_000, *(int(9_000 * math.sin(step * n)) for n in range(1, count))]
        file.writeframes(struct.pack(f"<{count}h", *values))
    return out.getvalue()


def said(number):
    return " ".join(WORDS[(number * 7 + n * n) % len(WORDS)] for n in range(6 + number % 10))


def heard(number, every):
    """One word in `every` is another."""
    words = said(number).split()
    return " ".join(WORDS[(n + number) % len(WORDS)] if (number + n) % every == 0 else word
                    for n, word in enumerate(words))


class OnePiece(http.client.HTTPConnection):
    """Sends a request in one piece: two would wait 40 ms for each other now and then."""

    def _send_output(self, message_body=None, encode_chunked=False):
        self._buffer.extend((b"", b""))
        head = b"\r\n".join(self._buffer)
        del self._buffer[:]
        self.send(head + (message_body or b""))


class Http:
    """One connection, kept open, with nothing between it and the clock."""

    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.connection = OnePiece(self.host, timeout=120)

    def ask(self, method, path, body=None, headers=None):
        try:
            return self.once(method, path, body, headers or {})
        except (http.client.RemoteDisconnected, ConnectionError):
            # It rested for longer than the other side waits.
            self.connection.close()
            return self.once(method, path, body, headers or {})

    def once(self, method, path, body, headers):
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


class Site:
    """The embedded cloud, and a key of it."""

    def __init__(self, told, data):
        self.told, self.data = told, data
        self.url = told["url"]
        self.key = told["api_keys"]["demo"]
        self.here = threading.local()

    def http(self, url=None):
        url = url or self.url
        known = self.here.__dict__.setdefault("known", {})
        if url not in known:
            known[url] = Http(url)
        return known[url]

    def api(self, method, path, body=None):
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        if method == "POST":
            headers["idempotency-key"] = os.urandom(16).hex()
        data = json.dumps(body).encode() if body is not None else None
        # The gateway waits for half a minute; what is not done by then is gone on with.
        for _ in range(150):
            status, _, text = self.http().ask(method, API + path, data, headers)
            if status not in (409, 503):
                break
            print(f"{method} {path}: {status}, once more", flush=True)
            time.sleep(2)
        answer = json.loads(text)
        assert status < 300, (method, path, answer)
        return answer["data"]

    def put(self, upload, content):
        parts = urllib.parse.urlsplit(upload["url"])
        http = self.http(f"http://{parts.netloc}")
        status, _, text = http.ask("PUT", f"{parts.path}?{parts.query}", content, upload["headers"])
        assert status == 200, text

    def announce(self, first, most):
        """Uploads recordings; gives their ids."""
        clips = [tone(n) for n in range(first, min(first + AT_ONCE, most))]
        made = self.api("POST", "/files", {"files": [
            {"filename": f"{first + n}.wav", "content_type": "audio/wav", "size_bytes": len(c)}
            for n, c in enumerate(clips)]})["files"]
        for announced, clip in zip(made, clips, strict=True):
            self.put(announced["upload"], clip)
        return [announced["file"]["id"] for announced in made]

    def table(self, name, header, rows):
        content = (header + "\n" + "".join(",".join(row) + "\n" for row in rows)).encode()
        made = self.api("POST", "/files", {
            "filename": name, "content_type": "text/csv", "size_bytes": len(content)})
        self.put(made["upload"], content)
        self.ready(made["file"]["id"])
        return made["file"]["id"]

    def ready(self, file, seconds=900):
        until = time.monotonic() + seconds
        while (found := self.api("GET", f"/files/{file}")["status"]) != "ready":
            assert found == "uploading" and time.monotonic() < until, found
            time.sleep(0.1)

    def sign_in(self):
        form = urllib.parse.urlencode({"key": self.key, "name": "Bench", "next": "/"})
        status, headers, _ = self.http().ask("POST", "/sign-in", form, {
            "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"})
        assert status == 303, status
        return headers["set-cookie"].split(";")[0]


def make(site, samples):
    """The dataset and its run, unless they are there."""
    for run in site.api("GET", "/runs?limit=100"):
        if run["run_name"] == f"large {samples}":
            return run
    began, kept = time.monotonic(), site.data / f"files-{samples}.json"
    if kept.exists():
        files = json.loads(kept.read_text(encoding="utf-8"))
    else:
        with ThreadPoolExecutor(4) as pool:
            parts = pool.map(lambda first: site.announce(first, samples), range(0, samples, AT_ONCE))
            files = [file for part in parts for file in part]
        kept.write_text(json.dumps(files), encoding="utf-8")
    for file in files[-1:] + files[::97]:
        site.ready(file)
    print(f"{samples} recordings uploaded and registered: {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    rows = [(file, said(n), f"speaker-{n % 40}") for n, file in enumerate(files)]
    manifest = site.table("dataset.csv", "file_id,ground_truth,speaker", rows)
    until = time.monotonic() + 600
    body = {"name": f"large {samples}", "language": "hi", "manifest_file_id": manifest}
    dataset = site.api("POST", "/datasets", body)["id"]
    lists = [{"name": name, "manifest_file_id": site.table(
        f"{name}.csv", "file_id,hypothesis", [(f, heard(n, every)) for n, f in enumerate(files)])}
        for name, every in [("alpha", 9), ("beta", 7)]]
    run = site.api("POST", "/runs", {
        "run_name": f"large {samples}", "dataset_id": dataset, "transcripts": lists})
    while run["status"] in ("pending", "processing"):
        assert time.monotonic() < until, run
        time.sleep(1)
        run = site.api("GET", f"/runs/{run['id']}")
    assert run["counts"]["completed"] == run["total_items"] == 2 * samples, run
    print(f"dataset made, {2 * samples} transcripts taken and scored: {time.monotonic() - began:.0f} s", flush=True)
    return run


class Recorder:
    """Hands requests on to where they belong, and keeps them."""

    def __init__(self, target):
        seen, here = [], threading.local()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def any(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                # The host is part of what is signed.
                headers = dict(self.headers.items())
                seen.append((self.command, self.path, body, headers))
                if not hasattr(here, "http"):
                    here.http = Http(target)
                status, told, text = here.http.ask(self.command, self.path, body, headers)
                self.send_response_only(status)
                for name, value in told.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = any

            def log_message(self, *_):
                pass

        self.seen = seen
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Deployed:
    """The api as it is deployed, over the same cloud; perhaps all it asks is recorded."""

    def __init__(self, binary, site, data, log, recorded):
        self.to = {name: site.told[name] for name in ("dynamodb", "s3")}
        self.recorders = {name: Recorder(url) for name, url in self.to.items()} if recorded else {}
        asked_at = {**self.to, **{name: recorder.url for name, recorder in self.recorders.items()}}
        variables = {
            "STAGE": "bench", "STACK_NAME": "bench", "DEPLOYMENT_ID": "bench",
            "BUCKET": site.told["bucket"], "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local-secret", "KEY_FILE": str(data / "vault.key"),
            "SUBMIT_QUEUE_URL": f"{site.told['sqs']}/000000000000/submissions",
            "AWS_ENDPOINT_URL_SQS": site.told["sqs"],
            **{f"AWS_ENDPOINT_URL_{name.upper()}": url for name, url in asked_at.items()},
            **{f"TABLE_{name.upper()}": name for name in TABLES},
        }
        self.function = Function(binary, variables, log=log)
        self.function.wait_ready()

    def get(self, path, cookie):
        """The answer, its body, what was asked for it, and how many milliseconds it took."""
        for recorder in self.recorders.values():
            recorder.seen.clear()
        event = json.loads((ROOT / "infra/events/api-healthz.json").read_text(encoding="utf-8"))
        path, _, query = path.partition("?")
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["rawQueryString"] = query
        event["headers"]["accept-encoding"] = "gzip"
        event["cookies"] = [cookie]
        answer, given, arrived = self.function.invoke_between(event, 290)
        took = (arrived - given) * 1e3
        body = answer.get("body") or ""
        body = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        asked = {name: list(recorder.seen) for name, recorder in self.recorders.items()}
        return answer, body, asked, took

    @contextmanager
    def store(self):
        """Asks the store that once more, one after the other, and gives the milliseconds."""
        to = {name: Http(url) for name, url in self.to.items()}

        def again(asked):
            began = time.perf_counter()
            for name, requests in asked.items():
                for method, path, body, headers in requests:
                    status, _, text = to[name].ask(method, path, body, headers)
                    # What is looked for may not be there.
                    assert status in (200, 206, 404), (name, path, status, text[:300])
            return (time.perf_counter() - began) * 1e3

        try:
            yield again
        finally:
            for http_ in to.values():
                http_.connection.close()


def paths(site, run, cookie):
    of = f"/runs/{run['id']}"
    status, headers, _ = site.http().ask("GET", f"{of}/review", headers={"cookie": cookie})
    assert status == 303, status
    return [
        "/runs", of, f"{of}/results", f"{of}/results?sort=-wer", f"{of}/results?sort=-disagreement",
        f"{of}/results?sort=unreviewed", f"{of}/review", headers["location"], f"{of}/review?queue=worst",
        f"{of}/review?queue=random", f"{of}/report", f"{of}/report.html", f"{of}/report?group_by=speaker",
        "/datasets", f"/datasets/{run['dataset_id']}",
    ]


def named(path, run):
    path = path.replace(run["id"], "…").replace(run["dataset_id"], "…")
    head, _, query = path.partition("?")
    head = "/runs/…/review/…" if "/review/" in head else head
    return head if "/review/" in path else head + (f"?{query}" if query else "")


def first(deployed, path, cookie):
    """What is made when it is asked for the first time may take several requests."""
    began, requests = time.perf_counter(), 0
    while True:
        requests += 1
        answer, *_ = deployed.get(path, cookie)
        if answer["statusCode"] != 503:
            break
    assert answer["statusCode"] < 400, (path, answer["statusCode"])
    return requests, time.perf_counter() - began


def time_pages(site, deployed, recorded, run, rounds):
    cookie = site.sign_in()
    print(f"\nFirst time, function's memory {deployed.function.resident_mb()[0]:.0f} MB before:")
    of = f"/runs/{run['id']}"
    for path in [f"{of}/results?sort=-disagreement", f"{of}/report", f"{of}/report?group_by=speaker",
                 f"{of}/report?block_by=speaker"]:
        requests, took = first(deployed, path, cookie)
        print(f"{named(path, run)}: {requests} request(s), {took:.1f} s, "
              f"at most {deployed.function.resident_mb()[1]:.0f} MB", flush=True)
    print("\n| page | ms | store ms | of it | asked: DynamoDB, S3 | kB | kB sent |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for path in paths(site, run, cookie):
        # Totals of lists are put in order by the first who reads them.
        recorded.get(path, cookie)
        _, _, asked, _ = recorded.get(path, cookie)
        took, store = [], []
        # In turn: what else the machine does is borne by both alike.
        with recorded.store() as again:
            for _ in range(rounds + 1):
                answer, page, _, ms = deployed.get(path, cookie)
                assert answer["statusCode"] in (200, 303), (path, answer["statusCode"])
                took.append(ms)
                store.append(again(asked))
        took, store = statistics.median(took[1:]), statistics.median(store[1:])
        is_gzip = answer["headers"].get("content-encoding") == "gzip"
        whole = len(gzip.decompress(page)) if is_gzip else len(page)
        note = "" if took <= 2 * store else " **above 2**"
        note += "" if len(page) <= MOST_BYTES else " **too large**"
        counts = ", ".join(str(len(asked[name])) for name in ("dynamodb", "s3"))
        print(f"| `{named(path, run)}` | {took:.1f} | {store:.1f} | {took / store:.2f}{note} | {counts} "
              f"| {whole / 1e3:.1f} | {len(page) / 1e3:.1f} |", flush=True)
    print(f"\nThe function's memory at its highest: {deployed.function.resident_mb()[1]:.0f} MB")


WATCH = """
window.moved = 0;
// What moves inside the browser's own player has no element of the page.
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (entry.sources.some((source) => source.node)) window.moved += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""
# From a key to the first frame in which another clip's sound is under way.
LISTEN = """
window.sounds = [];
document.addEventListener('keydown', ({ key }) => {
  if (!['s', 'Enter'].includes(key)) return;
  const began = performance.now();
  const before = document.querySelector('#review audio').getAttribute('src');
  const look = () => {
    const audio = document.querySelector('#review audio');
    if (audio && audio.getAttribute('src') !== before && !audio.paused && audio.currentTime > 0)
      window.sounds.push(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}, { capture: true });
"""


def in_browser(site, run, rounds):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"])
        context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto("/runs")
        page.get_by_label("API key").fill(site.key)
        page.get_by_label("Your name").fill("Bench")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", level=1).wait_for()
        cookie = "; ".join(f"{c['name']}={c['value']}" for c in context.cookies())
        print(f"\nChromium {browser.version}, nothing kept from before:\n")
        print("| page | requests before sound | kB | moved | loaded ms |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for path in paths(site, run, cookie):
            if path.endswith(("report.html", "/review")) or "/review?" in path:
                continue
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Network.clearBrowserCache")
            asked, sizes = {}, {}
            # Its player has pictures of its own, as data.
            session.on("Network.requestWillBeSent", lambda e: asked.update(
                {} if e["request"]["url"].startswith("data:") else {e["requestId"]: e.get("type")}))
            session.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
            began = time.perf_counter()
            page.goto(path, wait_until="load")
            took = (time.perf_counter() - began) * 1e3
            page.wait_for_timeout(700)
            # A review looks for the next clips once the first can be heard: none of these is waited for.
            mine = [i for i, kind in asked.items() if kind in ("Document", "Stylesheet", "Script", "Image", "Font")]
            moved = page.evaluate("window.moved")
            notes = "" if len(mine) <= MOST_REQUESTS else " **too many**"
            print(f"| `{named(path, run)}` | {len(mine)}{notes} | {sum(sizes.get(i, 0) for i in mine) / 1e3:.1f} "
                  f"| {moved:.4f} | {took:.0f} |", flush=True)
            page.close()
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.goto(f"/runs/{run['id']}/review")
        page.wait_for_function("document.querySelector('#review audio').currentTime > 0")
        for number in range(rounds):
            # As long as a clip takes that is listened to.
            page.wait_for_timeout(SECONDS * 1e3 + 300)
            if number % 2:
                page.keyboard.press("u")
                page.keyboard.press("u")
                page.keyboard.press("Enter")
            else:
                page.keyboard.press("s")
            page.wait_for_function("(most) => window.sounds.length > most", arg=number)
        sounds = page.evaluate("window.sounds")
        print(f"\nKey press to the next clip's sound, {len(sounds)} times: median {statistics.median(sounds):.0f} ms, "
              f"at most {max(sounds):.0f} ms (goal {MOST_MS_TO_SOUND})")
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/release")
    parser.add_argument("--api", type=Path, help="the api's binary, if another")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, help="where everything is kept")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with ExitStack() as stack:
        data = given.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data.mkdir(parents=True, exist_ok=True)
        log = stack.enter_context(open(data / "bench.log", "ab"))
        served = subprocess.Popen(
            [given.binaries / "stt-eval-local", "serve", "--gemini", "sim", "--listen", "127.0.0.1:0",
             "--data", data / "data"], stdout=subprocess.PIPE, stderr=log)
        stack.callback(served.wait, 60)
        stack.callback(served.terminate)
        site = Site(json.loads(served.stdout.readline()), data)
        run = make(site, given.samples)
        binary = given.api or given.binaries / "api"
        deployed, recorded = [Deployed(binary, site, data / "data", log, on) for on in (False, True)]
        for one in (deployed, recorded):
            stack.callback(one.function.__exit__)
        time_pages(site, deployed, recorded, run, given.rounds)
        in_browser(site, run, given.rounds)


if __name__ == "__main__":
    main()
