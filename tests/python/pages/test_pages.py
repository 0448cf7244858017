"""What people do with the pages, and what may not happen to them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot, sign_in
from playwright.sync_api import expect

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def size(name):
    width, height = SIZES[name]
    return {"width": width, "height": height}


def paths(site):
    run = f"/runs/{site.run}"
    return ["/runs", "/datasets", "/keys", "/runs/new", "/settings", "/help", run, f"{run}/report", f"{run}/results", f"{run}/results?sort=-wer", f"{run}/compare", f"{run}/compare?with={site.run}", "/runs/x"]


def test_a_person_signs_in_looks_and_signs_out(visit, site):
    page = visit(signed_in=False)
    sign_in(page, site.key, path="/datasets")
    expect(page).to_have_url(f"{site.url}/datasets")
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")
    (cookie,) = page.context.cookies()
    assert cookie["name"] == "__Host-stt" and cookie["path"] == "/"
    assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("heading", name="Who wins")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_wrong_key_is_told_and_nothing_else_is_lost(visit, site):
    page = visit(signed_in=False)
    sign_in(page, site.key[:-1], name="आशा", path="/runs")
    expect(page.get_by_role("alert")).to_contain_text("not a valid API key")
    expect(page.get_by_label("Your name")).to_have_value("आशा")
    assert page.context.cookies() == []
    page.get_by_label("API key").fill(site.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/runs")


def test_a_revoked_key_ends_its_sessions_with_the_next_click(visit, site):
    made = site.api("POST", "/api/v1/keys", {"name": "reviewers", "role": "viewer"})
    page = visit(signed_in=False)
    sign_in(page, made["key"])
    expect(page).to_have_url(f"{site.url}/runs")
    site.api("DELETE", f"/api/v1/keys/{made['id']}")
    page.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_whoever_was_here_need_not_type_a_name_again(visit, site):
    page = visit()
    expect(page.locator(".visitor bdi")).to_have_text("Asha")
    page.context.clear_cookies()
    page.goto("/runs")
    expect(page.get_by_label("Your name")).to_have_value("Asha")
    page.get_by_label("API key").fill(site.key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your name")).to_have_value("")


def test_an_admin_ends_the_session_of_another_browser(visit, site):
    other = visit(signed_in=False)
    sign_in(other, site.key, name="Ravi of the lost phone")
    expect(other).to_have_url(f"{site.url}/runs")
    page = visit()
    page.goto("/keys")
    row = page.get_by_role("row").filter(has_text="Ravi of the lost phone")
    row.locator("summary").click()
    row.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys")
    expect(row).to_have_count(0)
    other.get_by_role("link", name="Datasets").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_where_a_vendor_works_on_speech_is_chosen_beside_its_key(visit):
    page = visit(viewport=size("phone"))
    page.goto("/settings")
    places = page.get_by_label("Where it works on speech assemblyai")
    assert places.locator("option").all_inner_texts()[0] == "its usual place"
    places.select_option("eu")
    box = places.bounding_box()
    assert box["height"] >= 44 and box["x"] + box["width"] <= 360, box
    places.scroll_into_view_if_needed()
    shot(page, "settings-region", full_page=False)


def test_a_form_of_another_port_changes_nothing(visit, site):
    page = visit()
    page.route(
        "http://127.0.0.1:1/evil",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<form method=post action='{site.url}/sign-out'><button>Win</button></form>",
        ),
    )
    page.goto("http://127.0.0.1:1/evil")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do that")
    page.goto("/runs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")


SMALL = """[...document.querySelectorAll('a, button, select, summary, label.choice')]
  .filter((one) => one.matches('button, summary, .choice, select, th a, .path a, .as a, nav a, .button, .problem ~ p a'))
  .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && box.height > 1 && (box.height < 44 || box.width < 24))
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SIZES)
def test_pages_are_accessible_and_fit(visit, site, name, scheme):
    page = visit(viewport=size(name), color_scheme=scheme)
    for path in paths(site):
        page.goto(path)
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[name][0], path
        assert page.evaluate("window.shifted") == 0, path
        assert page.locator("main").count() == 1 and page.locator("h1").count() == 1, path
        assert page.evaluate("window.refused") == [], path
        if name == "phone":
            # Links in sentences are as high as these.
            assert page.evaluate(SMALL) == [], path
        shot(page, f"{path.strip('/').replace('/', '-').split('?')[0]}-{name}-{scheme}")


