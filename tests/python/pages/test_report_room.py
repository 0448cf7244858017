"""Room in a report: long names of models and of parts, on a phone and on a desk, and what stands beside what."""

import pytest
from conftest import shot
from figures import numbers
from making import clear, clips, recording, transcribed
from playwright.sync_api import expect
from test_datasets import wav
from test_names import OVERLAPS
from test_pages import size
from test_report_checks import said
from test_room import CUT

MODELS = [
    "whisper-large-v3-finetuned-on-helpline-calls",
    "whisper-large-v3-finetuned-on-field-recordings",
    "conformer-transducer-multilingual-600m-december",
    "wav2vec2",
    "seamless-m4t-v2-large",
    "indicconformer_stt_hi_hybrid_ctc_rnnt_large",
]
LONG = "Bahraich/district/with a/very long/name near the border of the country"
# Clips by a field of their metadata: two are of too few for a rate.
PLACES = {LONG: 14, "near": 12, "first of few": 3, "second of few": 2}
BOXES = "(all) => all.map((one) => { const { x, y, width, height } = one.getBoundingClientRect(); return [x, y, width, height]; })"
# Marks of a chart that lie over labels of its axes.
COVERED = """(chart) => {
  const box = (one) => one.getBoundingClientRect();
  const ticks = [...chart.querySelectorAll('.tick')].map((one) => [one.textContent, box(one)]);
  return [...chart.querySelectorAll('.mark')].map(box).flatMap((mark) => ticks.filter(([, tick]) =>
    mark.left < tick.right && tick.left < mark.right && mark.top < tick.bottom && tick.top < mark.bottom).map(([text]) => text));
}"""
# Each line of a chart: where it ends, where its label stands by its sign and by its text, and what leads there.
LED = """(chart) => [...chart.querySelectorAll(':scope > g > g')].map((group) => {
  const y = (one) => Number(one.getAttribute('transform').match(/-?[\\d.]+/g)[1]);
  const lines = [...group.querySelectorAll('tspan')].map((one) => Number(one.getAttribute('y')));
  const leader = group.querySelector('.leader');
  return {
    name: group.querySelector('.name').textContent,
    end: y([...group.querySelectorAll('.mark')].at(-1)),
    sign: y(group.querySelector('.sign')),
    outlines: [...group.querySelectorAll('.mark:first-of-type, .sign')].map((one) => one.getAttribute('d')),
    text: (lines[0] + lines.at(-1)) / 2,
    leader: leader && ['y1', 'y2'].map((name) => Number(leader.getAttribute(name))),
  };
})"""
# The lower edge of the first line of each head, and how far an arrow is from the middle of its word.
HEADS = """(heads) => heads.map((head) => {
  const word = document.createRange();
  word.selectNodeContents((head.querySelector('a') ?? head).firstChild);
  const [box] = word.getClientRects();
  const arrow = head.querySelector('.arrow')?.getBoundingClientRect();
  return [box.bottom, arrow ? Math.abs((arrow.top + arrow.bottom - box.top - box.bottom) / 2) : 0, arrow ? arrow.left - box.right : 0];
})"""


def heard(model, at):
    """Models that hear nearly the same: each has a wrong word in one clip more than the one before."""
    words = said(at)
    return " ".join([*words[:5], "सौ"] if at < 12 + model else words) + "।"


@pytest.fixture(scope="module")
def long(site):
    places = [place for place, count in PLACES.items() for _ in range(count)]
    samples = [
        {
            "file_id": recording(site, f"room-{at}.wav", wav(60_000 + at)),
            "ground_truth": " ".join(said(at)),
            "metadata": {"place": place},
        }
        for at, place in enumerate(places)
    ]
    dataset = clips(site, samples)
    models = {name: [{"text": heard(model, at)} for at in range(len(samples))] for model, name in enumerate(MODELS)}
    run = transcribed(site, dataset, models)
    yield f"/runs/{run}/report"
    clear(site, dataset)


@pytest.fixture
def opened(visit, long):
    def of(name):
        page = visit(viewport=size(name))
        page.goto(f"{long}?group_by=place")
        return page

    return of


@pytest.mark.parametrize("kind", ["steps", "slices"])
def test_a_phone_shows_a_part_and_a_figure_of_it(opened, kind):
    page = opened("phone")
    table = page.locator(f"table.{kind}").last
    table.scroll_into_view_if_needed()
    shot(page, f"report-long-{kind}-phone", full_page=False)
    for row in table.locator("tbody tr").all():
        ((x, _, width, height),) = row.locator("th").evaluate_all(BOXES)
        assert x >= 0 and 112 <= width <= 0.4 * 360 + 1, (x, width)
        assert height < 200, height
        (left, _, width, _) = row.locator("td").first.evaluate_all(BOXES)[0]
        assert left + width <= 360, (left, width)
    for _, _, width, _ in table.locator("thead th.number").evaluate_all(BOXES):
        assert width <= 9 * 16 + 1, width


