"""How many scripts a page loads: that of every page, and one of its own."""

import re

from playwright.sync_api import expect
from test_datasets import describe, drop, is_forgotten, recordings, status
from test_runs import fill, start

LOADED = "performance.getEntriesByType('resource').map((one) => one.name).filter((name) => name.endsWith('.js'))"


def scripts(page):
    page.wait_for_load_state()
    return sorted(name.rsplit("/", 1)[1] for name in page.evaluate(LOADED))


def test_pages_of_datasets_load_two_scripts(visit):
    page = visit()
    page.goto("/datasets/new")
    assert scripts(page) == ["outbox.js", "upload.js"]
    drop(page, recordings(["loaded.wav"], 500))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    describe(page, "Loaded by two", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Loaded by two")
    is_forgotten(page)
    assert scripts(page) == ["outbox.js", "reference.js"]


def test_pages_of_runs_load_two_scripts(visit):
    page = visit()
    start(page, "loaded by two")
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    assert scripts(page) == ["outbox.js", "progress.js"]
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "cancelled")
    page.goto("/runs/new")
    fill(page, "loaded by mistake", models=("gemini-2.5-flash",))
    page.get_by_label("At most (US$)").fill("a lot")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("must be an amount")
    # What was sent can be asked for again.
    expect(page).to_have_url(re.compile(r"/runs/new\?"))
    assert scripts(page) == ["outbox.js", "transcripts.js"]
