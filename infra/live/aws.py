"""The first live hour, AWS: drops into the bucket, from one to a thousand.

    STT_EVAL_API_KEY=sk_… python infra/live/aws.py --stack stt-eval-dev --project demo

asks a deployed stack, with the credentials that boto3 finds (PyPI: boto3). On
one machine: --api, --bucket and --s3 as the ready line of `stt-eval-local
serve` names them. Costs some thousand requests, well below a cent a thousand
drops. Prints what was seen beside what the embedded cloud plays; exit 0 when
all is the same, 1 when something differs or was not seen, 2 when it could not
run. The files it makes are deleted at the end.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import secrets
import struct
import sys
import time
import urllib.error
import urllib.request

from observations import Observations

BASE = "/api/v1/evaluations/stt"
AT_ONCE = 200
NAMES = ("plain.wav", "a b/+%41 ü ஒலி.wav", "//twice.wav")


def wav(number):
    """A second of silence at 8 kHz, µ-law, with a chunk that makes it one of a kind."""
    sound = bytes([0xFF]) * 8000
    note = struct.pack("<4sI16s", b"note", 16, f"{number:016d}".encode())
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0)
    body = b"WAVE" + form + note + struct.pack("<4sI", b"data", len(sound)) + sound
    return struct.pack("<4sI", b"RIFF", len(body)) + body


class Api:
    def __init__(self, url, key):
        self.url, self.key = url.rstrip("/") + BASE, key

    def ask(self, method, path, body=None, key=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("X-API-KEY", self.key if key is None else key)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, {}

    def files(self, wanted):
        """Files whose name begins with `wanted`: newest pages first, until one has none."""
        cursor, found = "", []
        while True:
            status, page = self.ask("GET", f"/files?limit=100{'&cursor=' + cursor if cursor else ''}")
            if status != 200:
                return found
            rows = page["data"]["items"] if isinstance(page["data"], dict) else page["data"]
            ours = [row for row in rows if row["filename"].startswith(wanted)]
            found += ours
            cursor = page["metadata"].get("next_cursor")
            if not cursor or not ours:
                return found


def until(seconds, look):
    """What `look` gives, asked again until it gives something, and after how long."""
    began = time.monotonic()
    while True:
        value = look()
        waited = time.monotonic() - began
        if value or waited > seconds:
            return value, waited
        time.sleep(1)


class Place:
    """Where things are: a stack, or one machine."""

    def __init__(self, options):
        import boto3

        self.outputs, arguments = {}, {"region_name": options.region}
        self.session = boto3.session.Session(**{k: v for k, v in arguments.items() if v})
        if options.stack:
            stacks = self.session.client("cloudformation").describe_stacks(StackName=options.stack)
            outputs = stacks["Stacks"][0].get("Outputs", [])
            self.outputs = {o["OutputKey"]: o["OutputValue"] for o in outputs}
        self.api = options.api or self.outputs.get("ApiUrl")
        self.bucket = options.bucket or self.outputs.get("Bucket")
        from botocore.config import Config

        config = Config(max_pool_connections=AT_ONCE, retries={"max_attempts": 5, "mode": "standard"})
        self.s3 = self.session.client("s3", endpoint_url=options.s3, config=config)

    def dead_letters(self):
        url = self.outputs.get("EventsDeadLettersUrl")
        if not url:
            return None
        names = ["ApproximateNumberOfMessages"]
        answer = self.session.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return int(answer["Attributes"][names[0]])

    def metric(self, namespace, name, dimensions, since):
        if not self.outputs:
            return None
        answer = self.session.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
            StartTime=since,
            EndTime=datetime.datetime.now(datetime.UTC),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])


def one_drop(place, api, options, seen, folder):
    """A drop of its own, before any other: should it not come, the rest says nothing."""
    key = f"incoming/{options.project}/{folder}/first.wav"
    place.s3.put_object(Bucket=place.bucket, Key=key, Body=wav(0), ContentType="audio/wav")
    found, waited = until(options.patience, lambda: api.files(f"{folder}/first.wav"))
    came = bool(found)
    seen.hold("one drop under incoming/ becomes a file", came, "within seconds",
              f"after {waited:.0f} s" if came else f"not within {waited:.0f} s",
              "if AccessDenied stands in the log of register: the condition on dynamodb:Select in its role")
    if came:
        seen.see("its status", "ready", found[0]["status"])
    return came


def odd_names(place, api, options, seen, folder):
    for index, name in enumerate(NAMES):
        key = f"incoming/{options.project}/{folder}/odd{index}/{name}"
        what = f"a key that ends in {name!r}"
        try:
            place.s3.put_object(Bucket=place.bucket, Key=key, Body=wav(10 + index), ContentType="audio/wav")
        except Exception as error:
            seen.miss(what, "registered", f"the bucket refused it: {type(error).__name__}")
            continue
        found, _ = until(options.patience, lambda: api.files(f"{folder}/odd{index}/"))
        seen.hold(what, bool(found), "registered", "registered" if found else "never seen",
                  "decoding of keys in events")


def quick_writes(place, api, options, seen, folder):
    """Two versions of one key within a moment."""
    key = f"incoming/{options.project}/{folder}/quick.wav"
    versions = []
    for number in (20, 21):
        done = place.s3.put_object(Bucket=place.bucket, Key=key, Body=wav(number), ContentType="audio/wav")
        versions.append(done.get("VersionId"))
    if not all(versions):
        seen.miss("two quick writes to one key", "two files", "the bucket keeps no versions")
        return
    def both():
        files = api.files(f"{folder}/quick.wav")
        return files if len(files) > 1 else []

    found, _ = until(options.patience, both)
    sums = {file.get("checksum_sha256") for file in found}
    seen.see("files of two quick writes to one key", 2, len(sums), "the event's version is what is read")


def many(place, api, options, seen, folder):
    since = datetime.datetime.now(datetime.UTC)
    began = time.monotonic()

    def put(number):
        key = f"incoming/{options.project}/{folder}/many/{number:06d}.wav"
        place.s3.put_object(Bucket=place.bucket, Key=key, Body=wav(100 + number), ContentType="audio/wav")

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, range(options.drops)))
    put_in = time.monotonic() - began
    seen.note(f"{options.drops} drops put in {put_in:.0f} s")

    reached = {}
    def all_there():
        found = api.files(f"{folder}/many/")
        for share in (0.5, 0.9, 0.99, 1.0):
            if len(found) >= share * options.drops:
                reached.setdefault(share, time.monotonic() - began)
        return found if len(found) >= options.drops else []

    found, waited = until(max(options.patience, 2 * options.drops), all_there)
    names = [file["filename"] for file in found or api.files(f"{folder}/many/")]
    seen.see(f"files of {options.drops} drops", options.drops, len(set(names)), "nothing lost")
    seen.see("files that came twice", 0, len(names) - len(set(names)), "nothing twice")
    for share, at in sorted(reached.items()):
        seen.note(f"{share:4.0%} registered after {at:.0f} s")
    slow = reached.get(1.0, waited) - reached.get(0.9, 0)
    seen.hold("the last tenth", slow < 120, "within two minutes of the rest", f"{slow:.0f} s",
              "messages that met in a transaction must come back in seconds")
    figures(place, seen, since)


def figures(place, seen, since):
    dead = place.dead_letters()
    if dead is None:
        seen.note("dead letters, conflicts and throttles: looked at on a stack only")
        return
    seen.see("dead letters of upload events", 0, dead)
    conflicts = place.metric("AWS/DynamoDB", "TransactionConflict", {"TableName": place.outputs["FilesTable"]}, since)
    throttled = place.metric("AWS/DynamoDB", "ThrottledRequests", {"TableName": place.outputs["FilesTable"]}, since)
    seen.note(f"transaction conflicts on the table of files: {conflicts:.0f}; throttled: {throttled:.0f} "
              "(metrics come minutes late: look again)")


def presigned(api, seen, folder):
    sound = wav(1)
    body = {"filename": f"{folder}/announced.wav", "content_type": "audio/wav", "size_bytes": len(sound)}
    status, answer = api.ask("POST", "/files", body)
    if status not in (200, 201, 202):
        seen.miss("an announced upload", "201", f"refused with {status}")
        return

    def put(data):
        upload = answer["data"]["upload"]
        # The length is that of what is sent, not what was announced.
        headers = {k: v for k, v in upload["headers"].items() if k.lower() != "content-length"}
        request = urllib.request.Request(upload["url"], data, headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=60) as done:
                return done.status
        except urllib.error.HTTPError as error:
            return error.code

    seen.see("presigned PUT of another length", 403, put(sound + b"x"), "what is signed is what comes")
    seen.see("presigned PUT", 200, put(sound))
    seen.see("the same PUT again", 412, put(sound), "if-none-match")


def clean(api, folder, seen):
    files = api.files(folder)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda file: api.ask("DELETE", f"/files/{file['id']}")[0], files))
    refused = [code for code in codes if code not in (200, 202, 204, 404)]
    seen.hold("deleting them", not refused, "all accepted", f"{len(codes) - len(refused)} of {len(codes)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stack", help="name of a deployed stack")
    parser.add_argument("--region")
    parser.add_argument("--api", help="address of the API, without a stack")
    parser.add_argument("--bucket", help="name of the bucket, without a stack")
    parser.add_argument("--s3", help="address of the bucket's service, without a stack")
    parser.add_argument("--project", default="demo")
    parser.add_argument("--drops", type=int, default=1000)
    parser.add_argument("--patience", type=float, default=180, help="seconds that one drop is waited for")
    parser.add_argument("--json", help="write the observations here")
    options = parser.parse_args()
    key = os.environ.get("STT_EVAL_API_KEY")
    if not key:
        print("STT_EVAL_API_KEY is not set", file=sys.stderr)
        return 2
    if not options.stack and not (options.api and options.bucket and options.s3):
        print("--stack, or --api, --bucket and --s3, are wanted", file=sys.stderr)
        return 2
    place = Place(options)
    api = Api(place.api, key)
    seen = Observations()
    folder = f"first-live-hour-{secrets.token_hex(4)}"
    status, _ = api.ask("GET", "/files?limit=1")
    if status != 200:
        print(f"the API answered {status} to GET /files", file=sys.stderr)
        return 2
    seen.see("a wrong key", 401, api.ask("GET", "/files?limit=1", key="sk_wrong")[0])
    try:
        presigned(api, seen, folder)
        if one_drop(place, api, options, seen, folder):
            odd_names(place, api, options, seen, folder)
            quick_writes(place, api, options, seen, folder)
            many(place, api, options, seen, folder)
        else:
            seen.miss("the other drops", "registered", "not tried")
    finally:
        clean(api, folder, seen)
    return seen.close(options.json)


if __name__ == "__main__":
    sys.exit(main())
