"""Reviews in more than one window: settings, what is not saved yet, and what can be undone."""

import re

from playwright.sync_api import expect
from test_outbox import KEPT, judge
from test_review import TEXTS, counts, dataset, make, ready, run, until, verdict, without_guard  # noqa: F401
from test_undo import begin, on_clip

SAVES = "**/review/smp_*"
SETTINGS = "JSON.parse(localStorage['stt-review'])"
COMES_BACK = "dispatchEvent(new Event('online'))"


def saves_nothing(page, address=SAVES):
    page.route(address, lambda route: route.abort() if route.request.method == "POST" else route.continue_())


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


def test_what_one_window_takes_back_is_not_saved_by_another(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    saves_nothing(page)
    judge(page)
    on_clip(page, 2)
    other = page.context.new_page()
    saves_nothing(other)
    other.goto("/runs")
    told = other.get_by_text("2 not saved yet.")
    expect(told).to_be_visible()
    page.keyboard.press("z")
    on_clip(page, 1)
    expect(told).to_be_hidden()
    other.unroute(SAVES)
    other.evaluate(COMES_BACK)
    other.wait_for_timeout(1500)
    assert counts(site, run)["reviews"] == 0
    assert other.evaluate(KEPT) == 0


def test_two_windows_save_once_and_both_take_it_back(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    judge(page)
    on_clip(page, 2)
    until(lambda: counts(site, run)["reviews"], 2)
    until(lambda: page.evaluate(KEPT), 0)
    saves_nothing(page)
    judge(page)
    on_clip(page, 3)
    posts = []

    def hold(route):
        if route.request.method == "POST":
            posts.append(route)
        else:
            route.continue_()

    other = page.context.new_page()
    other.route(SAVES, hold)
    other.goto("/runs")
    until(lambda: (other.wait_for_timeout(20), len(posts))[1], 1)
    page.unroute(SAVES)
    page.route(SAVES, hold)
    page.evaluate(COMES_BACK)
    page.wait_for_timeout(2500)
    assert len(posts) == 1
    posts[0].continue_()
    until(lambda: (other.wait_for_timeout(20), counts(site, run)["reviews"])[1], 4)
    until(lambda: page.evaluate(KEPT), 0)
    page.wait_for_timeout(500)
    assert len(posts) == 1
    # Where it was said it is what is undone first, whichever window has saved it.
    page.unroute(SAVES)
    for number in [2, 1]:
        page.keyboard.press("z")
        on_clip(page, number)
        until(lambda n=number: counts(site, run)["reviews"], 2 * number - 2)


def test_what_was_said_of_another_run_is_undone_there(visit, site, run, dataset):  # noqa: F811
    another = make(site, dataset, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])
    page = visit()
    begin(page, run)
    for number in [1, 2]:
        judge(page)
        on_clip(page, number + 1)
        until(lambda n=number: counts(site, run)["reviews"], 2 * number)
    of_another = f"**/runs/{another}/review/smp_*"
    other = page.context.new_page()
    saves_nothing(other, of_another)
    other.goto(f"/runs/{another}/review")
    ready(other)
    judge(other)
    on_clip(other, 2)
    other.close(run_before_unload=False)
    saves_nothing(page, of_another)
    page.reload()
    ready(page)
    expect(page.get_by_text("2 not saved yet.")).to_be_visible()
    # It waits, and what is taken back is of this run.
    page.keyboard.press("z")
    on_clip(page, 2)
    until(lambda: counts(site, run)["reviews"], 2)
    assert page.evaluate(KEPT) == 1
    # It is saved, and what is taken back is of this run still.
    page.unroute(of_another)
    page.evaluate(COMES_BACK)
    until(lambda: counts(site, another)["reviews"], 2)
    until(lambda: page.evaluate(KEPT), 0)
    page.keyboard.press("z")
    on_clip(page, 1)
    until(lambda: counts(site, run)["reviews"], 0)
    assert counts(site, another)["reviews"] == 2
    page.goto(f"/runs/{another}/review")
    ready(page)
    on_clip(page, 2)
    page.keyboard.press("z")
    on_clip(page, 1)
    until(lambda: counts(site, another)["reviews"], 0)


def test_what_is_gone_is_no_longer_what_is_undone(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    judge(page)
    on_clip(page, 2)
    until(lambda: counts(site, run)["reviews"], 2)
    until(lambda: page.evaluate(KEPT), 0)
    # Of a clip that is not there.
    page.evaluate(
        """(name) => {
             const done = JSON.parse(sessionStorage[name]);
             sessionStorage[name] = JSON.stringify([...done, '60000.1']);
           }""",
        f"stt-did-{run}",
    )
    page.reload()
    ready(page)
    page.keyboard.press("z")
    expect(page.get_by_text("That can’t be undone: it is gone.")).to_be_visible()
    assert counts(site, run)["reviews"] == 2
    page.keyboard.press("z")
    on_clip(page, 1)
    until(lambda: counts(site, run)["reviews"], 0)
