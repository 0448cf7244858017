#!/usr/bin/env python3
"""How fast the functions start, side by side with two that do next to nothing.

    cargo build --release
    cargo build --release -p api --examples
    infra/bench/cold_start.py [--rounds 30] [--directory target/release]

Measures from the start of a process to its first question for an event (init),
and to its first answer (first); then resident memory. Rounds are interleaved,
so that whatever else the machine does falls on all alike. TLS roots come from
one bundle (SSL_CERT_FILE), as a directory of them takes longer to read than
everything else. The functions have no AWS to talk to: events are such that
none is asked for.
"""

import argparse
import json
import os
import ssl
import statistics
import sys
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
        "BUCKET": "bench",
        "SUBMIT_QUEUE_URL": "http://127.0.0.1:9/queue",
        "KMS_KEY_ID": "bench",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        **{f"TABLE_{name.upper()}": name for name in TABLES},
    }


def candidates(directory):
    """Name, binary, first event."""
    event = json.loads((ROOT / "infra/events/api-healthz.json").read_text(encoding="utf-8"))
    empty = {"Records": []}
    refused = {"operator": {}}
    found = [
        ("axum, empty", directory / "examples/bare_axum", event),
        ("SDK clients", directory / "examples/bare_clients", event),
        ("api", directory / "api", event),
        ("register", directory / "register", empty),
        ("submit", directory / "submit", empty),
        ("poll", directory / "poll", refused),
    ]
    missing = [str(path) for _, path, _ in found if not path.exists()]
    if missing:
        sys.exit("not built: " + ", ".join(missing))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--directory", type=Path, default=ROOT / "target/release")
    options = parser.parse_args()
    measured = {}
    known = candidates(options.directory)
    variables = environment()
    for _ in range(options.rounds):
        for name, binary, event in known:
            with Function(binary, variables) as function:
                init = function.wait_ready()
                _, first = function.invoke_timed(event)
                resident, _ = function.resident_mb()
            measured.setdefault(name, []).append((init * 1e3, first * 1e3, resident))
    print("| function | MB | init min / median ms | first answer min / median ms | RSS MB |")
    print("| --- | --- | --- | --- | --- |")
    for name, binary, _ in known:
        init, first, resident = zip(*measured[name], strict=True)
        print(f"| {name} | {binary.stat().st_size / 1e6:.1f} "
              f"| {min(init):.1f} / {statistics.median(init):.1f} "
              f"| {min(first):.1f} / {statistics.median(first):.1f} "
              f"| {statistics.median(resident):.1f} |")


if __name__ == "__main__":
    main()
