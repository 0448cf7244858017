"""What was not heard is not judged: how long one listens before “Wrong” and “Right”."""

from making import clips, recording, transcribed
from playwright.sync_api import expect
from test_datasets import wav
from test_review import group, ready, until, verdict

API = "/api/v1/evaluations/stt"
# How much was played, once, without what was passed over.
HEARD = """() => {
  const { played } = document.querySelector('#review audio');
  return [...Array(played.length).keys()].reduce((sum, at) => sum + played.end(at) - played.start(at), 0);
}"""
# Plays until so much was heard, and stops there.
LISTEN = f"""(seconds) => new Promise((done, failed) => {{
  const audio = document.querySelector('#review audio');
  const heard = {HEARD};
  const look = () => {{
    if (heard() < seconds) {{
      setTimeout(look, 10);
      return;
    }}
    audio.pause();
    done(heard());
  }};
  audio.play().then(look, failed);
}})"""


def test_wrong_is_for_those_who_listened_for_three_seconds(visit, site):
    # Of so long a clip three seconds are not most of it.
    file = recording(site, "eight.wav", wav(30_000, seconds=8))
    dataset = clips(site, [{"file_id": file, "ground_truth": "a long one"}], "en")
    run = transcribed(site, dataset, {"alpha": [{"text": "a wrong one"}], "beta": [{"text": "along one"}]})
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.evaluate("document.querySelector('#review audio').pause()")
    told = page.locator("[data-told]")

    def is_refused():
        for judge in [
            lambda: page.keyboard.press("n"),
            lambda: group(page, "A").get_by_role("button", name="Wrong").click(),
            lambda: page.keyboard.press("1"),
        ]:
            told.evaluate("(told) => { told.textContent = ''; }")
            judge()
            expect(told).to_have_text("Listen for three seconds first.")
            expect(page.locator("[aria-pressed=true]")).to_have_count(0)
        # A reason by itself is taken back.
        page.keyboard.press("1")
        assert page.evaluate(HEARD) < 3

    is_refused()
    # Passing over is not listening.
    page.evaluate("document.querySelector('#review audio').currentTime = 7")
    is_refused()
    page.evaluate("document.querySelector('#review audio').currentTime = 0")
    assert 2.2 <= page.evaluate(LISTEN, 2.2) < 3
    is_refused()
    assert 3.05 <= page.evaluate(LISTEN, 3.05) < 4
    page.keyboard.press("n")
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(told).to_have_text("")
    # For “Right” it is not enough.
    page.keyboard.press("y")
    expect(told).to_have_text("Listen to the end first.")
    expect(verdict(page, "B")).to_have_count(0)
    group(page, "B").get_by_role("button", name="Wrong").click()
    expect(verdict(page, "B")).to_have_text("Wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    path = f"{API}/runs/{run}/results"
    until(lambda: [one["is_correct"] for one in site.api("GET", path)], [False, False])
    for result in site.api("GET", path):
        (review,) = site.api("GET", f"{API}/results/{result['id']}/reviews")
        assert 38 <= review["listened"] < 50, review
