"""Datasets of many clips: their recordings leave the rest of a form in reach, and their references
are typed one after the other."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot
from making import API, clips
from playwright.sync_api import expect
from test_datasets import describe, drop, status, wav
from test_pages import TAGS
from test_references import clip, stands, text
from test_review import files

PHONE = {"width": 360, "height": 740}


def many(count, seconds=0.05):
    return [
        {"name": f"many-{at}.wav", "mimeType": "audio/wav", "buffer": wav(900 + at, seconds)} for at in range(count)
    ]


def test_many_recordings_leave_the_rest_of_the_form_in_reach(visit):
    page = visit(viewport=PHONE)
    page.goto("/datasets/new")
    given = many(65)
    for lost in (30, 60):
        given[lost]["buffer"] = wav(lost, 0.1)

    def answer(route):
        body = route.request.post_data_buffer or b""
        is_lost = route.request.method == "PUT" and len(body) == len(wav(0, 0.1))
        route.abort() if is_lost else route.continue_()

    page.route("**/audio/**", answer)
    drop(page, given)
    expect(status(page)).to_have_text("63 of 65 uploaded, 2 failed.", timeout=120_000)
    # What is left to do is two screens away at most, and not thousands of pixels.
    for field in [page.get_by_label("Name"), page.get_by_role("button", name="Check", exact=True)]:
        assert field.bounding_box()["y"] < 3 * PHONE["height"]
    rows = page.locator("[data-uploads]")
    box = rows.bounding_box()
    assert box["height"] <= PHONE["height"] / 2 + 1
    failed = rows.locator("li", has=page.locator(".error"))
    expect(failed).to_have_count(2)
    for lost in failed.all():
        there = lost.bounding_box()
        assert box["y"] <= there["y"] and there["y"] + there["height"] <= box["y"] + box["height"]
    # A button has no row of its own.
    row = rows.locator("li", has_text="many-0.wav")
    assert row.bounding_box()["height"] < 2 * row.get_by_role("button", name="Remove").bounding_box()["height"]
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shot(page, "new-many-phone")
    # By keys it is scrolled as well, from one recording to the next.
    row = rows.locator("li", has_text="many-64.wav")
    row.get_by_role("button", name="Remove").focus()
    expect(row).to_be_in_viewport()
    clear = page.get_by_role("button", name="Remove all that failed")
    clear.click()
    expect(status(page)).to_have_text("63 of 63 uploaded.")
    expect(clear).to_have_count(0)
    # What is wrong is told where the page opens, and leads to its field.
    describe(page, "Many clips", "Klingon")
    page.get_by_role("button", name="Check", exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Language: is not known here: write its English name or its tag, such as Hindi or hi-IN")
    expect(told).to_be_focused()
    expect(told).to_be_in_viewport()
    expect(status(page)).to_have_text("63 of 63 uploaded.")
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    shot(page, "new-many-wrong-phone")
    told.get_by_role("link", name="Language").click()
    expect(page.get_by_label("Language")).to_be_in_viewport()
    expect(page.get_by_label("Language")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Language").fill("Hindi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check before saving")


@pytest.fixture
def untyped(site):
    """A new dataset without references: its id, and those of its clips."""
    return clips(site, [{"file_id": file, "language": "hi"} for file in files(site)])


def open_first(page, untyped):
    page.goto(f"/datasets/{untyped[0]}")
    expect(clip(page, 1).get_by_text("no reference yet", exact=True)).to_be_visible()
    clip(page, 1).locator("summary").click()


def is_at(page, number):
    """The text of a clip is open, and with it one sees which clip it is."""
    expect(text(page, number)).to_be_in_viewport()
    expect(clip(page, number).get_by_role("heading", level=3)).to_be_in_viewport()


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}])
def test_references_are_typed_one_after_the_other_by_keys(visit, site, untyped, size):
    page = visit(viewport=size)
    open_first(page, untyped)
    said = [f"बात {number}" for number in range(len(untyped[1]))]
    text(page, 1).focus()
    for number, one in enumerate(said, 1):
        expect(text(page, number)).to_be_focused()
        is_at(page, number)
        page.keyboard.insert_text(one)
        # A line break is one, and what is being composed is not sent.
        page.keyboard.press("Enter")
        page.keyboard.press("Backspace")
        key = {"key": "Enter", "code": "Enter", "ctrlKey": True, "bubbles": True, "cancelable": True}
        for other in [{"isComposing": True}, {"repeat": True}, {"altKey": True}]:
            text(page, number).dispatch_event("keydown", key | other)
        expect(text(page, number)).to_have_value(one)
        page.keyboard.press("Control+Enter" if number % 2 else "Meta+Enter")
        expect(clip(page, number).locator(".transcript")).to_have_text(one)
    # Behind the last one there is none: one stays with it, and nothing is left open.
    expect(page).to_have_url(f"{site.url}/datasets/{untyped[0]}#{untyped[1][-1]}")
    expect(page.locator("details[open] textarea")).to_have_count(0)
    assert stands(site, untyped) == said
    # Who mends one of those that are all there comes back to it.
    clip(page, 1).locator("summary").click()
    text(page, 1).fill("और")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(f"{site.url}/datasets/{untyped[0]}#{untyped[1][0]}")
    # On the page of one clip too.
    page.goto(f"/samples/{untyped[1][1]}")
    page.get_by_role("textbox", name="Reference").fill("अलग")
    page.keyboard.press("Control+Enter")
    expect(clip(page, 2).locator(".transcript")).to_have_text("अलग")


def test_without_scripts_one_goes_on_to_the_next_clip_without_a_reference(visit, site, untyped):
    first, second, third, _ = untyped[1]
    site.api("PATCH", f"{API}/samples/{second}", {"ground_truth": "है"})
    page = visit(java_script_enabled=False)
    open_first(page, untyped)
    for number, said, then in [(1, "एक", third), (3, "तीन", untyped[1][3])]:
        text(page, number).fill(said)
        clip(page, number).get_by_role("button", name="Save reference").click()
        expect(page).to_have_url(f"{site.url}/datasets/{untyped[0]}?version=2&written={untyped[1][number - 1]}&edit={then}#text-{then}")
        is_at(page, untyped[1].index(then) + 1)
        expect(page.locator("details[open] textarea")).to_have_count(1)
    assert stands(site, untyped) == ["एक", "है", "तीन", None]


def test_keys_are_told_to_those_who_have_some(visit, untyped):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    open_first(page, untyped)
    hint = clip(page, 1).get_by_text("Ctrl+Enter saves.")
    assert page.evaluate("matchMedia('(hover: none)').matches")
    expect(hint).to_be_hidden()
    page = visit(viewport=PHONE)
    open_first(page, untyped)
    expect(clip(page, 1).get_by_text("Ctrl+Enter saves.")).to_be_visible()
