"""Texts that turn, hide and burst: shown as what they are where they are taken, and refused in words where not."""

import pytest
from making import API, clips, recording, refused, transcribed
from playwright.sync_api import expect
from test_datasets import describe, drop, recordings, status, table, wav
from test_review import ready, until, without_guard

TURNS = "one \u202e two \u2066 three \u200f four"
WORD = "w" * 100_000
BIDI = ["\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u200e", "\u200f", "\u061c"]
PHONE = {"width": 360, "height": 740}


def quiet(page):
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    return page


def is_whole(page, path):
    """A page that nothing turned, broke or made wider."""
    answer = page.goto(path)
    assert answer.status == 200, path
    expect(page.locator("h1")).to_have_count(1)
    text = page.content()
    assert not any(sign in text for sign in [*BIDI, "\0"]), path
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    return page.locator("main")


def make(site, name="one", **fields):
    """A run of one clip and two models."""
    sample = {"file_id": recording(site, f"{name}.wav", wav(sum(map(ord, name)) + 40_000)), "ground_truth": "what was said", **fields}
    dataset = clips(site, [sample], "en")
    return dataset, transcribed(site, dataset, {"alpha": [{"text": "what was sad"}], "beta": [{"text": "what was said"}]})


@pytest.fixture(scope="module")
def file(site):
    return recording(site, "named.wav", wav(41_000))


NAMES = [
    ("a\u202eb", "must not contain control or bidirectional characters (found U+202E)"),
    ("a\u2066b", "must not contain control or bidirectional characters (found U+2066)"),
    ("a\0b", "must not contain control or bidirectional characters (found U+0000)"),
    (WORD, "must have 1 to 255 characters, has 100000"),
]
IDS = ["overridden", "isolated", "nul", "long"]


@pytest.mark.parametrize(("name", "told"), NAMES, ids=IDS)
def test_names_that_turn_or_burst_are_refused_by_the_api(site, file, name, told):
    announced = {"filename": name, "content_type": "audio/wav", "size_bytes": 1000}
    assert refused(site, "POST", f"{API}/files", announced) == (422, {"filename": told})
    body = {"name": name, "language": "en", "samples": [{"file_id": file, "ground_truth": "x"}]}
    assert refused(site, "POST", f"{API}/datasets", body) == (422, {"name": told})
    body["name"] = "metadata"
    body["samples"][0]["metadata"] = {name: "x"}
    status, fields = refused(site, "POST", f"{API}/datasets", body)
    (message,) = fields.values()
    assert (status, message) == (422, told)
    # What is refused is told by a name that is not as long.
    assert all(len(field) < 200 and field.startswith("samples[0].metadata.") for field in fields), fields


@pytest.mark.parametrize(
    ("value", "told"),
    [("a\0b", "must not contain U+0000"), (WORD, "must have at most 1000 characters, has 100000")],
    ids=["nul", "long"],
)
def test_metadata_that_can_not_be_kept_is_refused(site, file, value, told):
    body = {"name": "metadata", "language": "en", "samples": [{"file_id": file, "metadata": {"speaker": value}}]}
    assert refused(site, "POST", f"{API}/datasets", body) == (422, {"samples[0].metadata.speaker": told})


@pytest.mark.parametrize(
    ("comment", "told"),
    [("a\0b", "must not contain U+0000"), (WORD, "must have at most 5000 characters, has 100000")],
    ids=["nul", "long"],
)
def test_a_comment_that_can_not_be_kept_is_refused_and_not_lost(visit, site, comment, told):
    _, run = make(site, f"comment {len(comment)}")
    results = site.api("GET", f"{API}/runs/{run}/results")
    answer = refused(site, "PATCH", f"{API}/results/{results[0]['id']}", {"verdict": "wrong", "comment": comment})
    assert answer == (422, {"comment": told})
    page = quiet(visit(viewport=PHONE))
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    # As one who pastes it where a box has no bound.
    box = page.locator("[data-slot=A] textarea")
    box.evaluate("(box, text) => { box.removeAttribute('maxlength'); box.closest('details').open = true; box.value = text; }", comment)
    for key in "nn":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    bar = page.locator("[data-unsaved]")
    expect(bar).to_contain_text("What you said of a clip was refused, and is not saved")
    if "\0" in comment:
        expect(bar).to_contain_text(told)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert bar.bounding_box()["height"] <= PHONE["height"] / 2 + 1
    assert all(result["reviews"] == 0 for result in site.api("GET", f"{API}/runs/{run}/results"))
    page.reload()
    expect(bar).to_contain_text("A wrong")
    page.get_by_role("button", name="Forget it").click()
    expect(bar).to_be_hidden()


