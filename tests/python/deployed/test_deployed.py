"""The stack, deployed by `sam deploy` to an emulator of AWS, and driven whole.

`ministack` (from PyPI, no container) makes the template's resources, connects
bucket, queues and functions, and runs the functions' own binaries. From there
on everything goes the way it goes in AWS: the first key by an operator's event,
a presigned upload, S3's event to register, a dataset, a run, SQS to submit, a
simulated provider, poll, results.

The build directory has the form that `sam build` leaves, with bootstraps from
DEPLOYED_BIN, the directory of an ordinary cargo build: it is the flow and the
template that are tried here, not the compiler.

Needs the packages of requirements.txt, `sam` in SAM_BIN, the binaries, and
`gemini-sim` in GEMINI_SIM_BIN.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/python"))

import cfn  # noqa: E402

CLIPS = ROOT / "tests/clips"
FUNCTIONS = ["api", "register", "submit", "poll"]
STACK = "stt-eval-test"
PATIENCE = 180
PARAMETERS = {"Stage": "test", "Architecture": "x86_64", "DeletionProtection": "false"}


def wait(what, look, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < until, f"waited in vain until {what}"
        time.sleep(0.5)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def simulator():
    command = [os.environ["GEMINI_SIM_BIN"], "--recordings", CLIPS / "recordings.jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def emulator(home):
    """Gives its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # What the functions are told to call.
        "AWS_ENDPOINT_URL": url,
        "MINISTACK_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
    }
    binary = Path(sys.executable).with_name("ministack")
    with open(home / "ministack.log", "wb") as log:
        process = subprocess.Popen([binary], env=environment, stdout=log, stderr=log, cwd=home)

    def up():
        assert process.poll() is None, (home / "ministack.log").read_text(encoding="utf-8")
        try:
            return urllib.request.urlopen(f"{url}/_ministack/health", timeout=2).status
        except (urllib.error.URLError, OSError):
            return None

    try:
        wait("the emulator is up", up, 60)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def aws_environment(emulator, home):
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ENDPOINT_URL": emulator,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def build(home):
    """Gives the built template."""
    target = home / "build"
    binaries = Path(os.environ["DEPLOYED_BIN"])
    target.mkdir()
    shutil.copy(cfn.TEMPLATE, target)
    for name in FUNCTIONS:
        folder = target / "functions" / name
        folder.mkdir(parents=True)
        stripped = ["strip", "-o", folder / "bootstrap", binaries / name]
        subprocess.run(stripped, check=True)
    return target / "template.yaml"


