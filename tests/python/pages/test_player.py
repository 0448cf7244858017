"""Sound comes the same way to all pages, whatever a browser has kept and a bucket allows."""

from conftest import shot
from playwright.sync_api import expect
from test_review import HEIGHTS, TEXTS, dataset, ready, run, until, without_guard  # noqa: F401

AUDIO = "document.querySelector('#review audio')"


def complaints_of(page):
    """What a console tells of what went wrong."""
    told = []
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    return told


def test_what_was_played_on_another_page_is_reviewed_without_a_complaint(visit, run):  # noqa: F811
    page = visit()
    without_guard(page)
    told = complaints_of(page)
    page.goto(f"/runs/{run}/results")
    for audio in page.locator("audio").all():
        audio.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
        until(lambda audio=audio: audio.evaluate("(audio) => audio.currentTime > 0"), True)
        audio.evaluate("(audio) => audio.pause()")
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        until(lambda: page.evaluate(f"{AUDIO}.readyState"), 4)
        until(lambda: page.evaluate(HEIGHTS) > 3, True)
        page.keyboard.press("s")
    assert told == []


def test_a_bucket_that_lets_no_page_read_is_listened_to(visit, run):  # noqa: F811
    page = visit()
    without_guard(page)
    told = complaints_of(page)
    # Steps of a redirect are told by the browser's own door alone.
    door = page.context.new_cdp_session(page)

    def closed(event):
        kept = [one for one in event["responseHeaders"] if not one["name"].lower().startswith("access-control")]
        answer = {"responseCode": event["responseStatusCode"], "responseHeaders": kept}
        door.send("Fetch.continueResponse", {"requestId": event["requestId"], **answer})

    door.on("Fetch.requestPaused", closed)
    door.send("Fetch.enable", {"patterns": [{"urlPattern": "*X-Amz-Signature*", "requestStage": "Response"}]})
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("Space")
    until(lambda: page.evaluate(f"{AUDIO}.currentTime > 0"), True)
    # It has no outline, and was heard at the first try.
    until(lambda: page.evaluate("true") and any("Access to fetch" in line for line in told), True)
    assert not [line for line in told if "Access to audio" in line]
    shot(page, "review-closed-bucket")
