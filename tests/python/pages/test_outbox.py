"""What is said and not saved yet, where sessions end, people change and pages are others."""

import pytest
from conftest import shot, sign_in
from playwright.sync_api import Error, expect
from test_review import TEXTS, counts, dataset, ready, run, until, without_guard  # noqa: F401

KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('stt-outbox')).length"


def judge(page, keys="yn"):
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")


def judge_without_a_network(page, address, clips):
    without_guard(page)
    page.goto(address)
    ready(page)
    ahead = "performance.getEntriesByType('resource').filter((r) => r.name.includes('after=')).length"
    until(lambda: page.evaluate(ahead), 3)
    page.context.set_offline(True)
    for number in range(1, clips + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        judge(page)


def left_behind(page, address):
    """Judges two clips without a network, and closes the window."""
    context = page.context
    judge_without_a_network(page, address, 2)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 3 of {len(TEXTS)}")
    page.close(run_before_unload=False)
    context.set_offline(False)
    return context


def test_what_a_review_left_is_saved_by_any_other_page(visit, site, run):  # noqa: F811
    context = left_behind(visit(), f"/runs/{run}/review")
    page = context.new_page()
    page.goto("/datasets")
    until(lambda: counts(site, run), {"reviews": 4, "right": 2, "wrong": 2})
    until(lambda: page.evaluate(KEPT), 0)


def test_a_reload_without_a_network_loses_nothing_and_sends_nothing_twice(visit, site, run):  # noqa: F811
    """Pages are not kept (no-store) and no worker stands in for the service, so without a network
    a browser shows a page of its own in place of one that is loaded again. What was said stays in
    its store, and is sent once when the same window gets a page of the service. What a page hands
    over while it is left (keepalive) may pass the offline that a browser plays: where its answer is
    not seen it is sent again, and counts once."""
    page = visit()
    asked, sent = [], []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    judge_without_a_network(page, f"/runs/{run}/review", 3)
    expect(page.get_by_text("6 not saved yet.")).to_be_visible()
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    # A browser asks first whether a page is left that has not saved all.
    assert asked == ["beforeunload"]
    page.wait_for_url("chrome-error://**")
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.context.set_offline(False)
    page.goto(f"/runs/{run}/review")
    until(lambda: counts(site, run), {"reviews": 6, "right": 3, "wrong": 3})
    expect(page.get_by_text("not saved yet")).to_be_hidden()
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(KEPT) == 0
    # All three, or those that were not handed over with an answer while the page was left.
    assert 2 <= len(sent) == len(set(sent)) <= 3, sent
    assert counts(site, run) == {"reviews": 6, "right": 3, "wrong": 3}


def test_what_arrives_late_is_not_shown_as_if_it_was_not_judged(visit, site, run):  # noqa: F811
    page = left_behind(visit(), f"/runs/{run}/review").new_page()
    page.goto(f"/runs/{run}/review")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 1 of {len(TEXTS)}")
    expect(page.locator("#review [aria-pressed='true']")).to_have_count(2)
    assert page.evaluate(KEPT) == 0
    # Nothing is judged twice, and it goes on with what is left.
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 3 of {len(TEXTS)}")
    assert counts(site, run)["reviews"] == 4


@pytest.mark.parametrize("recovers", [True, False])
def test_signing_out_waits_for_what_is_not_saved(visit, site, run, recovers):  # noqa: F811
    page = left_behind(visit(), f"/runs/{run}/review").new_page()
    saves = "**/review/smp_*"
    page.route(saves, lambda route: route.abort())
    page.goto("/runs")
    expect(page.get_by_text("4 not saved yet.")).to_be_visible()
    out = page.get_by_role("button", name="Sign out")
    if recovers:
        page.unroute(saves)
        out.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert counts(site, run)["reviews"] == 4
        return
    out.click()
    expect(page.get_by_text("Signing out loses what is not saved.")).to_be_visible()
    shot(page, "outbox-signing-out", full_page=False)
    assert page.url.endswith("/runs") and page.evaluate(KEPT) == 2
    out.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.evaluate(KEPT) == 0 and counts(site, run)["reviews"] == 0


def test_what_was_said_by_a_key_that_was_revoked_is_saved_by_the_next(visit, site, run):  # noqa: F811
    keys = [site.api("POST", "/api/v1/keys", {"name": name, "role": "reviewer"}) for name in ["old", "new"]]
    page = visit(signed_in=False)
    sign_in(page, keys[0]["key"])
    expect(page).to_have_url(f"{site.url}/runs")
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    site.api("DELETE", f"/api/v1/keys/{keys[0]['id']}")
    judge(page)
    expect(page.get_by_text("2 not saved yet. You are signed out, and nothing is lost.")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    sign_in(opened.value, keys[1]["key"], path="/sign-in")
    until(lambda: counts(site, run), {"reviews": 2, "right": 1, "wrong": 1})
    expect(page.get_by_text("not saved yet")).to_be_hidden()
    # Under the letters of then.
    heard = site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?is_correct=true")
    assert len(heard) == 1


def test_what_one_said_is_not_saved_as_another_and_waits_for_them(visit, site, run):  # noqa: F811
    context = left_behind(visit(), f"/runs/{run}/review")
    context.clear_cookies()
    page = context.new_page()
    sign_in(page, site.key, name="Bimal")
    expect(page.get_by_text("4 not saved yet: they are saved here when Asha signs in with a key of that project.")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    shot(page, "outbox-of-another-phone", full_page=False)
    # The same clips by somebody else take nothing away.
    page.goto(f"/runs/{run}/review")
    ready(page)
    shot(page, "outbox-review-phone", full_page=False)
    judge(page, "nn")
    until(lambda: counts(site, run)["reviews"], 2)
    expect(page.get_by_text("they are saved here when Asha signs in with a key of that project.")).to_be_visible()
    assert page.evaluate(KEPT) == 2
    context.clear_cookies()
    page = context.new_page()
    sign_in(page, site.key)
    until(lambda: counts(site, run)["reviews"], 6)
    until(lambda: page.evaluate(KEPT), 0)


def test_what_was_said_in_one_project_waits_while_another_is_looked_at(visit, site, run):  # noqa: F811
    context = left_behind(visit(), f"/runs/{run}/review")
    context.clear_cookies()
    page = context.new_page()
    sign_in(page, site.key_of_other)
    expect(page.get_by_text("4 not saved yet: they are saved here when Asha signs in with a key of that project.")).to_be_visible()
    assert page.evaluate(KEPT) == 2 and counts(site, run)["reviews"] == 0
    context.clear_cookies()
    page = context.new_page()
    sign_in(page, site.key)
    until(lambda: counts(site, run)["reviews"], 4)
    until(lambda: page.evaluate(KEPT), 0)


def test_sound_that_needs_a_session_says_so(visit, site, run):  # noqa: F811
    page = visit()
    without_guard(page)
    page.route("**/audio/file_*", lambda route: route.abort())
    page.goto(f"/runs/{run}/review")
    ready(page)
    expect(page.get_by_text("The network withholds the recording")).to_be_visible()
    page.context.clear_cookies()
    page.keyboard.press("Space")
    expect(page.get_by_text("You are signed out: sign in in another window")).to_be_visible()
    page.unroute("**/audio/file_*")
    sign_in(page.context.new_page(), site.key, path="/sign-in")
    page.wait_for_timeout(500)
    page.keyboard.press("Space")
    until(lambda: page.evaluate("document.querySelector('audio').currentTime > 0"), True)
