"""What is said of a clip: of which transcription, without contradiction, and never lost before it is saved."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot, sign_in
from playwright.sync_api import expect
from test_review import (  # noqa: F401
    TAGS,
    TEXTS,
    counts,
    dataset,
    files,
    group,
    make,
    ready,
    run,
    until,
    verdict,
    without_guard,
)

API = "/api/v1/evaluations/stt"


def begin(page, run, query=""):  # noqa: F811
    without_guard(page)
    page.goto(f"/runs/{run}/review{query}")
    ready(page)


def on_clip(page, number):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")


def reviews(site, run):  # noqa: F811
    """What is saved, as texts."""
    found = []
    for result in site.api("GET", f"{API}/runs/{run}/results?limit=100"):
        for review in site.api("GET", f"{API}/results/{result['id']}/reviews"):
            found.append(" ".join(filter(None, [review["verdict"], *review["reasons"], review["comment"]])))
    return sorted(found)


def comment(page, letter):
    return group(page, letter).get_by_label("Comment")


@pytest.mark.parametrize("by", ["key", "button"])
def test_a_reason_behind_wrong_is_of_what_was_found_wrong(visit, site, run, by):  # noqa: F811
    page = visit(viewport={"width": 1280, "height": 900})
    begin(page, run)
    if by == "key":
        page.keyboard.press("n")
    else:
        group(page, "A").get_by_role("button", name="Wrong").click()
    # Which one the keys of verdicts mean is marked, and which one those of reasons mean.
    expect(page.locator("[data-slot].current")).to_have_attribute("data-slot", "B")
    expect(page.locator("[data-slot].why")).to_have_attribute("data-slot", "A")
    styles = [page.locator(f"[data-slot={slot}]").evaluate("(slot) => getComputedStyle(slot).borderInlineStartStyle") for slot in "AB"]
    assert styles == ["dashed", "solid"]
    shot(page, "review-why", full_page=False)
    page.keyboard.press("8")
    expect(group(page, "A").get_by_label("Text missing")).to_be_checked()
    page.keyboard.press("c")
    page.keyboard.type("no verb")
    page.keyboard.press("Escape")
    expect(page.locator("[data-slot].current")).to_have_attribute("data-slot", "B")
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(verdict(page, "B")).to_have_text("Right")
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: reviews(site, run), ["right", "wrong missing_text no verb"])
    # One who chooses another row means that one.
    page.keyboard.press("n")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("1")
    expect(group(page, "B").get_by_label("Name", exact=True)).to_be_checked()
    expect(group(page, "A").get_by_label("Name", exact=True)).not_to_be_checked()


def test_right_goes_with_no_reason_but_the_spelling(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    # A reason first, then “Right”.
    page.keyboard.press("8")
    expect(verdict(page, "A")).to_have_text("Wrong")
    page.keyboard.press("4")
    page.keyboard.press("y")
    expect(page.get_by_text("Taken off, since it does not go with “Right”: Text missing.")).to_be_visible()
    expect(group(page, "A").get_by_label("Text missing")).not_to_be_checked()
    expect(group(page, "A").get_by_label("Only the spelling differs")).to_be_checked()
    # “Right” first, then a reason.
    page.keyboard.press("y")
    page.keyboard.press("1")
    expect(page.get_by_text("“Right” is now “Wrong”")).to_be_visible()
    expect(verdict(page, "B")).to_have_text("Wrong")
    page.keyboard.press("1")
    page.keyboard.press("u")
    # What can't be understood is not right; what is right was understood.
    page.keyboard.press("x")
    expect(verdict(page, "A")).to_have_text("Cannot tell")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("y")
    expect(page.get_by_label("The recording can’t be understood")).not_to_be_checked()
    expect(page.get_by_text("Taken off, since it does not go with “Right”: The recording can’t be understood.")).to_be_visible()
    expect(verdict(page, "A")).to_have_text("Right")
    expect(verdict(page, "B")).to_have_text("Cannot tell")
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: reviews(site, run), ["cannot_tell", "right spelling_variant"])


def test_what_is_wrong_for_its_spelling_alone_is_said_to_count_as_right(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    told = page.locator("[data-told]")
    counted = group(page, "A").get_by_text("This counts as right: nothing but the spelling differs.")
    expect(counted).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.press("4")
    expect(counted).to_be_visible()
    expect(told).to_have_text("This counts as right: nothing but the spelling differs.")
    shot(page, "review-spelling-alone")
    # With another reason, of the transcription or of the clip, it is wrong.
    page.keyboard.press("8")
    expect(counted).to_be_hidden()
    page.keyboard.press("8")
    expect(counted).to_be_visible()
    page.get_by_label("The reference is wrong").check()
    expect(counted).to_be_hidden()
    page.get_by_label("The reference is wrong").uncheck()
    expect(counted).to_be_visible()
    # It is said again where one comes back to it.
    page.reload()
    ready(page)
    expect(counted).to_be_visible()
    page.keyboard.press("y")
    first = page.url
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: reviews(site, run), ["right", "wrong spelling_variant"])
    assert counts(site, run) == {"reviews": 2, "right": 2, "wrong": 0}
    page = visit(java_script_enabled=False)
    page.goto(first)
    expect(counted_without_scripts(page)).to_be_visible()
    hint = group(page, "B").get_by_label("Only the spelling differs (alone, it counts as right)")
    group(page, "B").get_by_text("Reasons and comment").click()
    expect(hint).to_be_visible()
    page.goto("/help")
    expect(page.get_by_text("no reason but “Only the spelling differs” counts as right")).to_be_visible()


def counted_without_scripts(page):
    return group(page, "A").get_by_text("This counts as right: nothing but the spelling differs.")


def test_without_scripts_a_contradiction_is_settled_and_told(visit, site, run):  # noqa: F811
    page = visit(java_script_enabled=False)
    page.goto(f"/runs/{run}/review")
    told = page.get_by_text("“Right” goes with no reason but the spelling")
    slot = group(page, "A")
    slot.get_by_text("Reasons and comment").click()
    slot.get_by_label("Text missing").check()
    slot.get_by_role("button", name="Right").click()
    expect(told).to_be_visible()
    expect(verdict(page, "A")).to_have_text("Right")
    expect(slot.get_by_label("Text missing")).not_to_be_checked()
    slot.get_by_text("Reasons and comment").click()
    slot.get_by_label("Text missing").check()
    page.get_by_role("button", name="Save and next").click()
    on_clip(page, 2)
    expect(told).to_be_visible()
    assert reviews(site, run) == ["wrong missing_text"]


def test_without_scripts_each_transcription_is_undone(visit, site, run):  # noqa: F811
    page = visit(java_script_enabled=False)
    page.goto(f"/runs/{run}/review")
    group(page, "A").get_by_role("button", name="Right").click()
    group(page, "B").get_by_role("button", name="Wrong").click()
    assert counts(site, run) == {"reviews": 2, "right": 1, "wrong": 1}
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    assert counts(site, run) == {"reviews": 1, "right": 1, "wrong": 0}
    undo.click()
    assert counts(site, run) == {"reviews": 0, "right": 0, "wrong": 0}
    expect(undo).to_be_disabled()


def test_a_verdict_of_another_window_and_ones_own_stand_side_by_side(visit, site, run):  # noqa: F811
    page = visit()
    without_guard(page)
    other = page.context.new_page()
    for window in [page, other]:
        window.goto(f"/runs/{run}/review")
        ready(window)
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    until(lambda: counts(site, run)["wrong"], 2)
    other.keyboard.press("y")
    other.keyboard.press("n")
    other.keyboard.press("8")
    other.keyboard.press("c")
    other.keyboard.type("tab two note")
    other.keyboard.press("Control+Enter")
    bar = other.locator("[data-unsaved]")
    expect(bar).to_contain_text("You said: A right, B wrong, missing text, “tab two note”.")
    shot(other, "review-refused", full_page=False)
    other.get_by_role("button", name="Look at the clip again").click()
    ready(other)
    # What was said here is in the form, and what stands beside it.
    for letter, said in [("A", "Right"), ("B", "Wrong")]:
        expect(verdict(other, letter)).to_have_text(said)
        expect(group(other, letter)).to_contain_text("What stands: Wrong")
    expect(group(other, "B").get_by_label("Text missing")).to_be_checked()
    expect(comment(other, "B")).to_have_value("tab two note")
    found = Axe().run(other, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    shot(other, "review-side-by-side")
    # It is told until one of both was chosen and saved, and a reload sends nothing.
    other.reload()
    ready(other)
    expect(verdict(other, "A")).to_have_text("Wrong")
    expect(bar).to_contain_text("tab two note")
    other.get_by_role("button", name="Look at the clip again").click()
    ready(other)
    group(other, "A").get_by_role("button", name="Wrong").click()
    other.keyboard.press("Enter")
    until(lambda: reviews(site, run), ["wrong", "wrong missing_text tab two note"])
    expect(bar).to_be_hidden()


LEAVES = {
    "reload": lambda page: page.reload(),
    "link": lambda page: (page.get_by_role("link", name="Datasets").click(), page.go_back()),
    "order": lambda page: (
        page.get_by_label("Order").select_option("random"),
        page.get_by_role("button", name="Show").click(),
        page.wait_for_url("**queue=random**"),
        page.go_back(),
    ),
    "skip": lambda page: (page.keyboard.press("s"), page.keyboard.press("s"), on_clip(page, 2), page.keyboard.press("p")),
}


@pytest.mark.parametrize("leave", LEAVES)
def test_what_is_not_saved_is_there_when_one_comes_back(visit, site, run, leave):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("n")
    page.keyboard.press("8")
    page.keyboard.press("c")
    page.keyboard.type("half done")
    page.keyboard.press("Escape")
    LEAVES[leave](page)
    on_clip(page, 1)
    ready(page)
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(group(page, "A").get_by_label("Text missing")).to_be_checked()
    expect(comment(page, "A")).to_have_value("half done")
    expect(verdict(page, "B")).to_have_count(0)
    assert counts(site, run)["reviews"] == 0
    if leave == "reload":
        expect(page.get_by_text("What you said before is back, and not saved yet.")).to_be_visible()
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    on_clip(page, 2)
    until(lambda: reviews(site, run), ["right", "wrong missing_text half done"])
    # It is saved, and no draft any more.
    assert page.evaluate("Object.keys(sessionStorage).filter((name) => name.startsWith('stt-draft'))") == []


def test_a_draft_is_of_one_clip_one_run_and_one_person(visit, site, run, dataset):  # noqa: F811
    page = visit()
    begin(page, run)
    first = page.url
    page.keyboard.press("n")
    page.keyboard.press("s")
    on_clip(page, 2)
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    another = make(site, dataset, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])
    page.goto(f"/runs/{another}/review")
    ready(page)
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, site.key, name="Bimal")
    expect(page).to_have_url(f"{site.url}/runs")
    page.goto(first)
    ready(page)
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    # Hers is there for her.
    page.context.clear_cookies()
    sign_in(page, site.key)
    expect(page).to_have_url(f"{site.url}/runs")
    page.goto(first)
    ready(page)
    expect(verdict(page, "A")).to_have_text("Wrong")
    # What was saved elsewhere meanwhile stands, and what was said here beside it.
    page.keyboard.press("c")
    page.keyboard.type("mine")
    other = page.context.new_page()
    other.goto(first)
    ready(other)
    other.keyboard.press("y")
    other.keyboard.press("y")
    other.keyboard.press("Enter")
    until(lambda: counts(site, run)["right"], 2)
    page.reload()
    ready(page)
    expect(verdict(page, "A")).to_have_text("Right")
    expect(page.locator("[data-unsaved]")).to_contain_text("You said: A wrong, B “mine”.")
    page.get_by_role("button", name="Look at the clip again").click()
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(group(page, "A")).to_contain_text("What stands: Right")
    expect(comment(page, "B")).to_have_value("mine")
    # Who signs out is told what that loses.
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Signing out loses what is not saved.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_what_was_heard_before_a_reload_counts(visit, run):  # noqa: F811
    page = visit()
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("Space")
    until(lambda: page.evaluate("document.querySelector('audio').ended"), True)
    page.keyboard.press("y")
    page.reload()
    ready(page)
    expect(verdict(page, "A")).to_have_text("Right")
    until(lambda: page.evaluate("document.querySelector('audio').duration > 0"), True)
    page.keyboard.press("y")
    expect(verdict(page, "B")).to_have_text("Right")


def test_how_many_were_passed_over_is_told(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    on_clip(page, 2)
    expect(page.get_by_text("Next: clip 2. Passed over: 1 of 2 transcriptions.")).to_be_visible()
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    on_clip(page, 3)
    expect(page.locator("[data-told]")).to_have_text("Next: clip 3.")


def test_a_recording_that_is_held_back_alone_is_not_called_broken(visit, run):  # noqa: F811
    page = visit()
    without_guard(page)
    page.route("**/audio/file_*", lambda route: route.abort())
    page.goto(f"/runs/{run}/review")
    ready(page)
    told = page.get_by_text("The network withholds the recording: it can’t be loaded now.")
    expect(told).to_be_visible()
    expect(page.get_by_text("can’t be played here")).to_be_hidden()
    page.unroute("**/audio/file_*")
    page.keyboard.press("Space")
    until(lambda: page.evaluate("document.querySelector('audio').currentTime > 0"), True)
    expect(told).to_be_hidden()


def test_clips_that_nobody_transcribed_are_told_of(visit, site):
    language, said, heard, other = TEXTS[0]
    samples = [{"file_id": file, "ground_truth": said, "language": language} for file in files(site)]
    body = {"name": "two of them silent", "language": language, "samples": samples}
    made = site.api("POST", f"{API}/datasets", body)["id"]
    found = site.api("GET", f"{API}/datasets/{made}?include_samples=true")["samples"]
    ids = [sample["id"] for sample in found]
    # Two of four clips have transcriptions.
    run = make(site, (made, ids), [[heard, other], [other, heard]])  # noqa: F811
    page = visit()
    begin(page, run)
    expect(page.get_by_text("1 left in this queue; 2 other clips have no transcription")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("The last clip of this queue; 2 other clips have no transcription")).to_be_visible()
