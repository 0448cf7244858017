"""Back and reload: no page that answers a form is asked for twice."""

import re

from playwright.sync_api import expect
from test_datasets import describe, drop, recordings, status, table
from test_runs import fill


def test_back_from_a_run_that_was_started_leads_to_the_form(visit):
    page = visit()
    page.goto("/runs/new")
    fill(page, "started and left", models=("Gemini 2.5 Flash",))
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name="What it would take")).to_be_visible()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("started and left")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("New run")
    expect(page.get_by_label("Dataset")).not_to_have_value("")


def test_back_from_a_dataset_that_was_saved_leads_to_where_it_was_made(visit):
    page = visit()
    page.goto("/datasets/new")
    drop(page, [*recordings(["back0.wav", "back1.wav"], 70), table([("back0.wav", "नमस्ते"), ("back1.wav", "कल")])])
    expect(status(page)).to_have_text("2 of 2 uploaded.")
    describe(page, "Saved and left", "Hindi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check before saving")
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("New dataset")


def test_a_key_is_made_once_however_often_its_page_is_loaded(visit, site):
    page = visit()
    page.goto("/keys")
    page.get_by_label("Whose key").fill("Loaded twice")
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_text(re.compile("^sk_"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("rowheader", name="Loaded twice")).to_have_count(1)
    expect(page.get_by_text(re.compile("^sk_"))).to_have_count(0)
