"""Starting a run, following it, and the settings, as people do it."""

import re
import time
from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot, sign_in
from playwright.sync_api import expect
from test_datasets import describe, drop, recordings, status
from test_pages import TAGS

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}


OTHERS = 2_000
MONEY = r"\$\d+\.\d{2,4}"
SPAN = r"(\d+\smin\s)?\d+(\.\d)?\s(s|min|h|days)"


def write_large(table, samples, encoding):
    """A table that is larger than a form may be, of which most lines are of clips of others."""
    names = [sample["filename"] for sample in samples] + [f"elsewhere-{at}.wav" for at in range(OTHERS)]
    rows = "".join(f"{name},{'one two ' * 265}\n" for name in names)
    table.write_text("filename,transcript\n" + rows, encoding=encoding)
    assert table.stat().st_size > 4_200_000


def newest_dataset(site):
    return site.api("GET", "/api/v1/evaluations/stt/datasets")[0]


def fill(page, name, models=("gemini-2.5-pro", "gemini-2.5-flash")):
    page.get_by_label("Run name").fill(name)
    # Models that do not take the language of the dataset are folded.
    folded = page.locator("#models > details:not([open]) > summary")
    if folded.count():
        folded.click()
    for model in models:
        # As a browser reads it, a slash would end it.
        name = re.escape(model).replace("/", r"\/")
        page.get_by_role("checkbox", name=re.compile(f"^{name} ")).check()


def names_of_runs(site):
    return [run["run_name"] for run in site.api("GET", "/api/v1/evaluations/stt/runs")]


def is_estimated(page, site):
    """Money and time are told of each of two models, and of both together."""
    estimate = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="US$"))
    heads = estimate.get_by_role("columnheader").all_inner_texts()
    rows = [row.get_by_role("cell").all_inner_texts() for row in estimate.locator("tbody tr").all()]
    assert heads == ["Model", "US$", "Clips", "Audio", "Usual time"] and len(rows) == 2
    for money, clips, audio, time_ in rows:
        assert int(clips) == len(site.demo)
        assert re.fullmatch(SPAN, audio) and re.fullmatch(MONEY, money)
        assert re.fullmatch(SPAN, time_)
    money, _, audio, _ = estimate.locator("tfoot td").all_inner_texts()
    assert re.fullmatch(SPAN, audio)
    assert float(money[1:]) == pytest.approx(sum(float(row[0][1:]) for row in rows), abs=2e-4)
    expect(page.locator(".estimate .finding")).to_have_text(money)


@pytest.fixture(scope="module")
def timed(site):
    """The models of a run that has just ended, so that it is known how long they take."""
    models = ["gemini-2.5-pro", "gemini-2.5-flash"]
    body = {"run_name": "timed", "dataset_id": site.demo[0]["dataset_id"], "providers": models}
    made = site.api("POST", "/api/v1/evaluations/stt/runs", body)["id"]
    for _ in range(300):
        if site.api("GET", f"/api/v1/evaluations/stt/runs/{made}")["status"] == "completed":
            return models
        time.sleep(0.1)
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_run_is_estimated_and_started(visit, site, timed, scripts):
    page = visit(java_script_enabled=scripts)
    page.goto("/runs")
    page.get_by_role("link", name="New run").click()
    dataset = newest_dataset(site)
    expect(page.get_by_label("Dataset")).to_have_value(dataset["id"])
    page.goto(f"/runs/new?dataset={site.demo[0]['dataset_id']}")
    name = f"form {scripts}"
    fill(page, name, timed)
    page.get_by_label("At most (US$)").fill("1.50")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name="What it would take")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Nothing is started yet")
    is_estimated(page, site)
    assert name not in names_of_runs(site)
    expect(page.get_by_label("Run name")).to_have_value(name)
    expect(page.get_by_label("At most (US$)")).to_have_value("1.50")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page).to_have_url(re.compile(f"{site.url}/runs/run_"))


def test_a_double_click_starts_one_run(visit, site):
    page = visit()
    page.goto("/runs/new")
    fill(page, "clicked twice", models=("gemini-2.5-flash",))
    page.get_by_role("button", name="Start run").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("clicked twice")
    assert names_of_runs(site).count("clicked twice") == 1


