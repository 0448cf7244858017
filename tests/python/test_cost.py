"""What an evaluation costs: the arithmetic of infra/bench/cost.py, and the flow
that it counts, once, in small.

Needs boto3, `stt-eval-local` in STT_EVAL_LOCAL_BIN and the other binaries beside
it.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "infra/bench"
sys.path.insert(0, str(BENCH))

import cost  # noqa: E402
import flow  # noqa: E402

PRICES = json.loads((BENCH / "prices.json").read_text(encoding="utf-8"))


def row(service, operation, requests, half_units=0):
    return {"service": service, "operation": operation, "requests": requests, "refused": 0,
            "bytes_in": 0, "bytes_out": 0, "half_units": half_units}


def spent(invocations, wall_ms, cpu_ms):
    return {"invocations": invocations, "wall_ms": wall_ms, "cpu_ms": cpu_ms,
            "longest_ms": 0.0, "peak_mb": 0.0}


MEASURED = {
    "evaluations": 500, "http_requests": 4, "log_bytes": 2_000_000, "provider_bytes": 50_000_000,
    "counts": [
        row("dynamodb", "PutItem", 10, 30), row("dynamodb", "Query", 4, 3),
        row("dynamodb", "CreateTable", 7), row("s3", "PutObject", 100), row("s3", "HeadObject", 9),
        row("s3", "DeleteObject", 5), row("sqs", "SendMessageBatch", 2),
    ],
    "functions": {
        "api": spent(4, 40.0, 20.0), "register": spent(10, 100.0, 10.0),
        "submit": spent(5, 500.0, 100.0), "poll": spent(1, 50.0, 50.0),
    },
}
MEMORY = {"api": 1769, "register": 1769, "submit": 1024, "poll": 2000}


def amounts():
    total = {}
    for item, amount, _ in cost.quantities(MEASURED, MEMORY, provider_mbit=400):
        total[item] = total.get(item, 0) + amount
    return total


def test_every_request_is_paid_as_what_it_is():
    total = amounts()
    assert total["dynamodb_write_unit"] == 15
    assert total["dynamodb_read_unit"] == 1.5
    assert total["s3_put"] == 100
    assert total["s3_get"] == 9, "a deletion costs nothing"
    assert total["sqs_request"] == 2
    assert total["lambda_request"] == 20
    assert total["http_api_request"] == 4
    assert total["kms_request"] == 6
    assert total["logs_gb"] == pytest.approx(0.002 + 20 * 800 / 1e9), "Lambda's own lines count"
    assert total["transfer_out_gb"] == pytest.approx(0.05)


def test_a_small_function_is_billed_for_its_slow_processor():
    # 100 ms of a processor at 1024 of 1769 MB, and 400 ms of waiting.
    assert cost.billed_ms(MEASURED["functions"]["submit"], 1024) == pytest.approx(
        100 * 1769 / 1024 + 400)
    assert cost.billed_ms(spent(1, 50.0, 50.0), 2000) == 50, "more than one does not help here"
    # 50 MB at 400 Mbit/s are another second of submit.
    submit = 100 * 1769 / 1024 + 400 + 1000
    seconds = (40 * 1769 + 100 * 1769 + submit * 1024 + 50 * 2000) / 1024 / 1000
    assert amounts()["lambda_gb_second"] == pytest.approx(seconds)


def test_wav_as_flac_saves_ten_times_what_it_costs():
    """16 kHz WAV of 30 s by five models, with only what FLAC changes: the rest costs $7.10
    (infra/bench/README.md)."""
    clips = 200_000
    wav = {**MEASURED, "evaluations": 5 * clips, "counts": [], "provider_bytes": clips * 960_000,
           "functions": {name: spent(0, 0.0, 0.0) for name in MEMORY}}
    memory = cost.memory_of_template()

    def usd(measured):
        rows = cost.table(PRICES, cost.quantities(measured, memory, 200), measured["evaluations"])
        told = {what: usd for what, _, _, usd in rows}
        return told["Audio to the provider"], told["Lambda submit, time"]

    def flac(of_wav):
        return cost.as_flac(wav, clip_bytes=960_000, flac_of_wav=of_wav, ms_per_mb=25.0)

    whole, sending = usd(wav)
    assert whole == pytest.approx(17.28)
    part, making = usd(flac(0.505))
    assert part == pytest.approx(8.73, abs=0.01)
    assert 0.05 < making - sending < 0.15
    assert whole - part > 10 * (making - sending)
    # The goal.
    assert 7.10 - sending + part + making < 16
    # What is not kept is made twice: while it is sent once more.
    long = cost.as_flac(wav, clip_bytes=1_920_000, flac_of_wav=0.5, ms_per_mb=25.0)
    added = [m["functions"]["submit"]["cpu_ms"] for m in (flac(0.5), long)]
    assert added[1] == 2 * added[0]


def test_the_table_is_for_a_million():
    found = cost.quantities(MEASURED, MEMORY, provider_mbit=400)
    rows = cost.table(PRICES, found, MEASURED["evaluations"])
    usd = {what: usd for what, _, _, usd in rows}
    assert usd["S3 PutObject"] == pytest.approx(100 * 2000 * 0.005 / 1000)
    assert usd["Audio to the provider"] == pytest.approx(50e6 * 2000 / 1e9 * 0.09)
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)


def test_prices_say_where_they_are_from():
    assert PRICES["region"] and PRICES["read_on"]
    for name, entry in PRICES["prices"].items():
        assert entry["usd"] > 0 and entry["per"] >= 1 and entry["source"], name
    for entry in PRICES["monthly"].values():
        assert entry.get("usd") or set(entry["of"]) <= set(PRICES["prices"])


def test_the_flow_is_counted():
    """Real binaries, end to end: 3 samples by 2 models."""
    binaries = Path(os.environ["STT_EVAL_LOCAL_BIN"]).parent
    measured = dataclasses.asdict(
        flow.measure(binaries, binaries, samples=3, models=2, seconds=1.0))
    assert measured["run"]["status"] == "completed", measured["run"]
    assert measured["run"]["counts"]["completed"] == measured["evaluations"] == 6
    counts = {(row["service"], row["operation"]): row for row in measured["counts"]}
    assert counts["dynamodb", "BatchWriteItem"]["half_units"] >= 2 * 6, "each result is written"
    assert counts["dynamodb", "Query"]["half_units"] > 0
    # The audio is read whole when it is registered (checksum, then duration) and
    # once more for the provider, however many models want it.
    audio = 3 * measured["clip_bytes"]
    assert counts["s3", "GetObject"]["bytes_out"] < 3.5 * audio
    for name, spent_ in measured["functions"].items():
        assert spent_["invocations"] > 0 and spent_["wall_ms"] > 0, name
    # Nothing that is counted goes without a price.
    rows = cost.table(PRICES, cost.quantities(measured, cost.memory_of_template(), 200), 6)
    assert {what.split()[0] for what, *_ in rows} >= {"DynamoDB", "S3", "SQS", "Lambda", "API"}
