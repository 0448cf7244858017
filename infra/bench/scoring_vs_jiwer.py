#!/usr/bin/env python3
"""Times our scorer against jiwer 4.0.0 + rapidfuzz on the same texts.

    infra/bench/scoring_vs_jiwer.py [--cargo-dir DIR] [--rounds 5]

Makes a virtual environment in a temporary folder, installs jiwer from PyPI,
builds the example `scoring_bench` in release mode, makes a seeded corpus, runs
the two in turn and prints the best time of each. The counts of errors are
compared too: a faster wrong answer is not a result. One thread on both sides.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = ["jiwer==4.0.0", "rapidfuzz"]

LATIN = """the a of to and in is you that it he was for on are with as his they be at one have
this from or had by hot but some what there we can out other were all your when up use word how
said an each she which do their time if will way about many then them would write like so these
her long make thing see him two has look more day could go come did my sound no most number who
over know water than call first people may down side been now find account balance payment
district office hospital appointment vaccine report manager tomorrow morning insurance""".split()
INDIC = """मैं आप हम यह वह का की के को से में पर है हैं था थी नहीं और भी तो कि क्या कब कहाँ कौन किसान
फसल बारिश पानी मौसम बीज खेत गाँव स्कूल बच्चा माता पिता डॉक्टर दवा अस्पताल टीका बुखार सरकार योजना
पैसा बैंक खाता ऋण आवेदन कागज़ आधार कार्ड মাছ ভাত জল বাড়ি ছেলে মেয়ে স্কুল হাসপাতাল ডাক্তার টাকা
এখন কাল আজ আমি তুমি সে তারা কেন কোথায় கல்வி மருத்துவர் பள்ளி தண்ணீர் வீடு நான் நீங்கள் அவர்
இன்று நாளை மழை பணம் வங்கி விவசாயி పొలం వర్షం పాఠశాల డాక్టరు డబ్బు నేను మీరు రేపు ಮಳೆ ಶಾಲೆ ಹಣ
ನಾನು ನೀವು ವೈದ್ಯರು വീട് മഴ സ്കൂൾ പണം ഞാൻ നിങ്ങൾ""".split()


def pair(rng, words):
    """A reference of that many words and a hypothesis with 10 % of them wrong."""
    vocabulary = rng.choice([LATIN, INDIC, LATIN + INDIC])
    reference = [rng.choice(vocabulary) for _ in range(words)]
    hypothesis = []
    for word in reference:
        if rng.random() >= 0.1:
            hypothesis.append(word)
            continue
        kind = rng.random()
        if kind < 0.5:
            hypothesis.append(rng.choice(vocabulary))
        elif kind < 0.75:
            hypothesis += [word, rng.choice(vocabulary)]
    return " ".join(reference), " ".join(hypothesis)


def corpus(seed):
    rng = random.Random(seed)
    short = [pair(rng, rng.randint(10, 30)) for _ in range(10_000)]
    return short, [pair(rng, 10_000) for _ in range(10)]


def inside(arguments):
    """Runs in the virtual environment: both sides in turn."""
    import time

    import jiwer
    import rapidfuzz

    short, long = corpus(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, pairs in (("pairs.tsv", short), ("long.tsv", long)):
            path = pathlib.Path(folder, name)
            path.write_text("".join(f"{r}\t{h}\n" for r, h in pairs), encoding="utf-8")
            files.append(str(path))
        ours = subprocess.Popen(
            [arguments.binary, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

        def run_ours(task):
            ours.stdin.write(task + "\n")
            ours.stdin.flush()
            seconds, errors = ours.stdout.readline().split()
            return float(seconds), int(errors)

        def run_jiwer(process, pairs):
            references, hypotheses = map(list, zip(*pairs))
            start = time.perf_counter()
            output = process(references, hypotheses)
            seconds = time.perf_counter() - start
            return seconds, output.substitutions + output.deletions + output.insertions

        tasks = [
            ("10,000 pairs of 10-30 words", "words", jiwer.process_words, short, 30),
            ("the same in characters", "chars", jiwer.process_characters, short, 40),
            ("10 pairs of 10,000 words", "long", jiwer.process_words, long, 5),
            ("the same in characters", "long-chars", jiwer.process_characters, long, None),
            ("full score of the 10,000 pairs", "full", None, short, None),
            ("bootstrap of 1,000 and permutation test of 10,000, 10,000 samples", "bootstrap", None, None, None),
        ]
        print(f"machine: {machine()}")
        print(
            f"date: {time.strftime('%Y-%m-%d')}, python {platform.python_version()}, "
            f"jiwer 4.0.0, rapidfuzz {rapidfuzz.__version__}, best of {arguments.rounds}\n"
        )
        print("| work | jiwer | ours | ratio | goal |\n| --- | --- | --- | --- | --- |")
        failed = False
        for name, task, process, pairs, goal in tasks:
            theirs_best = ours_best = float("inf")
            for _ in range(arguments.rounds):
                if process:
                    seconds, expected = run_jiwer(process, pairs)
                    theirs_best = min(theirs_best, seconds)
                seconds, errors = run_ours(task)
                ours_best = min(ours_best, seconds)
                if process and errors != expected:
                    print(f"{name}: {errors} errors, jiwer finds {expected}", file=sys.stderr)
                    failed = True
            ratio = f"{theirs_best / ours_best:.1f}x" if process else "-"
            theirs = f"{theirs_best * 1e3:.1f} ms" if process else "-"
            goal = f">= {goal}x" if goal else "-"
            print(f"| {name} | {theirs} | {ours_best * 1e3:.2f} ms | {ratio} | {goal} |", flush=True)
        ours.stdin.close()
        ours.wait()
        return 1 if failed else 0


def machine():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or "unknown processor"
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def build(cargo_dir):
    """Builds the example and returns the path cargo reports for it."""
    command = ["cargo", "build", "--release", "--example", "scoring_bench"]
    command += ["--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=cargo_dir, check=True, stdout=subprocess.PIPE, text=True)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "scoring_bench":
            return message["executable"]
    raise SystemExit("cargo reported no executable")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cargo-dir", default=str(ROOT / "shared/scoring"), help="where to build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--binary", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.binary:
        return inside(arguments)
    binary = build(arguments.cargo_dir)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(pathlib.Path(folder, "bin", "python"))
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        command = [python, __file__, "--binary", binary]
        command += ["--rounds", str(arguments.rounds), "--seed", str(arguments.seed)]
        return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
