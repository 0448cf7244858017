"""Taking back, where the network is gone, and letting go of what can't be saved."""

from conftest import shot
from playwright.sync_api import expect
from test_outbox import KEPT, judge
from test_review import TEXTS, counts, dataset, ready, run, until, verdict, without_guard  # noqa: F401

AHEAD = "performance.getEntriesByType('resource').filter((r) => r.name.includes('after=')).length"


def on_clip(page, number):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")


def begin(page, run):  # noqa: F811
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    until(lambda: page.evaluate(AHEAD), 3)


def test_without_a_network_what_is_not_saved_is_taken_back_and_shown(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.context.set_offline(True)
    judge(page)
    on_clip(page, 2)
    judge(page)
    on_clip(page, 3)
    assert page.evaluate(KEPT) == 2
    for number in [2, 1]:
        page.keyboard.press("z")
        on_clip(page, number)
        expect(verdict(page, "A")).to_have_count(0)
        assert page.evaluate(KEPT) == number - 1
    # It can be judged anew, and that is saved.
    judge(page, "nn")
    until(lambda: page.evaluate(KEPT), 1)
    page.context.set_offline(False)
    until(lambda: counts(site, run), {"reviews": 2, "right": 0, "wrong": 2})


def test_what_can_not_be_shown_is_not_taken_back(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    saves = "**/review/smp_*"
    page.route(saves, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    judge(page)
    on_clip(page, 2)
    # Another window, after a reload, has not shown the first clip.
    other = page.context.new_page()
    other.route(saves, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    other.goto(f"/runs/{run}/review")
    ready(other)
    other.keyboard.press("s")
    on_clip(other, 2)
    other.reload()
    ready(other)
    other.context.set_offline(True)
    for _ in range(2):
        other.keyboard.press("z")
        expect(other.get_by_text("Nothing was taken back: there is no network.")).to_be_visible()
        assert other.evaluate(KEPT) == 1
    shot(other, "undo-without-network", full_page=False)
    other.context.set_offline(False)
    other.unroute(saves)
    until(lambda: counts(site, run), {"reviews": 2, "right": 1, "wrong": 1})
    until(lambda: other.evaluate(KEPT), 0)
    # What is saved stays saved where it can't be taken back.
    other.context.set_offline(True)
    other.keyboard.press("z")
    expect(other.get_by_text("That can’t be undone: there is no network.")).to_be_visible()
    other.context.set_offline(False)
    other.keyboard.press("z")
    on_clip(other, 1)
    until(lambda: counts(site, run)["reviews"], 0)


def test_what_was_said_of_a_run_that_is_gone_can_be_let_go_of(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    site.api("DELETE", f"/api/v1/evaluations/stt/runs/{run}")
    judge(page, "yn")
    bar = page.locator("[data-unsaved]")
    expect(bar).to_contain_text("What you said of a clip was refused, and is not saved: there is no such run. You said: A right, B wrong.")
    shot(page, "outbox-refused-for-good", full_page=False)
    page.get_by_role("button", name="Look at the clip again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    page.get_by_role("link", name="Runs").first.click()
    expect(bar).to_contain_text("You said: A right, B wrong.")
    # In another run one would take it for what was said there.
    page.goto(f"/runs/{site.run}")
    expect(bar).to_contain_text("In another run you said: A right, B wrong.")
    page.get_by_role("button", name="Forget it").click()
    expect(bar).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(bar).to_be_hidden()
    assert page.evaluate(KEPT) == 0


def test_a_clip_that_was_judged_twice_is_taken_back_twice(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")
    until(lambda: counts(site, run), {"reviews": 0, "right": 0, "wrong": 0})
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: counts(site, run), {"reviews": 1, "right": 1, "wrong": 0})
    page.keyboard.press("p")
    on_clip(page, 1)
    ready(page)
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("n")
    expect(verdict(page, "A")).to_have_text("Wrong")
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: counts(site, run), {"reviews": 1, "right": 0, "wrong": 1})
    for said in [{"reviews": 1, "right": 1, "wrong": 0}, {"reviews": 0, "right": 0, "wrong": 0}]:
        page.keyboard.press("z")
        until(lambda: counts(site, run), said)
        on_clip(page, 1)