def test_a_mistake_is_told_where_it_is(visit):
    page = visit(viewport={"width": 360, "height": 740})
    page.goto("/runs/new")
    page.get_by_label("Run name").fill("नया परीक्षण")
    page.get_by_label("At most (US$)").fill("12,50")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("choose at least one model")
    expect(page.get_by_label("Run name")).to_have_value("नया परीक्षण")
    expect(page.get_by_label("At most (US$)")).to_have_value("12,50")
    assert page.get_by_label("At most (US$)").get_attribute("aria-invalid") == "true"
    check(page)
    shot(page, "runs-new-wrong-phone")
    page.get_by_role("alert").get_by_role("link", name="At most").click()
    assert page.url.endswith("#max-cost")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def check(page):
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("name", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_an_estimate_is_accessible_and_fits(visit, name, scheme):
    width, height = SIZES[name]
    page = visit(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto("/runs/new")
    fill(page, "a look")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name="What it would take")).to_be_visible()
    # One comes to what it would cost, and there is what starts it.
    expect(page.get_by_role("button", name="Start run")).to_be_in_viewport(ratio=1)
    cost = page.get_by_role("columnheader", name="US$")
    expect(cost).to_be_in_viewport(ratio=1)
    box = cost.bounding_box()
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check(page)
    shot(page, f"runs-estimate-{name}-{scheme}")


def start(page, name, models=("gemini-2.5-pro", "gemini-2.5-flash")):
    page.goto("/runs/new")
    # The oldest is the demo's, which the simulator has recordings of.
    datasets = page.get_by_label("Dataset").locator("option")
    page.get_by_label("Dataset").select_option(index=datasets.count() - 1)
    fill(page, name, models)
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def count_requests(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/progress") else None)
    return asked


def hide(page, hidden):
    page.evaluate(
        """(hidden) => {
             Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
             document.dispatchEvent(new Event('visibilitychange'));
           }""",
        hidden,
    )


def test_a_run_is_followed_to_its_end_without_loading_again(visit):
    page = visit()
    page.clock.install()
    # One is asked call by call, and one has an answer for all clips after some seconds.
    start(page, "followed", ("gemini-2.5-flash", "deepgram/nova-3"))
    page.evaluate(
        """() => {
             window.heard = [];
             const told = document.querySelector('[data-told]');
             new MutationObserver(() => window.heard.push(told.textContent)).observe(told, { childList: true });
             const place = document.querySelector('[data-live]');
             const count = () => [place.querySelector('progress').value, place.querySelector('tbody').innerText];
             window.counts = [count()];
             new MutationObserver(() => window.counts.push(count())).observe(place, { childList: true });
           }"""
    )
    check(page)
    shot(page, "run-active")
    asked = count_requests(page)
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    page.get_by_role("button", name="Cancel run").focus()
    # The pauses between updates pass quickly; the run takes the time that it takes.
    for _ in range(100):
        if "Completed" in page.locator(".finding").inner_text():
            break
        page.clock.run_for(30_000)
        page.wait_for_timeout(300)
    expect(page.locator(".finding")).to_contain_text("Completed")
    expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)
    expect(page.get_by_role("button", name="Pause updates")).to_have_count(0)
    expect(page.get_by_role("link", name="Report")).to_be_visible()
    # Said once, and what had the focus is not left without any.
    heard = page.evaluate("window.heard")
    assert len(heard) == 1 and heard[0].startswith("The run has ended. Completed: "), heard
    assert page.evaluate("document.activeElement.tagName") == "MAIN"
    assert page.evaluate("window.refused") == []
    # Counts went up on this very page: of all together, and of each model.
    counts = page.evaluate("window.counts")
    done, models = [one for one, _ in counts], {table for _, table in counts}
    assert done == sorted(done) and done[-1] == page.evaluate("document.querySelector('[data-live] progress').max")
    assert any(0 < one < done[-1] for one in done) and len(models) >= 2, counts
    before = len(asked)
    assert before > 0
    page.clock.run_for(120_000)
    page.wait_for_timeout(200)
    assert len(asked) == before, "a run that has ended is asked about no more"
    shot(page, "run-ended")


