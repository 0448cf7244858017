"""Text that readers space out (WCAG 1.4.12), on the narrowest screens (1.4.10)."""

import pytest
from conftest import shot
from playwright.sync_api import expect
from test_consensus import run as agreed  # noqa: F401
from test_pages import paths
from test_review import TEXTS, dataset, ready, run, without_guard  # noqa: F401

# By the CSSOM: a style element would be refused.
SPACE = """for (const element of document.querySelectorAll('body, body *')) {
  element.style.letterSpacing = '0.12em';
  element.style.wordSpacing = '0.16em';
  element.style.lineHeight = '1.5';
}
for (const paragraph of document.querySelectorAll('p')) paragraph.style.marginBlockEnd = '2em';"""
OPEN = "for (const one of document.querySelectorAll('main details')) one.open = true"
# Texts of a language that readers see, without what stands in them in another.
WORDS = """(language) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const place = texts.currentNode.parentElement;
    const isRead = texts.currentNode.data.trim() && place.checkVisibility() && !place.closest('.said, .invisible, textarea');
    if (isRead && place.matches(`:lang(${language})`)) found.push(texts.currentNode);
  }
  return found;
}"""
# Lines that are lower than their letters need, by the size of these.
TIGHT = f"""(language) => ({WORDS})(language)
  .map((text) => [text.data, getComputedStyle(text.parentElement)])
  .filter(([, style]) => !(parseFloat(style.lineHeight) / parseFloat(style.fontSize) >= 1.699))
  .map(([text, style]) => `${{text.slice(0, 30)}}: ${{style.lineHeight}} of ${{style.fontSize}}`)"""
# What is drawn of a text, letters with all their signs, and goes beyond a box around it that cuts.
CLIPPED = f"""(language) => {{
  const clipped = [];
  for (const text of ({WORDS})(language)) {{
    const range = document.createRange();
    range.selectNodeContents(text);
    const drawn = range.getBoundingClientRect();
    for (let box = text.parentElement; box; box = box.parentElement) {{
      const style = getComputedStyle(box);
      if (style.overflowY === 'visible' && style.clipPath === 'none' && !/paint|strict|content/.test(style.contain)) continue;
      if (box === document.documentElement || box === document.body) continue;
      const around = box.getBoundingClientRect();
      const isCut = box.scrollHeight > box.clientHeight || drawn.top < around.top - 0.5 || drawn.bottom > around.bottom + 0.5;
      if (isCut) clipped.push(`${{text.data.slice(0, 30)}} in ${{box.tagName}}.${{box.className}}`);
    }}
  }}
  return clipped;
}}"""


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url


def test_pages_work_at_320_pixels_with_wide_text(visit, site, dataset, run):  # noqa: F811
    page = visit(viewport={"width": 320, "height": 640})
    without_guard(page)
    made, samples = dataset
    others = ["/datasets/new", f"/datasets/{made}", f"/samples/{samples[0]}", f"/runs/{run}/results"]
    for path in [*paths(site), *others]:
        page.goto(path)
        fits(page)
        page.evaluate(SPACE)
        fits(page)
    page.goto(f"/runs/{run}/review")
    for number in range(1, len(TEXTS) + 1):
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(TEXTS)}")
        ready(page)
        page.evaluate(OPEN)
        page.evaluate(SPACE)
        fits(page)
        shot(page, f"review-{number}-320-spaced")
        page.keyboard.press("s")


def test_signing_in_works_at_320_pixels_with_wide_text(visit):
    page = visit(viewport={"width": 320, "height": 640}, signed_in=False)
    page.goto("/runs")
    for wrong in [False, True]:
        if wrong:
            page.get_by_label("API key").fill("no key")
            page.get_by_label("Your name").fill("Asha")
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("alert")).to_be_visible()
        fits(page)
        page.evaluate(SPACE)
        fits(page)
    shot(page, "sign-in-320-spaced")


@pytest.mark.parametrize("width", [320, 1280])
def test_signs_above_and_below_letters_are_not_cut(visit, dataset, run, agreed, width):  # noqa: F811
    """Matras of Hindi, and the dots and descents of Urdu, which need more room still."""
    page = visit(viewport={"width": width, "height": 700})
    without_guard(page)
    made, samples = dataset
    for path, languages in {
        f"/datasets/{made}": ["hi", "ta", "ur"],
        f"/samples/{samples[0]}": ["hi"],
        f"/runs/{run}/results": ["hi", "ta", "ur"],
        f"{agreed}/consensus": ["hi", "ur"],
        f"/runs/{run}/review": ["hi"],
    }.items():
        page.goto(path)
        page.evaluate(OPEN)
        for language in languages:
            found = page.evaluate(f"({WORDS})('{language}').length")
            assert found > 0, (path, language)
            assert page.evaluate(f"({TIGHT})('{language}')") == [], (path, language)
            assert page.evaluate(f"({CLIPPED})('{language}')") == [], (path, language)
        page.evaluate(SPACE)
        for language in languages:
            assert page.evaluate(f"({CLIPPED})('{language}')") == [], (path, language)
        shot(page, f"signs-{path.split('/')[-1][:8]}-{width}")
