"""Keys and focus of a review that goes back and on, and what its page takes into itself."""

import functools
import re

from conftest import shot, sign_in
from playwright.sync_api import expect
from test_outbox import KEPT, judge
from test_review import TEXTS, counts, dataset, make, ready, run, until, verdict, without_guard  # noqa: F401
from test_undo import begin, on_clip

# What each action of the sheet of keys is by without keys; rows are chosen by going into them.
CONTROLS = {
    "play": "[data-do=play]", "back": "[data-do=back]", "forward": "[data-do=forward]", "repeat": "[data-do=repeat]",
    "slower": "[data-do=pace]", "faster": "[data-do=pace]", "normal": "[data-do=pace]", "up": "[data-slot=A]",
    "down": "[data-slot=B]", "right": "[data-slot=A] [value=right]", "wrong": "[data-slot=A] [value=wrong]",
    "cannot_tell": "[data-slot=A] [value=cannot_tell]", "reason": "[data-slot=A] .boxes input", "both": "[data-both]",
    "unusable": "[name=audio_unusable]", "edit": "[data-edit]", "comment": "[data-slot=A] textarea",
    "grid": "[data-grid] summary", "save": "[data-do=save]", "skip": "[data-do=skip]",
    "previous": "[data-do=previous]", "undo": "[data-do=undo]", "help": "[data-do=help]",
}


