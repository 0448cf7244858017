"""A machine that listens to others: recordings are sent to it and heard from it, by whatever
name a browser calls it."""

import json
import subprocess

import pytest
from conftest import BINARY, sign_in
from playwright.sync_api import expect
from test_datasets import describe, recordings, status, table

HOST = "box.test"


@pytest.fixture
def reached(tmp_path):
    serve = [BINARY, "serve", "--gemini", "sim", "--listen", "0.0.0.0:0", "--data", str(tmp_path)]
    with open(tmp_path / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(20)


def test_a_phone_in_the_same_network_sends_and_plays_recordings(reached, launch, watched):
    port = reached["url"].rsplit(":", 1)[1]
    # As for a phone: this name is of no loopback address, so nothing is encrypted or trusted.
    browser = launch(f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
    url = f"http://{HOST}:{port}"
    asked = []
    page = watched(browser, url, viewport={"width": 360, "height": 740}, has_touch=True).new_page()
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, reached["api_keys"]["demo"], path="/datasets/new")
    expect(page.get_by_text("This connection is not encrypted")).to_be_visible()
    page.get_by_label("Recordings").set_input_files(recordings(["one.wav", "two.wav"]))
    expect(status(page)).to_contain_text("2 of 2 uploaded")
    page.get_by_label("Table").set_input_files(table([("one.wav", "एक"), ("two.wav", "दो")]))
    describe(page, "From a phone", "hi-IN")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(2)
    page.locator("audio").first.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
    expect(page.locator("audio").first).not_to_have_js_property("currentTime", 0)
    assert [one for one in asked if not one.startswith(url + "/")] == []
    assert sum("X-Amz-Signature" in one for one in asked) >= 3
