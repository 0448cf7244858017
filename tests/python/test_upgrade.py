"""Today's functions go on with what a release left behind, as they would after
being deployed over it: tables, bucket, queues, in every state that work can be
in. `upgrade.py` says how a release is recorded.

The other direction is a rollback: an older release reads what a newer one wrote.
There is no newer one yet, so every item and message gets what no release
knows, and the same must come of it.

Needs boto3, `stt-eval-local` in STT_EVAL_LOCAL_BIN and the other binaries beside
it.
"""

import base64
import json
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import upgrade  # noqa: E402
from upgrade import flow  # noqa: E402

BINARIES = Path(os.environ["STT_EVAL_LOCAL_BIN"]).parent
RELEASES = sorted(upgrade.RELEASES.glob("*.json"))
UNKNOWN = {"zz_newer": {"M": {"since": {"S": "a later release"}, "list": {"L": [{"N": "1"}]}}}}
PATIENCE = 90


def widened(message):
    """A message with a field that no release knows."""
    body = json.loads(message)
    if "Records" not in body:
        body["zz_newer"] = {"since": "a later release"}
    return json.dumps(body)


def put_back(machine, recorded, *, newer):
    shift = upgrade.Shift(recorded["recorded_at"])
    db, s3 = machine.client("dynamodb"), machine.client("s3")
    for table, items in recorded["tables"].items():
        for item in items:
            item = {name: shift.attribute(value) for name, value in item.items()}
            db.put_item(TableName=table, Item={**item, **(UNKNOWN if newer else {})})
    for key, found in recorded["objects"].items():
        s3.put_object(Bucket=machine.told["bucket"], Key=key, ContentType=found["type"],
                      Body=base64.b64decode(found["body"]))
    # What the bucket tells of that is not what the release's queue held.
    for url in machine.queues.values():
        while found := machine.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
            for message in found:
                machine.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    for queue, bodies in recorded["messages"].items():
        for body in bodies:
            machine.sqs.send_message(
                QueueUrl=machine.queues[queue], MessageBody=widened(body) if newer else body)


@pytest.fixture(scope="module", params=[
    pytest.param((release, newer), id=f"{release.stem}{'-and-a-newer-one' if newer else ''}")
    for release in RELEASES for newer in (False, True)])
def machine(request, tmp_path_factory):
    """Runs on what was recorded, until nothing is left to do."""
    release, newer = request.param
    recorded = json.loads(release.read_text(encoding="utf-8"))
    shift = upgrade.Shift(recorded["recorded_at"])
    directory = tmp_path_factory.mktemp("upgrade")
    (directory / "data").mkdir()
    (directory / "data/vault.key").write_text(recorded["vault_key"], encoding="ascii")
    for name, content in recorded["provider"].items():
        content = base64.b64decode(content)
        if name == "journal.jsonl":
            content = shift.text(content.decode()).encode()
        (directory / "sim" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "sim" / name).write_bytes(content)
    with ExitStack() as stack:
        machine = flow.Machine(
            stack, BINARIES, BINARIES, upgrade.recordings(), directory=directory,
            settings=upgrade.SETTINGS, simulator=["--state-dir", directory / "sim"])
        put_back(machine, recorded, newer=newer)
        machine.key = recorded["key"]
        machine.expected = recorded["expected"]
        settle(machine)
        yield machine


def due(machine):
    """What is still to be looked at, whenever that is."""
    db, left = machine.client("dynamodb"), []
    for table in ("files", "datasets", "runs", "units"):
        for page in db.get_paginator("scan").paginate(TableName=table):
            left += [(table, item["sk"]["S"]) for item in page["Items"] if "due_shard" in item]
    return left


def settle(machine):
    until = time.monotonic() + PATIENCE
    while True:
        moved = machine.pump("events", "register", 10) + machine.pump("submissions", "submit", 1)
        machine.processes["poll"].invoke({})
        # An upload may still come for as long as its URL is valid.
        left = [(table, sk) for table, sk in due(machine)
                if sk != machine.expected["awaited_file"]]
        if not moved and not left:
            return
        assert time.monotonic() < until, left
        if not moved:
            time.sleep(0.2)


