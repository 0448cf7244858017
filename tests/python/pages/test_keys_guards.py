"""Keys of keyboards that are not of Latin letters, and what an input method keeps for itself."""

import pytest
from playwright.sync_api import expect
from test_checks import focus_is_seen, tab_to
from test_review import TEXTS, counts, dataset, group, make, press, ready, run, until, verdict, without_guard  # noqa: F401
from test_said import comment, on_clip, reviews

# Letters of an InScript keyboard by the places of its keys.
NAME = [("म", "KeyC"), ("ी", "KeyR"), ("न", "KeyV"), ("ा", "KeyE")]
# Keys that do something in a review, each by what it gives and by its place.
KEYS = [
    ("y", "KeyY"), ("n", "KeyN"), ("u", "KeyU"), ("1", "Digit1"), ("₹", "Digit4"), ("x", "KeyX"), ("c", "KeyC"), ("t", "KeyT"),
    (" ", "Space"), ("[", "BracketLeft"), ("ArrowUp", "ArrowUp"), ("h", "KeyH"), ("s", "KeyS"), ("Enter", "Enter"),
]  # fmt: skip
# What a key would have changed.
STATE = """() => {
  const form = document.querySelector('#review');
  const audio = form.querySelector('audio');
  return [
    document.querySelector('h1').textContent,
    [...new FormData(form)].filter(([name]) => name !== 'listened').join(),
    document.activeElement.id || document.activeElement.name,
    [...document.querySelectorAll('details')].map((one) => one.open).join(),
    [...document.querySelectorAll('.current, .why')].map((one) => one.dataset.slot).join(),
    `${audio.paused} ${audio.playbackRate} ${Boolean(document.querySelector('dialog[open]'))}`,
    form.querySelector('[data-told]').textContent,
  ];
}"""
# Whether the page took it.
SEND = """([key, code, flags]) => !document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {
  key, code, bubbles: true, cancelable: true, composed: true, ...flags,
}))"""


@pytest.fixture
def three(site, dataset):  # noqa: F811
    """A run of three models: twelve results."""
    return make(site, dataset, [[text[2] for text in TEXTS], [text[3] for text in TEXTS], [f"{text[1]} x" for text in TEXTS]])


def test_ten_results_are_judged_on_an_indian_keyboard_from_sign_in_on(visit, site, three):
    page = visit(signed_in=False)
    page.goto(f"/runs/{three}")
    tab_to(page, page.get_by_label("Your name"))
    for letter, place in NAME:
        press(page, letter, place)
    expect(page.get_by_label("Your name")).to_have_value("मीना")
    tab_to(page, page.get_by_label("API key"))
    page.keyboard.type(site.key)
    page.keyboard.press("Enter")
    review = page.get_by_role("main").get_by_role("link", name="Review", exact=True)
    expect(review).to_be_visible()
    without_guard(page)
    tab_to(page, review)
    page.keyboard.press("Enter")
    for number in range(1, len(TEXTS) + 1):
        on_clip(page, number)
        ready(page)
        for letter, place, slot, said in [("ब", "KeyY", "A", "Right"), ("ल", "KeyN", "B", "Wrong"), ("ह", "KeyU", "C", "Cannot tell")]:
            press(page, letter, place)
            expect(verdict(page, slot)).to_have_text(said)
            focus_is_seen(page)
        if number == 1:
            # A digit of the keyboard's own, and letters that are a text's.
            press(page, "१", "Digit1")
            expect(group(page, "C").get_by_label("Name", exact=True)).to_be_checked()
            press(page, "१", "Digit1")
            expect(group(page, "C").get_by_label("Name", exact=True)).not_to_be_checked()
            press(page, "म", "KeyC")
            expect(comment(page, "C")).to_be_focused()
            press(page, "ब", "KeyY")
            press(page, "ल", "KeyN")
            expect(comment(page, "C")).to_have_value("बल")
            expect(verdict(page, "C")).to_have_text("Cannot tell")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have judged every clip")
    n = len(TEXTS)
    until(lambda: counts(site, three), {"reviews": 3 * n, "right": n, "wrong": n})
    assert reviews(site, three) == ["cannot_tell"] * (n - 1) + ["cannot_tell बल"] + ["right"] * n + ["wrong"] * n


def begin(page, run):  # noqa: F811
    without_guard(page)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.evaluate("document.querySelector('#review audio').pause()")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize(
    "flags",
    [{"modifierAltGraph": True}, {"isComposing": True}, {"keyCode": 229}],
    ids=["third-level", "composing", "for-the-input-method"],
)
def test_what_an_input_method_keeps_does_nothing(visit, run, flags):  # noqa: F811
    page = visit()
    begin(page, run)
    before = page.evaluate(STATE)
    for key, code in KEYS:
        assert page.evaluate(SEND, [key, code, flags]) is False, key
        assert page.evaluate(STATE) == before, key
    # Each of the same keys is taken without that; the last goes on to the next clip.
    for key, code in KEYS[:-2]:
        page.evaluate("document.querySelector('dialog')?.close()")
        before = page.evaluate(STATE)
        assert page.evaluate(SEND, [key, code, {}]) is True, key
        assert page.evaluate(STATE) != before, key
        page.evaluate("document.activeElement.tagName === 'TEXTAREA' && document.querySelector('h1').focus()")
    page.evaluate("document.querySelector('dialog')?.close()")
    page.evaluate("document.querySelector('h1').focus()")
    assert page.evaluate(SEND, [*KEYS[-1], {}]) is True
    on_clip(page, 2)


def test_a_key_that_an_input_method_has_taken_is_not_ours(visit, run):  # noqa: F811
    """As browsers send it: the place of the key, and a code that says who has it."""
    page = visit()
    begin(page, run)
    page.evaluate("addEventListener('keydown', (event) => { window.sent = [event.code, event.keyCode]; }, true)")
    before = page.evaluate(STATE)
    session = page.context.new_cdp_session(page)
    for code in ["KeyY", "Digit1", "KeyS", "Enter"]:
        event = {"key": "Process", "code": code, "windowsVirtualKeyCode": 229}
        session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
        assert page.evaluate("window.sent") == [code, 229]
        assert page.evaluate(STATE) == before, code
    page.keyboard.press("y")
    expect(verdict(page, "A")).to_have_text("Right")


def test_what_is_being_composed_in_a_comment_keeps_its_keys(visit, site, run):  # noqa: F811
    page = visit()
    begin(page, run)
    page.evaluate("addEventListener('keydown', (event) => { window.composing = event.isComposing; }, true)")
    page.keyboard.press("n")
    page.keyboard.press("c")
    text = comment(page, "A")
    expect(text).to_be_focused()
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "क", "selectionStart": 1, "selectionEnd": 1})
    expect(text).to_have_value("क")
    # Escape and Enter are the input method's now: they end what it shows, and nothing of the page.
    for modifiers, key, number in [(0, "Escape", 27), (2, "Enter", 13)]:
        event = {"key": key, "code": key, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
        assert page.evaluate("window.composing") is True, key
        expect(text).to_be_focused()
        on_clip(page, 1)
    session.send("Input.insertText", {"text": "क्या"})
    expect(text).to_have_value("क्या")
    page.keyboard.press("Escape")
    assert page.evaluate("window.composing") is False
    expect(text).not_to_be_focused()
    page.keyboard.press("y")
    page.keyboard.press("Control+Enter")
    on_clip(page, 2)
    until(lambda: reviews(site, run), ["right", "wrong क्या"])
