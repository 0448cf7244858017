"""The whole flow on the functions' own binaries, with everything counted.

The embedded cloud runs without functions (`stt-eval-local serve
--without-functions`); this process is what connects them in AWS: API Gateway,
the event sources of both queues, and the schedule. Each function is one
process behind a Runtime API of its own, as in Lambda, so that what an
invocation takes in wall and processor time, and the memory of a process at its
highest, are those of the bootstrap itself.

Needs boto3 (requirements/template.txt has it).
"""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))

from runtime_api import Function  # noqa: E402

FUNCTIONS = ["api", "register", "submit", "poll"]
TABLES = ["files", "datasets", "samples", "runs", "units", "results", "access"]
API = "/api/v1/evaluations/stt"
MODELS = ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-3.1-flash-lite", "gemini-3.5-flash",
          "gemini-3.8-flash"]
TICKS = os.sysconf("SC_CLK_TCK")
# Files in one announcement, samples in one dataset request: what the API takes.
AT_ONCE = 100
# Speech: 150 words a minute, in a script of three bytes to a letter.
WORDS_A_SECOND = 2.5
WORDS = "नमस्ते किसान फसल बारिश पानी मौसम बीज खेत गाँव स्कूल बच्चा माता पिता डॉक्टर दवा अस्पताल टीका बुखार".split()


@dataclass
class Spent:
    """What all invocations of a function took together."""

    invocations: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    longest_ms: float = 0.0
    peak_mb: float = 0.0


@dataclass
class Measured:
    """A run that ended, and what it took."""

    samples: int
    models: int
    clip_bytes: int
    evaluations: int
    run: dict
    functions: dict
    counts: list
    http_requests: int
    provider_bytes: int
    log_bytes: int


def clip(seed, seconds):
    """Noise as 16 kHz mono WAV: nothing in the flow listens to it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(random.Random(seed).randbytes(int(32_000 * seconds)))
    return out.getvalue()


def text(seed, seconds):
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(max(1, int(seconds * WORDS_A_SECOND))))


def misheard(words, seed):
    """One word in ten is another."""
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) if rng.random() < 0.1 else word for word in words.split())


class Process:
    """One function and what it spent."""

    def __init__(self, binary, variables, log):
        self.function = Function(binary, variables, log=log)
        self.function.wait_ready()
        self.spent = Spent()

    def cpu_ms(self):
        stat = Path(f"/proc/{self.function.process.pid}/stat").read_text(encoding="ascii")
        user, system = stat.rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) * 1000 / TICKS

    def invoke(self, event, seconds=290):
        cpu, began = self.cpu_ms(), time.perf_counter()
        answer = self.function.invoke(event, seconds)
        took = (time.perf_counter() - began) * 1e3
        spent = self.spent
        spent.invocations += 1
        spent.wall_ms += took
        spent.cpu_ms += self.cpu_ms() - cpu
        spent.longest_ms = max(spent.longest_ms, took)
        spent.peak_mb = self.function.resident_mb()[1]
        return answer


class Machine:
    """The embedded cloud, a simulated provider, and the four processes."""

    def __init__(self, stack, binaries, functions, recordings, *, batch_delay="500ms",
                 directory=None, simulator=(), settings=None):
        """`directory` keeps everything; `simulator` are further arguments of it,
        `settings` further variables of the functions."""
        self.dir = directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        known = self.dir / "recordings.jsonl"
        known.write_text("".join(json.dumps(r) + "\n" for r in recordings), encoding="utf-8")
        self.simulator, told = self.start(stack, [
            binaries / "gemini-sim", "--recordings", known, "--batch-delay", batch_delay,
            *simulator])
        self.gemini = told["url"]
        self.counts = self.dir / "counts.json"
        self.local, self.told = self.start(stack, [
            binaries / "stt-eval-local", "serve", "--data", self.dir / "data", "--listen",
            "127.0.0.1:0", "--gemini", self.gemini, "--without-functions", "--counts", self.counts])
        told = self.told
        self.key = told["api_keys"]["demo"]
        self.sqs = self.client("sqs")
        self.queues = {name: self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
                       for name in ("events", "submissions")}
        variables = {
            "STAGE": "bench", "STACK_NAME": "bench", "DEPLOYMENT_ID": "bench",
            "BUCKET": told["bucket"],
            "SUBMIT_QUEUE_URL": self.queues["submissions"],
            "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local-secret",
            "KEY_FILE": str(self.dir / "data/vault.key"), "GEMINI_BASE_URL": self.gemini,
            "POLL_PAUSES_SECONDS": "1",
            **(settings or {}),
            **{f"AWS_ENDPOINT_URL_{n.upper()}": told[n] for n in ("s3", "dynamodb", "sqs")},
            **{f"TABLE_{name.upper()}": name for name in TABLES},
        }
        self.variables = {**variables, "AWS_REGION": "us-east-1"}
        self.log = open(self.dir / "functions.log", "ab")
        stack.callback(self.log.close)
        self.processes = {}
        for name in FUNCTIONS:
            process = Process(functions / name, variables, self.log)
            stack.callback(process.function.__exit__)
            self.processes[name] = process
        self.http_requests = 0

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.told[service], region_name="us-east-1",
            aws_access_key_id="local", aws_secret_access_key="local-secret")

    def start(self, stack, command):
        with open(self.dir / "log", "ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)

        def end():
            process.terminate()
            process.wait(60)

        stack.callback(end)
        return process, json.loads(process.stdout.readline())

    def http(self, method, path, body=None, *, idempotency=None):
        path = path if path.startswith("/api/") else API + path
        path, _, query = path.partition("?")
        event = json.loads((ROOT / "infra/events/api-healthz.json").read_text(encoding="utf-8"))
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["rawQueryString"] = query
        event["queryStringParameters"] = dict(p.split("=", 1) for p in query.split("&")) if query else {}
        event["requestContext"]["http"]["method"] = method
        event["headers"].update({"x-api-key": self.key, "content-type": "application/json"})
        if idempotency is not None:
            event["headers"]["idempotency-key"] = idempotency
        if body is not None:
            event["body"] = json.dumps(body)
        self.http_requests += 1
        answer = self.processes["api"].invoke(event)
        got = json.loads(answer["body"]) if answer.get("body") else {"data": None}
        assert answer["statusCode"] < 300, (method, path, got)
        return got["data"]

    def pump(self, queue, function, most):
        """The event source of a queue; tells how many messages there were."""
        url = self.queues[queue]
        found = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=0).get("Messages", [])
        if not found:
            return 0
        answer = self.processes[function].invoke({"Records": [{
            "messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"],
            "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs",
            "awsRegion": "us-east-1"} for m in found]})
        failed = {f["itemIdentifier"] for f in answer["batchItemFailures"]}
        done = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]}
                for n, m in enumerate(found) if m["MessageId"] not in failed]
        if done:
            self.sqs.delete_message_batch(QueueUrl=url, Entries=done)
        return len(found)

    @staticmethod
    def put(upload, content):
        request = urllib.request.Request(
            upload["url"], data=content, method="PUT", headers=upload["headers"])
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200

    def upload(self, clips):
        """Announces, uploads and registers; gives the files' ids."""
        ids = []
        for first in range(0, len(clips), AT_ONCE):
            part = clips[first:first + AT_ONCE]
            made = self.http("POST", "/files", {"files": [
                {"filename": f"{first + n}.wav", "content_type": "audio/wav", "size_bytes": len(c)}
                for n, c in enumerate(part)]})["files"]
            for announced, content in zip(made, part, strict=True):
                self.put(announced["upload"], content)
                ids.append(announced["file"]["id"])
        left, until = len(clips), time.monotonic() + 120
        while left > 0:
            taken = self.pump("events", "register", 10)
            left -= taken
            assert taken or time.monotonic() < until, f"{left} uploads are never announced"
        return ids

    @staticmethod
    def put(upload, content):
        request = urllib.request.Request(
            upload["url"], data=content, method="PUT", headers=upload["headers"])
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200

    def drive(self, run, seconds=600):
        """Queue and schedule, until the run has ended; gives it."""
        until = time.monotonic() + seconds
        while True:
            while self.pump("submissions", "submit", 1):
                pass
            assert self.processes["poll"].invoke({"source": "aws.scheduler"}) is None
            found = self.http("GET", f"/runs/{run}")
            if found["status"] not in ("pending", "processing"):
                return found
            assert time.monotonic() < until, found
            time.sleep(0.5)