def test_review_goes_on_after_what_was_taken_back(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    for number in [1, 2, 3]:
        on_clip(page, number)
        ready(page)
        judge(page)
        until(lambda n=number: counts(site, run)["reviews"], 2 * number)
    on_clip(page, 4)
    page.keyboard.press("z")
    on_clip(page, 3)
    until(lambda: counts(site, run)["reviews"], 4)
    # And once more from the last clip, which has none behind it to be loaded ahead.
    for _ in range(2):
        judge(page)
        on_clip(page, 4)
        until(lambda: page.evaluate(KEPT), 0)
        page.keyboard.press("p")
        on_clip(page, 3)
    page.keyboard.press("s")
    on_clip(page, 4)
    judge(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    until(lambda: counts(site, run)["reviews"], 2 * len(TEXTS))
    # The end has no form, and what was done last can be taken back there too.
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    shot(page, "review-end")
    page.keyboard.press("Control+z")
    on_clip(page, 4)
    until(lambda: counts(site, run)["reviews"], 2 * len(TEXTS) - 2)
    judge(page)
    page.get_by_role("button", name="Undo").click()
    on_clip(page, 4)
    until(lambda: counts(site, run)["reviews"], 2 * len(TEXTS) - 2)


def test_the_end_of_a_queue_is_undone_without_scripts(visit, site, run):  # noqa: F811
    page = visit(java_script_enabled=False)
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(TEXTS) + 1):
        on_clip(page, number)
        for letter in "AB":
            page.get_by_role("group", name=f"Transcription {letter}").get_by_role("button", name="Wrong").click()
        page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    before = counts(site, run)["reviews"]
    page.get_by_role("button", name="Undo").click()
    on_clip(page, len(TEXTS))
    until(lambda: counts(site, run)["reviews"] < before, True)


def test_where_one_was_is_known_after_a_reload(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("s")
    on_clip(page, 2)
    page.reload()
    ready(page)
    page.keyboard.press("p")
    on_clip(page, 1)


def test_a_key_that_is_held_does_once_what_it_does(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    for number in [1, 2]:
        judge(page)
        on_clip(page, number + 1)
        until(lambda n=number: counts(site, run)["reviews"], 2 * number)
    page.keyboard.down("Control")
    for _ in range(4):
        page.keyboard.down("z")
    page.keyboard.up("z")
    page.keyboard.up("Control")
    on_clip(page, 2)
    until(lambda: counts(site, run)["reviews"], 2)
    page.wait_for_timeout(500)
    assert counts(site, run)["reviews"] == 2


def test_a_slider_keeps_its_keys_and_a_page_scrolls_where_nothing_has_the_focus(visit, site, run):  # noqa: F811
    page = visit(viewport={"width": 800, "height": 400})
    begin(page, run)
    page.keyboard.press("y")
    page.get_by_role("slider", name="Position").focus()
    playing = "!document.querySelector('#review audio').paused"
    page.evaluate("document.querySelector('#review audio').pause()")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.evaluate(playing) is False
    on_clip(page, 1)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowDown")
    until(lambda: page.evaluate("scrollY > 0"), True)
    assert counts(site, run)["reviews"] == 0


def test_the_focus_is_seen_after_each_verdict(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("y")
    assert page.evaluate("document.activeElement.dataset.slot") == "B"
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    shot(page, "review-focus", full_page=False)
    # One who points sees where they point.
    page.locator("[data-slot=B] [value=wrong]").click()
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") in (0, 3)


def test_each_key_has_a_control(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("h")
    actions = page.locator("dialog dd").count()
    assert actions == len(CONTROLS), "the sheet of keys has other actions"
    page.keyboard.press("Escape")
    for action, control in CONTROLS.items():
        expect(page.locator(control).first, action).to_be_attached()
    page.get_by_role("button", name="Repeat").click()
    page.get_by_role("button", name="Forward").click()
    page.keyboard.press("s")
    on_clip(page, 2)
    page.get_by_role("button", name="Previous").click()
    on_clip(page, 1)


def test_single_keys_are_switched_off_in_the_settings(visit, site, run):  # noqa: F811
    page = visit()
    without_guard(page)
    page.goto("/settings")
    box = page.get_by_role("checkbox", name="Single keys in the review")
    expect(box).to_be_checked()
    box.uncheck()
    shot(page, "settings-keys")
    page.goto(f"/runs/{run}/review")
    expect(page.locator("[data-do=play]")).not_to_have_attribute("aria-keyshortcuts", re.compile("."))
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_count(0)
    assert page.evaluate("JSON.parse(localStorage['stt-review']).guard") is False


def test_characters_that_join_are_shown_where_that_is_wanted(visit, site, dataset):  # noqa: F811
    joined = "क\u200dष नमस्ते\u2060 ठीक"
    made = make(site, dataset, [[joined] * len(TEXTS)])
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{made}/review")
    ready(page)
    text = page.get_by_role("group", name="Transcription A").locator(".transcript")
    expect(text).to_contain_text("⟨WJ⟩")
    expect(text).not_to_contain_text("⟨ZWJ⟩")
    page.keyboard.press("h")
    page.get_by_role("checkbox", name="Show characters that join").check()
    page.keyboard.press("Escape")
    expect(text).to_contain_text("⟨ZWJ⟩")
    shot(page, "review-joiners")
    page.reload()
    expect(text).to_contain_text("⟨ZWJ⟩")


def fulfil(answer, route):
    route.fulfill(**answer)


def test_nothing_but_pages_of_this_service_is_put_into_a_page(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    evil = "<main><h1>taken over</h1></main>"
    for answer in [
        {"content_type": "text/plain", "headers": {"x-fragment": "1"}},
        {"content_type": "text/html", "headers": {}},
    ]:
        given = functools.partial(fulfil, {"status": 200, "body": evil, **answer})
        page.route("**/review?*", given)
        page.evaluate("sessionStorage.clear()")
        page.reload()
        ready(page)
        page.keyboard.press("s")
        expect(page.get_by_text("The next clip can’t be loaded now.")).to_be_visible()
        on_clip(page, 1)
        page.unroute("**/review?*")


def test_what_others_find_is_told_to_those_who_have_judged(visit, site, run):  # noqa: F811
    for result in site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?limit=100"):
        site.api("PATCH", f"/api/v1/evaluations/stt/results/{result['id']}", {"verdict": "right"})
    key = site.api("POST", "/api/v1/keys", {"name": "r", "role": "reviewer"})["key"]
    page = visit(signed_in=False)
    sign_in(page, key, "Rita")
    page.goto(f"/runs/{run}/results")
    expect(page.locator("article.clip").first).to_be_visible()
    expect(page.get_by_text("judged right")).to_have_count(0)


def test_the_end_of_a_session_is_told_before_it_comes(visit, site):
    page = visit()
    page.clock.install()
    page.goto("/runs")
    told = page.get_by_role("status").filter(has_text="You will be signed out within 15 minutes")
    page.clock.fast_forward("11:44:00")
    expect(told).to_be_hidden()
    page.clock.fast_forward("02:00")
    expect(told).to_be_visible()
    expect(told).to_contain_text("What you have saved is kept")
    shot(page, "session-ends", full_page=False)
    # Without scripts a page tells what is true as it is shown.
    plain = visit(java_script_enabled=False)
    expect(plain.get_by_text("You will be signed out")).to_be_hidden()


def test_keys_of_ones_own_outlive_signing_out_and_nothing_else_does(visit, site, run):  # noqa: F811
    page = visit()
    chosen = "JSON.stringify({ guard: false, keys: false })"
    page.evaluate(f"localStorage.setItem('stt-review', {chosen}); localStorage.setItem('other', '1')")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.wait_for_url(f"{site.url}/sign-in")
    kept = "Object.fromEntries(Object.keys(localStorage).map((name) => [name, localStorage[name]]))"
    assert page.evaluate(kept) == {"stt-review": '{"guard":false,"keys":false}'}
    sign_in(page, site.key, "Ravi", path=f"/runs/{run}/review")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("y")
    page.wait_for_timeout(300)
    expect(verdict(page, "A")).to_have_count(0)
    # Nobody else's page sets them.
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.url}/sign-in")
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    page.goto(f"{site.url}/sign-in#%7B%22guard%22%3Afalse%7D")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.evaluate("localStorage.length") == 0
