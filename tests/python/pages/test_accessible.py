"""Pages that one comes to by doing something, and what opens over them: by axe, light and dark,
on a phone and a desktop. Those that an address leads to are in `test_pages.py`."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot
from playwright.sync_api import expect
from test_consensus import run as agreed  # noqa: F401
from test_datasets import describe, drop, recordings, status, table
from test_pages import SIZES, TAGS
from test_references import made  # noqa: F401
from test_review import TEXTS, dataset, ready, run, without_guard  # noqa: F401

API = "/api/v1/evaluations/stt"


@pytest.fixture(params=[(name, scheme) for name in SIZES for scheme in ["light", "dark"]], ids="-".join)
def look(request, visit):
    """Opens a page in one of four ways; tells whether it can be read by all, and fits."""
    name, scheme = request.param
    width, height = SIZES[name]

    def open_page(signed_in=True):
        viewport = {"width": width, "height": height}
        return visit(signed_in, viewport=viewport, color_scheme=scheme, has_touch=name == "phone")

    def check(page, called):
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, f"{called}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, called
        shot(page, f"{called}-{name}-{scheme}")

    return open_page, check


def test_signing_in_and_what_it_refuses(look):
    open_page, check = look
    page = open_page(signed_in=False)
    page.goto("/runs")
    check(page, "sign-in")
    page.get_by_label("API key").fill("no key")
    page.get_by_label("Your name").fill("Asha")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not a valid API key")
    check(page, "sign-in-refused")
    page.goto("/sign-in?session=ended")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "sign-in-ended")


def test_what_is_found_before_a_dataset_is_saved(look):
    open_page, check = look
    page = open_page()
    page.goto("/datasets/new")
    rows = [("a0.wav", "नमस्ते जी"), ("a1.wav", ""), ("a2.wav", "not Hindi"), ("a0.wav", "फिर"), ("gone.wav", "कल")]
    drop(page, [*recordings([f"a{number}.wav" for number in range(3)], 600), table(rows)])
    expect(status(page)).to_have_text("3 of 3 uploaded.")
    describe(page, "Odd rows", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="Missing audio")).to_be_visible()
    expect(page.get_by_role("heading", name="Wrong script")).to_be_visible()
    check(page, "preview")


def test_a_clip_with_its_earlier_wordings_and_a_conflict(look, site, made):  # noqa: F811
    open_page, check = look
    sample = made[1][0]
    for said in ["", "पहले यह", "अब यह"]:
        site.api("PATCH", f"{API}/samples/{sample}", {"ground_truth": said})
    page = open_page()
    page.goto(f"/samples/{sample}")
    page.get_by_text("Earlier wordings").click()
    expect(page.get_by_text("पहले यह").first).to_be_visible()
    check(page, "clip")
    page.get_by_role("textbox", name="Reference").fill("अपना")
    site.api("PATCH", f"{API}/samples/{sample}", {"ground_truth": "किसी और का"})
    page.get_by_role("button", name="Save reference").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this reference")
    check(page, "conflict")


def test_what_models_agree_on(look, agreed):  # noqa: F811
    open_page, check = look
    page = open_page()
    page.goto(f"{agreed}/consensus")
    expect(page.get_by_role("checkbox")).to_have_count(3)
    check(page, "consensus")


def test_dialogs_and_notices_of_a_review(look, run):  # noqa: F811
    open_page, check = look
    page = open_page()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.get_by_role("button", name="Keys", exact=True).click()
    dialog = page.get_by_role("dialog", name="Keys and settings")
    expect(dialog).to_be_visible()
    check(page, "review-dialog")
    dialog.get_by_role("button", name="Change the key: Right", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text("Press a key for")
    check(page, "review-dialog-asks")
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    # All that can be opened on a clip, and the bar of what is not saved.
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    page.context.set_offline(True)
    for key in ["y", "n", "Enter"]:
        page.keyboard.press(key)
    expect(page.get_by_text("2 not saved yet.")).to_be_visible()
    check(page, "review-not-saved")
    page.context.set_offline(False)
    expect(page.get_by_text("2 not saved yet.")).to_be_hidden(timeout=20_000)


def test_the_end_of_a_review(look, run):  # noqa: F811
    open_page, check = look
    page = open_page()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        for key in ["y", "n", "Enter"]:
            page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^You have judged every clip"))
    check(page, "review-end")
