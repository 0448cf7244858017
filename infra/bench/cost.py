#!/usr/bin/env python3
"""What AWS charges for 1,000,000 evaluations.

    cargo build --release && cargo build --release -p stt-eval-local -p gemini-sim
    target/venvs/template/bin/python infra/bench/cost.py [--samples 100] [--models 5]
    ... --calls target/debug/examples/count_calls

Runs the whole flow once on the functions' own binaries (flow.py) and counts:
requests of each service, DynamoDB's capacity units as DynamoDB itself tells
them (indexes and transactions included), bytes, and what invocations took.
Prices are data: prices.json. One evaluation is one sample by one model. The
provider's own price is not AWS's and not in here.

What is counted is not all of a bill, so some of it is calculated:

- Lambda gives memory's share of a processor (1,769 MB is one). An invocation is
  billed for its processor time, stretched by that share, and for what else it
  took here, which is waiting for the embedded cloud.
- Audio leaves by the internet, at `--provider-mbit` for all uploads of an
  invocation together; the invocation is billed for that time.
- Traces: X-Ray's default sampling takes one in twenty of the invocations that
  begin a trace.
- KMS: one request for each invocation of submit and poll.

`--lossless` tells the same where WAV leaves as FLAC (`LosslessFlac`): calculated from
how large it is beside the WAV (`--flac-of-wav`) and what processor time making it takes
(`--flac-ms-per-mb`), which `cargo run --release -p submit --example lossless WAV…`
measures. Recordings whose FLAC is not kept in memory are made twice.

What is paid by the month whatever is done stands below the table.

`--calls` also tells what vendors that answer in the call cost beyond vendors of
jobs. No such vendor is in the functions' binaries, so the tests' own is run on the
embedded cloud (`cargo build --workspace --example count_calls`), beside jobs of the
same samples. Counted are DynamoDB, S3 and SQS, from accepting a run until it has
ended, with the looks for work, one a second, that a short run has many of.
Calculated are the audio, which each call carries (jobs of one vendor share it), and
the waiting of submit.
"""

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(ROOT / "tests/python"))

MILLION = 1_000_000
VCPU_MB = 1769
SAMPLED = 1 / 20
# platform.start and platform.report, which Lambda adds to each invocation's log.
PLATFORM_BYTES = 800
# Which of DynamoDB's operations write; the others read.
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
# Which of S3's requests cost what a PUT costs. Deletions cost nothing.
PUTS = {"PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart",
        "CompleteMultipartUpload", "ListObjectsV2", "ListObjectVersions"}
FREE = {"DeleteObject", "DeleteObjects", "AbortMultipartUpload"}
# Made by the embedded cloud itself at its start.
SETUP = {"CreateTable", "UpdateTimeToLive", "DescribeTable", "CreateQueue", "GetQueueUrl"}


# Most bytes of FLAC that submit keeps instead of making them again while they are sent.
FLAC_KEPT = 512 * 1024


def as_flac(measured, *, clip_bytes, flac_of_wav, ms_per_mb):
    """What is measured with WAV, where it leaves as FLAC: fewer bytes, more processor time."""
    passes = 1 if clip_bytes * flac_of_wav <= FLAC_KEPT else 2
    making = measured["provider_bytes"] / 1e6 * ms_per_mb * passes
    submit = dict(measured["functions"]["submit"])
    for spent in ("cpu_ms", "wall_ms"):
        submit[spent] += making
    return {**measured, "provider_bytes": math.ceil(measured["provider_bytes"] * flac_of_wav),
            "functions": {**measured["functions"], "submit": submit}}


def billed_ms(spent, memory_mb):
    """Milliseconds that all invocations of a function are billed for."""
    share = min(1.0, memory_mb / VCPU_MB)
    waiting = max(0.0, spent["wall_ms"] - spent["cpu_ms"])
    return spent["cpu_ms"] / share + waiting