def measure(binaries, functions, *, samples=100, models=5, seconds=30.0, batch_delay="500ms",
            speech=None, further=()):
    """One dataset, one run, its results read once. `speech` are the seconds that
    the texts are of, when it is not the audio's; `further` are more clips to
    upload."""
    clips = [clip(n, seconds) for n in range(samples)]
    texts = [text(n, speech or seconds) for n in range(samples)]
    with ExitStack() as stack:
        names = MODELS[:models]
        recordings = [
            {"sha256": hashlib.sha256(c).hexdigest(), "model": model,
             "text": misheard(t, f"{model}{n}")}
            for n, (c, t) in enumerate(zip(clips, texts, strict=True)) for model in names]
        machine = Machine(stack, binaries, functions, recordings, batch_delay=batch_delay)
        ids = machine.upload(clips)
        machine.upload(list(further))
        dataset = machine.http("POST", "/datasets", {
            "name": "bench", "language": "hi",
            "samples": [{"file_id": f, "ground_truth": "…" if speech else t}
                        for f, t in zip(ids, texts, strict=True)]})
        if speech:
            # One request can't hold them.
            made = machine.http("GET", f"/datasets/{dataset['id']}?include_samples=true&limit=100")
            for sample, words in zip(made["samples"], texts, strict=True):
                machine.http("PATCH", f"/samples/{sample['id']}", {"ground_truth": words})
        run = machine.http("POST", "/runs", {
            "run_name": "bench", "dataset_id": dataset["id"], "providers": names})
        run = machine.drive(run["id"])
        page = machine.http("GET", f"/runs/{run['id']}/results?limit=100")
        # Long ones come in shorter pages.
        assert speech or len(page) == min(100, samples * models)
        if not speech:
            # One of such texts is made in several requests.
            machine.http("GET", f"/runs/{run['id']}/report")
        machine.log.flush()
        log_bytes = (machine.dir / "functions.log").stat().st_size
        machine.local.terminate()
        machine.local.wait(60)
        counts = json.loads(machine.counts.read_text(encoding="utf-8"))
        return Measured(
            samples=samples, models=models, clip_bytes=len(clips[0]),
            evaluations=samples * models, run=run,
            functions={name: vars(p.spent) for name, p in machine.processes.items()},
            counts=counts, http_requests=machine.http_requests,
            provider_bytes=sum(map(len, clips)), log_bytes=log_bytes,
        )
