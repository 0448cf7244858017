"""A run of four hundred results in a browser: what its pages ask for, and what moves in them.

Pages of results are cut, so those of more results are as large: what a page of ten thousand
asks of tables is counted by `api/large.rs`, and 20,000 are looked at by `infra/bench/pages.py`.
"""

import time

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_datasets import wav
from test_pages import SIZES, size
from test_sounds import upload

API = "/api/v1/evaluations/stt"
CLIPS, MODELS = 25, 16
MOST_BYTES = 100_000
MOST_REQUESTS = 4
# Longer than those that other tests listen to.
SECONDS = 7


def heard(said, model):
    """Models after the first miss words, the later ones more of them."""
    return " ".join(word for at, word in enumerate(said.split()) if (at * 7 + len(said)) % 17 >= model)


@pytest.fixture(scope="module")
def large(site):
    """A run of sixteen models over the recordings of the demo and some more."""
    known = [(one["file_id"], one["ground_truth"] or "", one["language"]) for one in site.demo][:CLIPS]
    more = [upload(site, f"more-{at}.wav", wav(at, SECONDS))[0] for at in range(CLIPS - len(known))]
    clips = [*known, *((file, f"मुझे कल से {at} दिन बुखार है", "hi") for at, file in enumerate(more))]
    samples = [{"file_id": file, "ground_truth": said, "language": language} for file, said, language in clips]
    made = site.api("POST", f"{API}/datasets", {"name": "for many results", "language": "hi", "samples": samples})["id"]
    found = site.api("GET", f"{API}/datasets/{made}?include_samples=true&limit=100")["samples"]
    lists = [
        {
            "name": f"model-{model:02}",
            "items": [{"sample_id": one["id"], "text": heard(one["ground_truth"] or "", model)} for one in found],
        }
        for model in range(MODELS)
    ]
    body = {"run_name": "many results", "dataset_id": made, "transcripts": lists}
    run = site.api("POST", f"{API}/runs", body)["id"]
    for _ in range(600):
        if site.api("GET", f"{API}/runs/{run}")["status"] == "completed":
            return run
        time.sleep(0.2)
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("name", SIZES)
def test_pages_of_many_results_move_nothing_and_ask_for_little(visit, large, name):
    page, asked = visit(viewport=size(name)), []
    page.on("request", lambda request: asked.append(request.url))
    for path in ["", "/results", "/results?sort=-wer", "/report", "/review"]:
        # Nothing of the page before.
        page.goto("about:blank")
        asked.clear()
        answer = page.goto(f"/runs/{large}{path}")
        page.wait_for_load_state("networkidle")
        assert answer.request.sizes()["responseBodySize"] <= MOST_BYTES, path
        # One who comes by a link reads from the top to the end.
        page.evaluate("window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.wait_for_timeout(300)
        assert page.evaluate("window.shifted") == 0, path
        if path != "/review":
            assert len(asked) <= MOST_REQUESTS, (path, asked)
        shot(page, f"many{path.split('?')[0].replace('/', '-')}-{name}", full_page=False)
    page.goto(f"/runs/{large}/results")
    expect(page.get_by_text(f"{CLIPS * MODELS} results")).to_be_visible()
