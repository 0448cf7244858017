"""The report: what may not be told apart, what too few clips tell, and charts that say what their tables say."""

import re

import pytest
from conftest import shot
from figures import Axis, chart, number, numbers, rows
from making import clear, clips, recording, transcribed
from playwright.sync_api import expect
from test_datasets import wav

WORDS = "एक दो तीन चार पाँच छह सात आठ नौ दस".split()
# Clips by language: enough, few, and too few for a rate.
LANGUAGES = {"hi": 40, "ta": 14, "ur": 4}
# The same clips by a field of their metadata: one more makes too few a few.
REGIONS = {"nine": 9, "ten": 10, "rest": 39}
# What a clip costs of each model: prices that are farther apart than 20 times, and such that are not.
COSTS = {"alpha": 22e-6, "beta": 55e-6, "gamma": 6e-6, "delta": 440e-6}
NEAR = {"alpha": 22e-6, "gamma": 30e-6, "delta": 55e-6}


def said(at):
    return [WORDS[(at + step) % len(WORDS)] for step in range(6)]


def heard(at):
    """What each model heard of a clip: two the same, one much worse, one with words that nobody said."""
    words = said(at)
    good = " ".join([*words[:5], "सौ"] if at % 3 == 0 else words).replace("दस", "10") + "।"
    half = " ".join(["कुछ"] * (2 + at % 2) + words[2 + at % 2 :])
    wild = {0: " ".join(words), 1: " ".join([*words[:5], "सौ"])}.get(at % 4, " ".join(["कभी"] * 9))
    return {"alpha": good, "beta": good, "gamma": half, "delta": wild}


@pytest.fixture(scope="module")
def spoken(site):
    """Clips of three languages."""
    languages = [language for language, count in LANGUAGES.items() for _ in range(count)]
    regions = [region for region, count in REGIONS.items() for _ in range(count)]
    samples = [
        {
            "file_id": recording(site, f"many-{at}.wav", wav(20_000 + at)),
            "ground_truth": " ".join(said(at)),
            "language": language,
            "metadata": {"region": region},
        }
        for at, (language, region) in enumerate(zip(languages, regions, strict=True))
    ]
    dataset = clips(site, samples)
    yield dataset
    clear(site, dataset)


def scored(site, spoken, costs):
    """A run that was scored with a step that hides differences."""
    count = len(spoken[1])
    models = {
        name: [{"text": heard(at)[name], "cost_usd": cost} for at in range(count)] for name, cost in costs.items()
    }
    return transcribed(site, spoken, models, config={"normalizer": "indic-v1+numbers"})


@pytest.fixture(scope="module")
def many(site, spoken):
    return scored(site, spoken, COSTS)


@pytest.fixture
def report(visit, many):
    page = visit()
    page.goto(f"/runs/{many}/report?group_by=region")
    return page


def section(page, name):
    return page.locator(f"section[aria-labelledby={name}]")


def columns(head):
    return [cell["lines"][0] for cell in head]


def models_of(page):
    """Rows of the headline table by model, in its order, each by its columns."""
    head, *body = rows(page.locator("table.models"))
    names = [cell["lines"][0].rstrip(" ▴▾") for cell in head]
    found = [dict(zip(names, (cell["lines"] for cell in row), strict=True)) for row in body]
    return {row["Model"][0]: row for row in found}


def test_equal_models_share_their_ranks_and_nothing_is_a_winner(report, many):
    ranks = {name: row["Rank"] for name, row in models_of(report).items()}
    assert ranks["imported/alpha"] == ranks["imported/beta"] == ["1–2", "tied"], ranks
    assert [ranks["imported/gamma"], ranks["imported/delta"]] == [["3"], ["4"]], ranks
    finding = report.locator(".verdict .finding")
    expect(finding).to_contain_text("is best or tied for best.")
    expect(finding).to_contain_text(re.compile(r"imported/(alpha|beta) is not distinguishable from it with these 58.clips"))
    head, *body = rows(report.locator("table.pairs"))
    names = columns(head)
    for row in body:
        for other, cell in zip(names[1:], row[1:], strict=True):
            if {row[0]["lines"][0], other} == {"imported/alpha", "imported/beta"}:
                assert cell["kind"] == "open" and cell["lines"][0].startswith("0.0 ≈"), cell
    for name, same in [("alpha", "beta"), ("beta", "alpha")]:
        cell = report.locator("table.pairs tbody tr", has_text=name).first.locator("td").nth(names.index(f"imported/{same}") - 1)
        expect(cell.get_by_role("img", name="not distinguishable", exact=True)).to_be_visible()
    for path in [report.url, f"/runs/{many}/report.html"]:
        text = report.evaluate("(path) => fetch(path).then((answer) => answer.text())", path)
        assert "best or tied for best" in text and "winner" not in text.lower(), path


