"""Judging blind: what a reviewer is sent, the order of one reviewer's own, and the same result judged in two places."""

import json
import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import sign_in
from playwright.sync_api import expect
from test_outbox import KEPT
from test_review import TAGS, TEXTS, counts, dataset, group, make, ready, run, until, verdict, without_guard  # noqa: F401
from test_said import API, comment, on_clip, reviews

HEARD = [[text[2] for text in TEXTS], [text[3] for text in TEXTS], [f"{text[1]} x" for text in TEXTS]]
# What tells which model it is, how good it is said to be, or which result it is.
TELLS = re.compile(r"imported|alpha|beta|gamma|\bres_|\bwer\b|\bcer\b|usd|latency|cost\b", re.IGNORECASE)


@pytest.fixture
def three(site, dataset):  # noqa: F811
    return make(site, dataset, HEARD)


def of_review(url, run):  # noqa: F811
    return urlsplit(url).path.startswith(f"/runs/{run}/review")


def test_nothing_that_a_blind_review_sends_or_is_sent_tells_a_model(visit, site, three):
    # Others have judged already, and what they say is no help.
    for result in site.api("GET", f"{API}/runs/{three}/results?limit=100"):
        site.api("PATCH", f"{API}/results/{result['id']}", {"verdict": "right", "comment": "good alpha"})
    page = visit()
    page.wait_for_load_state("networkidle")
    without_guard(page)
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"/runs/{three}/review")
    for number in range(1, len(TEXTS)):
        on_clip(page, number)
        ready(page)
        assert not TELLS.search(page.locator("main").inner_text())
        for key in "ynu":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    on_clip(page, len(TEXTS))
    until(lambda: page.evaluate(KEPT), 0)
    page.wait_for_load_state("networkidle")
    ours = [answer for answer in answers if answer.url.startswith(site.url) and not answer.url.startswith(f"{site.url}/assets/")]
    kinds = {(answer.request.method, answer.request.resource_type) for answer in ours if of_review(answer.url, three)}
    # The page, those loaded ahead, and the answers to what was saved.
    assert kinds == {("GET", "document"), ("GET", "fetch"), ("POST", "fetch")}, kinds
    saves = [answer for answer in ours if answer.request.method == "POST" and of_review(answer.url, three)]
    assert len(saves) == len(TEXTS) - 1 and all(answer.ok for answer in saves)
    for answer in ours:
        request = answer.request
        told = [request.url, request.post_data or "", json.dumps(answer.all_headers())]
        if answer.ok and of_review(answer.url, three):
            told.append(answer.text())
        for text in told:
            found = TELLS.search(text)
            assert not found, f"{found.group()} in {request.method} {request.url}: {text[max(0, found.start() - 80) : found.end() + 80]}"
    # What was read is what a reviewer works with.
    read = " ".join(answer.text() for answer in ours if answer.ok and of_review(answer.url, three))
    assert all(f"Clip {number} of" in read for number in range(1, len(TEXTS) + 1)) and '"did"' in read
    # Those that were judged are told.
    page.goto(page.evaluate(f"JSON.parse(sessionStorage['stt-behind-{three}'])[0]"))
    ready(page)
    assert {"imported/alpha", "imported/beta", "imported/gamma"} == set(page.locator(".slot .model").all_inner_texts())


def orders(page, run, queue="clips"):  # noqa: F811
    """Transcriptions of each clip by their letters, as one finds them going through an order."""
    without_guard(page)
    page.goto(f"/runs/{run}/review?queue={queue}")
    found = {}
    for at in range(len(TEXTS)):
        ready(page)
        clip = urlsplit(page.url).path.rsplit("/", 1)[1]
        letters = page.locator("[data-slot] h2").all_inner_texts()
        assert letters == ["Transcription A", "Transcription B", "Transcription C"]
        found[clip] = tuple(page.locator("[data-slot] .transcript").all_inner_texts())
        page.keyboard.press("s")
        if at < len(TEXTS) - 1:
            expect(page).not_to_have_url(re.compile(clip))
    assert len(found) == len(TEXTS)
    return found


