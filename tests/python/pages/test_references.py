"""References that are typed: kept until they are saved, whatever comes between."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot, sign_in
from playwright.sync_api import expect
from test_pages import TAGS
from test_review import TEXTS, clips, make, until, without_guard

API = "/api/v1/evaluations/stt"
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('stt-draft'))"


@pytest.fixture
def made(site):
    """A new dataset: its id, and those of its clips."""
    return clips(site)


def text(page, number):
    return page.get_by_label(f"Reference Clip {number}")


def clip(page, number):
    return page.locator("article.clip").nth(number - 1)


def type_in(page, number, said):
    clip(page, number).locator("summary").click()
    text(page, number).fill(said)


def save(page, number):
    clip(page, number).get_by_role("button", name="Save reference").click()


def stands(site, made):
    return [one["ground_truth"] for one in site.api("GET", f"{API}/datasets/{made[0]}?include_samples=true")["samples"]]


def test_what_is_typed_at_one_clip_is_there_when_another_is_saved(visit, site, made):
    page = visit()
    page.goto(f"/datasets/{made[0]}")
    type_in(page, 1, "एक बात")
    type_in(page, 4, "four")
    save(page, 4)
    expect(clip(page, 4).locator(".transcript")).to_have_text("four")
    assert stands(site, made)[3] == "four"
    for _ in range(2):
        expect(text(page, 1)).to_have_value("एक बात")
        expect(clip(page, 1)).to_contain_text("This was written before, and is not saved yet.")
        expect(page.get_by_text("Not saved yet: Clip 1.")).to_be_visible()
        expect(text(page, 4)).to_be_hidden()
        page.reload()
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "reference-not-saved-phone")
    save(page, 1)
    expect(clip(page, 1).locator(".transcript")).to_have_text("एक बात")
    expect(page.get_by_text("Not saved yet:")).to_have_count(0)
    assert page.evaluate(KEPT) == []
    # One may think better of it.
    type_in(page, 2, "no")
    page.reload()
    page.get_by_role("button", name="Discard it").click()
    expect(text(page, 2)).to_have_value(TEXTS[1][1])
    page.reload()
    expect(page.get_by_text("not saved yet")).to_have_count(0)
    assert stands(site, made)[1] == TEXTS[1][1]


@pytest.mark.parametrize("where", ["dataset", "sample"])
def test_the_recording_is_played_by_keys_while_one_types(visit, made, where):
    page = visit()
    if where == "dataset":
        page.goto(f"/datasets/{made[0]}")
        clip(page, 2).locator("summary").click()
        field, audio = text(page, 2), clip(page, 2).locator("audio")
        form = clip(page, 2)
    else:
        page.goto(f"/samples/{made[1][1]}")
        field, audio, form = page.get_by_role("textbox", name="Reference"), page.locator("audio"), page.locator("form[data-draft]")
    expect(form.get_by_text("While you type: Alt+K plays and pauses")).to_be_visible()
    assert field.get_attribute("aria-keyshortcuts") == "Alt+K Alt+J Alt+L Alt+R Control+Enter"
    assert "While you type" in field.evaluate("(box) => box.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join()")
    said = field.input_value()
    field.focus()

    def is_at(seconds):
        until(lambda: abs(audio.evaluate("(audio) => audio.currentTime") - seconds) < 0.05, True)

    def plays(expected):
        until(lambda: audio.evaluate("(audio) => !audio.paused"), expected)

    page.keyboard.press("Alt+k")
    plays(True)
    until(lambda: audio.evaluate("(audio) => audio.currentTime > 0"), True)
    page.keyboard.press("Alt+k")
    plays(False)
    length = audio.evaluate("(audio) => audio.duration")
    middle = length / 2
    for key, place in [("Alt+l", min(length, middle + 2)), ("Alt+j", max(0, middle - 2))]:
        audio.evaluate("(audio, at) => { audio.currentTime = at; }", middle)
        is_at(middle)
        page.keyboard.press(key)
        is_at(place)
    # Repeats go on from earlier; from the end of a short one that is its beginning.
    audio.evaluate("(audio) => { audio.currentTime = audio.duration - 0.3; }")
    is_at(length - 0.3)
    page.keyboard.press("Alt+r")
    plays(True)
    assert audio.evaluate("(audio) => audio.currentTime") < length - 0.3
    page.keyboard.press("Alt+k")
    plays(False)
    # Keys of a text that is composed, of a third level, and held ones leave it.
    key = {"key": "k", "code": "KeyK", "altKey": True, "bubbles": True, "cancelable": True}
    for other in [{"isComposing": True}, {"modifierAltGraph": True}, {"repeat": True}, {"ctrlKey": True}, {"altKey": False}]:
        field.dispatch_event("keydown", key | other)
    page.wait_for_timeout(200)
    plays(False)
    # The place of a key counts where its letter is none of ours.
    field.dispatch_event("keydown", key | {"key": "क"})
    plays(True)
    # Nothing was typed by it, and no other clip is heard.
    assert field.input_value() == said and page.evaluate(KEPT) == []
    others = page.locator("audio").evaluate_all("(all) => all.filter((audio) => !audio.paused).length")
    assert others == 1


def test_a_session_that_ends_takes_no_reference_along(visit, site, made):
    page = visit()
    page.goto(f"/datasets/{made[0]}")
    type_in(page, 1, "typed too late")
    page.context.clear_cookies()
    save(page, 1)
    expect(page.get_by_role("alert")).to_contain_text("what you sent was not saved")
    expect(page.get_by_role("alert")).to_contain_text("A reference that you typed is kept in this browser")
    shot(page, "sign-in-not-saved")
    # Somebody else finds nothing of it.
    page.get_by_label("API key").fill(site.key)
    page.get_by_label("Your name").fill("Bimal")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/datasets/{made[0]}")
    expect(page.get_by_text("not saved yet")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, site.key, path=f"/datasets/{made[0]}")
    expect(text(page, 1)).to_have_value("typed too late")
    # Signing out would lose it: that is told, with where it is.
    page.get_by_role("button", name="Sign out").click()
    bar = page.locator("[data-unsaved]")
    expect(bar).to_contain_text("Signing out loses what is not saved.")
    bar.get_by_role("link", name="A reference").click()
    expect(page.get_by_role("textbox", name="Reference")).to_have_value("typed too late")
    page.get_by_role("button", name="Save reference").click()
    expect(clip(page, 1).locator(".transcript")).to_have_text("typed too late")
    assert page.evaluate(KEPT) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_without_scripts_one_comes_back_to_the_form_and_is_told(visit, site, made):
    page = visit(java_script_enabled=False)
    page.goto(f"/datasets/{made[0]}")
    type_in(page, 1, "typed too late")
    page.context.clear_cookies()
    save(page, 1)
    expect(page.get_by_role("alert")).to_contain_text("what you sent was not saved")
    expect(page.get_by_text("is kept in this browser")).to_be_hidden()
    page.get_by_label("API key").fill(site.key)
    page.get_by_label("Your name").fill("Asha")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/datasets/{made[0]}")


def test_a_network_that_is_gone_takes_no_reference_along(visit, site, made):
    page = visit()
    page.goto(f"/datasets/{made[0]}")
    type_in(page, 1, "typed without a network")
    page.context.set_offline(True)
    save(page, 1)
    page.wait_for_url("chrome-error://**")
    page.context.set_offline(False)
    page.goto(f"/datasets/{made[0]}")
    expect(text(page, 1)).to_have_value("typed without a network")
    # Somebody has changed it meanwhile: both are shown, and neither is lost.
    sample = made[1][0]
    site.api("PATCH", f"{API}/samples/{sample}", {"ground_truth": "theirs"})
    page.reload()
    expect(clip(page, 1)).to_contain_text("The reference was changed since")
    save(page, 1)
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this reference")
    expect(page.locator(".transcript").first).to_have_text("theirs")
    expect(page.get_by_role("textbox", name="Reference")).to_have_value("typed without a network")
    # Left once more, it is still there.
    page.goto(f"/datasets/{made[0]}")
    expect(text(page, 1)).to_have_value("typed without a network")
    save(page, 1)
    expect(clip(page, 1).locator(".transcript")).to_have_text("typed without a network")
    assert page.evaluate(KEPT) == []


def test_a_long_reference_is_saved_and_one_that_is_too_long_is_kept(visit, site, made):
    page = visit()
    page.goto(f"/datasets/{made[0]}")
    long = "मुझे बुखार है " * 700
    type_in(page, 1, long)
    save(page, 1)
    expect(page).to_have_url(f"{site.url}/datasets/{made[0]}#{made[1][0]}")
    assert stands(site, made)[0] == long
    assert page.evaluate(KEPT) == []
    # So long a one is edited on a page of its own.
    page.goto(f"/samples/{made[1][0]}")
    longer = long * 11
    page.get_by_role("textbox", name="Reference").fill(longer)
    page.get_by_role("button", name="Save reference").click()
    expect(page.get_by_role("alert")).to_contain_text("must have at most 100000 characters, has 107800")
    expect(page.get_by_role("textbox", name="Reference")).to_have_value(longer)
    page.goto(f"/samples/{made[1][0]}")
    expect(page.get_by_role("textbox", name="Reference")).to_have_value(longer)
    page.get_by_role("textbox", name="Reference").fill(long + "थोड़ा")
    page.get_by_role("button", name="Save reference").click()
    expect(page).to_have_url(f"{site.url}/datasets/{made[0]}#{made[1][0]}")
    assert page.evaluate(KEPT) == []
    assert stands(site, made)[0] == long + "थोड़ा"


def test_a_second_wording_that_is_typed_is_kept_too(visit, site, made):
    run = make(site, made, [[text[2] for text in TEXTS], [text[3] for text in TEXTS]])
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Both are right").first.click()
    other = opened.value
    field = other.get_by_role("textbox", name="Reference")
    proposed = field.input_value()
    field.fill("{a|b} typed")
    other.reload()
    expect(field).to_have_value("{a|b} typed")
    other.get_by_role("button", name="Discard it").click()
    expect(field).to_have_value(proposed)
    field.fill("{c|d} typed")
    other.context.clear_cookies()
    other.get_by_role("button", name="Save reference").click()
    expect(other.get_by_role("alert")).to_contain_text("what you sent was not saved")
    other.get_by_label("API key").fill(site.key)
    other.get_by_label("Your name").fill("Asha")
    other.get_by_role("button", name="Sign in").click()
    expect(field).to_have_value("{c|d} typed")
    other.get_by_role("button", name="Save reference").click()
    expect(field).to_have_count(0)
    assert other.evaluate(KEPT.replace("localStorage", "{ ...localStorage }")) == []
    assert "{c|d} typed" in stands(site, made)
