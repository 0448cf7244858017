"""Draws the pictures of the README: `python pictures.py FOLDER`, with STT_EVAL_LOCAL_BIN as for the tests."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import BINARY, CHROMIUM, Site, sign_in
from playwright.sync_api import expect, sync_playwright
from test_datasets import describe, drop, recordings, status, table

ROWS = [("p0.wav", "नमस्ते जी"), ("p1.wav", ""), ("p2.wav", "this is not Hindi at all"), ("p0.wav", "फिर"), ("gone.wav", "कल")]


def draw(page, folder, name, height, top="body"):
    """The page from its top, or that of something in it, so high."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.locator(top).evaluate("(one) => one.scrollIntoView({ behavior: 'instant' })")
    page.mouse.move(0, 0)
    page.screenshot(path=folder / f"{name}.png")


def all_of(browser, site, folder):
    page = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, site.key)
    page.get_by_role("button", name="Load the demo").click()
    expect(page.locator("[data-state=completed]")).to_be_attached(timeout=120000)
    run = page.url
    page.goto(f"{run}/report")
    draw(page, folder, "report", 1130)
    page.goto("/runs/new")
    page.get_by_label("Run name").fill("Pro or Flash")
    for model in ["gemini-2.5-pro", "gemini-2.5-flash"]:
        page.get_by_role("checkbox", name=re.compile(f"^{re.escape(model)} ")).check()
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name="What it would take")).to_be_visible()
    draw(page, folder, "estimate", 1000, ".estimate")
    page.goto("/datasets/new")
    drop(page, [*recordings([f"p{number}.wav" for number in range(4)], 30), table(ROWS)])
    expect(status(page)).to_have_text("4 of 4 uploaded.")
    describe(page, "Odd rows", "Hindi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("button", name="Save dataset")).to_be_visible()
    draw(page, folder, "preview", 1260)
    phone = {"width": 360, "height": 740}
    page = browser.new_context(base_url=site.url, viewport=phone, color_scheme="dark", has_touch=True).new_page()
    sign_in(page, site.key)
    # A clip in Hindi.
    path = f"/api/v1/evaluations/stt/runs/{run.split('/')[-1]}/results?limit=100"
    results = [one for one in site.api("GET", path) if one["language"] == "hi" and one["score"]]
    clip = min(results, key=lambda one: abs(one["score"]["wer"] - 0.4))["sample_id"]
    page.goto(f"{run}/review/{clip}")
    page.wait_for_function("document.querySelector('#review audio').readyState === 4")
    page.wait_for_timeout(500)
    draw(page, folder, "review-phone", 740)


def main():
    folder = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        serve = [BINARY, "serve", "--gemini", "sim", "--listen", "127.0.0.1:0", "--data", data]
        process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            all_of(browser, Site(json.loads(process.stdout.readline())), folder)
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main()
