"""The stack, deployed by `sam deploy` to an emulator of AWS.

`ministack` (from PyPI, no container) makes the template's resources, connects
bucket, queues and functions, and runs the functions' own binaries. What is
deployed is what `sam build` left in DEPLOYED_BUILD: the release bootstraps,
built by cargo-lambda for the processor that this runs on.

Needs the packages of requirements.txt, `sam` in SAM_BIN, that build, and
`gemini-sim` in GEMINI_SIM_BIN.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from unittest import mock

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/python"))

import cfn  # noqa: E402

CLIPS = ROOT / "infra/local/clips"
BUILD = Path(os.environ["DEPLOYED_BUILD"])
FUNCTIONS = ["api", "register", "submit", "poll"]
STACK = "stt-eval-test"
ACCOUNT = "000000000000"  # the emulator's
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


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="session")
def simulator():
    command = [os.environ["GEMINI_SIM_BIN"], "--recordings", CLIPS / "recordings.jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def stack(emulator, simulator, home):
    """Deploys; gives the outputs."""
    template = BUILD / "template.yaml"
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


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def api(emulator, physical):
    """The first project, its first key, and a provider's key."""
    operator = {"action": "create_project", "project": "demo"}
    made = invoke(emulator, physical, "PollFunction", {"operator": operator})
    assert made["created"] is True, made
    operator = {"action": "create_key", "project": "demo", "name": "first", "role": "admin"}
    key = invoke(emulator, physical, "PollFunction", {"operator": operator})["key"]
    return Api(emulator, physical, key)


class Deployed:
    """The template after SAM's transform, with the names that things have now."""

    def __init__(self, template, physical):
        self.types = {name: resource["Type"] for name, resource in template.items()}
        self.physical = physical
        self.resources = {name: self.named(resource.get("Properties", {}))
                          for name, resource in template.items()}

    def of(self, kind):
        """Logical name, physical name and properties of each of a type."""
        found = [(name, self.physical[name], self.resources[name])
                 for name, known in self.types.items() if known == kind]
        assert found, kind
        return found

    def named(self, value):
        if isinstance(value, dict):
            return {name: self.named(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.named(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\$\{(\w+)(?:\.(\w+))?\}", self.name, value)

    def name(self, found):
        logical, attribute = found.groups()
        if logical not in self.physical:
            return found[0]
        here = self.physical[logical]
        last = here.rsplit("/", 1)[-1]
        region = f"us-east-1:{ACCOUNT}"
        if attribute == "Arn":
            return {
                "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{region}:table/{here}",
                "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{here}",
                "AWS::KMS::Key": f"arn:aws:kms:{region}:key/{here}",
                "AWS::Lambda::Function": f"arn:aws:lambda:{region}:function:{here}",
                "AWS::Logs::LogGroup": f"arn:aws:logs:{region}:log-group:{here}:*",
                "AWS::S3::Bucket": f"arn:aws:s3:::{here}",
                "AWS::SQS::Queue": f"arn:aws:sqs:{region}:{last}",
            }[self.types[logical]]
        if attribute == "QueueName":
            return last
        assert attribute is None, found[0]
        return here


@pytest.fixture(scope="session")
def wanted(emulator, simulator, physical):
    stack = client(emulator, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    here = {"AWS::AccountId": ACCOUNT, "AWS::StackName": STACK, "AWS::StackId": stack["StackId"]}
    with mock.patch.dict(cfn.PSEUDO, here):
        resources = cfn.deployed(cfn.load(), **PARAMETERS, GeminiBaseUrl=simulator)
    return Deployed(resources, physical)
