"""The functions' own binaries, spoken to as Lambda does: over the Runtime API,
with recorded events, on the endpoints of the embedded cloud.

Needs the packages of requirements/template.txt, `stt-eval-local` in
STT_EVAL_LOCAL_BIN and the functions' binaries beside it; `tests/run` brings
all of it.
"""

import base64
import json
import os
import re
import subprocess
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from runtime_api import TRACE, Failed, Function

ROOT = Path(__file__).resolve().parents[2]
LOCAL = Path(os.environ["STT_EVAL_LOCAL_BIN"])
FUNCTIONS = ["api", "register", "submit", "poll"]
TABLES = ["files", "datasets", "samples", "runs", "units", "results", "access"]


def recorded(name):
    return json.loads((ROOT / f"infra/events/{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """The embedded cloud of a machine that has done no work yet."""
    data = tmp_path_factory.mktemp("cloud")
    # Its own functions hardly get to do anything: those of the tests shall.
    command = [LOCAL, "serve", "--data", data, "--listen", "127.0.0.1:0",
               "--gemini", "sim", "--poll-interval", "3600s"]
    with open(data / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        yield {**json.loads(process.stdout.readline()), "vault": str(data / "vault.key")}
    finally:
        process.terminate()
        process.wait(30)


def client(cloud, service):
    return boto3.client(service, endpoint_url=cloud[service], region_name="us-east-1", **{
        "aws_access_key_id": "local", "aws_secret_access_key": "local-secret"})


@pytest.fixture(scope="module")
def environment(cloud):
    return {
        "STAGE": "test",
        "DEPLOYMENT_ID": "of-test",
        "STACK_NAME": "stack-of-test",
        "BUCKET": cloud["bucket"],
        "SUBMIT_QUEUE_URL": client(cloud, "sqs").get_queue_url(QueueName="submissions")["QueueUrl"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local-secret",
        "KEY_FILE": cloud["vault"],
        "GEMINI_BASE_URL": cloud["gemini"],
        "AWS_ENDPOINT_URL_S3": cloud["s3"],
        "AWS_ENDPOINT_URL_DYNAMODB": cloud["dynamodb"],
        "AWS_ENDPOINT_URL_SQS": cloud["sqs"],
        **{f"TABLE_{name.upper()}": name for name in TABLES},
    }


@pytest.fixture
def run(environment, tmp_path):
    """Starts functions; what they write is in `run.log`."""
    started = []

    def start(name, **changes):
        variables = {k: v for k, v in {**environment, **changes}.items() if v is not None}
        log = open(tmp_path / f"{name}.log", "ab")
        function = Function(LOCAL.with_name(name), variables, log=log)
        started.append((function, log))
        function.wait_ready()
        return function

    start.log = lambda name: (tmp_path / f"{name}.log").read_text(encoding="utf-8")
    yield start
    for function, log in started:
        function.__exit__()
        log.close()


def http(path, *, method="GET", headers=(), **more):
    event = recorded("api-healthz")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["headers"] = {**event["headers"], **dict(headers)}
    return {**event, **more}


# ---------------------------------------------------------------------- start


def refused_to_start(run, name, variable, changes):
    with pytest.raises(Failed):
        run(name, **changes)
    said = run.log(name).strip().splitlines()
    assert len(said) == 1, said
    assert f"environment variable {variable}: " in said[0]
    assert "StartError" not in said[0]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("variable", "value"), [
    ("BUCKET", None), ("TABLE_RUNS", None), ("STAGE", ""), ("DEPLOYMENT_ID", "dev/eu"), ("SUBMISSION_GRACE_SECONDS", "soon"),
    ("POLL_PAUSES_SECONDS", "60,"), ("KEY_FILE", "no/such/file"), ("KEY_FILE", __file__),
    ("GEMINI_BASE_URL", "generativelanguage"), ("GEMINI_BASE_URL", "ftp://h"),
    ("GEMINI_BASE_URL", "https://user:secret@h"),
])
def test_a_wrong_environment_is_one_line_that_names_the_variable(
    run, name, variable, value
):
    refused_to_start(run, name, variable, {variable: value})
    assert "secret" not in run.log(name)


@pytest.mark.parametrize("name", ["api", "submit", "poll"])
def test_who_handles_credentials_does_not_start_without_their_key(run, name):
    refused_to_start(run, name, "KMS_KEY_ID", {"KEY_FILE": None, "KMS_KEY_ID": None})


def test_register_needs_no_key(run):
    register = run("register", KEY_FILE=None)
    assert register.invoke({"Records": []}) == {"batchItemFailures": []}


# ------------------------------------------------------------------------ api


def test_api_answers_recorded_events(run):
    api = run("api")
    answer = api.invoke(recorded("api-healthz"))
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["x-request-id"]
    refused = api.invoke(recorded("api-create-run"))
    assert refused["statusCode"] == 401, "its key is made up"
    body = json.loads(refused["body"])
    assert body["success"] is False and body["metadata"]["request_id"]


def test_api_reads_what_gateways_do_to_requests(run, cloud):
    api = run("api")
    key = {"x-api-key": cloud["api_keys"]["demo"], "content-type": "application/json"}
    name = {"name": "from a gateway", "role": "viewer"}
    encoded = base64.b64encode(json.dumps(name).encode()).decode()
    made = api.invoke(http("/api/v1/keys", method="POST", headers=key,
                           body=encoded, isBase64Encoded=True))
    assert made["statusCode"] == 201, made
    # Several values of a header come as one; cookies by themselves.
    listed = api.invoke(http("/api/v1/keys", headers={**key, "accept": "text/html,application/json"},
                             cookies=["a=1", "b=2"]))
    assert listed["statusCode"] == 200
    assert [k["name"] for k in json.loads(listed["body"])["data"]][0] == "from a gateway"
    assert cloud["api_keys"]["demo"] not in run.log("api")


def test_api_takes_headers_with_several_values(run, cloud):
    """The gateway joins them with commas, in payload 2.0."""
    api = run("api")
    key = cloud["api_keys"]["demo"]
    several = {
        "x-api-key": key, "accept": "text/html,application/json;q=0.9,*/*;q=0.8",
        "x-forwarded-for": "203.0.113.7, 198.51.100.1", "via": "1.1 a,1.1 b",
    }
    assert api.invoke(http("/api/v1/keys", headers=several))["statusCode"] == 200
    for twice in (f"{key},{key}", f"{key}, sk_other"):
        refused = api.invoke(http("/api/v1/keys", headers={**several, "x-api-key": twice}))
        assert refused["statusCode"] == 401, "two keys are none"
    body = json.dumps({"name": "n", "role": "viewer"})
    kinds = {**several, "content-type": "application/json,text/csv"}
    refused = api.invoke(http("/api/v1/keys", method="POST", headers=kinds, body=body))
    assert refused["statusCode"] in (400, 415), refused
    # Nor is a parameter that comes twice taken for one of the two.
    twice = http("/api/v1/keys", headers=several, rawQueryString="limit=1&limit=2",
                 queryStringParameters={"limit": "1,2"})
    assert api.invoke(twice)["statusCode"] == 400


def test_answers_have_one_value_to_a_header(run, cloud):
    """What payload 2.0 can carry: `headers` with texts, cookies apart."""
    answer = run("api").invoke(http("/healthz"))
    assert all(isinstance(value, str) for value in answer["headers"].values())
    assert set(answer.get("multiValueHeaders") or {}) <= set(answer["headers"])
    assert answer.get("cookies") in (None, [])


def test_api_answers_below_a_stage(run):
    """A stage of its own name is in the path that the gateway hands over."""
    event = recorded("api-healthz")
    path = event["rawPath"]
    event["requestContext"]["stage"] = "v9"
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/v9" + path
    assert run("api").invoke(event)["statusCode"] == 200


@pytest.mark.parametrize("event", [b"{}", b"null", b"[]", b'"x"', b"{"])
def test_api_survives_what_is_no_request(run, event):
    api = run("api")
    try:
        assert api.invoke(event)["statusCode"] >= 400
    except Failed as failed:
        assert "errorMessage" in str(failed)
    assert api.invoke(recorded("api-healthz"))["statusCode"] == 200, "the next one is served"


RUN = f"run_{'01K':0<26}"
STT = "/api/v1/evaluations/stt"


def spans_of_requests(log):
    """What the line that ends each request says it was about."""
    return [line["span"] for line in log_lines(log)
            if line.get("fields", {}).get("message") == "request"]


def test_every_line_about_a_run_names_it(run, cloud):
    api = run("api")
    key = {"x-api-key": cloud["api_keys"]["demo"]}
    result = f"res_{'01K':0<25}1"
    about = {
        f"{STT}/runs/{RUN}": RUN, f"{STT}/runs/{RUN}/results": RUN,
        f"{STT}/runs/{RUN}/report": RUN, f"{STT}/results/{result}": RUN,
        f"{STT}/runs": None, f"{STT}/runs/run_1": None, f"{STT}/files/file_{'01K':0<26}": None,
        "/no/such/route": None,
    }
    for path in about:
        api.invoke(http(path, headers=key))
        api.invoke(http(path))  # without a key: the run is known all the same
    spans = spans_of_requests(run.log("api"))
    named = [span.get("run_id") for span in spans]
    assert named == [wanted for wanted in about.values() for _ in range(2)]
    assert all(span["request_id"] for span in spans)
    projects = [span.get("project_id") for span in spans]
    assert projects == ["demo", None] * (len(about) - 1) + [None, None]


def test_a_run_that_is_made_is_named(run, cloud):
    api = run("api")
    key = {"x-api-key": cloud["api_keys"]["demo"]}

    def post(path, body, kind="application/json"):
        body = base64.b64encode(body).decode()
        headers = {**key, "content-type": kind, "idempotency-key": path}
        answer = api.invoke(http(f"{STT}{path}", method="POST", headers=headers,
                                 body=body, isBase64Encoded=True))
        assert answer["statusCode"] < 300, answer
        return json.loads(answer["body"])["data"]

    clip = (ROOT / "infra/local/clips/hi-01.wav").read_bytes()
    form = (b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n'
            b"content-type: audio/wav\r\n\r\n" + clip + b"\r\n--x--\r\n")
    file = post("/files", form, "multipart/form-data; boundary=x")["file"]["id"]
    dataset = post("/datasets", json.dumps({
        "name": "ids", "language": "hi", "samples": [{"file_id": file, "ground_truth": "one"}],
    }).encode())["id"]
    wanted = json.dumps({"run_name": "ids", "dataset_id": dataset,
                         "providers": ["gemini-2.5-pro"]}).encode()
    made = post("/runs", wanted)["id"]
    assert post("/runs", wanted)["id"] == made, "answered again"
    spans = spans_of_requests(run.log("api"))
    assert [span.get("run_id") for span in spans] == [None, None, made, made]
    told = metrics(run.log("api"))
    assert [line["run_id"] for line in told if "RunsAccepted" in line] == [made]


# ------------------------------------------------------------------- the rest


@pytest.mark.parametrize("name", ["register-test-event", "register-incoming", "register-upload"])
def test_register_takes_recorded_events(run, name):
    assert run("register").invoke(recorded(name)) == {"batchItemFailures": []}


def test_every_line_about_an_upload_names_it(run):
    register = run("register", AWS_LAMBDA_LOG_LEVEL="DEBUG")
    for name in ("register-upload", "register-incoming"):
        register.invoke(recorded(name))
    lines = [json.loads(line) for line in run.log("register").splitlines()]
    spans = [line["span"] for line in lines
             if line["fields"].get("message") == "an upload event brought nothing new"]
    assert spans[0]["project_id"] == "demo"
    assert spans[0]["file_id"] == "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"
    assert spans[1]["project_id"] and "file_id" not in spans[1]
    assert all(span["message_id"] for span in spans)


def log_lines(log):
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lambda_can_tell_the_level_of_every_line(run, cloud, name):
    """It goes by `level`, and by that only beside an RFC 3339 `timestamp`."""
    event = {"api": recorded("api-healthz"), "register": recorded("register-upload"),
             "submit": recorded("submit-unit"), "poll": {"operator": {
                 "action": "create_project", "project": "levels"}}}[name]
    begun = datetime.now(UTC)
    run(name, AWS_LAMBDA_LOG_LEVEL="TRACE").invoke(event)
    lines = log_lines(run.log(name))
    assert lines
    for line in lines:
        assert line["level"] in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR"), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"]), line
        told = datetime.fromisoformat(line["timestamp"])
        assert abs((told - begun).total_seconds()) < 120, line


@pytest.mark.parametrize("name", ["submit-run-accepted", "submit-unit"])
def test_submit_takes_recorded_events(run, name):
    """Of runs that are no more: there is nothing to do, and nothing fails."""
    assert run("submit").invoke(recorded(name)) == {"batchItemFailures": []}


@pytest.mark.parametrize("name", ["submit-run-accepted", "submit-unit"])
def test_every_line_about_a_message_names_what_it_is_about(run, name):
    event = recorded(name)
    [message] = event["Records"]
    # Tables out of reach are something to write a line about.
    submit = run("submit", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9",
                 AWS_LAMBDA_LOG_LEVEL="DEBUG")
    answer = submit.invoke(event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}
    body = json.loads(message["body"])
    lines = [line for line in log_lines(run.log("submit"))
             if "message" in [span["name"] for span in line.get("spans", [])]]
    assert "a message failed and will come again" in [line["fields"]["message"] for line in lines]
    for line in lines:
        [span] = [span for span in line["spans"] if span["name"] == "message"]
        assert (span["project_id"], span["run_id"]) == (body["project"], body["run"])
        assert ("unit_id" in span) == (name == "submit-unit")


@pytest.mark.parametrize("name", ["register", "submit"])
def test_an_empty_batch_is_done(run, name):
    assert run(name).invoke({"Records": []}) == {"batchItemFailures": []}


NO_EVENTS = [b"{}", b"null", b"[]", b'"x"', b"7", b'{"Records":{}}', b'{"Records":[null]}', b"{"]


@pytest.mark.parametrize("name", ["register", "submit"])
def test_what_is_no_event_of_a_queue_fails_and_the_next_is_served(run, name):
    function = run(name)
    for event in NO_EVENTS:
        with pytest.raises(Failed, match="errorMessage"):
            function.invoke(event)
    assert function.invoke({"Records": []}) == {"batchItemFailures": []}
    assert function.invoke(of_queue(name, "event")) == {"batchItemFailures": []}


def of_queue(name, *bodies):
    """An event with messages of these bodies; one that is recorded for `event`."""
    event = recorded({"register": "register-upload", "submit": "submit-unit"}[name])
    [message] = event["Records"]
    event["Records"] = [
        {**message, "messageId": f"m{number}", **({} if body == "event" else {"body": body})}
        for number, body in enumerate(bodies)]
    return event


UNREADABLE = ["", "{", "null", "[]", '"s3:TestEvent"', '{"Records":[{}]}', '{"Event":"s3:Other"}',
              '{"detail-type":"Object Created","detail":{"object":{"key":"incoming/demo/secret.wav"}}}']


def test_register_leaves_what_it_can_not_read_to_the_dead_letters(run):
    """Each fails for itself; test events and events without uploads are done."""
    [test] = recorded("register-test-event")["Records"]
    nameless = json.loads(recorded("register-upload")["Records"][0]["body"])
    del nameless["Records"][0]["s3"]["object"]["key"]
    deleted = json.loads(recorded("register-upload")["Records"][0]["body"])
    deleted["Records"][0]["eventName"] = "ObjectRemoved:Delete"
    done = ["event", test["body"], json.dumps(deleted), '{"Records":[]}', "event"]
    failing = [*UNREADABLE, json.dumps(nameless)]
    answer = run("register").invoke(of_queue("register", *done[:3], *failing, *done[3:]))
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    wanted = [f"m{3 + number}" for number in range(len(failing))]
    assert sorted(failed) == sorted(wanted)
    errors = [line["fields"] for line in log_lines(run.log("register")) if line["level"] == "ERROR"]
    assert sorted(line["message_id"] for line in errors) == sorted(wanted)
    assert "secret" not in run.log("register"), "what people call their objects is not for logs"


def test_submit_drops_what_it_can_not_read(run):
    """A message only points at work, which the sweeper finds without it."""
    bodies = [*UNREADABLE, '{"type":"from_the_future"}', '{"type":"submit_unit","project":"demo"}']
    answer = run("submit").invoke(of_queue("submit", "event", *bodies))
    assert answer == {"batchItemFailures": []}
    errors = [line for line in log_lines(run.log("submit")) if line["level"] == "ERROR"]
    assert len(errors) == len(bodies)
    assert all(line["span"]["message_id"] for line in errors)


def metrics(log):
    lines = [json.loads(line) for line in log.splitlines()]
    return [line for line in lines if "_aws" in line]


def test_poll_takes_anything_for_a_schedule(run):
    poll = run("poll")
    for event in [recorded("poll"), {}, None, [], "x", {"detail": None}]:
        assert poll.invoke(event) is None
    told = [line for line in metrics(run.log("poll")) if "PollErrors" in line]
    assert len(told) == 6, "one line of metrics each"
    for line in told:
        assert line["Stack"] == "stack-of-test"
        assert line["PollErrors"] == 0, run.log("poll")
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SttEval"


def test_the_first_key_comes_from_an_operator(run):
    poll = run("poll")
    made = poll.invoke({"operator": {"action": "create_project", "project": "first"}})
    assert made["created"] is True
    key = poll.invoke({"operator": {
        "action": "create_key", "project": "first", "name": "me", "role": "admin"}})["key"]
    listed = run("api").invoke(http("/api/v1/keys", headers={"x-api-key": key}))
    assert listed["statusCode"] == 200
    refused = poll.invoke({"operator": {"action": "create_key"}})
    assert "project" in refused["error"]
    for name in ("poll", "api"):
        assert key not in run.log(name) and key.split("_")[2] not in run.log(name)
    # Every line says which invocation it belongs to.
    lines = [json.loads(line) for line in run.log("poll").splitlines()]
    [told] = [line for line in lines if line["fields"]["message"] == "an operator made a key"]
    assert told["fields"]["project_id"] == "first"
    assert told["span"]["requestId"] and told["span"]["xrayTraceId"] == TRACE


def test_the_trace_goes_on_through_the_queue(run, cloud):
    """SQS takes the trace from the header of the call that sends the message."""
    seen = []

    class Sqs(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.headers)
            body = self.rfile.read(int(self.headers["content-length"]))
            entries = json.loads(body).get("Entries", [])
            answer = {"Successful": [{"Id": e["Id"], "MessageId": "m", "MD5OfMessageBody": ""}
                                     for e in entries], "Failed": []}
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sqs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        send_a_message(run, cloud, url)
    finally:
        server.shutdown()
    assert seen, "a message was sent"
    assert {headers.get("X-Amzn-Trace-Id") for headers in seen} == {TRACE}


def send_a_message(run, cloud, sqs):
    """Makes poll send one: an outbox item that is due."""
    changed = {"AWS_ENDPOINT_URL_SQS": sqs, "SUBMIT_QUEUE_URL": f"{sqs}/0/submissions"}
    poll = run("poll", **changed)
    client(cloud, "dynamodb").put_item(TableName="runs", Item={
        "pk": {"S": "demo"}, "sk": {"S": f"outbox#run_{'01K':0<26}"},
        "due_shard": {"S": "d0"}, "due_at": {"N": "1"},
    })
    assert poll.invoke(recorded("poll")) is None