def test_a_page_takes_few_requests(visit, site):
    page = visit()
    # Nothing of the page before.
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/runs/{site.run}/report")
    page.wait_for_load_state("networkidle")
    assert len(asked) <= 4, asked


def test_the_head_of_a_page_leaves_room_on_a_phone(visit):
    page = visit(viewport={"width": 360, "height": 740})
    page.goto("/help")
    assert page.locator("header").bounding_box()["height"] <= 110
    targets = page.locator("header").locator("a, button")
    for target in targets.all():
        box = target.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 32, target.inner_text()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360, target.inner_text()
    page.get_by_role("navigation").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")


def test_pages_work_without_scripts(visit, site):
    page = visit(java_script_enabled=False)
    page.goto(f"/runs/{site.run}/report")
    page.get_by_role("link", name="CER").click()
    expect(page.locator("th[aria-sort]")).to_contain_text("CER")


def test_recordings_are_played_from_where_they_lie(visit, site):
    page = visit()
    page.goto(f"/runs/{site.run}/results")
    page.locator("audio").first.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
    expect(page.locator("audio").first).not_to_have_js_property("currentTime", 0)
    assert page.evaluate("window.refused") == []


def channels(colour):
    return [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def over(colour, opacity, ground):
    """What is seen of a colour that lets some of the ground through."""
    parts = [opacity * one + (1 - opacity) * other for one, other in zip(channels(colour), channels(ground))]
    return f"rgb({', '.join(map(str, parts))})"


def luminance(colour):
    parts = [part / 255 for part in channels(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "how",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"forced_colors": "active"},
        {"media": "print"},
    ],
    ids=lambda how: "-".join(how.values()),
)
def test_marks_of_charts_can_be_told_from_the_page(visit, site, how):
    page = visit()
    page.emulate_media(**how)
    page.goto(f"/runs/{site.run}/report")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    if ground == "rgba(0, 0, 0, 0)":
        ground = "rgb(255, 255, 255)"
    strokes = page.evaluate(
        """[...document.querySelectorAll('.chart .mark, .chart .whisker, .chart .line')]
             .map((mark) => getComputedStyle(mark).stroke)"""
    )
    assert strokes
    for stroke in set(strokes):
        assert contrast(stroke, ground) >= 3, (stroke, ground)
    fills = page.evaluate(
        """[...document.querySelectorAll('.chart .bar')]
             .map(getComputedStyle).map((style) => [style.fill, Number(style.fillOpacity)])"""
    )
    for fill, opacity in {tuple(one) for one in fills}:
        seen = over(fill, opacity, ground)
        assert contrast(seen, ground) >= 3, (fill, opacity, ground)
    bars = page.locator(".chart .bar")
    tall = bars.evaluate_all("all => all.filter((bar) => bar.getBoundingClientRect().height > 5).length")
    assert tall > 3, f"{tall} of {bars.count()} bars are seen"
    shot(page, "report-" + "-".join(how.values()))


def test_the_report_as_a_file_needs_neither_network_nor_scripts(visit, browser, site, tmp_path):
    page = visit()
    page.goto(f"/runs/{site.run}/report")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as one file").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    context = browser.new_context(java_script_enabled=False)
    alone, asked = context.new_page(), []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    expect(alone.get_by_role("heading", name="Who wins")).to_be_visible()
    # The style has arrived: charts have their width, tables their lines.
    assert alone.locator("main").bounding_box()["width"] < 1280
    assert asked == [file.as_uri()]
    context.close()
