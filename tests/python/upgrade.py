#!/usr/bin/env python3
"""What a release leaves behind for the next one: records it.

    cargo build --release                     # at the release's commit
    cargo build -p stt-eval-local -p gemini-sim   # at any
    target/venvs/template/bin/python tests/python/upgrade.py FUNCTIONS BINARIES VERSION

FUNCTIONS is the directory of the release's four functions, BINARIES that of
`stt-eval-local` and `gemini-sim`. The functions are led through every state that
work can be in, and stopped there. What then lies in the tables, the bucket and
the queues, and what the simulated provider knows, goes to
`tests/releases/VERSION.json`; `test_upgrade.py` reads it with today's functions.
"""

import base64
import json
import re
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests/releases"
sys.path.insert(0, str(ROOT / "infra/bench"))

import flow  # noqa: E402

PRO, FLASH, LITE = "gemini-2.5-pro", "gemini-2.5-flash", "gemini-3.1-flash-lite"
TEXTS = ["नमस्ते किसान भाई", "one small step", "for a man", "one giant leap", "for mankind"]
# Everything is due within seconds: the tests that read it later have little patience.
SETTINGS = {
    "SUBMISSION_GRACE_SECONDS": "3", "COLLECT_LEASE_SECONDS": "3", "BATCH_SETTLE_SECONDS": "1",
    "REFUSAL_PAUSE_SECONDS": "1", "ADMISSION_PAUSE_SECONDS": "1", "UNIT_RESEND_SECONDS": "3",
    "UNIT_BACKSTOP_SECONDS": "5", "OUTBOX_SECONDS": "2", "MISSED_UPLOAD_SECONDS": "3",
    "UPLOAD_MARGIN_SECONDS": "5", "TASK_LEASE_SECONDS": "3", "STAGING_LEASE_SECONDS": "3",
    "AUDIT_SECONDS": "5", "WATCH_SECONDS": "2",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY_MS = 86_400_000


def clips():
    return [flow.clip(n, 0.1) for n in range(len(TEXTS))]


def recordings():
    """The last clip is known to one model only: an item that fails."""
    return [
        {"sha256": sha256(clip).hexdigest(), "model": model, "text": text}
        for clip, text in zip(clips(), TEXTS, strict=True) for model in (PRO, FLASH, LITE)
        if (text, model) != (TEXTS[2], FLASH)
    ]


# -------------------------------------------------------------------- recording


def lead(machine):
    """Leads the functions through everything; gives what to expect of it."""
    http = machine.http
    files = machine.upload(clips())
    samples = [{"file_id": f, "ground_truth": t} for f, t in zip(files, TEXTS, strict=True)]
    dataset = http("POST", "/datasets", {
        "name": "Kept", "language": "hi", "samples": samples[:3]})["id"]

    def run(name, models, **more):
        return http("POST", "/runs", {
            "run_name": name, "dataset_id": dataset, "providers": models}, **more)["id"]

    def submitted():
        while machine.pump("submissions", "submit", 1):
            pass

    def scored(run_id):
        for _ in range(60):
            machine.processes["poll"].invoke({})
            told = http("GET", f"/runs/{run_id}")
            if told["scorings"][-1]["current"]:
                return
            time.sleep(0.2)
        raise AssertionError(f"{run_id} is never scored again")

    runs = {}
    runs["done"] = run("done", [PRO, FLASH], idempotency="once")
    machine.drive(runs["done"])
    results = http("GET", f"/runs/{runs['done']}/results?limit=100")
    judged = next(r for r in results if r["status"] == "completed")["id"]
    http("PATCH", f"/results/{judged}", {"is_correct": False, "comment": "संख्या गलत है"})
    http("GET", f"/runs/{runs['done']}/report")

    runs["rescored"] = run("rescored", [PRO])
    machine.drive(runs["rescored"])
    http("POST", f"/runs/{runs['rescored']}/rescore", {"normalizer": "raw-v1"})
    scored(runs["rescored"])

    for name in ("rescoring", "gone"):
        runs[name] = run(name, [PRO])
        machine.drive(runs[name])

    runs["cancelled"] = run("cancelled", [PRO])
    http("POST", f"/runs/{runs['cancelled']}/cancel")
    machine.drive(runs["cancelled"])

    # The provider has it; its output can't be fetched (see `record`).
    runs["collecting"] = run("collecting", [PRO])
    submitted()
    time.sleep(2)
    machine.processes["poll"].invoke({})

    # From here on there is no poll.
    http("POST", f"/runs/{runs['rescoring']}/rescore", {"normalizer": "raw-v1"})
    http("DELETE", f"/runs/{runs['gone']}")
    unused = http("POST", "/datasets", {
        "name": "Gone", "language": "en", "samples": samples[3:4]})["id"]
    http("DELETE", f"/datasets/{unused}")
    http("DELETE", f"/files/{files[4]}")
    runs["submitted"] = run("submitted", [PRO, FLASH])
    submitted()
    runs["creating"] = run("creating", [LITE])
    submitted()
    runs["planned"] = run("planned", [PRO, FLASH])
    assert machine.pump("submissions", "submit", 1) == 1, "the run's own message"
    runs["accepted"] = run("accepted", [PRO])

    # One is in the bucket and its event in the queue; the other never came.
    late = flow.clip(99, 0.1)
    announced = http("POST", "/files", {"files": [
        {"filename": f"{n}.wav", "content_type": "audio/wav", "size_bytes": len(late)}
        for n in ("late", "never")]})["files"]
    upload = announced[0]["upload"]
    machine.put(upload, late)
    return {
        "runs": runs, "dataset": dataset, "unused": unused, "judged": judged,
        "deleted_file": files[4], "late_file": announced[0]["file"]["id"],
        "awaited_file": announced[1]["file"]["id"],
    }


def plain(value):
    """An attribute as JSON can hold it: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def left(machine):
    """What lies in the tables, the bucket and the queues."""
    db, s3 = machine.client("dynamodb"), machine.client("s3")
    tables = {}
    for name in flow.TABLES:
        pages = db.get_paginator("scan").paginate(TableName=name)
        items = [plain(item) for page in pages for item in page["Items"]]
        tables[name] = sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    objects = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=machine.told["bucket"]):
        for listed in page.get("Contents", []):
            found = s3.get_object(Bucket=machine.told["bucket"], Key=listed["Key"])
            objects[listed["Key"]] = {
                "type": found.get("ContentType"),
                "body": base64.b64encode(found["Body"].read()).decode(),
            }
    messages = {}
    for name, url in machine.queues.items():
        bodies = []
        while found := machine.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
            bodies += [message["Body"] for message in found]
        messages[name] = bodies
    return {"tables": tables, "objects": objects, "messages": messages}


def folder(path):
    return {str(file.relative_to(path)): base64.b64encode(file.read_bytes()).decode()
            for file in sorted(path.rglob("*")) if file.is_file()}


def record(functions, binaries):
    faults = [
        # The batch is made, and the reply is lost.
        {"fault": {"type": "lose_reply"}, "route": "batch_create", "model": LITE},
        # The outputs of the four runs that end are fetched, done's two included.
        {"fault": {"type": "status", "code": 503}, "route": "file_download", "skip": 5},
    ]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(flow.tempfile.TemporaryDirectory()))
        rules = directory / "faults.json"
        rules.write_text(json.dumps(faults), encoding="utf-8")
        machine = flow.Machine(
            stack, binaries, functions, recordings(), directory=directory, settings=SETTINGS,
            simulator=["--state-dir", directory / "sim", "--faults", rules])
        expected = lead(machine)
        recorded = {
            "recorded_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "key": machine.key,
            "vault_key": (directory / "data/vault.key").read_text(encoding="ascii").strip(),
            "expected": expected,
            **left(machine),
        }
        machine.simulator.terminate()
        machine.simulator.wait(60)
        recorded["provider"] = folder(directory / "sim")
    return recorded


# --------------------------------------------------------------------- shifting


class Shift:
    """Moves every time in a recording, so that it was made just now.

    A run that waited for months would rightly be given up; a release is replaced
    within minutes.
    """

    def __init__(self, recorded_at):
        self.then = datetime.fromisoformat(recorded_at)
        self.by = datetime.now(timezone.utc) - self.then
        self.millis = int(self.then.timestamp() * 1000)

    def text(self, text):
        def later(found):
            # Digits behind the second stay as they are.
            fraction = found[1] or ""
            moment = datetime.strptime(found[0].removesuffix("Z").removesuffix(fraction),
                                       "%Y-%m-%dT%H:%M:%S")
            moment += timedelta(seconds=int(self.by.total_seconds()))
            return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"

        return TIME.sub(later, text)

    def number(self, text):
        """Milliseconds, or seconds, of the weeks around the recording."""
        value = int(text) if text.lstrip("-").isdigit() else 0
        seconds = int(self.by.total_seconds())
        for scale in (1, 1000):
            if -30 * DAY_MS < value * scale - self.millis < 60 * DAY_MS:
                return str(value + seconds * 1000 // scale)
        return text

    def attribute(self, value):
        [(kind, inner)] = value.items()
        if kind == "S":
            return {"S": self.text(inner)}
        if kind == "N":
            return {"N": self.number(inner)}
        if kind == "M":
            return {"M": {k: self.attribute(v) for k, v in inner.items()}}
        if kind == "L":
            return {"L": [self.attribute(v) for v in inner]}
        return {"B": base64.b64decode(inner)} if kind == "B" else value


def main():
    functions, binaries, version = sys.argv[1:]
    recorded = record(Path(functions), Path(binaries))
    RELEASES.mkdir(exist_ok=True)
    target = RELEASES / f"{version}.json"
    target.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    counts = {name: len(items) for name, items in recorded["tables"].items()}
    print(f"{target}: {counts}, {len(recorded['objects'])} objects, "
          f"{ {n: len(m) for n, m in recorded['messages'].items()} } messages")


if __name__ == "__main__":
    main()
