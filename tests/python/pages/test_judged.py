"""What people find is in the report, and goes with what is taken back."""

from figures import numbers
from playwright.sync_api import expect
from test_report_checks import models_of
from test_review import counts, dataset, ready, run, until, without_guard  # noqa: F401


def human(page, run):  # noqa: F811
    """How many people found right, of how many they judged; each model with its share, as the report tells it."""
    page.goto(f"/runs/{run}/report")
    right = judged = 0
    for row in models_of(page).values():
        share, of = row.get("Judged right", ["–", ""])
        if share == "–":
            assert not of, row
            continue
        # "2 of 3": of fewer than ten no rate is told.
        assert not of and "%" not in share, row
        found, count = numbers(share)
        right += int(found)
        judged += int(count)
    return right, judged


def test_what_people_found_follows_what_is_taken_back(visit, site, run):  # noqa: F811
    page = visit()
    report = page.context.new_page()
    assert human(report, run) == (0, 0)
    expect(report.get_by_role("columnheader", name="Judged right")).to_have_count(0)
    without_guard(page)
    page.goto(f"/runs/{run}/review?queue=random")
    for judged in range(1, 4):
        ready(page)
        left = page.url
        page.keyboard.press("y")
        page.keyboard.press("n")
        page.keyboard.press("Enter")
        until(lambda: counts(site, run), {"reviews": 2 * judged, "right": judged, "wrong": judged})
        expect(page).not_to_have_url(left)
        until(lambda: human(report, run), (judged, 2 * judged))
    # In which order they were met is told as well.
    expect(report.locator("#models ~ .legend").last).to_contain_text("All of them were met at random")
    for left in [2, 1, 0]:
        page.keyboard.press("z")
        until(lambda: counts(site, run), {"reviews": 2 * left, "right": left, "wrong": left})
        until(lambda: human(report, run), (left, 2 * left))
    expect(report.get_by_role("columnheader", name="Judged right")).to_have_count(0)
    expect(report.locator("#models ~ .legend").last).not_to_contain_text("at random")
