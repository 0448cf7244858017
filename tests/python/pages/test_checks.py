"""Acceptance checks that no other file of this folder has: see README.md."""

import re

import pytest
from conftest import shot, sign_in
from playwright.sync_api import expect
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


@pytest.mark.parametrize("policy", ["document-user-activation-required", "no-user-gesture-required"])
def test_a_browser_that_plays_nothing_by_itself_says_how_to_begin(launch, watched, site, run, policy):  # noqa: F811
    """With the policy that takes no earlier click for leave, and with the one that needs none."""
    page = watched(launch(f"--autoplay-policy={policy}"), site.url).new_page()
    sign_in(page, site.key, path="/help")
    page.goto("about:blank")
    page.goto(f"/runs/{run}/review")
    ready(page)
    told = page.get_by_text("Press Space to listen.")
    if policy.startswith("no"):
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


def test_parts_that_are_all_of_too_few_clips_are_a_line(visit, equal):
    page = visit()
    page.goto(f"/runs/{equal}/report")
    expect(page.locator(".slices")).to_have_count(0)
    told = page.locator("#languages + .legend")
    expect(told).to_contain_text(re.compile(r"^\d+\slanguages of fewer than 10 clips each tell no rate: .*Tamil \(\d\sclips?\)"))
    expect(told).not_to_contain_text("%")


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