@pytest.fixture(scope="module")
def stack(emulator, simulator, home):
    """Deploys; gives the outputs."""
    template = build(home)
    environment = aws_environment(emulator, home)
    overrides = {**PARAMETERS, "GeminiBaseUrl": simulator}
    done = subprocess.run(
        [os.environ["SAM_BIN"], "deploy", "--template-file", template, "--stack-name", STACK, "--resolve-s3",
         "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar",
         "--parameter-overrides", *(f"{k}={v}" for k, v in overrides.items())],
        env=environment, cwd=home, capture_output=True, text=True, timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = client(emulator, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    connect(emulator)
    return {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}


def connect(emulator):
    """The emulator takes a parameter's number for a text, and trips over it."""
    functions = client(emulator, "lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        most = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": most})


def client(emulator, service):
    return boto3.client(
        service, endpoint_url=emulator, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=Config(read_timeout=120, retries={"max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def physical(stack, emulator):
    """Logical to physical names."""
    found = client(emulator, "cloudformation").describe_stack_resources(StackName=STACK)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found["StackResources"]}


def invoke(emulator, physical, name, event):
    answer = client(emulator, "lambda").invoke(
        FunctionName=physical[name], Payload=json.dumps(event).encode()
    )
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload) if payload else None


class Api:
    """The deployed API with a key."""

    def __init__(self, emulator, physical, key):
        self.base = f"{emulator}/_aws/execute-api/{physical['HttpApi']}/$default"
        self.key = key

    def __call__(self, method, path, body=None, status=200):
        path = path if path.startswith("/api/") else f"/api/v1/evaluations/stt{path}"
        request = urllib.request.Request(
            self.base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"x-api-key": self.key, "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=90) as response:
                got, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            got, text = error.code, error.read()
        assert got == status, f"{method} {path}: {got} {text[:2000]}"
        return json.loads(text)["data"]


@pytest.fixture(scope="module")
def api(emulator, physical):
    """The first project, its first key, and a provider's key."""
    operator = {"action": "create_project", "project": "demo"}
    made = invoke(emulator, physical, "PollFunction", {"operator": operator})
    assert made["created"] is True, made
    operator = {"action": "create_key", "project": "demo", "name": "first", "role": "admin"}
    key = invoke(emulator, physical, "PollFunction", {"operator": operator})["key"]
    return Api(emulator, physical, key)


# ----------------------------------------------------------------- resources


def test_every_resource_of_the_template_was_made(emulator, physical):
    wanted = cfn.deployed(cfn.load(), **PARAMETERS)
    assert physical.keys() == wanted.keys()


def test_tables_and_queues_are_those_of_the_template(emulator, physical):
    wanted = cfn.deployed(cfn.load(), **PARAMETERS)
    dynamodb, sqs = client(emulator, "dynamodb"), client(emulator, "sqs")
    for name, resource in wanted.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::DynamoDB::Table":
            table = dynamodb.describe_table(TableName=physical[name])["Table"]
            assert table["KeySchema"] == properties["KeySchema"], name
            indexes = {i["IndexName"]: i for i in table.get("GlobalSecondaryIndexes", [])}
            for index in properties.get("GlobalSecondaryIndexes", []):
                assert indexes.pop(index["IndexName"])["KeySchema"] == index["KeySchema"], name
            assert not indexes, name
        elif resource["Type"] == "AWS::SQS::Queue":
            attributes = sqs.get_queue_attributes(
                QueueUrl=physical[name], AttributeNames=["All"])["Attributes"]
            for key in ("VisibilityTimeout", "MessageRetentionPeriod"):
                if key in properties:
                    assert attributes[key] == str(properties[key]), (name, key)
            assert ("RedrivePolicy" in attributes) == ("RedrivePolicy" in properties), name


def test_functions_have_their_variables(emulator, physical):
    wanted = cfn.deployed(cfn.load(), **PARAMETERS)
    for name, resource in wanted.items():
        if resource["Type"] == "AWS::Lambda::Function":
            made = client(emulator, "lambda").get_function_configuration(FunctionName=physical[name])
            variables = resource["Properties"]["Environment"]["Variables"]
            assert variables.keys() <= made["Environment"]["Variables"].keys(), name
            assert made["Timeout"] == resource["Properties"]["Timeout"], name
            assert made["Environment"]["Variables"]["TABLE_RUNS"] == physical["RunsTable"], name


def test_routes_and_schedule_are_those_of_the_template(emulator, physical):
    gateway = client(emulator, "apigatewayv2")
    routes = gateway.get_routes(ApiId=physical["HttpApi"])["Items"]
    assert {route["RouteKey"] for route in routes} == {"ANY /", "ANY /{proxy+}"}
    stages = gateway.get_stages(ApiId=physical["HttpApi"])["Items"]
    assert [stage["StageName"] for stage in stages] == ["$default"]
    schedules = client(emulator, "scheduler").list_schedules()["Schedules"]
    assert [schedule["State"] for schedule in schedules] == ["ENABLED"]


# ------------------------------------------------------------------ the flow


def test_an_unknown_key_gets_nothing(emulator, physical):
    Api(emulator, physical, "sk_none")("GET", "/runs", status=401)


def test_from_upload_to_results(emulator, physical, stack, api):
    clips = [json.loads(line) for line in
             (CLIPS / "clips.jsonl").read_text(encoding="utf-8").splitlines()]
    clips = [clip for clip in clips if clip["language"] == "en"][:2]
    api("PUT", "/credentials/google", {"api_key": "simulated-key-of-demo"})
    files = []
    for clip in clips:
        audio = (CLIPS / clip["file"]).read_bytes()
        assert hashlib.sha256(audio).hexdigest() == clip["sha256"]
        made = api("POST", "/files", {
            "filename": clip["file"], "content_type": clip["content_type"],
            "size_bytes": len(audio),
        }, 201)
        upload = made["upload"]
        request = urllib.request.Request(
            upload["url"], data=audio, method=upload.get("method", "PUT"),
            headers=upload["headers"],
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200
        files.append(made["file"]["id"])
    for file in files:  # S3 told SQS, SQS told register
        def registered(file=file):
            found = api("GET", f"/files/{file}")
            return found if found["status"] != "uploading" else None

        assert wait(f"{file} is registered", registered)["status"] == "ready"
    samples = [{"file_id": f, "ground_truth": c["ground_truth"]}
               for f, c in zip(files, clips, strict=True)]
    dataset = api("POST", "/datasets", {"name": "d", "language": "en", "samples": samples}, 201)
    run = api("POST", "/runs", {
        "run_name": "r", "dataset_id": dataset["id"], "providers": ["gemini-2.5-pro"]}, 202)

    def ended():
        # The schedule comes by each minute; nobody has to wait for it.
        assert invoke(emulator, physical, "PollFunction", {"source": "aws.scheduler"}) is None
        found = api("GET", f"/runs/{run['id']}?include_results=true")
        return found if found["status"] not in ("pending", "processing") else None

    done = wait("the run has ended", ended)
    assert done["status"] == "completed", done
    recordings = [json.loads(line) for line in
                  (CLIPS / "recordings.jsonl").read_text(encoding="utf-8").splitlines()]
    known = {r["text"] for r in recordings if r["model"] == "gemini-2.5-pro"}
    transcriptions = [result["transcription"] for result in done["results"]]
    assert len(transcriptions) == 2 and set(transcriptions) <= known
    # The raw output lies in the bucket, beside nothing of another project.
    listed = client(emulator, "s3").list_objects_v2(Bucket=stack["Bucket"], Prefix="runs/demo/")
    assert any(o["Key"].endswith("output.jsonl") for o in listed["Contents"])
    for queue in ("EventsDeadLetters", "SubmitDeadLetters"):
        left = client(emulator, "sqs").get_queue_attributes(
            QueueUrl=physical[queue], AttributeNames=["ApproximateNumberOfMessages"])
        assert left["Attributes"]["ApproximateNumberOfMessages"] == "0", queue
