#!/usr/bin/env python3
"""How fast the functions start, side by side with two that do next to nothing.

    cargo build --release
    cargo build --release -p api --examples
    infra/bench/cold_start.py [--rounds 30] [--directory target/release]

Measures from the start of a process to its first question for an event (init),
from there to its first answer (first invoke), and resident memory. Rounds are
interleaved, and begin with another one each time, so that whatever else the
machine does falls on all alike. On a machine that is not idle, the main thread's
time on a processor until it is ready says more than the clock. TLS roots come from one bundle (SSL_CERT_FILE), as a
directory of them takes longer to read than everything else. The functions have
no AWS to talk to: events are such that none is asked for.
"""

import argparse
import json
import os
import ssl
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))

from runtime_api import Function  # noqa: E402

TABLES = ["files", "datasets", "samples", "runs", "units", "results", "access"]


def bundle():
    """One file with many roots."""
    paths = ssl.get_default_verify_paths()
    for path in (os.environ.get("SSL_CERT_FILE"), paths.cafile, paths.openssl_cafile,
                 "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if path and Path(path).is_file():
            return path
    sys.exit("no bundle of TLS roots was found; name one in SSL_CERT_FILE")


def environment():
    return {
        "SSL_CERT_FILE": bundle(),
        "STAGE": "bench",
        "STACK_NAME": "bench",
        "BUCKET": "bench",
        "SUBMIT_QUEUE_URL": "http://127.0.0.1:9/queue",
        "KMS_KEY_ID": "bench",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        **{f"TABLE_{name.upper()}": name for name in TABLES},
    }


def candidates(directory, functions):
    """Name, binary, first event."""
    def function(name):
        return functions / name / "bootstrap" if functions else directory / name

    event = json.loads((ROOT / "infra/events/api-healthz.json").read_text(encoding="utf-8"))
    empty = {"Records": []}
    refused = {"operator": {}}
    found = [
        ("axum, empty", directory / "examples/bare_axum", event),
        ("SDK clients", directory / "examples/bare_clients", event),
        ("api", function("api"), event),
        ("register", function("register"), empty),
        ("submit", function("submit"), empty),
        ("poll", function("poll"), refused),
    ]
    missing = [str(path) for _, path, _ in found if not path.exists()]
    if missing:
        sys.exit("not built: " + ", ".join(missing))
    return found


# What the api may take of what the bare function with the SDK's clients takes.
GOALS = {"init": 0.7, "init on a processor": 0.7, "first invoke": 1.5}
MOST_RESIDENT_MB = 24


def on_processor(pid):
    """Milliseconds that the main thread was on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def measure(rounds, known):
    """Milliseconds of init by the clock, of its main thread on a processor, of the
    first invoke, and MB, by name."""
    variables = environment()
    measured = {name: [] for name, _, _ in known}
    for number in range(rounds):
        turn = number % len(known)
        for name, binary, event in known[turn:] + known[:turn]:
            with Function(binary, variables) as function:
                init = function.wait_ready()
                busy = on_processor(function.process.pid)
                # Lambda hands out the first event once init has ended.
                began = time.perf_counter()
                function.invoke(event)
                first = time.perf_counter() - began
                _, resident = function.resident_mb()
            measured[name].append((init * 1e3, busy, first * 1e3, resident))
    return {name: tuple(zip(*rows, strict=True)) for name, rows in measured.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--directory", type=Path, default=ROOT / "target/release")
    parser.add_argument("--functions", type=Path,
                        help="the functions are elsewhere: NAME/bootstrap below this")
    options = parser.parse_args()
    known = candidates(options.directory, options.functions)
    measured = measure(options.rounds, known)
    print("| function | MB | init ms | on a processor ms | first invoke ms | peak RSS MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, binary, _ in known:
        *times, resident = measured[name]
        told = " | ".join(f"{min(t):.1f} / {statistics.median(t):.1f}" for t in times)
        print(f"| {name} | {binary.stat().st_size / 1e6:.1f} | {told} "
              f"| {statistics.median(resident):.1f} |")
    print("\nTimes are minimum / median.")
    print()
    for what, ours, bare in zip(GOALS, measured["api"], measured["SDK clients"]):
        for how, of in (("minimum", min), ("median", statistics.median)):
            print(f"{what}, {how}: {of(ours) / of(bare):.2f} of the bare function's, "
                  f"goal {GOALS[what]}")
    print(f"resident: {max(measured['api'][3]):.1f} MB, goal {MOST_RESIDENT_MB}")


if __name__ == "__main__":
    main()