def test_rates_and_differences_stand_where_the_table_says(report):
    shot(report, "report-many")
    told = models_of(report)
    rates, differences = [chart(one) for one in section(report, "models").locator("svg.chart").all()]
    axis = Axis(rates, "x")
    values = dict(zip(drawn(rates, "name"), zip(drawn(rates, "value"), rates["groups"], strict=True), strict=True))
    assert list(values) == list(told)
    for name, row in told.items():
        text, group = values[name]
        assert text == row["WER"][0]
        agrees(axis, group, number(row["WER"][0]), numbers(row["WER"][1]))
    wers = [number(row["WER"][0]) for row in told.values()]
    assert numbers(rates["finding"]) == [min(wers), max(wers)], rates["finding"]
    axis = Axis(differences, "x")
    names, texts = drawn(differences, "name"), drawn(differences, "value")
    behind = [name for name, row in told.items() if row["To the lowest"][0] != "lowest"]
    assert names == behind and len(behind) == len(told) - 1
    for name, text, group in zip(names, texts, differences["groups"], strict=True):
        row = told[name]["To the lowest"]
        figure, sign = text.split()
        assert figure == row[0]
        agrees(axis, group, number(figure), numbers(row[1]))
        # A mark that is filled is a difference for certain.
        assert (sign, group["kind"]) in [("✓", "certain"), ("≈", "open")]
    assert {group["kind"] for group in differences["groups"]} == {"certain", "open"}
    # Models that never differ have no interval; all others do.
    assert [len(group["whiskers"]) for group in [*rates["groups"], *differences["groups"]]].count(0) == 1
    axis.agrees(differences["zero"][0][0], 0, rounding=0)
    for sentence in report.locator(".verdict .finding").inner_text().split(". "):
        assert sentence.strip(" .") in differences["finding"]


def drawn(chart, kind):
    return [one["text"] for one in chart["texts"] if one["kind"] == kind]


def agrees(axis, group, value, ends):
    """A mark of a panel, and its whisker where an interval is told."""
    (mark,) = group["marks"]
    axis.agrees(mark["at"][0], value)
    assert len(ends) == 2 * len(group["whiskers"])
    for whisker in group["whiskers"]:
        for place, end in zip(whisker[:2], ends, strict=True):
            axis.agrees(place, end)


def test_steps_stand_where_the_table_says(report):
    head, *body = rows(section(report, "forgiven").locator("table"))
    names = columns(head)[1:]
    wers = {name: [number(row[at + 1]["lines"][0]) for row in body] for at, name in enumerate(names)}
    found = chart(section(report, "forgiven").locator("svg.chart"))
    axis = Axis(found, "y")
    below = max(one["y"] for one in found["texts"] if one["kind"] == "tick")
    numbered = {one["text"]: one["x"] for one in found["texts"] if one["kind"] == "tick" and one["y"] == below}
    assert list(numbered) == [str(number) for number in range(len(body))]
    assert [row[0]["lines"][0].split()[0] for row in body] == list(numbered)
    lines = {group["name"]: group for group in found["groups"]}
    assert list(lines) == names
    for name, group in lines.items():
        (points,) = group["points"]
        assert points == [mark["at"] for mark in group["marks"]]
        assert [x for x, _ in points] == list(numbered.values())
        for (_, y), wer in zip(points, wers[name], strict=True):
            axis.agrees(y, wer)
        first, last = wers[name][0], wers[name][-1]
        assert f"{name}: from {first:.1f}\u202f% to {last:.1f}\u202f%." in found["finding"], found["finding"]
    # What was drawn is no level line.
    assert wers["imported/alpha"][0] > wers["imported/alpha"][-1]
    # The small bars in the table, of which the highest rate is the whole.
    most = max(max(some) for some in wers.values())
    for row in body:
        for cell, name in zip(row[1:], names, strict=True):
            rail, bar = cell["bar"]
            assert abs(bar / rail * most - number(cell["lines"][0])) <= 0.1 + most * 0.1 / rail, (name, cell)


