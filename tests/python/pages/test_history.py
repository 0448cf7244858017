"""Back and reload: no page that answers a form is asked for twice."""

import re

import pytest
from playwright.sync_api import expect
from test_datasets import describe, drop, recordings, status, table
from test_runs import fill


def test_back_from_a_run_that_was_started_leads_to_the_form(visit):
    page = visit()
    page.goto("/runs/new")
    fill(page, "started and left", models=("gemini-2.5-flash",))
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name="What it would take")).to_be_visible()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("started and left")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("New run")
    expect(page.get_by_label("Dataset")).not_to_have_value("")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_estimate_is_loaded_again_and_come_back_to_with_all_that_was_chosen(visit, scripts):
    page = visit(java_script_enabled=scripts)
    page.goto("/runs/new")
    name = "estimated & लौटे"
    fill(page, name, models=("gemini-2.5-flash",))
    page.get_by_label("At most (US$)").fill("12.50")
    page.get_by_label("Always review blind").check()

    def is_kept():
        expect(page.get_by_label("Run name")).to_have_value(name)
        expect(page.get_by_label("Dataset")).not_to_have_value("")
        expect(page.get_by_label(re.compile("^gemini-2.5-flash "))).to_be_checked()
        expect(page.get_by_label("At most (US$)")).to_have_value("12.50")
        expect(page.get_by_label("Always review blind")).to_be_checked()

    page.get_by_role("button", name="Estimate").click()
    estimate = page.get_by_role("heading", name="What it would take")
    for leave in [lambda: None, page.reload, lambda: (page.get_by_role("link", name="Help").click(), page.go_back())]:
        leave()
        expect(estimate).to_be_visible()
        is_kept()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.go_back()
    expect(estimate).to_be_visible()
    is_kept()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_form_that_was_left_is_come_back_to_as_it_was(visit, scripts):
    page = visit(java_script_enabled=scripts)
    page.goto("/runs/new")
    fill(page, "typed and left", models=("gemini-2.5-flash",))
    page.get_by_label("At most (US$)").fill("2.50")
    page.get_by_label("Name of the model").fill("mine")
    page.get_by_role("link", name="Help").click()
    expect(page).to_have_url(re.compile("/help$"))
    page.go_back()
    expect(page.get_by_label("Run name")).to_have_value("typed and left")
    expect(page.get_by_label("At most (US$)")).to_have_value("2.50")
    expect(page.get_by_label("Name of the model")).to_have_value("mine")
    expect(page.get_by_label(re.compile("^gemini-2.5-flash "))).to_be_checked()


def test_what_a_mistake_was_made_in_is_kept_by_loading_it_again(visit):
    page = visit()
    page.goto("/runs/new")
    fill(page, "by mistake", models=("gemini-2.5-flash",))
    page.get_by_label("At most (US$)").fill("a lot")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("must be an amount")
    page.reload()
    expect(page.get_by_label("Run name")).to_have_value("by mistake")
    expect(page.get_by_label("At most (US$)")).to_have_value("a lot")


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
