"""Acceptance checks that no other file of this folder has: see README.md."""

import re
import urllib.parse
import urllib.request

import pytest
from conftest import CHROMIUM, shot, sign_in
from playwright.sync_api import expect
from test_datasets import drop, recordings, status, wav
from test_review import (  # noqa: F401
    TEXTS,
    counts,
    dataset,
    group,
    make,
    ready,
    run,
    until,
    verdict,
    without_guard,
)

API = "/api/v1/evaluations/stt"
MARKUP = "\"><img src=x onerror=alert(1)><script>alert(1)</script>"
SOUNDS = ["wav", "mp3", "flac", "m4a", "ogg", "webm"]


@pytest.fixture(scope="module")
def equal(site, dataset):  # noqa: F811
    """A run of three models, two of which heard the same."""
    heard = [text[2] for text in TEXTS]
    return make(site, dataset, [heard, heard, [text[3] for text in TEXTS]])


def focus_is_seen(page):
    """What has the focus has an outline, and nothing lies over it."""
    until(lambda: focus(page), "")


def focus(page):
    return page.evaluate(
        """() => {
             const element = document.activeElement;
             if (element === document.body) return 'nothing';
             const box = element.getBoundingClientRect();
             const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
             const style = getComputedStyle(element);
             // A width is told of an outline that is none, too.
             const outline = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
             return outline >= 2 && (element.contains(top) || top?.contains(element))
               ? '' : `${element.outerHTML.slice(0, 200)} outline ${outline} under ${top?.outerHTML.slice(0, 80)}`;
           }"""
    )


def sounds(page):
    until(lambda: page.evaluate("document.querySelector('audio').currentTime > 0"), True)


def tab_to(page, target, most=40):
    for _ in range(most):
        page.keyboard.press("Tab")
        focus_is_seen(page)
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError("Tab does not lead there")


def test_ten_results_are_judged_by_keys_alone_from_sign_in_on(visit, site, equal):
    page = visit(signed_in=False)
    page.goto(f"/runs/{equal}")
    tab_to(page, page.get_by_label("Your name"))
    page.keyboard.type("Meena")
    tab_to(page, page.get_by_label("API key"))
    page.keyboard.type(site.key)
    page.keyboard.press("Enter")
    review = page.get_by_role("main").get_by_role("link", name="Review", exact=True)
    expect(review).to_be_visible()
    without_guard(page)
    tab_to(page, review)
    page.keyboard.press("Enter")
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        for key in "yn":
            page.keyboard.press(key)
            focus_is_seen(page)
        if number == 1:
            # In a text letters are letters, and Ctrl+Enter is the key outside of it.
            page.keyboard.press("ArrowUp")
            page.keyboard.press("c")
            focus_is_seen(page)
            page.keyboard.type("yes")
            expect(verdict(page, "B")).to_have_text("Wrong")
            expect(verdict(page, "C")).to_have_count(0)
            for key in ["Escape", "ArrowDown", "u"]:
                page.keyboard.press(key)
                focus_is_seen(page)
            page.keyboard.press("c")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("u")
            # The transcription that keys mean has the focus, and is marked.
            assert page.evaluate("document.activeElement.matches('[data-slot].current')")
            focus_is_seen(page)
            expect(page.locator("[data-slot].current")).to_have_count(1)
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    n = len(TEXTS)
    until(lambda: counts(site, equal)["reviews"], 3 * n)


def test_space_on_a_button_is_the_buttons(visit, run):  # noqa: F811
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.evaluate("document.querySelector('audio').pause()")
    wrong = group(page, "A").get_by_role("button", name="Wrong")
    wrong.focus()
    page.keyboard.press("Space")
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.evaluate("document.querySelector('audio').paused")


def test_right_is_refused_to_a_finger_too(visit, run):  # noqa: F811
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True)
    page.goto(f"/runs/{run}/review")
    ready(page)
    right = group(page, "A").get_by_role("button", name="Right")
    right.tap()
    expect(page.get_by_text("Listen to the end first.")).to_be_visible()
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^(Play|Pause)$")).tap()
    page.evaluate("document.querySelector('audio').play()")
    until(lambda: page.evaluate("document.querySelector('audio').ended"), True)
    right.tap()
    expect(verdict(page, "A")).to_have_text("Right")