def test_updates_can_be_paused_and_rest_while_nobody_looks(visit):
    page = visit()
    page.clock.install()
    asked = count_requests(page)
    start(page, "paused")
    # From here on time stands still but for what is let pass.
    page.get_by_role("button", name="Pause updates").click()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))
    page.get_by_role("button", name="Go on").click()

    def passes(milliseconds, requests):
        before = len(asked)
        if requests:
            with page.expect_response("**/progress"):
                page.clock.run_for(milliseconds)
        else:
            page.clock.run_for(milliseconds)
        page.wait_for_timeout(250)
        assert len(asked) - before == requests, (milliseconds, asked)

    passes(1_900, 0)
    passes(200, 1)
    passes(2_900, 0)
    passes(200, 1)
    page.get_by_role("button", name="Pause updates").click()
    passes(120_000, 0)
    page.get_by_role("button", name="Go on").click()
    passes(2_100, 1)
    hide(page, True)
    passes(120_000, 0)
    hide(page, False)
    passes(2_100, 1)
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator(".finding")).to_contain_text("Cancelled")
    # It is followed on this very page until nothing is under way at the vendor any more: then
    # what was left can be tried again.
    page.evaluate("window.same = true")
    left = page.get_by_role("button", name="Retry what is left")
    end = time.monotonic() + 60
    while not left.is_visible() and time.monotonic() < end:
        page.clock.run_for(30_000)
        page.wait_for_timeout(200)
    expect(left).to_be_visible()
    expect(page.get_by_role("button", name="Pause updates")).to_have_count(0)
    assert page.evaluate("window.same")
    passes(120_000, 0)
    shot(page, "run-cancelled")
    left.click()
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator(".finding")).to_contain_text("Cancelled")


def test_what_failed_is_asked_for_again(visit, site):
    base = "/api/v1/evaluations/stt"
    demo = site.demo[0]["dataset_id"]
    some = [{"sample_id": site.demo[0]["id"], "text": "one"}]
    lists = {"run_name": "some are missing", "dataset_id": demo, "transcripts": [{"name": "some", "items": some}]}
    # A filter of this model stops one of the demo's clips.
    model = {"run_name": "one is stopped", "dataset_id": demo, "providers": ["gemini-2.5-flash"]}

    def ended(made):
        for _ in range(300):
            run = site.api("GET", f"{base}/runs/{made['id']}")
            if run["status"] == "completed":
                assert run["counts"]["failed"] > 0
                return run
            time.sleep(0.1)
        raise AssertionError("the run does not end")

    imported, asked = [site.api("POST", f"{base}/runs", body) for body in [lists, model]]
    page = visit()
    # Nobody is asked for transcripts that were made elsewhere.
    ended(imported)
    page.goto(f"/runs/{imported['id']}")
    expect(page.get_by_role("button", name="Score again")).to_be_visible()
    expect(page.get_by_role("button", name="Retry failed")).to_be_hidden()
    before = ended(asked)
    page.goto(f"/runs/{asked['id']}")
    with page.expect_response(lambda response: response.url.endswith("/retry")) as answer:
        page.get_by_role("button", name="Retry failed").click()
    assert answer.value.status == 303
    expect(page).to_have_url(re.compile(f"/runs/{asked['id']}$"))
    # It is stopped this time too; what there is stays.
    after = ended(asked)
    assert after["counts"] == before["counts"]
    assert after["updated_at"] > before["updated_at"]


def test_what_is_refused_leads_back_to_its_run(visit):
    page = visit()
    start(page, "cancelled twice")
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "cancelled")
    # The other window shows what was: it does not ask again while nobody looks.
    other.evaluate(
        """(path) => {
             const form = document.createElement('form');
             Object.assign(form, { method: 'post', action: `${path}/cancel` });
             document.body.append(form);
             form.submit();
           }""",
        other.url,
    )
    expect(other.get_by_role("heading", level=1)).to_have_text("That can't be done now")
    check(other)
    shot(other, "refused")
    other.get_by_role("link", name="Back to the run").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("cancelled twice")