def results(machine, run):
    return machine.http("GET", f"/runs/{run}/results?limit=100")


# What each run is of: models, and how many of its items can't be transcribed.
ENDED = {
    "done": (2, 1), "rescored": (1, 0), "rescoring": (1, 0), "collecting": (1, 0),
    "submitted": (2, 1), "creating": (1, 0), "planned": (2, 1), "accepted": (1, 0),
}


def test_there_is_a_release_to_go_on_from():
    assert RELEASES


@pytest.mark.parametrize("name", ENDED)
def test_each_run_ends_with_all_its_items(machine, name):
    models, failed = ENDED[name]
    run = machine.http("GET", f"/runs/{machine.expected['runs'][name]}")
    assert run["status"] == "completed", run
    assert run["counts"] == {
        "pending": 0, "completed": 3 * models - failed, "failed": failed}
    found = results(machine, run["id"])
    assert len(found) == 3 * models
    said = [r["transcription"] for r in found if r["status"] == "completed"]
    assert sorted(said) == sorted(upgrade.TEXTS[:3] * models if not failed else
                                  upgrade.TEXTS[:3] + upgrade.TEXTS[:2])
    # A second scoring's own normaliser splits nothing that the first one joined:
    # every word was heard.
    assert all(r["score"]["wer"] == 0 for r in found if r["status"] == "completed")
    report = machine.http("GET", f"/runs/{run['id']}/report")
    assert len(report["providers"]) == models


def test_nothing_is_sent_to_the_provider_twice(machine):
    """One batch for each unit, of either release, and no audio again."""
    machine.simulator.terminate()
    machine.simulator.wait(60)
    journal = (machine.dir / "sim/journal.jsonl").read_text(encoding="utf-8").splitlines()
    batches = {entry["batch"]["id"]: entry["batch"]["display_name"]
               for entry in map(json.loads, journal) if "batch" in entry}
    names = list(batches.values())
    # Units of those that ended, and of the one whose run was deleted.
    units = sum(models for models, _ in ENDED.values()) + 1
    assert len(names) == len(set(names)) == units, names


def test_scorings_stay_and_what_was_asked_for_came(machine):
    for name in ("rescored", "rescoring"):
        run = machine.http("GET", f"/runs/{machine.expected['runs'][name]}")
        told = [(s["normalizer"], s["current"]) for s in run["scorings"]]
        assert told == [("indic-v1", False), ("raw-v1", True)], run["scorings"]


def test_what_people_said_is_kept(machine):
    judged = machine.http("GET", f"/results/{machine.expected['judged']}")
    feedback = json.dumps(judged, ensure_ascii=False)
    assert "संख्या गलत है" in feedback and '"is_correct": false' in feedback


def test_a_cancelled_run_stays_cancelled(machine):
    run = machine.http("GET", f"/runs/{machine.expected['runs']['cancelled']}")
    assert run["status"] == "cancelled"


def test_what_was_being_deleted_is_gone(machine):
    gone = [f"/runs/{machine.expected['runs']['gone']}",
            f"/datasets/{machine.expected['unused']}",
            f"/files/{machine.expected['deleted_file']}"]
    for path in gone:
        with pytest.raises(AssertionError, match="no such|not found|there is no"):
            machine.http("GET", path)
    listed = machine.client("s3").list_objects_v2(Bucket=machine.told["bucket"])
    keys = [found["Key"] for found in listed["Contents"]]
    for name in (machine.expected["runs"]["gone"], machine.expected["unused"]):
        assert not [key for key in keys if name in key]


def test_an_upload_under_way_is_registered(machine):
    late = machine.http("GET", f"/files/{machine.expected['late_file']}")
    assert late["status"] == "ready", late
    awaited = machine.http("GET", f"/files/{machine.expected['awaited_file']}")
    assert awaited["status"] == "uploading", awaited


def test_a_repeated_request_is_still_the_same(machine):
    again = machine.http("POST", "/runs", {
        "run_name": "done", "dataset_id": machine.expected["dataset"],
        "providers": [upgrade.PRO, upgrade.FLASH]}, idempotency="once")
    assert again["id"] == machine.expected["runs"]["done"]
