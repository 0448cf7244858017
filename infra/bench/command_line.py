#!/usr/bin/env python3
"""Times the command line as whole processes, beside jiwer, sclite and meeteval on the same texts.

    infra/bench/command_line.py [--binary target/cli/stt-eval] [--rounds 25] [--rows 100000]

Makes a virtual environment in a temporary folder and installs jiwer and meeteval from PyPI;
sclite is taken where Debian's `sctk` is installed. Corpus: 10,000 seeded pairs in Latin and
Indic scripts with 10 % errors. All run in turn, on one processor where the system can say so,
and print the median; the errors that each counts are compared too: a faster wrong answer is
not a result. Our binary is copied first, as `cargo install` does.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv

from scoring_vs_jiwer import pair

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = ["jiwer==4.0.0", "rapidfuzz", "meeteval==0.4.3", "simplejson"]
PAIRS = 10_000
SEED = 7


def corpus(folder):
    """Both sides as lines, TRN and SegLST."""
    rng = random.Random(SEED)
    pairs = [pair(rng, rng.randint(5, 18)) for _ in range(PAIRS)]
    for side, texts in zip(("refs", "hyps"), zip(*pairs, strict=True), strict=True):
        lines = "".join(f"{text}\n" for text in texts)
        (folder / f"{side}.txt").write_text(lines, encoding="utf-8")
        trn = "".join(f"{text} (s_{at:05})\n" for at, text in enumerate(texts))
        (folder / f"{side}.trn").write_text(trn, encoding="utf-8")
        seg = [
            {"session_id": f"s{at:05}", "speaker": "A", "start_time": 0, "end_time": 1, "words": text}
            for at, text in enumerate(texts)
        ]
        (folder / f"{side}.json").write_text(json.dumps(seg, ensure_ascii=False), encoding="utf-8")


def manifest(folder, rows):
    lines = "".join(f"clip-{at:06}.wav,text number {at}\n" for at in range(rows))
    (folder / "m.csv").write_text(f"file_name,text\n{lines}", encoding="utf-8")


@contextlib.contextmanager
def one_processor(alone):
    """What is started meanwhile has one processor."""
    if not alone or not hasattr(os, "sched_setaffinity"):
        yield
        return
    all = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(all)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all)


def timed(command, folder, alone=True):
    """Seconds by the clock, and what it printed.

    Started as shells start processes: a fork of this one, which `preexec_fn` would make of it,
    takes some milliseconds, and so does reading of pipes.
    """
    with open(folder / "stdout", "w+", encoding="utf-8") as out, open(folder / "stderr", "w+", encoding="utf-8") as err:
        with one_processor(alone):
            begun = time.perf_counter()
            code = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err).wait()
            taken = time.perf_counter() - begun
        for told in (out, err):
            told.seek(0)
        return taken, subprocess.CompletedProcess(command, code, out.read(), err.read())


def errors_of(document, unit="words"):
    counts = json.loads(document)["systems"][0][unit]
    return counts["substitutions"] + counts["deletions"] + counts["insertions"]


def in_reference(document, unit):
    counts = json.loads(document)["systems"][0][unit]
    return counts["hits"] + counts["substitutions"] + counts["deletions"]


def first_byte(command):
    """Seconds from start to the first byte."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    child.stdout.read(1)
    taken = time.perf_counter() - begun
    child.stdout.read()
    child.wait()
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/cli/stt-eval")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        venv.create(folder / "venv", with_pip=True)
        bin = folder / "venv" / "bin"
        subprocess.run([bin / "python", "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        ours = str(shutil.copy(arguments.binary, folder / "stt-eval"))
        corpus(folder)
        manifest(folder, arguments.rows)
        raw = ["--normalizer", "raw-v1", "--json"]
        commands = {
            "jiwer": [str(bin / "jiwer"), "-r", "refs.txt", "-h", "hyps.txt"],
            # It tells one of both figures, ours both.
            "jiwer, characters": [str(bin / "jiwer"), "-c", "-r", "refs.txt", "-h", "hyps.txt"],
            "score lines": [ours, "score", "refs.txt", "hyps.txt", *raw, "--no-intervals"],
            "score lines, intervals": [ours, "score", "refs.txt", "hyps.txt", *raw],
            "meeteval": [str(bin / "meeteval-wer"), "wer", "-r", "refs.json", "-h", "hyps.json"],
            "score SegLST": [ours, "score", "refs.json", "hyps.json", *raw, "--no-intervals"],
            "score TRN": [ours, "score", "refs.trn", "hyps.trn", *raw, "--no-intervals"],
            "score indic-v1": [ours, "score", "refs.txt", "hyps.txt", "--language", "hi", "--json", "--no-intervals"],
        }
        if shutil.which("sctk"):
            sclite = ["sctk", "sclite", "-r", "refs.trn", "trn", "-h", "hyps.trn", "trn"]
            commands["sclite"] = [*sclite, "-i", "rm", "-e", "utf-8", "-o", "rsum", "stdout"]
        taken = {name: [] for name in commands}
        told = {}
        for at in range(arguments.rounds + 1):
            for name, command in commands.items():
                # Flags and characters are counted by as many threads as there are processors.
                seconds, done = timed(command, folder, alone=name != "score indic-v1")
                if done.returncode:
                    sys.exit(f"{name} ended with {done.returncode}: {done.stderr[-400:]}")
                told[name] = done.stdout
                # The first round fills the caches.
                if at:
                    taken[name].append(seconds)
        median = {name: statistics.median(all) for name, all in taken.items()}
        for name, seconds in median.items():
            print(f"{name:24} {seconds * 1000:8.2f} ms")
        for name, other in (("score lines", "jiwer"), ("score lines, intervals", "jiwer"),
                            ("score SegLST", "meeteval"), ("score TRN", "sclite")):
            if other in median:
                print(f"{name} beside {other}: {median[other] / median[name]:.1f} x")
        both = (median["jiwer"] + median["jiwer, characters"]) / median["score lines"]
        print(f"score lines beside jiwer for the same figures, words and characters: {both:.1f} x")
        counted = {name: errors_of(told[name]) for name in told if name.startswith("score") and "indic" not in name}
        words = sum(len(line.split()) for line in (folder / "refs.txt").read_text(encoding="utf-8").splitlines())
        rate = float(re.search(r"[\d.]+", told["jiwer"]).group())
        counted["jiwer"] = round(rate * words)
        rate = float(re.search(r"[\d.]+", told["jiwer, characters"]).group())
        ours_of = told["score lines"]
        of_jiwer = round(rate * in_reference(ours_of, "characters"))
        if of_jiwer != errors_of(ours_of, "characters"):
            sys.exit(f"errors in characters differ: jiwer {of_jiwer}, ours {errors_of(ours_of, 'characters')}")
        if len(set(counted.values())) != 1:
            sys.exit(f"errors counted differ: {counted}")
        print(f"errors, by each of {', '.join(counted)}: {counted['jiwer']}")
        check = [ours, "check", "m.csv", "--no-probe", "--json"]
        judged = statistics.median(timed(check, folder, alone=False)[0] for _ in range(5))
        print(f"check of {arguments.rows:,} rows: {judged * 1000:.0f} ms")
        helped = statistics.median(first_byte([ours, "--help"]) for _ in range(25))
        print(f"--help, to its first byte: {helped * 1000:.1f} ms")
        print(f"binary: {os.path.getsize(ours) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
