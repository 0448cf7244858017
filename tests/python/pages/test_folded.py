"""Models that a dataset can't be given to stand behind the others, and never out of sight when it matters."""

from making import clips
from playwright.sync_api import expect
from test_review import files


def test_what_is_folded_for_one_dataset_is_there_for_another_and_when_it_is_ticked(visit, site):
    file = files(site)[0]
    hindi = clips(site, [{"file_id": file}], "hi")[0]
    clips(site, [{"file_id": file}], "or")
    page = visit()
    page.goto("/runs/new")
    part = page.locator("details:has(> .vendor)")
    expect(part).to_have_count(1)
    expect(part.locator("> summary")).to_contain_text("do not take Odia")
    expect(part).not_to_have_attribute("open", "")
    page.get_by_label("Dataset").select_option(hindi)
    expect(part).to_have_attribute("open", "")
    # What costs money is seen, also where a browser has ticked it again.
    page.goto("/help")
    page.goto("/runs/new")
    expect(part).not_to_have_attribute("open", "")
    part.locator("> summary").click()
    box = part.locator("input:enabled").first
    box.check()
    page.get_by_role("link", name="Help").click()
    page.go_back()
    expect(box).to_be_checked()
    expect(part).to_have_attribute("open", "")
    expect(box).to_be_visible()