def parts_of(found):
    """Marks of each part of a chart of parts, by name."""
    heads = [one for one in found["texts"] if one["kind"] == "name"]
    sizes = drawn(found, "value")
    parts = {head["text"]: {"size": size, "groups": []} for head, size in zip(heads, sizes, strict=True)}
    for group in found["groups"]:
        (mark,) = group["marks"]
        above = [head for head in heads if head["y"] < mark["at"][1]]
        parts[max(above, key=lambda head: head["y"])["text"]]["groups"].append(group)
    return parts


@pytest.mark.parametrize(("name", "count"), [("languages", len(LANGUAGES)), ("groups", len(REGIONS))])
def test_parts_stand_where_the_table_says(report, name, count):
    panels = report.locator(f"#{name} + .panels")
    head, *body = rows(panels.locator("table"))
    found = chart(panels.locator("svg.chart"))
    axis, parts = Axis(found, "x"), parts_of(found)
    assert len(body) == len(parts) == count
    assert [row[0]["lines"][0] for row in body] == list(parts)
    for row in body:
        part = parts[row[0]["lines"][0]]
        assert part["size"].split(" · ")[0] == row[0]["lines"][1].split(" · ")[0]
        groups = {group["marks"][0]["outline"]: group for group in part["groups"]}
        told = [(column, cell) for column, cell in zip(head[1:], row[1:], strict=True) if cell["lines"][0] != "–"]
        assert len(groups) == len(told) == len(part["groups"])
        for column, cell in told:
            # Which model it is of is told by the shape of the mark.
            group = groups[column["outline"]]
            axis.agrees(group["marks"][0]["at"][0], number(cell["lines"][0]))
            for place, end in zip(group["whiskers"][0][:2], numbers(cell["lines"][1]), strict=True):
                # One that is far off ends at the edge.
                if place < 329:
                    axis.agrees(place, end)
                else:
                    assert end >= axis.value(place) - 0.1
            assert group["kind"] == ("open" if "few" in cell["kind"].split() else "certain")
    if name == "languages":
        # Only one of the parts has clips enough for a finding.
        assert found["finding"] == "Fewer than two parts have 30 clips: none is told apart."


def test_parts_of_fewer_than_ten_clips_tell_no_rate_and_have_no_mark(report):
    for name, few, some in [("languages", "Urdu", "Tamil"), ("groups", "nine", "ten")]:
        panels = report.locator(f"#{name} + .panels")
        body = {row[0]["lines"][0]: row for row in rows(panels.locator("table"))[1:]}
        parts = parts_of(chart(panels.locator("svg.chart")))
        for cell in body[few][1:]:
            assert cell["lines"][0] == "–" and not numbers(" ".join(cell["lines"])), cell
            assert "too few" in " ".join(cell["lines"]), cell
        assert parts[few]["groups"] == [] and "too few" in parts[few]["size"], parts[few]
        row = panels.locator("tbody tr", has_text=few)
        expect(row.locator("td").first).to_be_visible()
        expect(row.locator("td", has_text="%")).to_have_count(0)
        # One clip more, or some, are told with a warning, and drawn hollow.
        assert len(parts[some]["groups"]) == len(COSTS)
        assert {group["kind"] for group in parts[some]["groups"]} == {"open"}
        assert all(numbers(cell["lines"][0]) for cell in body[some][1:]), body[some]


def test_cells_of_few_clips_stand_in_the_columns_of_their_models(report):
    tables = report.locator(".slices").all()
    for table, few in zip(tables, [2, 2], strict=True):
        heads, rows = table.locator("thead th").all(), table.locator("tbody tr").all()
        assert len(heads) == len(COSTS) and len(rows) == 3
        assert table.locator("td.few").count() == few * len(COSTS)
        for row in rows:
            for head, cell in zip(heads, row.locator("td").all(), strict=True):
                above, box = head.bounding_box(), cell.bounding_box()
                assert abs(above["x"] - box["x"]) < 1 and abs(above["width"] - box["width"]) < 1, (above, box)


