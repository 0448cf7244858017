"""Texts of people and models that would be markup, or turn what stands around them: they are
text on every page, and what turns is a label that is seen."""

import csv
import re
import time

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_datasets import drop, recordings, status
from test_review import group, ready, verdict, without_guard

API = "/api/v1/evaluations/stt"
MARKUP = "\"><img src=x onerror=alert(1)><script>alert(1)</script>"
# Turns what follows, as names of files do that hide what they are.
TURNS, LABEL = "\u202e", "⟨RLO⟩"
# A page without what people type themselves: that stands in its fields as it is, and is sent so.
SHOWN = """() => {
  const page = document.documentElement.cloneNode(true);
  for (const field of page.querySelectorAll('textarea, input[type=hidden], .said')) field.remove();
  return [page.outerHTML, page.querySelector('body').textContent.replace(/\\s+/g, ' ')];
}"""


def said(field):
    """What a field holds, and how a page shows it."""
    return f"{MARKUP} {field} {TURNS} end"


@pytest.fixture
def hostile(site):
    """A dataset and a run of which each field that takes it holds markup and what turns."""
    file = site.demo[0]["file_id"]
    sample = {"file_id": file, "ground_truth": said("reference"), "metadata": {"speaker": said("speaker")}}
    body = {"name": f"{MARKUP} {time.time()}", "description": said("description"), "language": "en", "samples": [sample]}
    body["keywords"] = [f"keyword {TURNS} end"]
    made = site.api("POST", f"{API}/datasets", body)["id"]
    sample = site.api("GET", f"{API}/datasets/{made}?include_samples=true")["samples"][0]["id"]
    heard = {"alpha": {"text": said("heard")}, "beta": {"text": f"=1+1 {said('formula')}"}, "gamma": {"error": said("error")}}
    lists = [{"name": name, "items": [{"sample_id": sample, **item}]} for name, item in heard.items()]
    run = site.api("POST", f"{API}/runs", {"run_name": MARKUP, "dataset_id": made, "transcripts": lists})["id"]
    for _ in range(300):
        if site.api("GET", f"{API}/runs/{run}")["status"] == "completed":
            break
        time.sleep(0.1)
    for result in site.api("GET", f"{API}/runs/{run}/results"):
        if not result["error_message"]:
            change = {"is_correct": False, "comment": f"=2+2 {said('comment')}"}
            site.api("PATCH", f"{API}/results/{result['id']}", change)
    return made, sample, run


@pytest.fixture
def page(visit):
    """A phone, on which markup does nothing."""
    page = visit(viewport={"width": 360, "height": 740})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    return page


def is_text(page, fields, markup=True):
    """The markup of a page's fields and what turns in them are seen as text."""
    html, text = page.evaluate(SHOWN)
    assert TURNS not in html, page.url
    for field in fields:
        assert f"{field} {LABEL} end" in text, (page.url, field, text)
    if markup:
        assert "<img src=x onerror=alert(1)><script>alert(1)</script>" in text, page.url
    assert page.evaluate("document.querySelectorAll('img, main script').length") == 0, page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url


def test_markup_and_what_turns_are_text_on_every_page(page, site, hostile):
    made, sample, run = hostile
    key = site.api("POST", "/api/v1/keys", {"name": MARKUP, "role": "viewer"})["id"]
    heard = ["reference", "heard", "formula", "error"]
    for path, fields in {
        "/datasets": ["description"],
        f"/datasets/{made}": ["description", "keyword", "reference"],
        f"/datasets/{made}/delete": [],
        f"/samples/{sample}": ["reference"],
        "/runs": [],
        f"/runs/{run}": [],
        f"/runs/{run}/delete": [],
        f"/runs/{run}/results": [*heard, "comment"],
        f"/runs/{run}/report?block_by=speaker&group_by=speaker": ["speaker"],
        f"/runs/{run}/compare": [],
        f"/runs/{run}/consensus": [],
        "/keys": [],
    }.items():
        page.goto(path)
        is_text(page, fields)
    site.api("DELETE", f"/api/v1/keys/{key}")
    page.goto(f"/runs/{run}/results")
    # In a transcript the label has a box, and is read from left to right whatever is around it.
    label = page.locator(".transcript .invisible").first
    expect(label).to_have_text(LABEL)
    expect(label).to_have_attribute("dir", "ltr")
    expect(label).to_have_css("border-top-style", "solid")
    shot(page, "markup-results-phone")


def test_markup_and_what_turns_are_text_where_they_are_judged(page, hostile):
    run = hostile[2]
    without_guard(page)
    page.goto(f"/runs/{run}/review?queue=clips")
    ready(page)
    is_text(page, ["reference", "heard", "formula"])
    # A comment of one's own, before and after it is saved.
    address = page.url
    page.keyboard.press("c")
    page.keyboard.insert_text(said("remark"))
    page.keyboard.press("Escape")
    for key in ["n", "n", "n", "Enter"]:
        page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1)).not_to_have_text(re.compile("^Clip 1 of"))
    page.goto(address)
    ready(page)
    is_text(page, ["reference", "heard", "formula"])
    expect(verdict(page, "A")).to_have_text("Wrong")
    expect(group(page, "A").get_by_label("Comment")).to_have_value(f"{MARKUP} remark {LABEL} end")


def test_no_cell_of_a_table_is_a_formula(page, hostile):
    page.goto(f"/runs/{hostile[2]}")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["reference"] == said("reference") and row["imported/alpha"] == said("heard")
    assert row["imported/beta"] == f"'=1+1 {said('formula')}"
    assert row["imported/beta comment"] == f"'=2+2 {said('comment')}"
    # Of what failed the kind is told, in no words but our own.
    assert row["imported/gamma"] == "" and row["imported/gamma error"] == "transcript_failed"
    assert said("speaker") in row.values()
    formulas = [cell for cell in [*row, *row.values()] if cell.startswith(tuple("=+-@\t\r"))]
    assert formulas == []


def test_markup_in_the_name_of_a_recording_is_text(page):
    page.goto("/datasets/new")
    drop(page, recordings([f"{MARKUP}.wav".replace("/", "")], 7_000))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    expect(page.locator("[data-uploads] bdi")).to_have_text(f"{MARKUP}.wav".replace("/", ""))
    is_text(page, [], markup=False)


def test_what_turns_in_the_name_of_a_recording_is_seen_where_it_is_refused(page):
    page.goto("/datasets/new")
    drop(page, recordings([f"gnp{TURNS}vaw.wav"], 7_010))
    expect(status(page)).to_have_text("0 of 1 uploaded, 1 failed.")
    is_text(page, [], markup=False)
    # One that is no recording is named in a sentence, which it would turn as well.
    drop(page, [{"name": f"llac{TURNS}rma.amr", "mimeType": "audio/amr", "buffer": b"#!AMR"}])
    expect(status(page)).to_contain_text("Not taken: llac")
    is_text(page, [], markup=False)


def test_what_turns_in_a_comment_is_seen_where_it_is_not_saved(page, hostile):
    run = hostile[2]
    without_guard(page)
    page.goto(f"/runs/{run}/review?queue=clips")
    ready(page)
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    page.keyboard.press("c")
    page.keyboard.insert_text(f"remark {TURNS} end")
    for window in [other, page]:
        window.keyboard.press("Escape")
        for key in ["n", "n", "n", "Enter"]:
            window.keyboard.press(key)
        expect(window.get_by_role("heading", level=1)).not_to_have_text(re.compile("^Clip 1 of"))
    expect(page.get_by_text("judged in another window meanwhile")).to_be_visible()
    is_text(page, ["remark"], markup=False)
