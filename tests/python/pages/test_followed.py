"""A run is followed until nothing of it changes any more."""

import time

from playwright.sync_api import expect

API = "/api/v1/evaluations/stt"


def test_a_run_that_is_scored_again_is_followed_until_it_is(visit, site):
    items = [{"sample_id": sample["id"], "text": "one two"} for sample in site.demo]
    lists = [{"name": "mine", "items": items}]
    body = {"run_name": "scored again", "dataset_id": site.demo[0]["dataset_id"], "transcripts": lists}
    made = site.api("POST", f"{API}/runs", body)["id"]
    for _ in range(300):
        if site.api("GET", f"{API}/runs/{made}")["status"] == "completed":
            break
        time.sleep(0.1)
    page = visit()
    page.goto(f"/runs/{made}")
    again = page.get_by_role("button", name="Score again")
    with page.expect_navigation():
        again.click()
    page.evaluate("window.same = true")
    # Nobody loads it again.
    expect(page.get_by_text("It is being scored again.")).to_have_count(0)
    expect(again).to_be_visible()
    expect(page.get_by_role("button", name="Pause updates")).to_have_count(0)
    assert page.evaluate("window.same")
    assert len(site.api("GET", f"{API}/runs/{made}")["scorings"]) == 2
