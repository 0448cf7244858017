#!/usr/bin/env python3
"""How fast a large output is collected, in how much memory, and what accepting
a large run costs.

    cargo build --release && cargo build --release -p stt-eval-local -p gemini-sim
    cargo build --release -p stt-eval-shared --example raw_rows
    target/venvs/template/bin/python infra/bench/collection.py [--lines 5000 50000]

For each number of lines, with the functions' own binaries (flow.py): a run of
five models, submitted whole; then the invocations of `poll` that land, score
and record it are timed, and its memory is read at its highest and before it had
anything to do. In the same run the same rows are written by BatchWriteItem and
nothing else, to the same store (raw_rows), at the width that is best for that.
Both several times in turn (`--rounds`); medians count, the ratio is told of each
round as well. At last POST /runs is timed over the large dataset in turn with
one of ten samples.

How long a commit takes decides much: the embedded cloud makes one for each row.
TMPDIR says where its files lie.
"""

import argparse
import hashlib
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import flow

ROOT = flow.ROOT
MODELS = flow.MODELS
RAW_AT_ONCE = [1, 4, 16]


def dataset(machine, name, ids, texts):
    """A dataset by manifest, which may have more samples than a request."""
    rows = "".join(f"{f},{t}\n" for f, t in zip(ids, texts, strict=True))
    manifest = ("file_id,ground_truth\n" + rows).encode()
    made = machine.http("POST", "/files", {
        "filename": f"{name}.csv", "content_type": "text/csv", "size_bytes": len(manifest)})
    machine.put(made["upload"], manifest)
    while not machine.pump("events", "register", 10):
        time.sleep(0.01)
    return machine.http("POST", "/datasets", {
        "name": name, "language": "hi", "manifest_file_id": made["file"]["id"]})["id"]


def run(machine, name, dataset_id):
    return machine.http("POST", "/runs", {
        "run_name": name, "dataset_id": dataset_id, "providers": MODELS})["id"]


def collect(machine, run_id, seconds=900):
    """Submits and collects; gives the seconds that `poll` took and its memory
    in MB before and at its highest."""
    poll = machine.processes["poll"]
    poll.invoke({})
    before = poll.function.resident_mb()[0]
    took, collected, until = 0.0, 0, time.monotonic() + seconds
    while True:
        while machine.pump("submissions", "submit", 1):
            pass
        began = time.perf_counter()
        poll.invoke({})
        elapsed = time.perf_counter() - began
        found = machine.http("GET", f"/runs/{run_id}")
        # A poll that found nothing to collect is none of this.
        if found["counts"]["completed"] > collected:
            took += elapsed
            collected = found["counts"]["completed"]
        if found["status"] not in ("pending", "processing"):
            assert found["counts"]["completed"] == found["total_items"], found
            return took, before, poll.function.resident_mb()[1]
        assert time.monotonic() < until, found


def raw(machine, binaries, at_once):
    """Rows per second of nothing but writing."""
    told = subprocess.run(
        [binaries / "examples/raw_rows", str(at_once)], env=machine.variables,
        check=True, capture_output=True, text=True).stdout.split()
    return int(told[0]) / float(told[1])


def accepting(machine, large, small, rounds=40):
    """Median milliseconds of POST /runs over each dataset, in turn."""
    took = {large: [], small: []}
    for number in range(rounds):
        for which, times in took.items():
            began = time.perf_counter()
            run(machine, f"{which}-{number}", which)
            times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took[large]), statistics.median(took[small])


def measure(binaries, functions, lines, rounds):
    samples = lines // len(MODELS)
    clips = [flow.clip(n, 0.05) for n in range(samples)]
    texts = [flow.text(n, 8.0) for n in range(samples)]
    recordings = [
        {"sha256": hashlib.sha256(c).hexdigest(), "model": model,
         "text": flow.misheard(t, f"{model}{n}")}
        for n, (c, t) in enumerate(zip(clips, texts, strict=True)) for model in MODELS]
    with ExitStack() as stack:
        machine = flow.Machine(stack, binaries, functions, recordings, batch_delay="10ms")
        ids = machine.upload(clips)
        large = dataset(machine, "large", ids, texts)
        collected, written, before, highest, width = [], [], None, 0.0, None
        for number in range(rounds):
            took, low, high = collect(machine, run(machine, f"large {number}", large))
            collected.append(samples * len(MODELS) / took)
            before, highest = before or low, max(highest, high)
            if width is None:
                width = max(RAW_AT_ONCE, key=lambda w: raw(machine, binaries, w))
            written.append(raw(machine, binaries, width))
        small = dataset(machine, "small", ids[:10], texts[:10])
        of_large, of_small = accepting(machine, large, small)
    return {
        "lines": samples * len(MODELS), "collected": statistics.median(collected),
        "raw": statistics.median(written),
        "ratios": [c / w for c, w in zip(collected, written, strict=True)],
        "before": before, "highest": highest, "large": of_large, "small": of_small,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", type=Path, default=ROOT / "target/release")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    print("| lines | collected/s | raw/s | ratio | of each round | memory before | highest | "
          "POST /runs large | of 10 samples | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for lines in arguments.lines:
        m = measure(arguments.target, arguments.target, lines, arguments.rounds)
        print(f"| {m['lines']:,} | {m['collected']:,.0f} | {m['raw']:,.0f} | "
              f"{m['collected'] / m['raw']:.2f} | "
              f"{', '.join(f'{r:.2f}' for r in m['ratios'])} | {m['before']:.1f} MB | {m['highest']:.1f} MB | "
              f"{m['large']:.2f} ms | {m['small']:.2f} ms | {m['large'] / m['small']:.2f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
