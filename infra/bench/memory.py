#!/usr/bin/env python3
"""How much memory and time the functions take when much comes at once.

    target/venvs/template/bin/python infra/bench/memory.py [--directory target/release]

A unit of 100 samples of 80 minutes of speech each (texts of 12,000 words, about as
long as a result can hold), and three uploads of 200 MB, the largest there may be,
in one batch of events. Prints the memory of each function's process at its
highest and its longest invocation. The figures chose `MemorySize` and `Timeout`
in template.yaml; infra/DEPLOY.md says how.
"""

import argparse
from pathlib import Path

import flow

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, default=ROOT / "target/release")
    parser.add_argument("--functions", type=Path, help="another directory of the four functions")
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    largest = [flow.clip(n, 6_249.9) for n in range(3)]
    measured = flow.measure(
        options.directory, options.functions or options.directory, samples=options.samples,
        models=1, seconds=1.0, speech=4_800.0, further=largest)
    assert measured.run["status"] == "completed", measured.run
    print("| function | peak RSS MB | longest invocation s | processor s |")
    print("| --- | ---: | ---: | ---: |")
    for name, spent in measured.functions.items():
        print(f"| {name} | {spent['peak_mb']:.0f} | {spent['longest_ms'] / 1e3:.1f} "
              f"| {spent['cpu_ms'] / 1e3:.1f} |")


if __name__ == "__main__":
    main()
