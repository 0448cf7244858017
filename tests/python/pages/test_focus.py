"""What has the focus in a review, what keys do from there, and which keys its buttons tell."""

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_outbox import KEPT
from test_review import TEXTS, counts, dataset, group, make, ready, run, until, verdict, without_guard  # noqa: F401
from test_undo import begin, on_clip

AUDIO = "document.querySelector('#review audio')"
# Its upper edge is in the window, with an outline, and nothing lies over it.
SEEN = """() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const over = document.elementFromPoint(box.x + box.width / 2, box.y + 1);
  return parseFloat(getComputedStyle(one).outlineWidth) >= 2 && one.contains(over);
}"""
IS_IN_CLIP = "Boolean(document.activeElement.closest('#review, #clip'))"


@pytest.mark.parametrize(("name", "width", "height"), [("phone", 360, 600), ("desktop", 1280, 480)])
def test_the_transcription_that_keys_are_of_is_in_sight_and_has_the_focus(visit, site, dataset, name, width, height):  # noqa: F811
    heard = [[text[number] for text in TEXTS] for number in [2, 3, 2]]
    made = make(site, dataset, heard)
    page = visit(viewport={"width": width, "height": height})
    begin(page, made)
    assert page.evaluate("document.activeElement.id") == "clip"
    for key, letter in [("n", "B"), ("y", "C"), ("ArrowUp", "B"), ("ArrowUp", "A"), ("ArrowDown", "B"), ("ArrowDown", "C")]:
        page.keyboard.press(key)
        expect(group(page, letter)).to_be_focused()
        until(lambda: page.evaluate(SEEN), True)
    page.keyboard.press("u")
    expect(verdict(page, "C")).to_have_text("Cannot tell")
    expect(group(page, "C")).to_be_focused()
    shot(page, f"review-focus-{name}", full_page=False)
    page.evaluate(f"{AUDIO}.pause()")
    page.keyboard.press("Space")
    until(lambda: page.evaluate(f"{AUDIO}.paused"), False)
    # One who has typed is back where the next key counts.
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    expect(group(page, "C")).to_be_focused()
    page.keyboard.press("Enter")
    on_clip(page, 2)
    assert page.evaluate("document.activeElement.id") == "clip"
    until(lambda: page.evaluate(SEEN), True)


def test_enter_saves_from_the_clip_alone(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    assert page.evaluate(IS_IN_CLIP)
    page.keyboard.press("y")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    on_clip(page, 1)
    assert counts(site, run)["reviews"] == 0
    # Who points at something of it is in it, and is so after each that is saved or loaded.
    page.get_by_role("heading", name="What was said").click()
    page.keyboard.press("Enter")
    on_clip(page, 2)
    assert page.evaluate(IS_IN_CLIP)
    until(lambda: page.evaluate(KEPT), 0)
    page.reload()
    ready(page)
    assert page.evaluate(IS_IN_CLIP)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    on_clip(page, 3)
    until(lambda: counts(site, run)["reviews"], 2)


def test_a_key_that_is_held_plays_once_in_a_text_and_moves_no_page(visit, run):  # noqa: F811
    page = visit(viewport={"width": 800, "height": 400})
    begin(page, run)
    page.evaluate(f"{AUDIO}.pause()")
    # An even number of times would stop it again.
    for _ in range(4):
        page.keyboard.down("Space")
    page.keyboard.up("Space")
    until(lambda: page.evaluate(f"{AUDIO}.paused"), False)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == 0
    page.evaluate(f"{AUDIO}.pause()")
    page.keyboard.press("c")
    page.keyboard.down("Alt")
    for _ in range(4):
        page.keyboard.down("k")
    page.keyboard.up("k")
    page.keyboard.up("Alt")
    until(lambda: page.evaluate(f"{AUDIO}.paused"), False)
    expect(group(page, "A").get_by_role("textbox")).to_have_value("")


def test_buttons_tell_their_keys_also_those_that_were_chosen(visit, run):  # noqa: F811
    page = visit(viewport={"width": 1280, "height": 900})
    begin(page, run)

    def told(action):
        return page.locator(f"[data-do={action}]").evaluate("(button) => getComputedStyle(button, '::after').content")

    for action, key in [("play", "Space"), ("save", "Enter"), ("skip", "S"), ("undo", "Z")]:
        assert f'"{key}"' in told(action)
        # Those who hear the page hear of it as of a key, not as part of the name.
        assert page.locator(f"[data-do={action}]").get_attribute("aria-keyshortcuts").startswith(key)
    shot(page, "review-keys-on-buttons", full_page=False)
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Change the key: Skip", exact=True).click()
    page.keyboard.press("m")
    expect(page.locator("[data-do=skip]")).to_have_attribute("data-key", "M")
    assert '"M"' in told("skip")
    dialog.get_by_label("Single keys").uncheck()
    expect(page.locator("[data-do=skip]")).to_have_attribute("data-key", "")
    assert '"M"' not in told("skip")
    # A phone has no room for them.
    page.set_viewport_size({"width": 360, "height": 740})
    assert told("save") == "none"


@pytest.mark.parametrize(("name", "width", "height"), [("phone", 360, 600), ("desktop", 1280, 560)])
def test_a_transcription_is_in_sight_when_its_comment_is_left(visit, site, dataset, name, width, height):  # noqa: F811
    """Also one that with its reasons is higher than the room for it."""
    made = make(site, dataset, [[f"{text[2]} {number}" for text in TEXTS] for number in [1, 2, 3]])
    page = visit(viewport={"width": width, "height": height})
    begin(page, made)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(group(page, "B").get_by_role("textbox")).to_be_focused()
    page.keyboard.type("the second word")
    # Its end is looked at.
    end = group(page, "B").get_by_role("link", name="Both are right")
    end.scroll_into_view_if_needed()
    expect(end).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(group(page, "B")).to_be_focused()
    shot(page, f"review-comment-left-{name}", full_page=False)
    until(lambda: page.evaluate(SEEN), True)