def quantities(measured, memory, provider_mbit):
    """How much of each priced thing the flow took, with where it comes from."""
    found = []

    def add(item, amount, what):
        if amount:
            found.append((item, amount, what))

    for row in measured["counts"]:
        service, operation, requests = row["service"], row["operation"], row["requests"]
        if operation in SETUP:
            continue
        if service == "dynamodb":
            kind = "write" if operation in WRITES else "read"
            add(f"dynamodb_{kind}_unit", row["half_units"] / 2, f"DynamoDB {operation}")
        elif service == "s3" and operation not in FREE:
            add("s3_put" if operation in PUTS else "s3_get", requests, f"S3 {operation}")
        elif service == "sqs":
            add("sqs_request", requests, f"SQS {operation}")
    sent_ms = measured["provider_bytes"] * 8 / (provider_mbit * 1000)
    for name, spent in measured["functions"].items():
        add("lambda_request", spent["invocations"], f"Lambda {name}, requests")
        billed = billed_ms(spent, memory[name]) + (sent_ms if name == "submit" else 0)
        add("lambda_gb_second", billed / 1000 * memory[name] / 1024, f"Lambda {name}, time")
        add("xray_trace", spent["invocations"] * SAMPLED, "X-Ray traces")
    add("http_api_request", measured["http_requests"], "API Gateway requests")
    functions = measured["functions"]
    add("kms_request", functions["submit"]["invocations"] + functions["poll"]["invocations"],
        "KMS decryptions")
    add("logs_gb", measured["log_bytes"] / 1e9, "CloudWatch logs and metrics")
    invocations = sum(spent["invocations"] for spent in functions.values())
    add("logs_gb", invocations * PLATFORM_BYTES / 1e9, "CloudWatch logs of Lambda itself")
    add("transfer_out_gb", measured["provider_bytes"] / 1e9, "Audio to the provider")
    return found


def calls_beyond_jobs(counted, *, bytes_each, call_seconds, lanes, memory_mb, audio_shared_by):
    """How much more of each priced thing one evaluation takes by a call than by a job."""
    found = []
    for sign, counts in ((1, counted["calls"]), (-1, counted["jobs"])):
        for name, asked in counts.items():
            service, operation = name.split()
            what = f"{service} {operation}"
            if service == "dynamodb":
                kind = "write" if operation in WRITES else "read"
                found.append((f"dynamodb_{kind}_unit", sign * asked["half_units"] / 2, what))
            elif service == "sqs":
                found.append(("sqs_request", sign * asked["requests"], what))
            elif operation not in FREE:
                kind = "s3_put" if operation in PUTS else "s3_get"
                found.append((kind, sign * asked["requests"], what))
    samples = counted["samples"]
    # Jobs send a file once for all models of a vendor.
    more_audio = bytes_each * (1 - 1 / audio_shared_by) * samples
    found.append(("transfer_out_gb", more_audio / 1e9, "audio to the provider"))
    waiting = samples * call_seconds / lanes * memory_mb / 1024
    found.append(("lambda_gb_second", waiting, "submit, waiting for answers"))
    return found


def price(prices, item, amount):
    return amount * prices["prices"][item]["usd"] / prices["prices"][item]["per"]


def table(prices, found, evaluations):
    """Rows of (what, item, amount per million, USD per million), dearest first."""
    rows = {}
    for item, amount, what in found:
        amount *= MILLION / evaluations
        before = rows.get((what, item), 0.0)
        rows[what, item] = before + amount
    priced = [(what, item, amount, price(prices, item, amount))
              for (what, item), amount in rows.items()]
    return sorted(priced, key=lambda row: -row[3])


def monthly(prices):
    rows = []
    for what, entry in prices["monthly"].items():
        usd = entry.get("usd", 0.0)
        usd += sum(price(prices, item, amount) for item, amount in entry.get("of", {}).items())
        rows.append((what, usd))
    return rows


