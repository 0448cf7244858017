"""A run is followed until nothing of it changes any more."""

from playwright.sync_api import expect
from test_review import until

API = "/api/v1/evaluations/stt"


def test_a_run_that_is_scored_again_is_followed_until_it_is(visit, site):
    items = [{"sample_id": sample["id"], "text": "one two"} for sample in site.demo]
    lists = [{"name": "mine", "items": items}]
    body = {"run_name": "scored again", "dataset_id": site.demo[0]["dataset_id"], "transcripts": lists}
    made = site.api("POST", f"{API}/runs", body)["id"]
    until(lambda: site.api("GET", f"{API}/runs/{made}")["status"], "completed")
    page = visit()
    page.goto(f"/runs/{made}")
    again = page.get_by_role("button", name="Score again")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/progress") else None)
    # It may have been scored before its page is drawn: once more, then.
    for _ in range(5):
        with page.expect_navigation() as left:
            again.click()
        page.evaluate("window.same = true")
        if 'data-followed="true"' in left.value.text():
            break
    else:
        raise AssertionError("no page was drawn while it was under way")
    # Nobody loads it again: the page asks later and later, half a minute apart at most.
    expect(page.get_by_text("It is being scored again.")).to_have_count(0, timeout=60_000)
    expect(again).to_be_visible()
    expect(page.get_by_role("button", name="Pause updates")).to_have_count(0)
    assert page.evaluate("window.same")
    assert asked
    assert len(site.api("GET", f"{API}/runs/{made}")["scorings"]) >= 2