def test_bars_are_as_high_as_the_table_says(report):
    spread = section(report, "spread")
    head, *body = rows(spread.locator("table"))
    charts = [chart(one) for one in spread.locator("svg.chart").all()]
    names = spread.locator("figcaption .model").all_inner_texts()
    assert names == [row[0]["lines"][0] for row in body] == [one["title"] for one in charts]
    shares = [[number(cell["lines"][0]) for cell in row[1:]] for row in body]
    most = max(max(some) for some in shares)
    room = max(bar[3] for one in charts for bar in one["bars"])
    assert any(some[-1] for some in shares) and any(some[0] for some in shares)
    for found, told in zip(charts, shares, strict=True):
        labels = [one["text"] for one in found["texts"] if one["y"] == 110]
        assert labels == columns(head)[1:]
        above = [one["text"] for one in found["texts"] if one["y"] != 110]
        for bar, text, share in zip(found["bars"], above, told, strict=True):
            assert abs(bar[3] / room * most - share) <= 0.1 + most * 0.15 / room, (bar, share)
            assert abs(bar[1] + bar[3] - found["zero"][0][2]) <= 0.1
            assert text == "" if share == 0 else abs(number(text) - share) <= 0.56
        ends = numbers(found["finding"].split(": of ")[1])
        assert ends == [sum(LANGUAGES.values()), told[0], told[-1]], found["finding"]


@pytest.mark.parametrize("costs", [COSTS, NEAR], ids=["by-ratio", "linear"])
def test_prices_and_rates_stand_where_the_table_says(visit, site, spoken, many, costs):
    run = many if costs is COSTS else scored(site, spoken, costs)
    page = visit()
    page.goto(f"/runs/{run}/report")
    head, *body = rows(section(page, "cost").locator("table"))
    names = columns(head)
    found = chart(section(page, "cost").locator("svg.chart"))
    by_ratio = any("(by ratio)" in one["text"] for one in found["texts"])
    assert by_ratio == (costs is COSTS)
    prices, rates = Axis(found, "x", by_ratio), Axis(found, "y")
    groups = {group["name"]: group for group in found["groups"]}
    assert len(groups) == len(body) == len(costs)
    beaten = []
    for row in body:
        cells = dict(zip(names, row, strict=True))
        group = groups[cells["No."]["lines"][0]]
        (mark,) = group["marks"]
        price = cells["US$ an hour"]["lines"][0]
        digits = len(price.split(".")[1])
        prices.agrees(mark["at"][0], number(price), rounding=0.5 * 10**-digits)
        wer, *ends = numbers(cells["WER"]["lines"][0])
        rates.agrees(mark["at"][1], wer)
        assert len(ends) == 2 * len(group["whiskers"])
        for whisker in group["whiskers"]:
            for place, end in zip(whisker[2:], ends, strict=True):
                rates.agrees(place, end)
        notes = " ".join(cells["Model"]["lines"][1:])
        assert group["kind"] == ("open" if "has fewer errors and costs no more" in notes else "certain")
        beaten += [cells["Model"]["lines"][0]] if notes else []
    unbeaten = [row[1]["lines"][0] for row in body if row[1]["lines"][0] not in beaten]
    assert found["finding"] == f"Not beaten for certain at a lower or the same price: {', '.join(unbeaten)}."
    assert beaten and unbeaten


def test_no_chart_is_of_another_kind(report):
    """Each is read by one of the tests above."""
    sections = {"models": 2, "forgiven": 1, "differs": 2, "spread": len(COSTS), "cost": 1}
    found = {name: section(report, name).locator("svg[role=img], svg.chart").count() for name in sections}
    assert found == sections
    drawings = report.locator("main svg:not(.mini, .key)")
    assert drawings.count() == sum(sections.values())
    assert report.locator("main canvas, main img, main object").count() == 0
    # Small ones repeat a figure beside them, and are told to nobody twice.
    for small in report.locator("main svg:is(.mini, .key)").all():
        expect(small).to_have_attribute("aria-hidden", "true")