def memory_of_template():
    import cfn

    return {
        resource["Properties"]["CodeUri"].rsplit("/", 1)[1]: resource["Properties"]["MemorySize"]
        for resource in cfn.load()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def main():
    import dataclasses

    import flow

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--kbit", type=float, default=256.0,
                        help="of the audio; 256 is 16 kHz WAV, 32 good Opus")
    parser.add_argument("--lossless", action="store_true",
                        help="the audio is WAV and leaves as FLAC")
    parser.add_argument("--flac-of-wav", type=float, default=0.505)
    parser.add_argument("--flac-ms-per-mb", type=float, default=25.0)
    parser.add_argument("--provider-mbit", type=float, default=200.0)
    parser.add_argument("--directory", type=Path, default=ROOT / "target/release")
    parser.add_argument("--functions", type=Path, help="another directory of the four functions")
    parser.add_argument("--calls", type=Path, help="the example count_calls of the tests")
    parser.add_argument("--call-seconds", type=float, default=5.0, help="that a call takes")
    parser.add_argument("--lanes", type=int, default=4, help="calls of a worker at a time")
    parser.add_argument("--answer-bytes", type=int, default=1500)
    parser.add_argument("--measured", type=Path, help="keep or, if it is there, use this file")
    options = parser.parse_args()
    prices = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    if options.measured and options.measured.exists():
        measured = json.loads(options.measured.read_text(encoding="utf-8"))
    else:
        measured = dataclasses.asdict(flow.measure(
            options.directory, options.functions or options.directory,
            samples=options.samples, models=options.models, seconds=options.seconds))
        if options.measured:
            options.measured.write_text(json.dumps(measured), encoding="utf-8")
    assert measured["run"]["status"] == "completed", measured["run"]
    # The flow is driven with WAV; what is sent is as long as its encoding says.
    clip = options.seconds * options.kbit * 1000 / 8
    measured["provider_bytes"] = math.ceil(clip * measured["samples"])
    if options.lossless:
        measured = as_flac(measured, clip_bytes=clip, flac_of_wav=options.flac_of_wav,
                           ms_per_mb=options.flac_ms_per_mb)
    memory = memory_of_template()
    found = quantities(measured, memory, options.provider_mbit)
    rows = table(prices, found, measured["evaluations"])
    print(f"1,000,000 evaluations of {options.seconds:g} s at {options.kbit:g} kbit/s"
          f"{' as FLAC' if options.lossless else ''}, "
          f"{measured['models']} models, units of {min(100, measured['samples'])}; "
          f"{prices['region']}, {prices['read_on']}\n")
    print("| what | amount | USD |\n| --- | ---: | ---: |")
    for what, item, amount, usd in rows:
        print(f"| {what} | {amount:,.0f} {item} | {usd:.2f} |")
    print(f"| **all** | | **{sum(row[3] for row in rows):.2f}** |\n")
    print("| by the month, whatever is done | USD |\n| --- | ---: |")
    for what, usd in monthly(prices):
        print(f"| {what} | {usd:.2f} |")
    print("\n| function | MB | invocations | billed ms each | processor ms each | peak RSS MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, spent in measured["functions"].items():
        count = spent["invocations"]
        print(f"| {name} | {memory[name]} | {count} | {billed_ms(spent, memory[name]) / count:.0f} "
              f"| {spent['cpu_ms'] / count:.1f} | {spent['peak_mb']:.1f} |")
    if options.calls:
        command = [options.calls, str(options.samples), str(options.answer_bytes)]
        counted = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        sent = clip * (options.flac_of_wav if options.lossless else 1)
        found = calls_beyond_jobs(
            counted, bytes_each=sent, call_seconds=options.call_seconds, lanes=options.lanes,
            memory_mb=memory["submit"], audio_shared_by=options.models)
        show_calls(prices, counted, found)


def show_calls(prices, counted, found):
    samples = counted["samples"]
    print("\n| each evaluation | by a call | by a job |\n| --- | ---: | ---: |")
    for name in sorted({*counted["calls"], *counted["jobs"]}):
        sides = []
        for side in ("calls", "jobs"):
            asked = counted[side].get(name, {"requests": 0, "half_units": 0})
            units = f" ({asked['half_units'] / 2 / samples:.2f} units)" if asked["half_units"] else ""
            sides.append(f"{asked['requests'] / samples:.2f}{units}")
        print(f"| {name} | {sides[0]} | {sides[1]} |")
    print("\n| a call costs more than a job by | amount for 1,000,000 | USD |\n| --- | ---: | ---: |")
    rows = table(prices, found, samples)
    for what, item, amount, usd in rows:
        print(f"| {what} | {amount:,.0f} {item} | {usd:.2f} |")
    print(f"| **all** | | **{sum(row[3] for row in rows):.2f}** |")


if __name__ == "__main__":
    main()
