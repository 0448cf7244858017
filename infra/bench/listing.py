#!/usr/bin/env python3
"""How much memory `poll` takes when a provider's lists are large.

    target/venvs/template/bin/python infra/bench/listing.py [--directory target/release]

Others that use the same Google project may make batches with everything inside
them, and the list of batches carries that. Six projects, each with a credential
of its own and ten open batches, have one such batch beside theirs; all six come
due in one poll, which asks for the open ones and looks for unrecorded ones.
Prints the resident memory of the process before and at its highest, with a
provider that gives only what is asked for (`fields`) and with one that gives
everything all the same.
"""

import argparse
import hashlib
import json
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import flow

ROOT = Path(__file__).resolve().parents[2]
MODEL = flow.MODELS[0]
# What the memory of a poll may grow by, in MB.
BOUND = 64
SETTINGS = {"POLL_PAUSES_SECONDS": "1", "AUDIT_SECONDS": "1", "MAX_UNIT_SAMPLES": "1"}
VARIANTS = {
    "only what is asked for": [],
    "everything": [{"fault": {"type": "ignore_fields"}}],
    "everything; `fields` is refused": [{"fault": {"type": "refuse_fields"}}],
}


def ask(url, body=None, key=None):
    headers = {"content-type": "application/json", **({"x-goog-api-key": key} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)


def project(machine, name, clips):
    """A project with a run whose units are all at the provider."""
    poll = machine.processes["poll"]
    for request in ({"action": "create_project"},
                    {"action": "create_key", "name": "admin", "role": "admin"}):
        answer = poll.invoke({"operator": {**request, "project": name}})
    machine.key = answer["key"]
    machine.http("PUT", "/credentials/google?validate=false", {"api_key": f"key-of-{name}"})
    files = machine.upload(clips)
    dataset = machine.http("POST", "/datasets", {
        "name": "d", "language": "en",
        "samples": [{"file_id": file, "ground_truth": "x"} for file in files]})
    machine.http("POST", "/runs", {
        "run_name": "r", "dataset_id": dataset["id"], "providers": [MODEL]})
    while machine.pump("submissions", "submit", 1):
        pass


def measure(binaries, poll, *, projects=6, batches=10, megabytes=33, faults=()):
    """Gives the resident memory of `poll`, in MB, before and at its highest; how
    long it took; and how many lists the provider gave it."""
    clips = [flow.clip(n, 0.1) for n in range(batches)]
    recordings = [{"sha256": hashlib.sha256(c).hexdigest(), "model": MODEL, "text": "x"}
                  for c in clips]
    names = [f"p{n}" for n in range(projects)]
    with ExitStack() as stack:
        functions = stack.enter_context(gathered(binaries, poll))
        machine = flow.Machine(stack, binaries, functions, recordings, batch_delay="1h",
                               settings=SETTINGS)
        for name in names:
            project(machine, name, clips)
        for name in names:
            ask(f"{machine.gemini}/v1beta/models/{MODEL}:batchGenerateContent", {"batch": {
                "displayName": "somebody else's", "inputConfig": {"requests": {"requests": [
                    {"request": {"contents": [{"parts": [{"text": "?"}]}]}}]}}}},
                key=f"key-of-{name}")
        process = machine.processes["poll"]
        time.sleep(2)
        # Connections, and all that is made once.
        process.invoke({"source": "aws.scheduler"})
        ask(f"{machine.gemini}/_sim/faults", [
            {"fault": {"type": "inlined", "bytes": int(megabytes * 1e6)},
             "display_name": "somebody else's"}, *faults])
        until = time.monotonic() + 60
        listed = 0
        while listed < projects:
            assert time.monotonic() < until, "not all of them come due at once"
            time.sleep(2)
            since = ask(f"{machine.gemini}/_sim/ledger")["entries"][-1]["seq"]
            pid = process.function.process.pid
            # The highest is forgotten.
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
            idle, _ = process.function.resident_mb()
            began = time.monotonic()
            process.invoke({"source": "aws.scheduler"})
            seconds = time.monotonic() - began
            _, peak = process.function.resident_mb()
            asked = ask(f"{machine.gemini}/_sim/ledger?since={since}")["entries"]
            lists = [r for r in asked if r["route"] == "batch_list"]
            listed = len({r["key_last4"] for r in lists})
        return {"idle_mb": idle, "peak_mb": peak, "seconds": seconds, "lists": len(lists),
                "refused": sum(r["status"] != 200 for r in lists)}


@contextmanager
def gathered(binaries, poll):
    """A directory with the functions, `poll` from wherever it is."""
    with tempfile.TemporaryDirectory() as directory:
        for name in flow.FUNCTIONS:
            source = poll if name == "poll" and poll else binaries / name
            (Path(directory) / name).symlink_to(Path(source).resolve())
        yield Path(directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, default=ROOT / "target/release")
    parser.add_argument("--poll", type=Path, help="another poll, to compare with")
    parser.add_argument("--megabytes", type=float, default=33)
    options = parser.parse_args()
    print("| the provider gives | idle MB | highest MB | grown by MB | seconds | lists |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for variant, faults in VARIANTS.items():
        took = measure(options.directory, options.poll, megabytes=options.megabytes, faults=faults)
        print(f"| {variant} | {took['idle_mb']:.0f} | {took['peak_mb']:.0f} "
              f"| {took['peak_mb'] - took['idle_mb']:.0f} | {took['seconds']:.1f} "
              f"| {took['lists']} ({took['refused']} refused) |", flush=True)


if __name__ == "__main__":
    main()
