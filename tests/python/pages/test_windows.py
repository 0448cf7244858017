"""Reviews in more than one window."""

import re

from playwright.sync_api import expect
from test_review import dataset, ready, run, verdict  # noqa: F401
from test_undo import begin, on_clip

SETTINGS = "JSON.parse(localStorage['stt-review'])"


def test_what_the_settings_say_holds_in_a_review_that_is_open(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    other = page.context.new_page()
    other.goto("/settings")
    box = other.get_by_role("checkbox", name="Single keys in the review")
    box.uncheck()
    play = page.locator("[data-do=play]")
    for number in [1, 2, 3]:
        on_clip(page, number)
        expect(play).not_to_have_attribute("aria-keyshortcuts", re.compile("."))
        page.keyboard.press("y")
        page.locator("[data-do=pace]").click()
        expect(verdict(page, "A")).to_have_count(0)
        page.get_by_role("button", name="Skip").click()
    on_clip(page, 4)
    # What is set here leaves that as it is.
    assert page.evaluate(SETTINGS) == {"keys": False, "guard": False, "rate": 2}
    other.reload()
    expect(box).not_to_be_checked()
    box.check()
    ready(page)
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")


def test_keys_and_the_guard_of_another_window_hold_here(visit, run):  # noqa: F811
    page = visit()
    other = page.context.new_page()
    for window in [page, other]:
        window.goto(f"/runs/{run}/review")
        ready(window)
    guard = page.get_by_role("dialog").get_by_label("Listen before judging")
    page.keyboard.press("h")
    expect(guard).to_be_checked()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    expect(page.get_by_text("Listen to the end first.")).to_be_visible()
    other.keyboard.press("h")
    dialog = other.get_by_role("dialog")
    dialog.get_by_label("Listen before judging").uncheck()
    dialog.get_by_role("button", name="Change the key: Right", exact=True).click()
    other.keyboard.press("m")
    expect(dialog.get_by_role("status")).to_have_text("M is now the key for “Right”.")
    expect(page.locator("[data-slot=A] [value=right]")).to_have_attribute("aria-keyshortcuts", "M")
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_count(0)
    page.keyboard.press("m")
    expect(verdict(page, "A")).to_have_text("Right")
    page.keyboard.press("]")
    assert page.evaluate(SETTINGS) == {"keys": True, "guard": False, "rate": 1.25, "map": {"right": "KeyM"}}
    page.keyboard.press("h")
    expect(guard).not_to_be_checked()