def test_no_table_of_steps_or_parts_is_cut_on_a_desk(opened):
    page = opened("desktop")
    cut = [one for one in page.evaluate(CUT) if one.startswith(("forgiven", "groups", "languages"))]
    assert cut == []
    shot(page, "report-long-desktop")


def test_labels_of_lines_are_led_to(opened):
    page = opened("desktop")
    chart = page.locator("section[aria-labelledby=forgiven] svg.chart")
    chart.scroll_into_view_if_needed()
    shot(page, "report-long-steps", full_page=False)
    found = chart.evaluate(LED)
    assert len(found) == len(MODELS) and any(one["leader"] for one in found)
    for one in found:
        # A label has the shape of the marks of its line, and stands beside that.
        first, sign = one["outlines"]
        assert first == sign, one
        assert abs(one["text"] - 5 - one["sign"]) <= 0.11, one
        assert one["leader"] == ([one["end"], one["sign"]] if abs(one["end"] - one["sign"]) > 1 else None), one
    ends, signs = ([one["name"] for one in sorted(found, key=lambda one: one[key])] for key in ["end", "sign"])
    assert ends == signs
    assert chart.evaluate(COVERED) == []


@pytest.mark.parametrize("form", ["page", "file"])
def test_long_names_of_parts_stay_in_their_charts(opened, browser, tmp_path, long, form):
    page = opened("desktop")
    if form == "file":
        file = tmp_path / "report.html"
        path = f"{long}.html?group_by=place"
        file.write_text(page.evaluate("(path) => fetch(path).then((answer) => answer.text())", path), encoding="utf-8")
        page = browser.new_context(viewport=size("desktop")).new_page()
        page.goto(file.as_uri())
    assert page.evaluate(OVERLAPS) == []
    name = page.locator("#groups + .panels svg.chart .name").first
    assert name.locator("title").text_content() == LONG
    assert "…" in name.evaluate("(name) => name.lastChild.textContent")
    expect(page.locator("table.slices tbody th").get_by_text(LONG, exact=True)).to_be_visible()
    if form == "file":
        page.context.close()


def test_parts_of_too_few_clips_are_one_line_below_the_others(opened):
    page = opened("desktop")
    expect(page.locator("#groups + .panels tbody tr")).to_have_count(2)
    line = page.locator("#groups + .panels + .legend")
    expect(line).to_contain_text("2 groups of fewer than 10 clips each tell no rate: first of few (3 clips), second of few (2 clips).")
    assert "%" not in line.inner_text() and numbers(line.inner_text()) == [2, 10, 3, 2]


@pytest.mark.parametrize("order", ["rank", "difference"])
@pytest.mark.parametrize("name", ["phone", "desktop"])
def test_heads_of_a_table_stand_on_one_line(visit, long, name, order):
    page = visit(viewport=size(name), has_touch=name == "phone")
    page.goto(f"{long}?sort={order}")
    found = page.locator("table.models thead th").evaluate_all(HEADS)
    assert len(found) > 5
    assert max(bottom for bottom, _, _ in found) - min(bottom for bottom, _, _ in found) <= 1.5, found
    for _, off, gap in found:
        assert off <= 6 and -1 <= gap <= 10, found
    page.locator("table.models").scroll_into_view_if_needed()
    shot(page, f"report-heads-{order}-{name}", full_page=False)


def test_downloads_stand_beside_one_another(opened):
    page = opened("desktop")
    links = page.locator(".contents .files a")
    boxes = links.evaluate_all(BOXES)
    assert len(boxes) == 3 and len({y for _, y, _, _ in boxes}) == 1
    for (x, _, width, _), (after, _, _, _) in zip(boxes, boxes[1:], strict=False):
        assert 0 <= after - x - width <= 24, boxes


def test_bars_of_a_row_stand_on_one_line(opened):
    page = opened("desktop")
    boxes = page.locator("#spread ~ .bars svg.chart").evaluate_all(BOXES)
    assert len(boxes) == len(MODELS)
    rows = {}
    for _, y, _, height in boxes:
        rows.setdefault(round(y + height), []).append(y)
    columns = len({x for x, _, _, _ in boxes})
    assert columns > 1 and len(rows) == -(-len(boxes) // columns), boxes