def test_the_order_is_one_reviewers_own_and_stays(visit, site, three):
    page = visit()
    own = orders(page, three)
    # The same when one comes back, in another order of clips, and in another browser.
    assert orders(page, three) == own
    assert orders(page, three, "random") == own
    again = visit()
    assert orders(again, three) == own
    # And when some of it was judged, and models are told.
    first = next(iter(own))
    page.goto(f"/runs/{three}/review/{first}")
    ready(page)
    for key in "yyy":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    until(lambda: counts(site, three)["right"], 3)
    page.goto(f"/runs/{three}/review/{first}")
    ready(page)
    expect(page.locator(".slot .model")).to_have_count(3)
    assert tuple(page.locator("[data-slot] .transcript").all_inner_texts()) == own[first]
    # Of others with keys and names of their own, and of another person with the same key.
    others = []
    for name in ["Ravi", "Meena"]:
        key = site.api("POST", "/api/v1/keys", {"name": name, "role": "reviewer"})["key"]
        other = visit(signed_in=False)
        sign_in(other, key, name=name)
        expect(other).to_have_url(f"{site.url}/runs")
        others.append(orders(other, three))
    same_key = visit(signed_in=False)
    sign_in(same_key, site.key, name="Bimal")
    expect(same_key).to_have_url(f"{site.url}/runs")
    others.append(orders(same_key, three))
    for other in others:
        # The same transcriptions of the same clips. That all letters of four clips fall alike
        # by chance happens once in 1,296 times to two people, and once in millions to four.
        assert {clip: sorted(texts) for clip, texts in other.items()} == {clip: sorted(texts) for clip, texts in own.items()}
    assert len({tuple(sorted(one.items())) for one in [own, *others]}) > 2


def judge(page, keys, letter, reason, text):
    """Verdicts by keys, and a reason and a comment of one of them."""
    for key in keys:
        page.keyboard.press(key)
    group(page, letter).get_by_text("Reasons and comment").click()
    group(page, letter).get_by_label(reason, exact=True).check()
    comment(page, letter).fill(text)
    page.keyboard.press("Control+Enter")


def test_one_who_judges_a_result_in_two_browsers_sees_both_and_chooses(visit, site, run):  # noqa: F811
    first, second = visit(), visit()
    for page in [first, second]:
        without_guard(page)
        page.goto(f"/runs/{run}/review")
        ready(page)
    assert first.url.split("?")[0] == second.url.split("?")[0]
    judge(first, "nn", "A", "Name", "of the first browser")
    on_clip(first, 2)
    until(lambda: reviews(site, run), ["wrong", "wrong name of the first browser"])
    judge(second, "yn", "B", "Text missing", "of the second browser")
    bar = second.locator("[data-unsaved]")
    expect(bar).to_contain_text("judged in another window meanwhile")
    expect(bar).to_contain_text("You said: A right, B wrong, missing text, “of the second browser”.")
    # What was saved stands, and what was not is kept: a reload, and another page, lose neither.
    assert reviews(site, run) == ["wrong", "wrong name of the first browser"]
    second.reload()
    expect(bar).to_contain_text("of the second browser")
    second.goto("/datasets")
    expect(bar).to_contain_text("of the second browser")
    assert second.evaluate(KEPT) == 1
    second.get_by_role("button", name="Look at the clip again").click()
    ready(second)
    # Both are seen, of each transcription.
    for letter, said, stands in [("A", "Right", "Wrong · Name · of the first browser"), ("B", "Wrong", "Wrong")]:
        expect(verdict(second, letter)).to_have_text(said)
        expect(group(second, letter)).to_contain_text(f"What stands: {stands}")
    expect(comment(second, "B")).to_have_value("of the second browser")
    found = Axe().run(second, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    # Of A what stands is chosen, of B what was said here.
    group(second, "A").get_by_role("button", name="Wrong").click()
    group(second, "A").locator("details").evaluate("(details) => { details.open = true; }")
    group(second, "A").get_by_label("Name", exact=True).check()
    comment(second, "A").fill("of the first browser")
    second.keyboard.press("Control+Enter")
    wanted = ["wrong missing_text of the second browser", "wrong name of the first browser"]
    until(lambda: reviews(site, run), wanted)
    expect(bar).to_be_hidden()
    assert second.evaluate(KEPT) == 0
    # The first browser finds that when it comes back.
    first.keyboard.press("p")
    on_clip(first, 1)
    expect(verdict(first, "B")).to_have_text("Wrong")
    expect(comment(first, "B")).to_have_value("of the second browser")
    assert counts(site, run) == {"reviews": 2, "right": 0, "wrong": 2}
