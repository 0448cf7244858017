#!/usr/bin/env python3
"""How fast the functions start, side by side with two that do next to nothing.

    cargo build --release
    cargo build --release -p api --examples
    infra/bench/cold_start.py [--rounds 30] [--directory target/release]

Measures from the start of a process to its first question for an event (init),
from there to its first answer (first invoke), and resident memory. Rounds are
interleaved, and begin with another one each time, so that whatever else the
machine does falls on all alike. On a machine that is not idle, the main thread's
time on a processor until it is ready says more than the clock. TLS roots come
from one bundle (SSL_CERT_FILE), as a directory of them takes longer to read than
everything else.

The first event of the api is a request with an unknown key, so it reads
one item from DynamoDB, over TLS, from a server of this script that has none; the
bare function does the same. So whatever init left for later falls on the first
invoke of either. The events of the other functions ask for nothing. Needs
openssl, for a certificate.
"""

import argparse
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
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


def certify(directory):
    """A certificate for localhost, and a bundle of all roots and its own."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=cold start")
    openssl("req", *new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (directory / "names").write_text("subjectAltName=DNS:localhost\n", encoding="ascii")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "cert.pem", "-days", "2", "-extfile", "names")
    roots = Path(bundle()).read_text(encoding="utf-8")
    own = (directory / "ca.pem").read_text(encoding="ascii")
    (directory / "bundle.pem").write_text(f"{roots}\n{own}", encoding="utf-8")


class Empty:
    """A DynamoDB without any item, over TLS."""

    ANSWER = (b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
              b"content-length: 2\r\n\r\n{}")

    def __init__(self, directory):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(directory / "cert.pem", directory / "key.pem")
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.url = f"https://localhost:{self.socket.getsockname()[1]}"
        self.asked = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with self.tls.wrap_socket(connection, server_side=True) as stream:
                buffer = b""
                while received := stream.recv(65536):
                    buffer += received
                    head, end, rest = buffer.partition(b"\r\n\r\n")
                    length = 0
                    for line in head.lower().split(b"\r\n"):
                        if line.startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    if end and len(rest) >= length:
                        buffer = rest[length:]
                        self.asked += 1
                        stream.sendall(self.ANSWER)
        except OSError:
            # The function was stopped.
            pass


def unknown_key():
    """A key in the right form that was never made."""
    named = "01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "ab" * 32
    return f"sk_{named}_{zlib.crc32(named.encode()):08x}"


def environment(directory, url):
    return {
        "SSL_CERT_FILE": str(directory / "bundle.pem"),
        "STAGE": "bench",
        "DEPLOYMENT_ID": "bench",
        "STACK_NAME": "bench",
        "BUCKET": "bench",
        "SUBMIT_QUEUE_URL": "http://127.0.0.1:9/queue",
        "KMS_KEY_ID": "bench",
        "AWS_ENDPOINT_URL": url,
        **{f"TABLE_{name.upper()}": name for name in TABLES},
    }


def candidates(directory, functions):
    """Name, binary, first event, and the status that answers it, if it has one."""
    def function(name):
        return functions / name / "bootstrap" if functions else directory / name

    event = json.loads((ROOT / "infra/events/api-healthz.json").read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(event))
    path = "/api/v1/evaluations/stt/files"
    asked["rawPath"] = asked["requestContext"]["http"]["path"] = path
    asked["headers"]["x-api-key"] = unknown_key()
    empty = {"Records": []}
    refused = {"operator": {}}
    found = [
        ("axum, empty", directory / "examples/bare_axum", event, 200),
        ("SDK clients", directory / "examples/bare_clients", asked, 401),
        ("api", function("api"), asked, 401),
        ("register", function("register"), empty, None),
        ("submit", function("submit"), empty, None),
        ("poll", function("poll"), refused, None),
    ]
    missing = [str(path) for _, path, *_ in found if not path.exists()]
    if missing:
        sys.exit("not built: " + ", ".join(missing))
    return found


# What the api may take of what the bare function with the SDK's clients takes.
GOALS = {"init": 0.7, "init on a processor": 0.7, "first invoke": 1.5}
MOST_RESIDENT_MB = 24


def on_processor(pid):
    """Milliseconds that the main thread was on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def measure(rounds, known, variables):
    """Milliseconds of init by the clock, of its main thread on a processor, of the
    first invoke, and MB, by name."""
    measured = {name: [] for name, *_ in known}
    for number in range(rounds):
        turn = number % len(known)
        for name, binary, event, status in known[turn:] + known[:turn]:
            with Function(binary, variables) as function:
                init = function.wait_ready()
                busy = on_processor(function.process.pid)
                # Lambda hands out the first event once init has ended.
                began = time.perf_counter()
                answer = function.invoke(event)
                first = time.perf_counter() - began
                assert status is None or answer["statusCode"] == status, answer
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
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        certify(directory)
        server = Empty(directory)
        measured = measure(options.rounds, known, environment(directory, server.url))
    assert server.asked == 2 * options.rounds, server.asked
    print("| function | MB | init ms | on a processor ms | first invoke ms | peak RSS MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, binary, *_ in known:
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