def test_comments_and_metadata_that_turn_are_labelled_and_turn_nothing(visit, site):
    dataset, run = make(site, "turned", metadata={"speaker": TURNS, "long": "m" * 1_000})
    long = "c" * 4_900
    for result, comment in zip(site.api("GET", f"{API}/runs/{run}/results"), [TURNS, f"{long}\u202e"], strict=True):
        site.api("PATCH", f"{API}/results/{result['id']}", {"verdict": "wrong", "comment": comment})
    page = quiet(visit(viewport=PHONE))
    labels = "one ⟨RLO⟩ two ⟨LRI⟩ three ⟨RLM⟩ four"
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.locator("[data-slot=A] textarea").evaluate("(box, text) => { box.value = text; }", TURNS)
    for key in "nn":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    until(lambda: sum(one["reviews"] for one in site.api("GET", f"{API}/runs/{run}/results")), 4)
    # One who has judged is told what others say; what they say themselves comes back in its box.
    review = is_whole(page, f"/runs/{run}/review/{dataset[1][0]}")
    expect(review.locator(".others").first).to_contain_text("API: Wrong")
    expect(review.locator(".others", has_text=labels)).to_have_count(1)
    expect(review.locator("[data-slot=A] textarea")).to_have_value(labels)
    results = is_whole(page, f"/runs/{run}/results")
    expect(results.locator("li", has_text=f"API: Wrong · {labels}")).to_have_count(1)
    expect(results.locator("li", has_text=f"Asha: Wrong · {labels}")).to_have_count(1)
    expect(results).to_contain_text(f"{long}⟨RLO⟩")
    expect(is_whole(page, f"/runs/{run}/report?group_by=speaker")).to_contain_text(labels)
    is_whole(page, f"/runs/{run}/report?group_by=long&block_by=speaker")
    for path in [f"/datasets/{dataset[0]}", f"/samples/{dataset[1][0]}", f"/runs/{run}", "/runs", "/datasets"]:
        is_whole(page, path)


@pytest.mark.parametrize(("name", "told"), NAMES[:3], ids=IDS[:3])
def test_names_that_turn_are_refused_beside_their_field(visit, site, name, told):
    page = quiet(visit(viewport=PHONE))
    page.goto("/datasets/new")
    # A recording: told in its row, and the others are sent.
    drop(page, [*recordings([f"{name}.wav"], 42_000), *recordings(["good.wav"], 42_100), table([("good.wav", "नमस्ते")])])
    expect(status(page)).to_contain_text("1 of 2 uploaded, 1 failed.")
    row = page.locator("[data-uploads] li").first
    expect(row).to_contain_text(f"Its name {told}")
    expect(row.get_by_role("button", name="Retry")).to_have_count(0)
    row.get_by_role("button", name="Remove").click()
    expect(status(page)).to_contain_text("1 of 1 uploaded.")
    # A dataset: told beside its name, which can be mended there.
    describe(page, name, "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(told.split(" (")[0], ignore_case=True)
    box = page.get_by_label("Name")
    expect(box).to_have_attribute("aria-invalid", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    mended = f"mended {ord(name[1]):x}"
    box.fill(mended)
    page.get_by_label("Table").set_input_files(table([("good.wav", "नमस्ते")]))
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(mended)


def test_a_name_that_is_too_long_leaves_a_page_as_wide_as_it_is(visit):
    page = quiet(visit(viewport=PHONE))
    page.goto("/datasets/new")
    drop(page, recordings([f"{WORD[:5_000]}.wav"], 43_000))
    row = page.locator("[data-uploads] li").first
    expect(row).to_contain_text("Its name must have 1 to 255 characters")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.get_by_label("Name")
    box.evaluate("(box) => box.focus()")
    page.keyboard.insert_text("n" * 300)
    assert len(box.input_value()) == 255


def test_a_word_of_a_hundred_thousand_letters_in_a_reference_breaks_no_page(visit, site):
    dataset, run = make(site, "burst", ground_truth=WORD)
    page = quiet(visit(viewport=PHONE))
    for path in [f"/datasets/{dataset[0]}", f"/samples/{dataset[1][0]}", f"/runs/{run}/results", f"/runs/{run}/report"]:
        is_whole(page, path)
    is_whole(page, f"/runs/{run}/review/{dataset[1][0]}")
    ready(page)
    sample = {"file_id": recording(site, "nul.wav", wav(44_000)), "ground_truth": "a\0b"}
    answer = refused(site, "POST", f"{API}/datasets", {"name": "x", "language": "en", "samples": [sample]})
    assert answer == (422, {"samples[0].ground_truth": "must not contain U+0000"})


def test_comments_as_long_as_their_boxes_take_are_saved_in_any_script(visit, site):
    """Of each letter of most scripts a form makes nine bytes."""
    _, run = make(site, "two long comments")
    page = quiet(visit(viewport=PHONE))
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    for key in "nn":
        page.keyboard.press(key)
    for letter in "AB":
        box = page.locator(f"[data-slot={letter}] textarea")
        box.evaluate("(box) => { box.closest('details').open = true; }")
        box.fill("क" * 5_000)
    page.keyboard.press("Control+Enter")
    results = f"{API}/runs/{run}/results"
    until(lambda: [len(one["comment"] or "") for one in site.api("GET", results)], [5_000, 5_000])
    expect(page.locator("[data-unsaved]")).to_be_hidden()
