"""What a live service was seen to do, beside what the test doubles play."""

import json
import sys

SAME, DIFFERENT, UNKNOWN = "same", "DIFFERENT", "not seen"


class Observations:
    """A list of (what, expected, seen), printed as it grows.

    `expected` is what the doubles play by default. A difference is no failure
    of the service: it says that a double, and what was built on it, is wrong.
    """

    def __init__(self, out=sys.stdout):
        self.rows = []
        self._out = out

    def _add(self, verdict, what, expected, seen, matters):
        self.rows.append(
            {"what": what, "verdict": verdict, "expected": expected, "seen": seen, "matters": matters}
        )
        print(f"{verdict:>9}  {what}: {seen}", file=self._out, flush=True)
        if verdict != SAME:
            print(f"{'':>9}    the doubles play: {expected}", file=self._out)
            if matters:
                print(f"{'':>9}    matters for: {matters}", file=self._out, flush=True)

    def see(self, what, expected, seen, matters=""):
        """An observation that must equal what is expected."""
        self._add(SAME if seen == expected else DIFFERENT, what, expected, seen, matters)
        return seen == expected

    def hold(self, what, holds, expected, seen, matters=""):
        """An observation for which `holds` says whether it is as expected."""
        self._add(SAME if holds else DIFFERENT, what, expected, seen, matters)
        return holds

    def miss(self, what, expected, why, matters=""):
        """Something that could not be looked at, and why."""
        self._add(UNKNOWN, what, expected, why, matters)

    def note(self, text):
        """A figure that nothing is expected of."""
        print(f"{'':>9}  {text}", file=self._out, flush=True)

    def count(self, verdict):
        return sum(row["verdict"] == verdict for row in self.rows)

    def close(self, path=None):
        """Prints the sum, writes all as JSON if `path` is given, and gives the exit code."""
        same, different, missing = (self.count(v) for v in (SAME, DIFFERENT, UNKNOWN))
        print(f"\n{same} same, {different} different, {missing} not seen", file=self._out)
        if path:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(self.rows, file, ensure_ascii=False, indent=1)
        return 1 if different or missing else 0