def test_a_browser_that_plays_nothing_by_itself_says_how_to_begin(playwright, site, run):  # noqa: F811
    """With the policy that takes no earlier click for leave, then with the one that needs none."""
    policy = "--autoplay-policy="
    for value in ["document-user-activation-required", "no-user-gesture-required"]:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", policy + value])
        page = browser.new_context(base_url=site.url).new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        sign_in(page, site.key, path="/help")
        page.goto("about:blank")
        page.goto(f"/runs/{run}/review")
        ready(page)
        told = page.get_by_text("Press Space to listen.")
        if value.startswith("no"):
            sounds(page)
            expect(told).to_be_hidden()
            # To the last one, which nothing follows.
            for clip in range(2, len(TEXTS) + 1):
                page.keyboard.press("s")
                expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {clip} of {len(TEXTS)}")
                sounds(page)
            expect(told).to_be_hidden()
        else:
            expect(told).to_be_visible()
            shot(page, "review-press-space", full_page=False)
            page.keyboard.press("Space")
        sounds(page)
        expect(page.locator("audio")).to_have_count(1)
        assert problems == []
        browser.close()


def test_every_format_is_heard(visit, site):
    files = {file["format"]: file["id"] for file in site.recordings}
    assert set(SOUNDS) <= set(files), files
    page = visit()
    page.goto("/help")
    for sound in SOUNDS:
        page.evaluate(
            """(url) => new Promise((resolve, reject) => {
                 const audio = new Audio(url);
                 audio.muted = true;
                 audio.addEventListener('timeupdate', () => audio.currentTime > 0 && resolve());
                 audio.addEventListener('error', () => reject(new Error(audio.error.message)));
                 audio.play();
               })""",
            f"/audio/{files[sound]}",
        )


