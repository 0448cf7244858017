"""Marks are told apart by their shape, and from the page by their contrast: on screens, with forced colours, on paper."""

import re

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_pages import contrast
from test_report_checks import many, spoken  # noqa: F401
from test_review import TEXTS, dataset, make, ready, without_guard  # noqa: F401

HOW = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"forced_colors": "active"},
    {"forced_colors": "active", "color_scheme": "dark"},
    {"media": "print"},
]
# What differs of words beside what was said: replaced, missing and added.
ODD = ["the meeting was attend", "so the big meeting is at ten"]
STYLES = """(element) => {
  const pick = (style) => Object.fromEntries(
    ['color', 'fill', 'stroke', 'strokeDasharray', 'strokeWidth', 'textDecorationLine', 'textDecorationStyle',
      'textDecorationColor', 'textDecorationThickness', 'borderTopStyle', 'borderTopColor', 'borderTopWidth', 'content',
      'display', 'visibility', 'width', 'height', 'backgroundImage', 'printColorAdjust', 'd'].map((name) => [name, style[name]]));
  return { ...pick(getComputedStyle(element)), before: pick(getComputedStyle(element, '::before')) };
}"""


def named(how):
    return "-".join(how.values())


@pytest.fixture(params=HOW, ids=named)
def how(request):
    return request.param


def ground(page):
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return "rgb(255, 255, 255)" if colour == "rgba(0, 0, 0, 0)" else colour


def styles(locator):
    expect(locator.first).to_be_attached()
    return locator.first.evaluate(STYLES)


def pixels(length):
    return float(length.removesuffix("px"))


def test_what_is_certain_is_filled_and_what_is_open_is_hollow(visit, many, how):  # noqa: F811
    page = visit()
    page.emulate_media(**how)
    page.goto(f"/runs/{many}/report?group_by=region")
    paper = ground(page)
    for chart in ["#models ~ .panels svg", "#groups + .panels svg", "#cost ~ .panels svg"]:
        certain, hollow = (styles(page.locator(f"{chart} .{kind} .mark")) for kind in ["certain", "open"])
        assert contrast(certain["fill"], paper) >= 3 and contrast(hollow["stroke"], paper) >= 3, (certain, hollow)
        assert contrast(certain["fill"], hollow["fill"]) >= 3, "a full mark and a hollow one"
        assert contrast(hollow["fill"], paper) < 1.2 and pixels(hollow["strokeWidth"]) >= 1.5
        if chart.startswith("#models"):
            # Models that never differ have no interval.
            continue
        whole, dashed = (styles(page.locator(f"{chart} .{kind} .whisker")) for kind in ["certain", "open"])
        assert whole["strokeDasharray"] == "none" != dashed["strokeDasharray"]
        for whisker in [whole, dashed]:
            assert contrast(whisker["stroke"], paper) >= 3, whisker
    # Lines of models differ in their dashes, and in the shapes of their marks.
    lines = page.locator("#forgiven ~ .panels svg g > g")
    shapes = [(styles(one.locator("polyline"))["strokeDasharray"], one.locator(".mark").first.get_attribute("d")) for one in lines.all()]
    assert len(shapes) == 4
    for of_all in zip(*shapes, strict=True):
        assert len(set(of_all)) == len(of_all), shapes
    # Bars with a meaning of their own are fuller than the others; which they are stands below each.
    expect(page.locator("#spread ~ .panels svg").first).to_contain_text(">100")


def test_words_that_differ_are_told_apart_by_shape(visit, site, dataset, how):  # noqa: F811
    run = make(site, dataset, [[text[2] for text in TEXTS[:3]] + [one] for one in ODD])
    page = visit()
    page.emulate_media(**how)
    without_guard(page)
    # The last clip is in English.
    page.goto(f"/runs/{run}/review/{dataset[1][3]}")
    ready(page)
    words = page.locator(".slot .transcript")
    marks = {
        "right": styles(words.locator("p > bdi:not(.replaced)")),
        "replaced": styles(words.locator(".replaced")),
        "added": styles(words.locator("ins")),
        "missing": styles(words.locator("del")),
    }
    paper = ground(page)
    shapes = {
        name: (mark["textDecorationLine"], mark["textDecorationStyle"], mark["borderTopStyle"], mark["before"]["content"])
        for name, mark in marks.items()
    }
    assert len(set(shapes.values())) == len(shapes), shapes
    assert shapes["right"][0] == "none" and shapes["right"][2] == "none"
    for name in ["replaced", "added"]:
        mark = marks[name]
        assert mark["textDecorationLine"] == "underline" and pixels(mark["textDecorationThickness"]) >= 1.5, mark
        assert contrast(mark["textDecorationColor"], paper) >= 3, (name, mark["textDecorationColor"], paper)
    missing = marks["missing"]
    assert missing["borderTopStyle"] == "dotted" and pixels(missing["borderTopWidth"]) >= 1, missing
    assert contrast(missing["borderTopColor"], paper) >= 3, (missing["borderTopColor"], paper)
    for name, sign in [("added", "+"), ("missing", "−")]:
        before = marks[name]["before"]
        assert sign in before["content"] and contrast(before["color"], paper) >= 3, before
    for name, mark in marks.items():
        assert contrast(mark["color"], paper) >= 4.5, (name, mark["color"], paper)
    # And in words, for those who do not see them.
    for mark, said in [(".replaced", "instead of"), ("ins", "added"), ("del", "missing")]:
        expect(words.locator(mark).first.locator(".said")).to_contain_text(said)
    shot(page, f"review-marks-{named(how)}", full_page=False)


def test_steps_that_hide_differences_are_hatched(visit, many, how):  # noqa: F811
    page = visit()
    page.emulate_media(**how)
    page.goto(f"/runs/{many}/report")
    steps = page.locator("table.steps tbody tr")
    lossy = page.locator("table.steps tr.lossy")
    expect(lossy).to_have_count(1)
    expect(lossy.locator("th")).to_contain_text("hides real differences")
    paper = ground(page)
    hatch, plain = styles(lossy.locator("th"))["before"], styles(steps.first.locator("th"))["before"]
    assert hatch["content"] == '""' and plain["content"] in ("none", "normal"), (hatch, plain)
    assert pixels(hatch["width"]) >= 12 and pixels(hatch["height"]) >= 10, hatch
    stripes = re.findall(r"rgba?\([^)]*\)", hatch["backgroundImage"])
    assert "repeating-linear-gradient" in hatch["backgroundImage"] and len(set(stripes)) == 2, hatch
    (drawn,) = {stripe for stripe in stripes if not stripe.startswith("rgba")}
    assert contrast(drawn, paper) >= 3, (drawn, paper)
    assert contrast(hatch["borderTopColor"], paper) >= 3, hatch
    # Paper has no backgrounds but those that are asked for.
    assert hatch["printColorAdjust"] == "exact"
    lossy.scroll_into_view_if_needed()
    shot(page, f"report-hatched-{named(how)}", full_page=False)
