"""What a stranger would stumble over: things that move under a finger, that look like what they
are not, and pages that can't be told apart."""

from conftest import shot
from playwright.sync_api import expect
from test_review import dataset, group, run  # noqa: F401
from test_undo import begin

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


def test_a_verdict_moves_nothing_under_the_finger(visit, run):  # noqa: F811
    page = visit(viewport=PHONE, reduced_motion="reduce")
    begin(page, run)
    buttons = page.locator(".verdicts button")
    # In the page, wherever it is scrolled to.
    where = """(all) => {
      const page = document.querySelector('main').getBoundingClientRect();
      const boxes = all.map((one) => one.getBoundingClientRect());
      return boxes.map(({ x, y, width }) => [x - page.x, y - page.y, width].map(Math.round));
    }"""
    before = buttons.evaluate_all(where)
    for name in ["Right", "Wrong", "Cannot tell"]:
        button = group(page, "A").get_by_role("button", name=name)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        assert buttons.evaluate_all(where) == before, name
    # The sign of the one that is pressed is in its padding, beside the text.
    sign = button.evaluate("(one) => getComputedStyle(one, '::before').content")
    assert sign.startswith('"✓"')
    shot(page, "review-verdict-phone", full_page=False)


def test_the_list_of_keys_has_its_heads_above_its_columns(visit):
    for viewport in [PHONE, DESK]:
        page = visit(viewport=viewport)
        page.goto("/help")
        rows = page.get_by_role("table").get_by_role("row")
        lefts = rows.evaluate_all("(all) => all.map((row) => [...row.cells].map((cell) => cell.getBoundingClientRect().x))")
        assert len(lefts) > 15
        assert all(left == lefts[0] for left in lefts)


def test_the_sheet_of_keys_can_be_closed_from_where_one_reads(visit, run):  # noqa: F811
    page = visit(viewport=PHONE)
    begin(page, run)
    page.locator("[data-do=help]").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="Change the key: These keys").scroll_into_view_if_needed()
    close = sheet.get_by_role("button", name="Close")
    expect(close).to_be_in_viewport(ratio=1)
    # What a change leads to is told there as well.
    sheet.get_by_role("button", name="Change the key: These keys").click()
    expect(sheet.get_by_role("status")).to_be_in_viewport(ratio=1)
    expect(sheet.get_by_role("status")).to_contain_text("Press a key")
    page.keyboard.press("Escape")
    close.click()
    expect(sheet).to_be_hidden()


def test_what_opens_looks_as_if_it_did_on_a_phone_too(visit, site):
    site.api("POST", "/api/v1/keys", {"name": "somebody", "role": "viewer"})
    for viewport in [PHONE, DESK]:
        page = visit(viewport=viewport)
        page.goto("/keys")
        revoke = page.locator("summary", has_text="Revoke").first
        expect(revoke).to_have_css("display", "list-item")
        expect(revoke).not_to_have_css("list-style-type", "none")


def test_pages_of_a_run_are_told_apart_by_their_titles(visit, site):
    page = visit()
    titles = []
    for path in ["", "/report", "/results", "/compare", "/review", "/delete"]:
        page.goto(f"/runs/{site.run}{path}")
        titles.append(page.title())
    name = titles[0]
    assert titles[1:] == [f"{one} · {name}" for one in ["Report", "Results", "Compare", "Review", "Delete"]]


def test_a_new_key_is_copied(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/keys")
    page.get_by_label("Whose key").fill("one who pastes")
    page.get_by_role("button", name="Make key").click()
    made = page.locator(".finding code").inner_text()
    copy = page.get_by_role("button", name="Copy")
    copy.click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == made
    # A browser that refuses says what to do.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }")
    copy.click()
    expect(page.get_by_text("select the key, and copy it")).to_be_visible()
