"""A review in each of the scripts: by the right font, in the right direction, with nothing cut off."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot
from making import clear, clips, recording, transcribed
from playwright.sync_api import expect
from test_datasets import wav
from test_review import TAGS, ready, without_guard

# Language, font of its script, what was said, what was heard of it.
SAID = [
    ("hi", "Noto Sans Devanagari", "मुझे कल रात से तेज़ बुखार है", "मुझे कल रात से तेज बुकार है"),
    ("bn", "Noto Sans Bengali", "আমার কাল রাত থেকে জ্বর আছে", "আমার কাল রাতে জর আছে"),
    ("ta", "Noto Sans Tamil", "எனக்கு நேற்று இரவு முதல் காய்ச்சல் இருக்கிறது", "எனக்கு நேற்று முதல் காச்சல் இருக்கு"),
    ("te", "Noto Sans Telugu", "నాకు నిన్న రాత్రి నుండి జ్వరం ఉంది", "నాకు నిన్న రాత్రి జొరం ఉంది"),
    ("kn", "Noto Sans Kannada", "ನನಗೆ ನಿನ್ನೆ ರಾತ್ರಿಯಿಂದ ಜ್ವರ ಇದೆ", "ನನಗೆ ನಿನ್ನೆ ರಾತ್ರಿ ಜ್ವರ ಇದೆ"),
    ("ml", "Noto Sans Malayalam", "എനിക്ക് ഇന്നലെ രാത്രി മുതൽ പനിയുണ്ട്", "എനിക്ക് ഇന്നലെ രാത്രി പനി ഉണ്ട്"),
    ("gu", "Noto Sans Gujarati", "મને ગઈ કાલ રાતથી તાવ આવે છે", "મને કાલ રાતથી તાપ આવે છે"),
    ("pa", "Noto Sans Gurmukhi", "ਮੈਨੂੰ ਕੱਲ੍ਹ ਰਾਤ ਤੋਂ ਬੁਖ਼ਾਰ ਹੈ", "ਮੈਨੂੰ ਕੱਲ ਰਾਤ ਬੁਖਾਰ ਹੈ"),
    ("or", "Noto Sans Oriya", "ମୋତେ କାଲି ରାତିରୁ ଜ୍ୱର ହେଉଛି", "ମୋତେ କାଲି ରାତି ଜର ହେଉଛି"),
    ("ur", "Noto Nastaliq Urdu", "مجھے کل رات سے تیز بخار ہے", "مجھے کل رات تیز بکھار ہے"),
    ("en", "", "I have had a fever since last night", "I have a fever since last light"),
]
# What is around a text that cuts it off, and what is narrower than what stands in it.
CUT = """(text) => {
  const cut = [];
  for (let box = text; box !== document.documentElement; box = box.parentElement) {
    const style = getComputedStyle(box);
    if (['hidden', 'clip'].includes(style.overflowY) || style.clipPath !== 'none') cut.push(`${box.tagName} cuts off`);
    if (box.scrollWidth > box.clientWidth + 1 && style.display !== 'inline') cut.push(`${box.tagName} ${box.scrollWidth} > ${box.clientWidth}`);
  }
  return cut;
}"""
# 1.4.12, by the CSSOM: a style element would be refused.
SPACED = """() => {
  for (const element of document.querySelectorAll('body *')) {
    Object.assign(element.style, { letterSpacing: '0.12em', wordSpacing: '0.16em', lineHeight: '1.5' });
  }
}"""


@pytest.fixture(scope="module")
def spoken(site):
    """A run over a clip in each language."""
    samples = [
        {"file_id": recording(site, f"{language}.wav", wav(50_000 + at)), "ground_truth": said, "language": language}
        for at, (language, _, said, _) in enumerate(SAID)
    ]
    dataset = clips(site, samples)
    heard = {"alpha": [{"text": heard} for *_, heard in SAID], "beta": [{"text": said} for _, _, said, _ in SAID]}
    yield transcribed(site, dataset, heard), dataset[1]
    clear(site, dataset)


def fonts(page, selector):
    """Which fonts letters were drawn with, as the browser tells its own tools."""
    door = page.context.new_cdp_session(page)
    door.send("DOM.enable")
    door.send("CSS.enable")
    root = door.send("DOM.getDocument")["root"]["nodeId"]
    node = door.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    used = door.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    door.detach()
    return {font["familyName"]: font["glyphCount"] for font in used}


@pytest.mark.parametrize(("name", "size", "scheme"), [("phone", (360, 740), "dark"), ("desktop", (1280, 900), "light")])
def test_each_script_is_drawn_by_its_font_and_cut_off_by_nothing(visit, spoken, name, size, scheme):
    run, samples = spoken
    page = visit(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    without_guard(page)
    for (language, font, said, _), sample in zip(SAID, samples, strict=True):
        page.goto(f"/runs/{run}/review/{sample}")
        ready(page)
        page.wait_for_load_state("networkidle")
        texts = page.locator("#review :is(.reference, .slot) .transcript")
        expect(texts).to_have_count(3)
        expect(texts.first.locator("p")).to_have_text(said)
        for text in texts.all():
            expect(text).to_have_attribute("lang", language)
            expect(text).to_have_attribute("dir", "rtl" if language == "ur" else "ltr")
            assert text.evaluate("(text) => getComputedStyle(text).direction") == text.get_attribute("dir")
        # A letter that no font has is drawn by some other font, as a box.
        used = fonts(page, "#review .reference .transcript p")
        if font:
            assert used.get(font, 0) >= len(said.split()) and set(used) == {font}, (language, used)
        marked = page.locator("#review .slot .transcript :is(.replaced, ins, del)")
        assert marked.count() > 0, language
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, f"{language}: {found.generate_report()}"
        shot(page, f"review-script-{language}-{name}-{scheme}", full_page=False)
        page.keyboard.press("y")
        page.keyboard.press("n")
        # Whether it is open is remembered.
        if not page.get_by_role("table").is_visible():
            page.get_by_text("Word under word").click()
        expect(page.get_by_role("table")).to_be_visible()
        shot(page, f"review-script-{language}-{name}-{scheme}-judged")
        page.evaluate(SPACED)
        for text in [*texts.locator("p").all(), *texts.locator(":is(.replaced, ins, del)").all()]:
            assert text.evaluate(CUT) == [], language
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], language
