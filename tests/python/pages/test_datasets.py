"""New datasets: recordings and a table are sent, judged and saved."""

import json
import re
import struct
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot
from playwright.sync_api import expect
from test_checks import tab_to
from test_pages import SIZES, TAGS, size
from test_review import until

TABLES = {
    "hi": ["नमस्ते, आप कैसे हैं?", "मुझे कल से बहुत तेज़ बुखार है", "कल बारिश होगी"],
    "ta": ["இன்று மழை பெய்யும் என்று சொன்னார்கள்", "நன்றி, வணக்கம்", "எனக்கு காய்ச்சல்"],
    "ur": ["آج بہت گرمی ہے اور پانی نہیں ہے", "مجھے بخار ہے", "شکریہ، کل ملیں گے"],
}


def wav(seed, seconds=0.4, rate=8000):
    """A recording of which there is no other."""
    samples = [((index * (seed + 3)) % 2000) - 1000 for index in range(int(rate * seconds))]
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", len(data))
    return head + data


def recordings(names, seed=0):
    return [{"name": name, "mimeType": "audio/wav", "buffer": wav(seed + at)} for at, name in enumerate(names)]


def table(rows, name="texts.csv", encoding="utf-8"):
    text = "\n".join(["file_name,text", *(f'{file},"{said}"' for file, said in rows)])
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode(encoding)}


def drop(page, files):
    """Drops files as a person does, all at once."""
    given = [{"name": one["name"], "type": one["mimeType"], "bytes": list(one["buffer"])} for one in files]
    transfer = page.evaluate_handle(
        """(given) => {
             const transfer = new DataTransfer();
             for (const { name, type, bytes } of given) {
               transfer.items.add(new File([new Uint8Array(bytes)], name, { type, lastModified: 1 }));
             }
             return transfer;
           }""",
        given,
    )
    page.locator("[data-upload]").dispatch_event("drop", {"dataTransfer": transfer})


def status(page):
    return page.locator("[data-told]")


def describe(page, name, language):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Language").fill(language)


def puts_of(page, site):
    """Origins that bytes were sent to."""
    puts = []
    page.on("request", lambda asked: puts.append(asked.url) if asked.method == "PUT" else None)
    return puts


@pytest.mark.parametrize("language", TABLES)
def test_recordings_and_a_table_are_dropped_and_saved(visit, site, language):
    page = visit()
    page.goto("/datasets")
    page.get_by_role("link", name="New dataset").click()
    puts, held = puts_of(page, site), []
    page.route("**/audio/**", lambda route: held.append(route) if route.request.method == "PUT" else route.continue_())
    names = [f"{language}-{number}.wav" for number in range(3)]
    drop(page, [*recordings(names, ord(language[0])), table(zip(names, TABLES[language]), encoding="utf-16")])
    # While they are under way each has a bar of its own.
    expect(page.get_by_role("progressbar")).to_have_count(3)
    for name in names:
        expect(page.get_by_role("progressbar", name=name)).to_be_visible()
    expect(status(page)).to_have_text("0 of 3 uploaded.")
    until(lambda: (page.wait_for_timeout(10), len(held))[1], 3)
    shot(page, f"new-{language}-under-way")
    for done, route in enumerate(held, 1):
        route.continue_()
        expect(status(page)).to_have_text(f"{done} of 3 uploaded.")
        expect(page.get_by_role("progressbar")).to_have_count(3 - done)
    assert len(puts) == 3
    (origin,) = {urlsplit(url).netloc for url in puts}
    assert origin != urlsplit(site.url).netloc
    describe(page, f"Dropped {language}", language)
    shot(page, f"new-{language}")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".finding")).to_have_text("3 clips can be saved.")
    shot(page, f"preview-{language}")
    page.get_by_role("button", name="Save dataset").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Dropped {language}")
    for at, said in enumerate(TABLES[language]):
        clip = page.locator("article.clip").nth(at)
        expect(clip.locator(".transcript")).to_have_text(said)
        expect(clip).to_contain_text(names[at])
    page.locator("audio").first.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
    shot(page, f"dataset-{language}")
    # What was sent for this one is no part of the next.
    page.goto("/datasets/new")
    expect(page.locator("[data-uploads] li")).to_have_count(0)


