"""How much of a clip was heard, where its player loads it anew, and how fast it is played."""

import pytest
from playwright.sync_api import expect
from test_review import counts, dataset, ready, run, until, verdict, without_guard  # noqa: F401
from test_undo import begin, on_clip

AUDIO = "document.querySelector('#review audio')"
PLAY_TO = """(part) => new Promise((done) => {
  const audio = document.querySelector('#review audio');
  const look = () => {
    if (!audio.ended && audio.currentTime < part * audio.duration) {
      setTimeout(look, 10);
    } else {
      audio.pause();
      done();
    }
  };
  audio.play().then(look);
})"""


def load_anew(page):
    """As where the address of a recording has ended."""
    was = page.evaluate(f"{AUDIO}.currentTime")
    page.evaluate(f"{AUDIO}.dispatchEvent(new Event('error'))")
    until(lambda: page.evaluate(f"{AUDIO}.readyState > 1 && !{AUDIO}.seeking && {AUDIO}.currentTime"), pytest.approx(was, abs=0.05))
    # The player itself knows nothing any more.
    assert page.evaluate(f"{AUDIO}.played.length") == 0


def test_what_was_heard_before_a_recording_was_loaded_anew_counts(visit, site, run):  # noqa: F811
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.evaluate(PLAY_TO, 0.6)
    load_anew(page)
    page.keyboard.press("y")
    expect(page.get_by_text("Listen to the end first.")).to_be_visible()
    expect(verdict(page, "A")).to_have_count(0)
    page.evaluate(PLAY_TO, 1)
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    until(lambda: counts(site, run)["reviews"], 2)
    (result,) = site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?is_correct=true")
    (review,) = site.api("GET", f"/api/v1/evaluations/stt/results/{result['id']}/reviews")
    assert review["listened"] >= 90


def test_what_was_heard_twice_counts_once_and_what_was_passed_over_does_not(visit, run):  # noqa: F811
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    for _ in range(2):
        page.evaluate(f"{AUDIO}.currentTime = 0")
        page.evaluate(PLAY_TO, 0.6)
        load_anew(page)
    page.evaluate(f"{AUDIO}.currentTime = 0.95 * {AUDIO}.duration")
    page.evaluate(PLAY_TO, 1)
    page.keyboard.press("y")
    expect(page.get_by_text("Listen to the end first.")).to_be_visible()
    expect(verdict(page, "A")).to_have_count(0)


def test_a_recording_that_is_loaded_anew_is_played_as_fast_as_before(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("]")
    page.evaluate(PLAY_TO, 0.2)
    load_anew(page)
    assert page.evaluate(f"{AUDIO}.playbackRate") == 1.25
    expect(page.locator("[data-rate]")).to_have_text("1.25×")


def test_a_slow_repeat_is_slow_once(visit, run):  # noqa: F811
    page = visit()
    begin(page, run)
    rate = page.locator("[data-rate]")
    page.keyboard.press("]")
    page.evaluate(PLAY_TO, 0.5)
    page.keyboard.press("Shift+R")
    expect(rate).to_have_text("0.75×")
    assert page.evaluate(f"{AUDIO}.playbackRate") == 0.75
    # Up to where it was heard before, and on as before.
    expect(rate).to_have_text("1.25×", timeout=15000)
    assert page.evaluate(f"{AUDIO}.playbackRate") == 1.25
    # Once more: the clips that follow are not slow.
    page.keyboard.press("Shift+R")
    expect(rate).to_have_text("0.75×")
    page.keyboard.press("s")
    on_clip(page, 2)
    expect(rate).to_have_text("1.25×")
    assert page.evaluate("JSON.parse(localStorage['stt-review']).rate") == 1.25
