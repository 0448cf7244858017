"""Room for what is looked at and touched: tables on a desk, targets on a phone."""

import time

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_review import clips, dataset, make, ready, run, without_guard  # noqa: F401

MODELS = [
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "deepgram/nova-3",
    "elevenlabs/scribe_v2",
    "elevenlabs/scribe_v1",
]
CUT = """[...document.querySelectorAll('.wide')]
  .filter((one) => one.scrollWidth > one.clientWidth)
  .map((one) => `${one.getAttribute('aria-labelledby') ?? one.ariaLabel}: ${one.scrollWidth} of ${one.clientWidth}`)"""
# What is touched, with the height that it takes from neighbours where it lies in a sentence.
SMALL = """[...document.querySelectorAll('a, button, select, summary, textarea, label.choice, [data-seek]')]
  .filter((one) => one.checkVisibility() && !one.matches('.said, .skip'))
  .map((one) => [one.textContent.trim() || one.ariaLabel || one.name, one.getBoundingClientRect()])
  .filter(([, box]) => box.height && (box.height < 48 || box.width < 24))
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""


def of_five(site):
    """A run of the demo's clips by five models."""
    body = {"run_name": "five", "dataset_id": site.demo[0]["dataset_id"], "providers": MODELS}
    made = site.api("POST", "/api/v1/evaluations/stt/runs", body)["id"]
    for _ in range(300):
        if site.api("GET", f"/api/v1/evaluations/stt/runs/{made}")["status"] == "completed":
            return made
        time.sleep(0.2)
    raise AssertionError("the run does not end")


def test_no_table_of_a_report_is_cut_on_a_desk(visit, site):
    made = of_five(site)
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(f"/runs/{made}/report")
    expect(page.get_by_role("heading", name="Cost")).to_be_visible()
    shot(page, "report-of-five-desktop")
    assert page.evaluate(CUT) == []
    # The text to copy tells of which texts it is, and what was done to them.
    method = page.locator("section[aria-labelledby=method]")
    expect(method.get_by_role("definition").filter(has_text="scoring begun at")).to_be_visible()
    expect(method.get_by_role("term").filter(has_text="Steps of the normaliser")).to_be_visible()
    expect(method.get_by_role("definition").filter(has_text="punctuation")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_targets_of_a_review_are_48_pixels_on_a_phone(visit, site, run, scripts):  # noqa: F811
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True, java_script_enabled=scripts)
    if scripts:
        without_guard(page)
    page.goto(f"/runs/{run}/review")
    if scripts:
        ready(page)
    for summary in page.locator("main summary").all():
        summary.click()
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, f"review-targets-phone-{scripts}")