def test_sound_comes_from_the_bucket_and_an_address_that_ended_is_asked_for_again(visit, site, run):  # noqa: F811
    page = visit()
    without_guard(page)
    asked, led = [], []

    def lead(route):
        # What a kept address that has ended leads to: the bucket refuses it. The clips that
        # follow are loaded meanwhile.
        led.append(route.request.url)
        later = [url for url in led if url.endswith("?later")]
        if len(led) == 1 or later == [route.request.url]:
            answer = route.fetch(max_redirects=0)
            route.fulfill(status=302, headers={"location": answer.headers["location"] + "0"})
        else:
            route.continue_()

    page.on("response", lambda answer: asked.append(answer))
    page.route("**/audio/file_*", lead)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("Space")
    sounds(page)
    expect(page.get_by_text("can’t be played here")).to_be_hidden()
    heard = [answer for answer in asked if answer.request.resource_type == "media"]
    ways = [answer for answer in heard if answer.status == 302]
    assert ways and all(answer.url.startswith(f"{site.url}/audio/") for answer in ways)
    # A browser that kept the way may name the sound by it: whose answer it is, its head says.
    parts = [answer for answer in heard if answer not in ways]
    assert parts and all(answer.request.headers.get("range") for answer in parts)
    assert any(answer.status == 206 for answer in parts)
    assert all("etag" in answer.headers for answer in parts if answer.ok)
    # Another ends on the same clip; a browser does not ask again for what it has heard whole.
    page.evaluate("document.querySelector('audio').src += '?later'")
    until(lambda: page.evaluate("true") and sum(url.endswith("?later") for url in led) > 1, True)
    # It was playing, and goes on.
    sounds(page)
    expect(page.get_by_text("can’t be played here")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")
    playing = "[...document.querySelectorAll('audio')].filter((audio) => !audio.paused).length"
    assert page.evaluate(playing) <= 1


@pytest.mark.parametrize("playing", [True, False])
def test_an_address_that_ends_while_one_seeks_is_asked_for_again_and_goes_on(visit, site, playing):
    page = visit()
    without_guard(page)
    recording, bucket = long_run(site)
    page.goto(f"/runs/{recording}/review")
    ready(page)
    audio = "document.querySelector('#review audio')"
    page.keyboard.press("Space")
    sounds(page)
    refused = []
    # Steps of a redirect are told by the browser's own door alone.
    door = page.context.new_cdp_session(page)

    def asked(event):
        request = {"requestId": event["requestId"]}
        if refused:
            return door.send("Fetch.continueRequest", request)
        refused.append(event["request"]["headers"].get("Range", ""))
        # What the bucket says of an address that has ended.
        headers = [{"name": "access-control-allow-origin", "value": site.url}]
        return door.send("Fetch.fulfillRequest", request | {"responseCode": 403, "responseHeaders": headers})

    if not playing:
        page.keyboard.press("Space")
        until(lambda: page.evaluate(f"{audio}.paused"), True)
    door.on("Fetch.requestPaused", asked)
    door.send("Fetch.enable", {"patterns": [{"urlPattern": f"*:{bucket}/*"}]})
    page.evaluate(f"{audio}.currentTime = 400")
    until(lambda: bool(page.evaluate("true") and refused), True)
    assert not refused[0].startswith("bytes=0-")
    if playing:
        until(lambda: page.evaluate(f"!{audio}.paused && {audio}.currentTime > 400.5"), True)
    else:
        until(lambda: page.evaluate(f"{audio}.readyState > 1 && {audio}.currentTime"), 400)
        assert page.evaluate(f"{audio}.paused")
    assert page.evaluate(f"{audio}.currentTime") < 430
    expect(page.locator("[data-told]")).to_have_text("")


def long_run(site):
    """A run over one recording that no browser keeps as a whole, and the port of its bucket."""
    sound = {"filename": "long.wav", "content_type": "audio/wav"}
    content = wav(0, 540, rate=16000)
    made = site.api("POST", f"{API}/files", sound | {"size_bytes": len(content)})
    upload = urllib.request.Request(made["upload"]["url"], content, made["upload"]["headers"], method="PUT")
    urllib.request.urlopen(upload, timeout=60).close()
    file = made["file"]["id"]
    until(lambda: site.api("GET", f"{API}/files/{file}")["status"], "ready")
    sample = {"file_id": file, "ground_truth": "a long one"}
    dataset = site.api("POST", f"{API}/datasets", {"name": file, "language": "en", "samples": [sample]})["id"]
    found = site.api("GET", f"{API}/datasets/{dataset}?include_samples=true")["samples"]
    run = make(site, (dataset, [found[0]["id"]]), [["a long one"]])  # noqa: F811
    return run, urllib.parse.urlsplit(upload.full_url).port


def test_two_equal_models_are_not_told_apart_and_charts_say_what_they_show(visit, equal):
    page = visit()
    page.goto(f"/runs/{equal}/report")
    main = page.get_by_role("main")
    expect(main).not_to_contain_text(re.compile("winner", re.IGNORECASE))
    # A range of ranks, and not the dash of a model without one.
    ranks = page.locator(".models td.rank").all_inner_texts()
    assert len(ranks) == 3 and all(re.match(r"1–[23]\s+tied", rank) for rank in ranks), ranks
    expect(main.get_by_role("img", name="not distinguishable", exact=True).first).to_be_visible()
    charts = page.locator("svg[role=img]")
    assert charts.count() > 2
    # What they draw is compared with their tables in test_report_checks.py.
    for chart in charts.all():
        assert chart.locator("desc").text_content().strip()


def test_cells_of_few_clips_stand_in_the_columns_of_their_models(visit, equal):
    page = visit()
    page.goto(f"/runs/{equal}/report")
    heads = page.locator(".slices thead th").all()
    rows = page.locator(".slices tbody tr").all()
    assert len(heads) >= 3 and len(rows) > 1
    assert page.locator(".slices td.few").count() == len(rows) * 3
    for row in rows:
        for head, cell in zip(heads, row.locator("td").all(), strict=False):
            above, box = head.bounding_box(), cell.bounding_box()
            assert abs(above["x"] - box["x"]) < 1 and abs(above["width"] - box["width"]) < 1, (above, box)


def test_a_form_of_another_site_gives_no_verdict(visit, site, run):  # noqa: F811
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    fields = page.evaluate("[...new FormData(document.querySelector('#review'))]")
    path = page.evaluate("document.querySelector('#review').action")
    inputs = "".join(f"<input type=hidden name='{name}' value='{value}'>" for name, value in fields if name != "A.verdict")
    page.route(
        "http://127.0.0.1:1/evil",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<form method=post action='{path}'>{inputs}<button name='A.judge' value='right'>Win</button></form>",
        ),
    )
    page.goto("http://127.0.0.1:1/evil")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do that")
    assert counts(site, run)["reviews"] == 0


