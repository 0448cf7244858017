"""Figures of a report's charts, read back from where their marks stand, and those of its tables."""

import math
import re

READ = r"""(chart) => {
  const number = (one, name) => Number(one.getAttribute(name));
  // What is seen: the whole of a name that is cut is its title.
  const text = (one) => [...(one?.childNodes ?? [])].filter((part) => part.nodeName !== 'title')
    .map((part) => part.textContent).join('').trim();
  const drawn = chart.querySelector(':scope > g');
  const place = (mark) => mark.tagName === 'circle' ? [number(mark, 'cx'), number(mark, 'cy')]
    : mark.getAttribute('transform').match(/-?[\d.]+/g).map(Number);
  const line = (one) => ['x1', 'x2', 'y1', 'y2'].map((name) => number(one, name));
  const all = (from, what, read) => [...from.querySelectorAll(what)].map(read);
  return {
    role: chart.getAttribute('role'),
    title: text(chart.querySelector('title')),
    finding: text(chart.querySelector('desc')),
    grid: all(drawn, 'line.grid', line),
    zero: all(drawn, 'line.zero', line),
    texts: all(drawn, 'text', (one) => ({ kind: one.getAttribute('class'), text: text(one), x: number(one, 'x'), y: number(one, 'y') })),
    groups: all(drawn, ':scope > g', (group) => ({
      kind: group.getAttribute('class'),
      name: text(group.querySelector('text.name')),
      marks: all(group, '.mark', (mark) => ({ at: place(mark), outline: mark.getAttribute('d') })),
      whiskers: all(group, '.whisker', line),
      points: all(group, 'polyline', (one) => one.getAttribute('points').split(' ').map((point) => point.split(',').map(Number))),
    })),
    bars: all(drawn, 'rect.bar', (bar) => ['x', 'y', 'width', 'height'].map((name) => number(bar, name))),
  };
}"""

# Each cell by its lines: its own text, then what stands small below it.
ROWS = """(table) => [...table.rows].map((row) => [...row.cells].map((cell) => {
  const own = cell.cloneNode(true);
  for (const one of own.querySelectorAll('small, svg')) one.remove();
  return {
    kind: cell.className,
    lines: [own, ...cell.querySelectorAll('small')].map((one) => one.textContent.trim()),
    outline: cell.querySelector('svg.key path')?.getAttribute('d'),
    bar: [...cell.querySelectorAll('svg.mini rect')].map((one) => Number(one.getAttribute('width'))),
  };
}))"""


def chart(locator):
    """A chart, which is told in words too."""
    found = locator.evaluate(READ)
    assert found["role"] == "img" and found["title"] and found["finding"], found
    return found


def rows(locator):
    return locator.evaluate(ROWS)


def numbers(text):
    """The numbers of a text, whose minus is a real one."""
    found = re.findall(r"[+-]?\d+(?:\.\d+)?", text.replace("\u2212", "-").replace(",", ""))
    return [float(one) for one in found]


def number(text):
    (one,) = numbers(text)
    return one


class Axis:
    """From places along an axis back to values, by the ticks that people read them by."""

    def __init__(self, chart, along, by_ratio=False):
        ways = {"x": (0, 1), "y": (2, 3)}
        begin, end = ways[along]
        told = {one[along]: one["text"] for one in chart["texts"] if one["kind"] == "tick"}
        places = [line[begin] for line in chart["grid"] if line[begin] == line[end] and line[begin] in told]
        assert len(places) > 1, (along, told)
        self.by_ratio = by_ratio
        ticks = sorted((place, self.scaled(number(told[place]))) for place in places)
        (self.place, self.low), (last, high) = ticks[0], ticks[-1]
        self.slope = (high - self.low) / (last - self.place)
        for place, value in ticks:
            # Labels are what their lines stand for.
            assert abs(self.low + self.slope * (place - self.place) - value) <= abs(self.slope) * 0.15, ticks

    def scaled(self, value):
        return math.log(value) if self.by_ratio else value

    def value(self, place):
        found = self.low + self.slope * (place - self.place)
        return math.exp(found) if self.by_ratio else found

    def agrees(self, place, told, rounding=0.05):
        """Places are rounded to a tenth, those of ticks too; what is told to its last digit."""
        slack = abs(self.value(place + 0.15) - self.value(place))
        value = self.value(place)
        assert abs(value - told) <= rounding + slack + 1e-9, f"{value} is drawn, {told} is told"
