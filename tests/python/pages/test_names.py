"""Long names of models, and what else has little room on a phone and on paper."""

import time

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_pages import SIZES, size
from test_review import TEXTS, dataset  # noqa: F401

API = "/api/v1/evaluations/stt"
NAMES = ["whisper-large-v3", "whisper-medium", "whisper-large-v3-finetuned-hi-district"]
# Texts of a chart that lie over one another.
OVERLAPS = """() => {
  const over = [];
  for (const chart of document.querySelectorAll('svg.chart')) {
    const texts = [...chart.querySelectorAll('.name, .value')].map((text) => [text.textContent, text.getBBox()]);
    texts.forEach(([one, a], at) => {
      for (const [other, b] of texts.slice(at + 1)) {
        if (a.x < b.x + b.width && b.x < a.x + a.width && a.y + 2 < b.y + b.height && b.y + 2 < a.y + a.height) {
          over.push(`${one} | ${other}`);
        }
      }
      if (a.x + a.width > chart.viewBox.baseVal.width + 1) over.push(`${one} at ${a.x + a.width}`);
    });
  }
  return over;
}"""


@pytest.fixture(scope="module")
def long_names(site, dataset):  # noqa: F811
    made, samples = dataset
    heard = [[text[1] for text in TEXTS], [text[2] for text in TEXTS], ["x"] * len(TEXTS)]
    lists = [
        {"name": name, "items": [{"sample_id": s, "text": t} for s, t in zip(samples, texts, strict=False)]}
        for name, texts in zip(NAMES, heard, strict=True)
    ]
    body = {"run_name": "long names", "dataset_id": made, "transcripts": lists}
    run = site.api("POST", f"{API}/runs", body)["id"]
    for _ in range(300):
        if site.api("GET", f"{API}/runs/{run}")["status"] == "completed":
            return run
        time.sleep(0.2)
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("name", SIZES)
def test_long_names_are_told_apart_in_charts(visit, long_names, name):
    page = visit(viewport=size(name))
    page.goto(f"/runs/{long_names}/report")
    assert page.evaluate(OVERLAPS) == []
    lines = page.locator("#forgiven ~ .panels figure svg .name")
    shown = [line.text_content() for line in lines.all()]
    assert len(set(shown)) == len(NAMES), shown
    assert "imported/whisper-large-v3" in shown and "imported/whisper-medium" in shown, shown
    shot(page, f"long-names-{name}")


def test_links_of_a_path_leave_no_holes_on_a_phone(visit, long_names):
    page = visit(viewport=size("phone"))
    page.goto(f"/runs/{long_names}/results")
    # From the end of what a link says to what follows it.
    gaps = """(path) => [...path.querySelectorAll('a')].map((link) => {
      const [said, next] = [document.createRange(), document.createRange()];
      said.selectNodeContents(link);
      next.selectNode(link.nextSibling);
      next.setStart(link.nextSibling, 1);
      return next.getBoundingClientRect().left - said.getBoundingClientRect().right;
    })"""
    found = page.locator(".path").evaluate(gaps)
    assert len(found) == 2 and all(gap < 8 for gap in found), found
    for link in page.locator(".path a").all():
        box = link.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44
    # What is told of a model stands in a row, with marks between.
    told = page.locator("article.clip dt small").first
    assert told.evaluate("(small) => getComputedStyle(small, '::before').content") == '" · "'


def test_details_of_pairs_are_printed_as_open(visit, long_names):
    page = visit(viewport={"width": 718, "height": 1000})
    page.emulate_media(media="print")
    page.goto(f"/runs/{long_names}/report")
    pairs = page.get_by_role("table").filter(has=page.locator("summary"))
    expect(pairs.locator("dd").first).to_be_visible()
    marks = pairs.locator("summary").evaluate_all("(all) => all.map((one) => getComputedStyle(one).listStyleType)")
    assert set(marks) == {"none"}
    shot(page, "long-names-print")