def test_markup_in_every_field_is_text(visit, site):
    page = visit(viewport={"width": 360, "height": 740})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto("/datasets/new")
    name = f"{MARKUP}.wav".replace("/", "")
    drop(page, recordings([name], 7_000))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    (file,) = [f for f in site.api("GET", f"{API}/files?limit=5") if "onerror" in f["filename"]]
    until(lambda: site.api("GET", f"{API}/files/{file['id']}")["status"], "ready")
    samples = [{"file_id": file["id"], "ground_truth": f"{MARKUP} said", "metadata": {"speaker": MARKUP}}]
    body = {"name": MARKUP, "description": MARKUP, "language": "en", "samples": samples}
    made = site.api("POST", f"{API}/datasets", body)["id"]
    sample = site.api("GET", f"{API}/datasets/{made}?include_samples=true")["samples"][0]["id"]
    started = make(site, (made, [sample]), [[f"{MARKUP} heard"], [f"=1+1 {MARKUP}"]])
    for result in site.api("GET", f"{API}/runs/{started}/results"):
        site.api("PATCH", f"{API}/results/{result['id']}", {"is_correct": False, "comment": MARKUP})
    key = site.api("POST", "/api/v1/keys", {"name": MARKUP, "role": "viewer"})["id"]
    for path in [
        "/datasets/new",
        "/datasets",
        f"/datasets/{made}",
        f"/samples/{sample}",
        "/runs",
        f"/runs/{started}",
        f"/runs/{started}/results",
        f"/runs/{started}/report?block_by=speaker&group_by=speaker",
        f"/runs/{started}/review?queue=clips",
        "/keys",
    ]:
        page.goto(path)
        assert "onerror" in page.content(), path
        assert page.evaluate("document.querySelectorAll('img, main script').length") == 0, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert "\u202e" not in page.content(), path
    site.api("DELETE", f"/api/v1/keys/{key}")


def test_how_far_two_reviewers_agree_is_told_in_the_report(visit, site, dataset):  # noqa: F811
    run = make(site, dataset, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])  # noqa: F811
    report = f"{API}/runs/{run}/report"
    results = site.api("GET", f"{API}/runs/{run}/results")
    for result in results[:3]:
        site.api("PATCH", f"{API}/results/{result['id']}", {"verdict": "right"})
    assert site.api("GET", report)["agreement"] is None
    other = site.api("POST", "/api/v1/keys", {"name": "second", "role": "reviewer"})
    for result, verdict in zip(results, ["right", "wrong", "cannot_tell", "right"]):  # noqa: F402
        site.api("PATCH", f"{API}/results/{result['id']}", {"verdict": verdict}, key=other["key"])
    found = site.api("GET", report)["agreement"]
    assert (found["items"], found["all_right"], found["all_wrong"]) == (2, 1, 0)
    assert found["needed"] == 30 and found["agreement"] is None and found["ac1"] is None
    page = visit(viewport={"width": 360, "height": 740})
    page.goto(f"/runs/{run}/report")
    part = page.get_by_role("region", name="How reviewers agree")
    expect(part).to_contain_text("2 transcriptions. From 30 on")
    expect(part).not_to_contain_text("%")
    part.scroll_into_view_if_needed()
    shot(page, "report-agreement", full_page=False)