def test_one_that_fails_is_retried_and_the_rest_is_kept(visit, site):
    page = visit()
    page.goto("/datasets/new")
    failures = []

    def answer(route):
        body = route.request.post_data_buffer or b""
        if route.request.method == "PUT" and len(body) == len(wav(0, 0.5)) and len(failures) < 2:
            failures.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/audio/**", answer)
    puts = puts_of(page, site)
    files = recordings([f"r{number}.wav" for number in range(3)], 50)
    files[1]["buffer"] = wav(70, 0.5)
    page.locator("#file").set_input_files(files)
    expect(status(page)).to_have_text("2 of 3 uploaded, 1 failed.")
    shot(page, "upload-failed")
    page.get_by_label("Name").fill("Not yet")
    page.get_by_label("Language").fill("hi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(status(page)).to_contain_text("Retry the recordings that failed")
    retry = page.get_by_role("button", name="Retry", exact=True)
    retry.click()
    expect(retry).to_be_visible()
    retry.focus()
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("3 of 3 uploaded.")
    assert len(failures) == 2 and len(puts) == 5
    # After a reload nothing is sent again, and nothing is lost.
    page.reload()
    expect(status(page)).to_have_text("3 of 3 uploaded.")
    page.get_by_role("button", name="Remove").first.click()
    expect(status(page)).to_have_text("2 of 2 uploaded.")


def test_what_is_not_taken_stays_told(visit):
    page = visit()
    page.goto("/datasets/new")
    odd = {"name": "call.amr", "mimeType": "audio/amr", "buffer": b"#!AMR"}
    drop(page, [odd, *recordings(["kept-0.wav"], 400)])
    expect(status(page)).to_contain_text("1 of 1 uploaded. Not taken: call.amr.")
    drop(page, recordings(["kept-1.wav"], 410))
    expect(status(page)).to_contain_text("2 of 2 uploaded. Not taken: call.amr.")


@pytest.mark.parametrize("name", ["texts.xlsx", "Texts.XLS", "texts.ods", "texts.zip"])
def test_a_workbook_among_recordings_is_told_what_to_do_with(visit, name):
    page = visit()
    page.goto("/datasets/new")
    book = {"name": name, "mimeType": "", "buffer": b"PK\x03\x04"}
    drop(page, [book, *recordings([f"beside-{name}.wav"], 700)])
    advice = "It is a workbook or an archive: save its sheet as CSV (UTF-8), and choose that"
    expect(status(page)).to_have_text(f"1 of 1 uploaded. Not taken: {name}. {advice}.")
    # What is none is told as ever.
    drop(page, [{"name": "call.amr", "mimeType": "audio/amr", "buffer": b"#!AMR"}])
    expect(status(page)).to_contain_text(f"{advice}. Not taken: call.amr. Recordings may be WAV")
    # The same words as where it is chosen for the table.
    page.get_by_label("Table").set_input_files(book)
    describe(page, "A workbook", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(advice.removeprefix("It "))


def is_forgotten(page):
    """A dataset that is saved takes its list of uploads with it, once its page's script runs."""
    expect(page).to_have_url(re.compile(r"/datasets/[^/?]+$"))


def test_what_did_not_arrive_is_told_after_a_reload(visit, site):
    page = visit()
    page.goto("/datasets/new")
    closed = True
    page.route(
        "**/audio/**",
        lambda route: route.abort() if closed and len(route.request.post_data_buffer or b"") == len(wav(0, 0.7)) else route.continue_(),
    )
    names = [f"lost-{number}.wav" for number in range(3)]
    files = recordings(names, 60)
    files[1]["buffer"] = wav(80, 0.7)
    given = [*files, table(zip(names, TABLES["hi"]), name="what was said.csv")]
    drop(page, given)
    expect(status(page)).to_have_text("2 of 3 uploaded, 1 failed.")
    page.reload()
    expect(status(page)).to_have_text("2 of 3 uploaded, 1 failed.")
    missed = page.locator("[data-uploads] li").filter(has_text="lost-1.wav")
    expect(missed).to_contain_text("It was not uploaded: choose it again.")
    expect(page.get_by_text("Choose this one again: what was said.csv")).to_be_visible()
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    shot(page, "upload-lost")
    describe(page, "Lost and found", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(status(page)).to_contain_text("Choose the recordings that failed again, or remove them.")
    # What is chosen once more is sent, and nothing else.
    closed = False
    puts = puts_of(page, site)
    drop(page, given)
    expect(status(page)).to_have_text("3 of 3 uploaded.")
    expect(page.get_by_text("Choose this one again")).to_be_hidden()
    assert len(puts) == 1
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(3)
    is_forgotten(page)
    page.goto("/datasets/new")
    expect(page.locator("[data-uploads] li")).to_have_count(0)
    expect(page.get_by_text("Choose this one again")).to_be_hidden()


def test_what_arrived_before_a_reload_is_not_sent_twice(visit, site, tmp_path):
    page = visit()
    page.goto("/datasets/new")
    puts = puts_of(page, site)
    paths = []
    for number in range(4):
        path = tmp_path / f"once-{number}.wav"
        path.write_bytes(wav(90 + number))
        paths.append(path)
    page.locator("#file").set_input_files(paths[:3])
    expect(status(page)).to_have_text("3 of 3 uploaded.")
    page.reload()
    page.locator("#file").set_input_files(paths)
    expect(status(page)).to_have_text("4 of 4 uploaded.")
    assert len(puts) == 4


def uploads(page):
    return page.locator("[data-uploads] li bdi").all_inner_texts()


def test_each_of_two_windows_has_a_list_of_its_own(visit, site):
    page = visit()
    other = page.context.new_page()
    for window, names in [(page, ["aa1.wav", "aa2.wav"]), (other, ["bb1.wav"])]:
        window.goto("/datasets/new")
        drop(window, recordings(names, 300 + len(names) * 10))
        expect(status(window)).to_have_text(f"{len(names)} of {len(names)} uploaded.")
    for window, names in [(page, ["aa1.wav", "aa2.wav"]), (other, ["bb1.wav"])]:
        window.reload()
        expect(status(window)).to_have_text(f"{len(names)} of {len(names)} uploaded.")
        assert uploads(window) == names
    # One that was doubled begins with the same list, and goes on with its own.
    session = page.evaluate("JSON.stringify(sessionStorage)")
    twin = page.context.new_page()
    twin.add_init_script(
        f"for (const [name, value] of Object.entries({session})) sessionStorage.getItem(name) ?? sessionStorage.setItem(name, value)"
    )
    twin.goto("/datasets/new")
    drop(twin, recordings(["cc1.wav"], 340))
    expect(status(twin)).to_have_text("3 of 3 uploaded.")
    page.reload()
    expect(status(page)).to_have_text("2 of 2 uploaded.")
    # What one saves is its own, and the lists of the others stay.
    page.get_by_label("Table").set_input_files(table([("aa1.wav", "एक"), ("aa2.wav", "दो")]))
    describe(page, "One of two windows", "hi")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(2)
    is_forgotten(page)
    page.goto("/datasets/new")
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()
    assert uploads(page) == []
    for window, names in [(other, ["bb1.wav"]), (twin, ["aa1.wav", "aa2.wav", "cc1.wav"])]:
        window.reload()
        expect(status(window)).to_have_text(f"{len(names)} of {len(names)} uploaded.")
        assert uploads(window) == names
    # One who comes back to what was saved loses nothing of what was begun since.
    drop(page, recordings(["dd1.wav"], 350))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    page.go_back()
    expect(page.locator("article.clip")).to_have_count(2)
    page.goto("/datasets/new")
    expect(status(page)).to_have_text("1 of 1 uploaded.")


def test_the_preview_names_what_is_wrong(visit, site):
    page = visit()
    page.goto("/datasets/new")
    rows = [
        ("p0.wav", "नमस्ते जी"),
        ("p1.wav", ""),
        ("p2.wav", "this is not Hindi at all"),
        ("p0.wav", "फिर"),
        ("gone.wav", "कल"),
    ]
    drop(page, [*recordings([f"p{number}.wav" for number in range(4)], 30), table(rows)])
    expect(status(page)).to_have_text("4 of 4 uploaded.")
    describe(page, "Odd rows", "Hindi")
    page.get_by_role("button", name="Check", exact=True).click()
    for heading in ["Missing audio", "Duplicates", "Empty text", "Wrong script", "Recordings without a row"]:
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_text("line 6: gone.wav is not there")).to_be_visible()
    expect(page.locator(".finding")).to_have_text(re.compile("3.clips can be saved, 2 can’t. 1.recording is in no row"))
    # What is left out, and what is saved all the same, each with its line, its file and its text.
    left_out = page.get_by_role("region", name="Left out of the dataset")
    saved = page.get_by_role("region", name="Saved, but look at these")
    for heading in ["Missing audio", "Recordings without a row", "Duplicates"]:
        expect(left_out.get_by_role("heading", name=heading)).to_be_visible()
    for heading in ["Empty text", "Wrong script"]:
        expect(saved.get_by_role("heading", name=heading)).to_be_visible()
    expect(left_out.get_by_role("listitem").filter(has_text="p0.wav")).to_contain_text("फिर")
    expect(left_out.get_by_role("listitem").filter(has_text="p3.wav")).to_be_visible()
    script = saved.get_by_role("listitem").filter(has_text="line 4, p2.wav")
    expect(script).to_contain_text("this is not Hindi at all")
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    shot(page, "preview-findings")
    # Nothing is left out unless that was said.
    page.get_by_role("button", name="Save dataset").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check before saving")
    page.get_by_label("Leave out").check()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(3)


def choose(page, files):
    """What has the focus is a field of files, which a key opens."""
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(files)


def test_a_dataset_is_made_by_keys_alone(visit):
    page = visit()
    page.goto("/datasets")
    tab_to(page, page.get_by_role("link", name="New dataset"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("New dataset")
    names = ["by-key-0.wav", "by-key-1.wav"]
    tab_to(page, page.get_by_label("Recordings"))
    choose(page, recordings(names, 500))
    expect(status(page)).to_have_text("2 of 2 uploaded.")
    tab_to(page, page.get_by_label("Table"))
    choose(page, [table(zip(names, TABLES["hi"]))])
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("By keys alone")
    tab_to(page, page.get_by_label("Language"))
    page.keyboard.type("hi")
    tab_to(page, page.get_by_role("button", name="Check", exact=True))
    page.keyboard.press("Space")
    save = page.get_by_role("button", name="Save dataset")
    expect(save).to_be_visible()
    tab_to(page, save)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("By keys alone")
    for at, said in enumerate(TABLES["hi"][:2]):
        expect(page.locator("article.clip").nth(at)).to_contain_text(names[at])
        expect(page.locator("article.clip .transcript").nth(at)).to_have_text(said)


def test_without_scripts_one_file_at_a_time_works(visit, site):
    page = visit(java_script_enabled=False)
    page.goto("/datasets/new")
    # What is filled in stays, in whichever order that is done, and whatever is wrong.
    describe(page, "Plain & “clear”", "hi-IN")
    page.get_by_label("Table").set_input_files(table([("plain-1.wav", "एक"), ("plain-2.wav", "दो")]))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("Recordings: It must be chosen")
    for one in recordings(["plain-1.wav", "plain-2.wav"], 20):
        page.get_by_label("Recordings").set_input_files(one)
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_text(one["name"])).to_be_visible()
        expect(page.get_by_label("Name")).to_have_value("Plain & “clear”")
        expect(page.get_by_label("Language")).to_have_value("hi-IN")
        expect(page.get_by_text("Uploaded: texts.csv")).to_be_visible()
    shot(page, "new-plain")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Save dataset").click()
    expect(page.locator("article.clip")).to_have_count(2)
    page.locator("summary").first.click()
    page.get_by_role("textbox", name="Reference").first.fill("एक बात")
    page.get_by_role("button", name="Save reference").first.click()
    expect(page.locator(".transcript").first).to_have_text("एक बात")
    page.get_by_role("link", name="Delete dataset").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")
    expect(page.get_by_role("status")).to_have_text("“Plain & “clear”” was deleted.")


def test_two_who_edit_one_reference_lose_nothing(visit, site):
    dataset = site.api("GET", "/api/v1/evaluations/stt/datasets")[0]["id"]
    first, second = visit(), visit()
    for page in (first, second):
        page.goto(f"/datasets/{dataset}")
        page.locator("summary").first.click()
    for page, said in ((first, "पहला"), (second, "दूसरा")):
        page.get_by_role("textbox", name="Reference").first.fill(said)
        page.get_by_role("button", name="Save reference").first.click()
    expect(first.locator(".transcript").first).to_have_text("पहला")
    expect(second.get_by_role("alert")).to_contain_text("Somebody changed this reference")
    expect(second.locator(".transcript").first).to_have_text("पहला")
    expect(second.get_by_role("textbox", name="Reference")).to_have_value("दूसरा")
    shot(second, "conflict")
    second.get_by_role("button", name="Save reference").click()
    expect(second.locator(".transcript").first).to_have_text("दूसरा")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SIZES)
def test_pages_of_datasets_are_accessible_and_fit(visit, site, name, scheme):
    page = visit(viewport=size(name), color_scheme=scheme)
    datasets = site.api("GET", "/api/v1/evaluations/stt/datasets")
    long_name = "a-very-long-name-of-a-recording-" * 4 + ".wav"
    for path in ["/datasets/new", *(f"/datasets/{one['id']}" for one in datasets[:2]), f"/datasets/{datasets[0]['id']}/delete"]:
        page.goto(path)
        if path == "/datasets/new":
            drop(page, recordings(["one.wav", long_name], 40 + len(name) + len(scheme)))
            expect(status(page)).to_have_text("2 of 2 uploaded.")
        for summary in page.locator("summary").all()[:1]:
            summary.click()
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[name][0], path
        assert page.locator("main").count() == 1 and page.locator("h1").count() == 1, path
        shot(page, f"{path.strip('/').replace('/', '-')[:16]}{path[-6:].replace('/', '-')}-{name}-{scheme}")


@pytest.mark.parametrize(("encoding", "length"), [("utf-8", 900), ("utf-16", 1400)])
def test_a_large_table_is_sent_as_recordings_are(visit, site, encoding, length):
    page = visit()
    page.goto("/datasets/new")
    drop(page, recordings(["large.wav"], 60))
    expect(status(page)).to_have_text("1 of 1 uploaded.")
    lines = "\n".join(json.dumps({"audio": f"x{at}.wav", "text": "क" * length}) for at in range(1200))
    lines = json.dumps({"audio": "large.wav", "text": "बड़ा"}) + "\n" + lines
    page.get_by_label("Table").set_input_files({"name": "large.jsonl", "mimeType": "", "buffer": lines.encode(encoding)})
    describe(page, f"Large table {encoding}", "hi")
    puts = puts_of(page, site)
    # Pressed twice it is sent once.
    page.get_by_role("button", name="Check", exact=True).dblclick()
    expect(page.locator(".finding")).to_have_text("1 clip can be saved, 1,200 can’t.", timeout=20000)
    assert len(puts) == 1
