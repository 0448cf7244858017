"""Judging clips: by keys, by touch, without scripts, without a network, by two people."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot, sign_in
from playwright.sync_api import expect

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOSTILE = [
    "<script>alert(1)</script>",
    "\"onload='alert(1)' &#x3c;b&#x3e;",
    "one \u202e two \u2066 three",
    "x" * 100_000,
]
TEXTS = [
    ("hi", "मुझे दस हजार रुपये चाहिए थे", "मुझे 10000 रुपया चाहिए", "मुझे दस हजार रुपये चाहिए थे"),
    ("ta", "எனக்கு காய்ச்சல் இருக்கிறது", "எனக்கு காச்சல் இருக்கு", "எனக்கு காய்ச்சல் இருக்கிறது"),
    ("ur", "مجھے بخار ہے اور سر میں درد ہے", "مجھے بکھار ہے سر میں درد", "مجھے بخار ہے اور سر میں درد ہے"),
    ("en", "the meeting is at ten", "the meeting is attend", "the meeting is at ten"),
]

# In how many ways high the bars of an outline are.
HEIGHTS = """() => {
  const canvas = document.querySelector('#review canvas');
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const rows = [...Array(height).keys()].map((y) => {
    let drawn = 0;
    for (let x = 0; x < width; x += 1) drawn += data[(y * width + x) * 4 + 3] > 0;
    return drawn;
  });
  return new Set(rows.filter((drawn) => drawn > 0)).size;
}"""


def files(site):
    short = [file for file in site.recordings if file["format"] in ("wav", "ogg") and file["duration_seconds"] < 6]
    # Whichever was registered first: of a WAV each place is where a browser says it is.
    short.sort(key=lambda file: (file["format"] != "wav", file["filename"]))
    return [file["id"] for file in short][: len(TEXTS)]


@pytest.fixture(scope="module")
def dataset(site):
    return clips(site)


def clips(site):
    samples = [
        {"file_id": file, "ground_truth": text[1], "language": text[0]}
        for file, text in zip(files(site), TEXTS, strict=False)
    ]
    body = {"name": f"review {time.time()}", "language": "hi", "samples": samples}
    made = site.api("POST", "/api/v1/evaluations/stt/datasets", body)
    path = f"/api/v1/evaluations/stt/datasets/{made['id']}?include_samples=true"
    return made["id"], [sample["id"] for sample in site.api("GET", path)["samples"]]


@pytest.fixture
def run(site, dataset):
    """A new run of two models over the clips, made of transcripts."""
    return make(site, dataset, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])


def make(site, dataset, models, providers=()):
    made, samples = dataset
    lists = [
        {"name": name, "items": [{"sample_id": s, "text": t} for s, t in zip(samples, texts, strict=False)]}
        for name, texts in zip(["alpha", "beta", "gamma"], models, strict=False)
    ]
    body = {"run_name": "heard <b>twice</b>", "dataset_id": made, "transcripts": lists}
    body |= {"providers": list(providers)} if providers else {}
    run = site.api("POST", "/api/v1/evaluations/stt/runs", body)["id"]
    for _ in range(300):
        if site.api("GET", f"/api/v1/evaluations/stt/runs/{run}")["status"] == "completed":
            return run
        time.sleep(0.2)
    raise AssertionError("the run does not end")


def counts(site, run):
    results = site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?limit=100")
    return {
        "reviews": sum(result["reviews"] for result in results),
        "right": sum(result["is_correct"] is True for result in results),
        "wrong": sum(result["is_correct"] is False for result in results),
    }


def until(what, wanted, pause=0.1):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if what() == wanted:
            return
        time.sleep(pause)
    assert what() == wanted


def ready(page):
    expect(page.get_by_role("button", name="Play").or_(page.get_by_role("button", name="Pause"))).to_have_attribute(
        "aria-keyshortcuts", "Space K"
    )


def without_guard(page):
    page.evaluate("localStorage.setItem('stt-review', JSON.stringify({ guard: false }))")


def group(page, letter):
    return page.get_by_role("group", name=f"Transcription {letter}")


def verdict(page, letter):
    return group(page, letter).locator("[aria-pressed=true]")


def test_a_queue_is_judged_by_keys_alone(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        left = len(TEXTS) - number
        told = f"{left} left in this queue" if left else "The last clip of this queue"
        expect(page.get_by_text(told)).to_be_visible()
        page.keyboard.press("y")
        expect(verdict(page, "A")).to_have_text("Right")
        page.keyboard.press("2")
        expect(group(page, "B").get_by_label("Number or date")).to_be_checked()
        expect(verdict(page, "B")).to_have_text("Wrong")
        page.keyboard.press("c")
        page.keyboard.type("yes no")
        expect(verdict(page, "B")).to_have_text("Wrong")
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    n = len(TEXTS)
    until(lambda: counts(site, run), {"reviews": 2 * n, "right": n, "wrong": n})
    reviews = site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?reason=number_or_date&limit=100")
    assert len(reviews) == n and all(result["comment"] == "yes no" for result in reviews)


def press(page, key, code, text=None):
    session = page.context.new_cdp_session(page)
    event = {"key": key, "code": code, "windowsVirtualKeyCode": 191}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": text or key, **event})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})


def test_keys_of_an_indian_keyboard_are_those_of_their_places(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    press(page, "ब", "KeyY")
    expect(verdict(page, "A")).to_have_text("Right")
    press(page, "ल", "KeyN")
    expect(verdict(page, "B")).to_have_text("Wrong")
    # A letter that is printed on a key goes before the place of the key.
    press(page, "u", "KeyG")
    expect(verdict(page, "B")).to_have_text("Cannot tell")
    page.keyboard.press("Enter")
    # And on to the end of the queue.
    for number in range(2, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        press(page, "ब", "KeyY")
        press(page, "ल", "KeyN")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    n = len(TEXTS)
    until(lambda: counts(site, run), {"reviews": 2 * n, "right": n, "wrong": n - 1})


def test_single_keys_can_be_switched_off_and_tab_is_enough(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog", name="Keys and settings")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Space or K (in a text: Alt+K)")
    page.keyboard.press("y")
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    dialog.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    right = group(page, "A").get_by_role("button", name="Right")
    for _ in range(60):
        if right.evaluate("(button) => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(verdict(page, "A")).to_have_text("Right")
    # What has the focus is seen, and nothing lies over it.
    seen = right.evaluate(
        """(button) => {
             const box = button.getBoundingClientRect();
             const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
             return button === document.activeElement && button.contains(top)
               && parseFloat(getComputedStyle(button).outlineWidth) >= 2;
           }"""
    )
    assert seen
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")
    until(lambda: counts(site, run)["right"], 1)


def test_keys_can_be_changed(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.get_by_role("button", name="Keys", exact=True).click()
    dialog = page.get_by_role("dialog", name="Keys and settings")
    change = dialog.get_by_role("button", name="Change the key: Right", exact=True)
    change.click()
    expect(dialog.get_by_role("status")).to_contain_text("Press a key for “Right”")
    page.keyboard.press("n")
    expect(dialog.get_by_role("status")).to_contain_text("N is the key for “Wrong”")
    page.keyboard.press("3")
    expect(dialog.get_by_role("status")).to_contain_text("can’t be chosen")
    page.keyboard.press("m")
    expect(dialog.get_by_role("status")).to_have_text("M is now the key for “Right”.")
    change.click()
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("status")).to_have_text("Left as it was.")
    shot(page, "review-keys", full_page=False)
    dialog.get_by_role("button", name="Close").click()
    right = group(page, "A").get_by_role("button", name="Right")
    expect(right).to_have_attribute("aria-keyshortcuts", "M")
    page.get_by_role("heading", level=1).focus()
    for key in ["y", "f"]:
        page.keyboard.press(key)
        expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    page.keyboard.press("m")
    expect(verdict(page, "A")).to_have_text("Right")
    # It is remembered, until all is as it was.
    page.reload()
    expect(right).to_have_attribute("aria-keyshortcuts", "M")
    page.keyboard.press("h")
    dialog.get_by_role("button", name="All keys as they were").click()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")


def test_words_stand_under_words(visit, site, run):
    page = visit(viewport={"width": 360, "height": 740})
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    for number, (_, said, *_) in enumerate(TEXTS, 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        table = page.get_by_role("table")
        if number == 1:
            expect(table).to_be_hidden()
            page.keyboard.press("t")
        expect(table).to_be_visible()
        assert table.get_by_role("columnheader").all_inner_texts() == said.split()
        expect(table.get_by_role("rowheader")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
        shot(page, f"review-grid-{number}", full_page=False)
        page.keyboard.press("s")


def test_a_word_is_played_from_where_it_was_said(visit, site):
    """One model told its times; the other's words, and the reference's, have them by their alignment."""
    api = "/api/v1/evaluations/stt"
    site.api("PUT", f"{api}/credentials/deepgram", {"api_key": "key-for-deepgram"})
    # The recordings of the demo are what the vendor knows.
    demo = site.api("GET", f"{api}/runs/{site.run}")["dataset_id"]
    known = site.api("GET", f"{api}/datasets/{demo}?include_samples=true")["samples"]
    known = [one for one in known if one["language"].startswith("hi") and len(one["ground_truth"].split()) > 4]
    samples = [{name: one[name] for name in ("file_id", "ground_truth", "language")} for one in known]
    made = site.api("POST", f"{api}/datasets", {"name": "words that seek", "language": "hi", "samples": samples})
    listed = site.api("GET", f"{api}/datasets/{made['id']}?include_samples=true")["samples"]
    heard = [one["ground_truth"].rsplit(" ", 1)[0] + " नहीं" for one in listed]
    run = make(site, (made["id"], [one["id"] for one in listed]), [heard], ["deepgram/nova-3"])
    page = visit(viewport={"width": 1280, "height": 900})
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("k")
    at = "document.querySelector('audio').currentTime"
    for place in ("#review .reference", "[data-slot=A] .transcript", "[data-slot=B] .transcript"):
        words = page.locator(f"{place} [data-at]")
        assert words.count() > 2
        last = words.last
        page.evaluate("document.querySelector('audio').pause()")
        last.click()
        told = int(last.get_attribute("data-at")) / 1000
        assert told > 0
        until(lambda: page.evaluate("document.querySelector('audio').paused"), False)
        assert told <= page.evaluate(at) < told + 2
    # The same word once more.
    page.evaluate("document.querySelector('audio').pause()")
    page.evaluate(f"document.querySelector('audio').currentTime = {told + 0.5}")
    page.keyboard.press("r")
    until(lambda: page.evaluate("document.querySelector('audio').paused"), False)
    assert told <= page.evaluate(at) < told + 0.4
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    shot(page, "review-words-that-seek", full_page=False)
    # Blind: nothing tells which of the two came with times.
    counts = {page.locator(f"[data-slot={slot}] .transcript [data-at]").count() > 0 for slot in "AB"}
    assert counts == {True}
    for slot in "AB":
        assert "deepgram" not in group(page, slot).inner_text()


def test_the_player_is_a_slider_over_the_outline_of_the_sound(visit, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    audio = "document.querySelector('#review audio')"
    page.evaluate(f"{audio}.pause()")
    expect(page.locator("#review audio")).to_be_hidden()
    # Bars of different heights, and not one line.
    until(lambda: page.evaluate(HEIGHTS) > 3, True)
    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("End")
    length = page.evaluate(f"{audio}.duration")
    assert page.evaluate(f"{audio}.currentTime") == pytest.approx(length, abs=0.01)
    page.keyboard.press("Home")
    assert page.evaluate(f"{audio}.currentTime") == 0
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{audio}.currentTime") == pytest.approx(min(1, length), abs=0.01)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^0:0\d of \d:\d\d$"))
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate(f"{audio}.currentTime") == pytest.approx(length / 2, rel=0.05)
    assert page.evaluate("document.activeElement.id") == "clip"
    page.get_by_role("button", name="Speed 1×").click()
    expect(page.get_by_role("button", name="Speed 1.25×")).to_be_visible()
    assert page.evaluate(f"{audio}.playbackRate") == 1.25
    # Keys work from the slider too, but for its own.
    slider.focus()
    page.keyboard.press("n")
    expect(page.locator("[data-slot=A] [aria-pressed=true]")).to_have_text("Wrong")


def test_the_last_clip_may_be_left_while_it_sounds(visit, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    for _ in TEXTS[1:]:
        page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {len(TEXTS)} of {len(TEXTS)}")
    page.evaluate("document.querySelector('audio').play()")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("That was the last clip in this order")
    page.goto(f"/runs/{run}/review?queue=split")
    expect(page.get_by_role("heading", level=1)).to_have_text("No clip of this order is left to judge")


def test_one_who_has_judged_all_is_told_so(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        page.keyboard.press("y")
        page.keyboard.press("n")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    expect(page.get_by_role("link", name="Begin again")).to_have_count(0)
    page.get_by_role("link", name="All transcriptions").click()
    page.goto(f"/runs/{run}/review")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")


def test_buttons_of_a_headset_and_foot_pedals_work(visit, site, run):
    page = visit()
    page.add_init_script(
        """window.pressed = {};
        const take = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
        navigator.mediaSession.setActionHandler = (name, what) => { window.pressed[name] = what; take(name, what); };"""
    )
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    press_button = "name => { window.pressed[name](); }"
    page.keyboard.press("k")
    page.evaluate(press_button, "pause")
    assert page.evaluate("document.querySelector('audio').paused")
    page.evaluate("document.querySelector('audio').currentTime = 0.5")
    page.evaluate(press_button, "seekbackward")
    assert page.evaluate("document.querySelector('audio').currentTime") == 0
    page.evaluate(press_button, "play")
    until(lambda: page.evaluate("document.querySelector('audio').paused"), False)
    assert page.evaluate("navigator.mediaSession.metadata.title").startswith("Clip 1 of")
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.evaluate(press_button, "nexttrack")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_what_was_heard_becomes_a_second_wording(visit, site, scripts):
    language, said, heard, other = TEXTS[0]
    # Another clip in which the same words are said, and one in which they are not.
    texts = [said, f"और {said}", "मुझे कुछ नहीं चाहिए"]
    samples = [
        {"file_id": file, "ground_truth": text, "language": language}
        for file, text in zip(files(site), texts, strict=False)
    ]
    body = {"name": f"both {time.time()}", "language": language, "samples": samples}
    made = site.api("POST", "/api/v1/evaluations/stt/datasets", body)["id"]
    path = f"/api/v1/evaluations/stt/datasets/{made}?include_samples=true"
    ids = [sample["id"] for sample in site.api("GET", path)["samples"]]
    run = make(site, (made, ids), [[heard, *texts[1:]], [other, *texts[1:]]])
    page = visit(viewport={"width": 360, "height": 740}, java_script_enabled=scripts)
    page.goto(f"/runs/{run}/review")
    slot = page.locator("[data-slot]", has_text="10000")
    if scripts:
        without_guard(page)
        page.reload()
        ready(page)
        slot.get_by_role("button", name="Wrong").focus()
        page.get_by_role("heading", level=1).focus()
    with page.context.expect_page() as opened:
        page.keyboard.press("b") if scripts else slot.get_by_role("link", name="Both are right").click()
    window = opened.value
    expect(window.get_by_role("heading", level=1)).to_have_text("Both are right")
    text = window.get_by_role("textbox", name="Reference")
    assert "|10000" in text.input_value() and "{" in text.input_value()
    if scripts:
        assert Axe().run(window, options={"runOnly": TAGS}).violations_count == 0
    assert window.locator("html").bounding_box()["width"] <= 360
    shot(window, "review-variant")
    wanted = text.input_value()
    everywhere = window.get_by_role("checkbox", name="For every clip with this pair")
    expect(everywhere).not_to_be_checked()
    everywhere.check()
    window.get_by_role("button", name="Save reference").click()
    expect(window.get_by_role("status").first).to_have_text("The reference takes both now.")
    expect(window.get_by_role("status").nth(1)).to_contain_text("1 other reference")
    after = [sample["ground_truth"] for sample in site.api("GET", path)["samples"]]
    assert after[0] == wanted and after[2] == texts[2]
    assert after[1] != texts[1] and "|10000" in after[1], after
    shot(window, "review-variant-saved")
    window.get_by_role("button", name="Score the run again").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("heard <b>twice</b>")


def test_a_reviewer_proposes_a_wording_and_an_editor_takes_it(visit, site):
    own = clips(site)
    run = make(site, own, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])
    made = site.api("POST", "/api/v1/keys", {"name": "Ravi", "role": "reviewer"})
    editor, reviewer = visit(), visit(signed_in=False)
    sign_in(reviewer, made["key"], name="Ravi")
    without_guard(reviewer)
    reviewer.goto(f"/runs/{run}/review?queue=random")
    ready(reviewer)
    first = reviewer.url
    reviewer.keyboard.press("s")
    expect(reviewer.get_by_text("2 left in this queue")).to_be_visible()
    # Back to the clip before, and slowly once more.
    reviewer.keyboard.press("p")
    expect(reviewer.get_by_text("3 left in this queue")).to_be_visible()
    assert reviewer.url.split("?")[0] == first.split("?")[0]
    reviewer.keyboard.press("Shift+R")
    expect(reviewer.locator("[data-rate]")).to_have_text("0.75×")
    reviewer.keyboard.press("e")
    expect(reviewer.get_by_text("References are changed by editors.")).to_be_visible()
    slot = reviewer.locator("[data-slot]", has=reviewer.get_by_role("link", name="Both are right")).first
    with reviewer.context.expect_page() as opened:
        slot.get_by_role("link", name="Both are right").click()
    window = opened.value
    wanted = window.get_by_role("textbox", name="Reference").input_value()
    window.get_by_role("button", name="Propose this").click()
    expect(window.get_by_role("status").first).to_have_text("Proposed. Editors find it among the results of the run.")
    shot(window, "review-proposed")
    # The editor, who has not judged yet, looks at it with the models told.
    without_guard(editor)
    editor.goto(first.split("?")[0] + "?blind=0")
    ready(editor)
    pages = [link.get_attribute("href") for link in editor.get_by_role("link", name="Both are right").all()]
    take = editor.get_by_role("button", name="Take this as the reference")
    for page in pages:
        editor.goto(page)
        if take.count():
            break
    assert Axe().run(editor, options={"runOnly": TAGS}).violations_count == 0
    shot(editor, "review-proposed-editor")
    take.click()
    expect(editor.get_by_role("status").first).to_have_text("The reference takes both now.")
    samples = site.api("GET", f"/api/v1/evaluations/stt/datasets/{own[0]}?include_samples=true")["samples"]
    assert wanted in [sample["ground_truth"] for sample in samples]


def test_right_is_for_those_who_listened(visit, site, run):
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    for judge in [
        lambda: page.keyboard.press("y"),
        lambda: group(page, "A").get_by_role("button", name="Right").click(),
    ]:
        judge()
        expect(page.get_by_text("Listen to the end first.")).to_be_visible()
        expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    page.keyboard.press("Space")
    until(lambda: page.evaluate("document.querySelector('audio').ended"), True)
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    until(lambda: counts(site, run)["reviews"], 2)
    (result,) = site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?is_correct=true")
    (review,) = site.api("GET", f"/api/v1/evaluations/stt/results/{result['id']}/reviews")
    assert review["listened"] >= 90 and review["blind"] and review["reviewer"]["name"] == "Asha"


def test_a_comment_is_not_skipped_unseen(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("c")
    page.keyboard.type("the second word")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.get_by_text("Your comment is saved with a verdict only")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 1 of {len(TEXTS)}")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")


def test_what_can_not_be_understood_is_told_of_each_transcription_by_key_and_mouse(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("y")
    box = page.get_by_role("checkbox", name="can’t be understood")
    for press in [box.click, lambda: page.keyboard.press("x")]:
        press()
        expect(box).to_be_checked()
        # What can't be understood is not right.
        expect(page.get_by_text("“Right” is now “Cannot tell”.")).to_be_visible()
        expect(verdict(page, "A")).to_have_text("Cannot tell")
        expect(verdict(page, "B")).to_have_text("Cannot tell")
        press()
        expect(box).not_to_be_checked()
        expect(verdict(page, "A")).to_have_text("Right")
        expect(verdict(page, "B")).to_have_count(0)


def test_a_network_that_is_gone_loses_nothing(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    # Clips ahead are there.
    ahead = "performance.getEntriesByType('resource').filter((r) => r.name.includes('after=')).length"
    until(lambda: page.evaluate(ahead), 3)
    page.context.set_offline(True)
    for number in range(1, 4):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        page.keyboard.press("y")
        page.keyboard.press("n")
        page.keyboard.press("Enter")
    expect(page.get_by_text("6 not saved yet.")).to_be_visible()
    assert counts(site, run)["reviews"] == 0
    # The window is closed without having been asked, and another is opened later.
    context = page.context
    page.close(run_before_unload=False)
    context.set_offline(False)
    again = context.new_page()
    again.goto(f"/runs/{run}/review")
    until(lambda: counts(site, run), {"reviews": 6, "right": 3, "wrong": 3})
    expect(again.get_by_text("not saved yet")).to_be_hidden()
    assert again.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('stt-outbox'))") == []
    again.reload()
    again.wait_for_load_state("networkidle")
    assert counts(site, run)["reviews"] == 6


def test_arrows_choose_a_transcription_of_a_clip_that_was_just_opened(visit, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    page.keyboard.type("of the second")
    expect(group(page, "B").get_by_role("textbox")).to_have_value("of the second")


def test_a_recording_that_the_network_withholds_is_not_called_broken(visit, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    ahead = "performance.getEntriesByType('resource').filter((r) => r.name.includes('after=')).length"
    until(lambda: page.evaluate(ahead), 3)
    page.context.set_offline(True)
    # Sound is there of the very next clip alone.
    for number in [2, 3]:
        page.keyboard.press("s")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
    told = page.get_by_text("No network: the recording can’t be loaded now.")
    expect(told).to_be_visible()
    expect(page.get_by_text("This recording can’t be played here.")).to_be_hidden()
    expect(page.get_by_role("link", name="Open the recording as a file")).to_be_hidden()
    page.context.set_offline(False)
    # It is loaded by itself, and the words are gone with what they told.
    expect(told).to_be_hidden()
    until(lambda: page.evaluate("document.querySelector('#review audio').readyState > 0"), True)


def test_a_session_that_ended_loses_nothing(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.context.clear_cookies()
    page.keyboard.press("y")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 not saved yet. You are signed out, and nothing is lost.")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    other = opened.value
    other.get_by_label("API key").fill(site.key)
    other.get_by_label("Your name").fill("Asha")
    other.get_by_role("button", name="Sign in").click()
    until(lambda: counts(site, run), {"reviews": 2, "right": 1, "wrong": 1})
    expect(page.get_by_text("not saved yet")).to_be_hidden()


def test_a_recording_that_is_broken_is_told_and_review_goes_on(visit, site, run):
    page = visit()
    page.route("**/audio/*", lambda route: route.fulfill(content_type="audio/wav", body="no sound"))
    page.goto(f"/runs/{run}/review")
    expect(page.get_by_text("This recording can’t be played here.")).to_be_visible()
    # Another program may play it.
    offer = page.get_by_role("link", name="Open the recording as a file")
    expect(offer).to_have_attribute("href", re.compile("^/audio/file_"))
    expect(offer).to_have_attribute("target", "_blank")
    first = offer.get_attribute("href")
    assert offer.bounding_box()["height"] >= 44
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    # What nobody heard is neither right nor wrong: by key, by button, by a reason.
    for judge in [
        lambda: page.keyboard.press("y"),
        lambda: group(page, "A").get_by_role("button", name="Wrong").click(),
        lambda: page.keyboard.press("1"),
    ]:
        judge()
        expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    expect(page.get_by_text("It can’t be heard here: say “Cannot tell”, or skip it.")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("x")
    expect(page.get_by_label("The recording can’t be understood")).to_be_checked()
    expect(verdict(page, "A")).to_have_text("Cannot tell")
    expect(verdict(page, "B")).to_have_text("Cannot tell")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")
    expect(offer).to_be_visible()
    assert offer.get_attribute("href") != first
    until(lambda: counts(site, run), {"reviews": 2, "right": 0, "wrong": 0})
    for result in site.api("GET", f"/api/v1/evaluations/stt/runs/{run}/results?limit=100"):
        for review in site.api("GET", f"/api/v1/evaluations/stt/results/{result['id']}/reviews"):
            assert review["listened"] == 0
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 3 of {len(TEXTS)}")
    # What plays is not offered.
    page.unroute("**/audio/*")
    page.reload()
    ready(page)
    until(lambda: page.evaluate("document.querySelector('#review audio').readyState > 0"), True)
    expect(offer).to_be_hidden()


def test_three_verdicts_are_undone_one_by_one(visit, site, run):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    for number in range(1, 4):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        page.keyboard.press("y")
        page.keyboard.press("y")
        page.keyboard.press("Enter")
        until(lambda: counts(site, run)["right"], 2 * number)
    for number in [3, 2, 1]:
        page.keyboard.press("z")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        until(lambda: counts(site, run)["right"], 2 * (number - 1))


def test_a_verdict_whose_answer_is_late_is_the_one_that_is_undone(visit, site, run):
    page = visit()
    without_guard(page)
    held = []

    def hold(route):
        answer = route.fetch()
        if len(held) < 1 and counts(site, run)["right"] == 4:
            held.append((route, answer))
        else:
            route.fulfill(response=answer)

    page.route("**/review/*", hold)
    page.goto(f"/runs/{run}/review")
    for number in [1, 2]:
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        page.keyboard.press("y")
        page.keyboard.press("y")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 3 of {len(TEXTS)}")
    until(lambda: (page.wait_for_timeout(10), len(held))[1], 1)
    # Twice, before the service has answered: the second clip is taken back, then the first.
    page.keyboard.press("z")
    page.keyboard.press("z")
    page.wait_for_timeout(200)
    assert counts(site, run)["right"] == 4
    held[0][0].fulfill(response=held[0][1])
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 1 of {len(TEXTS)}")
    until(lambda: counts(site, run)["right"], 0)


def test_two_people_judge_and_see_each_other_afterwards(visit, site, run):
    first, second = visit(), visit(signed_in=False)
    made = site.api("POST", "/api/v1/keys", {"name": "Ravi", "role": "reviewer"})
    sign_in(second, made["key"], name="Ravi")
    expect(second).to_have_url(f"{site.url}/runs")
    orders = []
    for page, keys in [(first, "yy"), (second, "nn")]:
        without_guard(page)
        page.goto(f"/runs/{run}/review")
        ready(page)
        address = page.url
        for told in ["alpha", "beta", "res_", "WER", "Asha:"]:
            assert told not in page.content(), told
        orders.append(page.locator("[data-slot]").all_inner_texts())
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")
        until(lambda: page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('stt-outbox')).length"), 0)
        page.goto(address)
        ready(page)
        assert "alpha" in page.content() and "beta" in page.content()
    expect(second.get_by_text("Asha: Right").first).to_be_visible()
    assert counts(site, run) == {"reviews": 4, "right": 0, "wrong": 0}


def test_two_windows_of_one_person_choose(visit, site, run):
    page = visit()
    without_guard(page)
    other = page.context.new_page()
    for window in [page, other]:
        window.goto(f"/runs/{run}/review")
        ready(window)
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    until(lambda: counts(site, run)["right"], 2)
    other.keyboard.press("n")
    other.keyboard.press("n")
    other.keyboard.press("Enter")
    expect(other.get_by_text("judged in another window meanwhile")).to_be_visible()
    assert counts(site, run)["right"] == 2
    other.get_by_role("button", name="Look at the clip again").click()
    expect(verdict(other, "A")).to_have_text("Wrong")
    expect(group(other, "A")).to_contain_text("What stands: Right")
    ready(other)
    other.keyboard.press("y")
    other.keyboard.press("Enter")
    until(lambda: counts(site, run), {"reviews": 2, "right": 1, "wrong": 1})
    expect(other.get_by_text("judged in another window meanwhile")).to_be_hidden()


def test_clips_are_judged_without_scripts(visit, site, run):
    page = visit(java_script_enabled=False)
    page.goto(f"/runs/{run}")
    page.get_by_role("link", name="Review", exact=True).click()
    group(page, "A").get_by_role("button", name="Right").click()
    expect(verdict(page, "A")).to_have_text("Right")
    group(page, "B").get_by_role("button", name="Cannot tell").click()
    group(page, "B").get_by_text("Reasons and comment").click()
    group(page, "B").get_by_label("Comment").fill("धीमी आवाज़\nकट गई")
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 2 of {len(TEXTS)}")
    assert counts(site, run) == {"reviews": 2, "right": 1, "wrong": 0}
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 3 of {len(TEXTS)}")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip 1 of {len(TEXTS)}")
    expect(verdict(page, "B")).to_have_text("Cannot tell")


def test_hostile_transcripts_are_text(visit, site, dataset):
    run = make(site, dataset, [HOSTILE, list(reversed(HOSTILE))])
    page = visit(viewport={"width": 360, "height": 740})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(HOSTILE) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(HOSTILE)}")
        ready(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert "\u202e" not in page.content()
        page.keyboard.press("y")
        page.keyboard.press("y")
        page.keyboard.press("Enter")
    until(lambda: counts(site, run)["right"], 2 * len(HOSTILE))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width", "height"), [("phone", 360, 740), ("desktop", 1280, 900)])
def test_review_is_accessible_and_fits(visit, site, run, name, width, height, scheme):
    page = visit(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=name == "phone")
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        page.wait_for_load_state("networkidle")
        if number == 1:
            assert page.evaluate("window.shifted") == 0
        shot(page, f"review-{TEXTS[number - 1][0]}-{name}-{scheme}", full_page=False)
        page.keyboard.press("2")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("y")
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            """[...document.querySelectorAll('main button, main .button, main select, main .choice')]
                 .filter((control) => !control.matches('.said'))
                 .map((control) => [control.textContent, control.getBoundingClientRect()])
                 .filter(([, box]) => box.width && box.height < 44).map(([text]) => text)"""
        )
        assert small == []
        shot(page, f"review-{TEXTS[number - 1][0]}-{name}-{scheme}-judged")
        page.keyboard.press("Enter")


def test_the_next_sound_comes_soon(visit, site, run):
    """Shown, not asserted: what a machine that does other things takes says little."""
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("Space")
    until(lambda: page.evaluate("document.querySelector('audio').currentTime > 0"), True)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("y")
    page.keyboard.press("y")
    began = time.monotonic()
    page.keyboard.press("Enter")
    sounds = "document.querySelector('h1').textContent.startsWith('Clip 2') && document.querySelector('audio').currentTime > 0"
    until(lambda: page.evaluate(sounds), True, pause=0.005)
    print(f"from the key to the next sound: {(time.monotonic() - began) * 1000:.0f} ms")


def test_nothing_lies_over_the_player_of_a_phone(visit, run):
    page = visit(viewport={"width": 360, "height": 600})
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.get_by_text("Word under word").click()
    rows = page.locator(".grid tbody th")
    expect(rows.first).to_be_visible()
    covered = """(row) => {
      // The row is brought under the bar, where its heading sticks to the page's edge.
      const bar = document.querySelector('.player');
      const middle = bar.getBoundingClientRect().top + bar.getBoundingClientRect().height / 2;
      window.scrollBy({ top: row.getBoundingClientRect().top + 10 - middle, behavior: 'instant' });
      const at = row.getBoundingClientRect();
      const seen = document.elementFromPoint(at.left + 8, middle);
      return [at.top < middle && middle < at.bottom, bar.contains(seen)];
    }"""
    assert rows.last.evaluate(covered) == [True, True]