def test_what_a_simulation_does_not_know_is_told(visit):
    page = visit()
    page.goto("/datasets/new")
    drop(page, recordings(["own.wav"], 110))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    describe(page, "Own recordings", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    page.get_by_role("link", name="New run").click()
    google = page.get_by_role("group", name="Google")
    expect(google).to_contain_text("Simulated on this machine, by recorded answers")
    expect(page.get_by_text("Simulated on this machine")).to_have_count(1)
    fill(page, "not known", models=("gemini-2.5-flash",))
    page.get_by_role("button", name="Start run").click()
    expect(page.locator("[data-live]")).to_contain_text(
        "Simulated on this machine: gemini-2.5-flash. The simulation has recorded answers", timeout=60000
    )
    check(page)
    shot(page, "run-not-known")


def test_one_who_was_signed_out_is_told(visit, site):
    made = site.api("POST", "/api/v1/keys", {"name": "editors", "role": "editor"})
    page = visit(signed_in=False)
    sign_in(page, made["key"])
    start(page, "signed out")
    site.api("DELETE", f"/api/v1/keys/{made['id']}")
    expect(page.locator("[data-told]")).to_contain_text("You are signed out", timeout=10_000)


def test_settings_and_help_are_there(visit, site):
    page = visit()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    page.get_by_label("Key Groq").fill("short")
    page.get_by_role("button", name="Save Groq").click()
    expect(page.get_by_role("alert")).to_contain_text("must have 8 to 512 visible ASCII characters")
    expect(page.get_by_label("Key Groq")).to_have_value("")
    shot(page, "settings-wrong")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Help").click()
    page.get_by_role("link", name="Roles").click()
    assert page.url.endswith("#roles")


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_transcripts_alone_are_a_run(visit, site, tmp_path, large):
    demo, samples = site.demo[0]["dataset_id"], site.demo
    table = tmp_path / "heard.csv"
    if large:
        write_large(table, samples, "utf-8")
    else:
        rows = "".join(f"{sample['filename']},one two\n" for sample in samples)
        table.write_text("filename,transcript\n" + rows, encoding="utf-8")
    page = visit(viewport={"width": 360, "height": 740})
    page.goto(f"/runs/new?dataset={demo}")
    name = "made elsewhere" + (", large" if large else "")
    page.get_by_label("Run name").fill(name)
    page.get_by_label("Name of the model").fill("mine")
    field = page.get_by_label("Table of transcripts")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {
            "type": kind, "x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2,
            "data": {"items": [], "files": [str(table)], "dragOperationsMask": 1},
        })
    page.wait_for_function("document.querySelector('#list-table').files.length === 1")
    # What was sent for the estimate is not asked for again.
    page.get_by_role("button", name="Estimate").click()
    if large:
        told = f"{OTHERS} of its lines are of clips that the dataset does not have"
        expect(page.get_by_role("alert")).to_contain_text(told, timeout=20000)
        page.get_by_role("checkbox", name="Leave out").check()
        page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is started yet")
    expect(page.get_by_role("checkbox", name="heard.csv")).to_be_checked()
    check(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "runs-new-transcripts")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("row").filter(has_text="imported/mine")).to_be_visible()


def test_transcripts_are_added_to_a_run_and_it_is_taken_along(visit, site, tmp_path):
    demo, samples = site.demo[0]["dataset_id"], site.demo
    some = [{"sample_id": samples[0]["id"], "text": "one"}]
    body = {"run_name": "grows", "dataset_id": demo, "transcripts": [{"name": "some", "items": some}]}
    made = site.api("POST", "/api/v1/evaluations/stt/runs", body)["id"]
    page = visit(viewport={"width": 360, "height": 740})

    def ended():
        # Sooner than the page would tell by itself.
        for _ in range(200):
            if site.api("GET", f"/api/v1/evaluations/stt/runs/{made}")["status"] == "completed":
                return page.goto(f"/runs/{made}")
            time.sleep(0.1)
        raise AssertionError("the run does not end")

    ended()
    page.get_by_text("Add transcripts made elsewhere").click()
    table = tmp_path / "heard.csv"
    table.write_text("filename,transcript\n9.wav,one\n", encoding="utf-8")
    page.get_by_label("Name of the model").fill("mine")
    page.get_by_label("Table of transcripts").set_input_files(table)
    page.get_by_role("button", name="Add transcripts").click()
    expect(page.get_by_role("alert")).to_contain_text("no clip of the dataset has this name")
    # The form is far down the page, which opens at what is wrong with it.
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_label("Table of transcripts")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name of the model")).to_have_value("mine")
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "run-transcripts")
    rows = "".join(f"{sample['filename']},one two\n" for sample in samples)
    table.write_text("filename,transcript\n" + rows, encoding="utf-8")
    page.get_by_label("Table of transcripts").set_input_files(table)
    page.get_by_role("button", name="Add transcripts").click()
    expect(page.get_by_role("row").filter(has_text="imported/mine")).to_be_visible()
    ended()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "imported/mine" in download.value.path().read_text(encoding="utf-8").splitlines()[0]
    # A table that no form has room for goes where recordings go.
    write_large(table, samples, "utf-16")
    page.get_by_text("Add transcripts made elsewhere").click()
    page.get_by_label("Name of the model").fill("large")
    page.get_by_label("Table of transcripts").set_input_files(table)
    page.get_by_role("button", name="Add transcripts").click()
    page.get_by_role("checkbox", name=re.compile("Leave out 2,000")).check(timeout=20000)
    page.get_by_role("button", name="Add transcripts").click()
    expect(page.get_by_role("row").filter(has_text="imported/large")).to_be_visible(timeout=20000)
    ended()
    page.get_by_role("link", name="Delete run").click()
    assert Axe().run(page, options={"runOnly": TAGS}).violations_count == 0
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(re.compile("/runs$"))
    expect(page.get_by_role("link", name="grows")).to_have_count(0)
