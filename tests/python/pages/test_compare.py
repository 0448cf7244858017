"""Comparing two runs, and the demo of those who have nothing yet."""

import json
import re
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import BINARY, Site, shot, sign_in
from playwright.sync_api import expect
from test_pages import SIZES, TAGS, size
from test_review import TEXTS, dataset, make  # noqa: F401


@pytest.fixture(scope="module")
def runs(site, dataset):  # noqa: F811
    """Two runs over the same clips: one model hears worse in the second, one hears as before."""
    said = [text[1] for text in TEXTS]
    heard = [text[2] for text in TEXTS]
    return make(site, dataset, [said, heard]), make(site, dataset, [["x"] * len(TEXTS), heard])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_two_runs_are_compared(visit, runs, scripts):
    first, second = runs
    page = visit(java_script_enabled=scripts)
    page.goto(f"/runs/{first}")
    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_label("Compare with").select_option(second)
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(f"with={second}"))
    finding = page.get_by_role("region", name="How they differ")
    expect(finding).to_contain_text("can’t be told apart")
    table = page.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(3)
    # The chart has the figures of the table.
    for row in table.get_by_role("row").all()[1:]:
        difference = row.locator("b").inner_text()
        expect(page.locator("svg .value", has_text=difference).first).to_be_attached()
    assert page.locator("svg desc").text_content().startswith("By imported/alpha")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SIZES)
def test_a_comparison_fits(visit, runs, name, scheme):
    page = visit(viewport=size(name), color_scheme=scheme)
    page.goto(f"/runs/{runs[0]}/compare?with={runs[1]}")
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[name][0]
    shot(page, f"compare-{name}-{scheme}")


def test_who_has_nothing_loads_the_demo(browser, tmp_path):
    """Without scripts, on a machine that was just started."""
    serve = [BINARY, "serve", "--gemini", "sim", "--listen", "127.0.0.1:0", "--data", str(tmp_path)]
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        site = Site(json.loads(process.stdout.readline()))
        context = browser.new_context(base_url=site.url, java_script_enabled=False)
        page = context.new_page()
        sign_in(page, site.key, path="/datasets")
        shot(page, "demo-offered")
        page.get_by_role("button", name="Load the demo").click()
        expect(page).to_have_url(re.compile(f"{site.url}/runs/run_"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Demo")
        page.goto("/datasets")
        expect(page.get_by_role("button", name="Load the demo")).to_have_count(0)
        context.close()
    finally:
        process.terminate()
        process.wait(20)
