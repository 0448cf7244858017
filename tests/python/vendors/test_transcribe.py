"""boto3 against the double of Amazon Transcribe, with a bucket of `moto`.

The double is asked the way AWS's own client asks the service, reads its audio from an S3
that is not ours, and must answer so that the client raises the errors that it knows. What
`moto` itself says of a name that is taken is asked as well: the adapter relies on it.
"""

import json
import os
import subprocess
import time

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from moto.server import ThreadedMotoServer
from test_vendors import AUDIO, SHA256, TEXT, Doubles, refuse

BUCKET = "audio-and-transcripts"
KEYS = {"aws_access_key_id": "of-boto", "aws_secret_access_key": "s", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(moto):
    client = boto3.client("s3", endpoint_url=moto, **KEYS)
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="a.wav", Body=AUDIO)
    return client


@pytest.fixture(scope="module")
def doubles(moto, s3):
    command = [os.environ["SPEECH_SIM_BIN"], "--s3", moto]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    made = Doubles(json.loads(process.stdout.readline()))
    made._ask("/_sim/recordings", {SHA256: TEXT})
    yield made
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The client's own description of the service, with the protocol that Rust's speaks."""
    home = tmp_path_factory.mktemp("models")
    model = botocore.loaders.create_loader().load_service_model("transcribe", "service-2")
    model["metadata"] |= {"protocol": "json", "protocols": ["json"]}
    place = home / "transcribe" / model["metadata"]["apiVersion"]
    place.mkdir(parents=True)
    (place / "service-2.json").write_text(json.dumps(model), encoding="utf-8")
    return home


def client_at(url, models):
    session = botocore.session.get_session()
    session.set_config_variable("data_path", str(models))
    made = boto3.Session(botocore_session=session)
    config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=5)
    return made.client("transcribe", endpoint_url=url, config=config, **KEYS)


@pytest.fixture
def transcribe(doubles, models):
    return client_at(doubles.vendors["aws"], models)


def start(client, name, **others):
    asked = {
        "TranscriptionJobName": name,
        "LanguageCode": "hi-IN",
        "MediaFormat": "wav",
        "Media": {"MediaFileUri": f"s3://{BUCKET}/a.wav"},
        "OutputBucketName": BUCKET,
        "OutputKey": f"left/{name}.json",
    }
    return client.start_transcription_job(**(asked | others))["TranscriptionJob"]


def ended(client, name):
    """The states of a job until it is over."""
    seen = []
    for _ in range(100):
        job = client.get_transcription_job(TranscriptionJobName=name)["TranscriptionJob"]
        seen.append(job["TranscriptionJobStatus"])
        if seen[-1] in ("COMPLETED", "FAILED"):
            return seen, job
        time.sleep(0.01)
    raise AssertionError(seen)


def code_of(raised):
    return raised.value.response["Error"]["Code"]


def test_a_job_leaves_its_transcript_and_is_charged_once(doubles, transcribe, s3):
    job = start(transcribe, "one")
    assert (job["TranscriptionJobName"], job["TranscriptionJobStatus"]) == ("one", "QUEUED")
    states, _ = ended(transcribe, "one")
    assert states == ["IN_PROGRESS", "COMPLETED"]
    left = json.loads(s3.get_object(Bucket=BUCKET, Key="left/one.json")["Body"].read())
    assert left["jobName"] == "one"
    assert left["results"]["transcripts"] == [{"transcript": TEXT}]
    # The name is taken for as long as the job is kept.
    with pytest.raises(transcribe.exceptions.ConflictException):
        start(transcribe, "one")
    assert len(doubles.charges("aws")) == 1
    transcribe.delete_transcription_job(TranscriptionJobName="one")
    for gone in (transcribe.get_transcription_job, transcribe.delete_transcription_job):
        with pytest.raises(transcribe.exceptions.BadRequestException, match="couldn't be found"):
            gone(TranscriptionJobName="one")


@pytest.mark.parametrize(
    "others",
    [
        {"LanguageCode": "as-IN"},
        {"Media": {"MediaFileUri": f"s3://{BUCKET}/not-there.wav"}},
        {"Media": {"MediaFileUri": f"s3://{BUCKET}/a.wav"}, "IdentifyLanguage": True},
    ],
)
def test_what_is_refused_costs_nothing(doubles, transcribe, others):
    before = len(doubles.charges("aws"))
    with pytest.raises(transcribe.exceptions.BadRequestException):
        start(transcribe, "refused", **others)
    assert len(doubles.charges("aws")) == before


def test_faults_are_errors_of_the_client(doubles, transcribe):
    for kind in ("LimitExceededException", "AccessDeniedException", "ThrottlingException"):
        doubles.fault("aws", refuse(400, {"__type": kind, "Message": "m"}))
        with pytest.raises(ClientError) as raised:
            start(transcribe, "faults")
        assert code_of(raised) == kind
    before = len(doubles.charges("aws"))
    doubles.fault("aws", {"fault": "lost_reply"})
    with pytest.raises(ConnectionClosedError):
        start(transcribe, "faults")
    # It was done all the same: the name tells.
    with pytest.raises(transcribe.exceptions.ConflictException):
        start(transcribe, "faults")
    assert len(doubles.charges("aws")) == before + 1
    with pytest.raises(transcribe.exceptions.BadRequestException, match="couldn't be deleted"):
        transcribe.delete_transcription_job(TranscriptionJobName="faults")
    doubles.fault("aws/file", refuse(0, "Unsupported audio format"))
    start(transcribe, "fails")
    _, job = ended(transcribe, "fails")
    assert job["TranscriptionJobStatus"] == "FAILED"
    assert "Unsupported audio format" in job["FailureReason"]


def test_moto_says_the_same_of_names(moto, s3, models):
    client = client_at(moto, models)
    start(client, "of-moto")
    with pytest.raises(client.exceptions.ConflictException):
        start(client, "of-moto")
    states, _ = ended(client, "of-moto")
    assert states[-1] == "COMPLETED"
    client.delete_transcription_job(TranscriptionJobName="of-moto")
    with pytest.raises(client.exceptions.BadRequestException, match="couldn't be found"):
        client.get_transcription_job(TranscriptionJobName="of-moto")
