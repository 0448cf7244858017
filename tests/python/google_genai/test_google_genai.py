"""The official Python client against gemini-sim, on both API versions.

Needs the binary in GEMINI_SIM_BIN and the packages of requirements.txt:

    GEMINI_SIM_BIN=target/debug/gemini-sim python -m pytest tests/python/google_genai
"""

import hashlib
import json
import os
import subprocess
import time
import urllib.request

import pytest
from google import genai
from google.genai import errors, types

MODEL = "gemini-2.5-pro"
CLIPS = {name: (name.encode() * 8000)[:16000] for name in ("one", "two", "three")}
BIG = bytes(range(256)) * (20 * 1024 * 1024 // 256) + b"tail"
TEXTS = {"one": "the first clip", "two": "दूसरी क्लिप", "three": "தமிழ்", "big": "a long one"}


def recording(audio, text):
    digest = hashlib.sha256(audio).hexdigest()
    return json.dumps({"sha256": digest, "model": MODEL, "text": text})


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("sim") / "recordings.jsonl"
    lines = [recording(audio, TEXTS[name]) for name, audio in CLIPS.items()]
    path.write_text("\n".join([*lines, recording(BIG, TEXTS["big"])]), encoding="utf-8")
    binary = os.environ["GEMINI_SIM_BIN"]
    command = [binary, "--listen", "127.0.0.1:0", "--batch-delay", "300ms"]
    command += ["--recordings", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True and ready["recordings"] == 4
    yield ready["url"]
    process.terminate()
    assert process.wait(10) == 0, "SIGTERM stops it cleanly"


@pytest.fixture(params=[None, "v1beta"], ids=["default-v1", "v1beta"])
def client(url, request):
    """A client with the default version of the SDK, and one with v1beta."""
    options = {"base_url": url}
    if request.param:
        options["api_version"] = request.param
    key = f"key-{request.param}-{time.monotonic_ns()}"
    yield genai.Client(api_key=key, http_options=types.HttpOptions(**options))
    control(url, "DELETE", "/_sim/faults")


def control(url, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def upload(client, path, data, mime, **config):
    path.write_bytes(data)
    config = types.UploadFileConfig(mime_type=mime, **config)
    return client.files.upload(file=str(path), config=config)


def line(key, file, case="snake"):
    """A JSONL line as the documentation has it, in either spelling."""
    data, uri, mime = {
        "snake": ("file_data", "file_uri", "mime_type"),
        "camel": ("fileData", "fileUri", "mimeType"),
    }[case]
    parts = [{"text": "Transcribe."}, {data: {uri: file.uri, mime: file.mime_type}}]
    config = "generation_config" if case == "snake" else "generationConfig"
    request = {"contents": [{"role": "user", "parts": parts}], config: {"temperature": 0}}
    return json.dumps({"key": key, "request": request})


def jsonl(client, path, lines):
    return upload(client, path, "\n".join(lines).encode(), "application/jsonl", display_name="in")


def done(client, job):
    for _ in range(100):
        job = client.batches.get(name=job.name)
        if job.done:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job.name} does not end: {job.state}")


def text_of(response):
    return "".join(part["text"] for part in response["candidates"][0]["content"]["parts"])


def test_upload_small(client, tmp_path):
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav", display_name="clip")
    assert file.state == types.FileState.ACTIVE
    assert file.source == types.FileSource.UPLOADED
    assert (file.display_name, file.mime_type, file.size_bytes) == ("clip", "audio/wav", 16000)
    assert file.uri == f"https://generativelanguage.googleapis.com/v1beta/{file.name}"
    assert file.expiration_time > file.create_time
    assert client.files.get(name=file.name).sha256_hash == file.sha256_hash


def test_upload_of_20_mb_goes_in_three_chunks(client, url, tmp_path):
    control(url, "DELETE", "/_sim/ledger")
    file = upload(client, tmp_path / "big.wav", BIG, "audio/wav")
    assert file.size_bytes == len(BIG)
    chunks = [e for e in control(url, "GET", "/_sim/ledger")["entries"] if e["route"] == "upload_chunk"]
    assert [e["bytes"] for e in chunks] == [8388608, 8388608, len(BIG) - 2 * 8388608]
    job = client.batches.create(model=MODEL, src=jsonl(client, tmp_path / "j", [line("big", file)]).name)
    output = client.files.download(file=done(client, job).dest.file_name)
    assert text_of(json.loads(output)["response"]) == TEXTS["big"]


def test_chosen_names_are_unique(client, tmp_path):
    name = f"clip-{time.monotonic_ns()}"
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav", name=name)
    assert file.name == f"files/{name}"
    with pytest.raises(errors.ClientError) as taken:
        upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav", name=name)
    assert (taken.value.code, taken.value.status) == (409, "ALREADY_EXISTS")
    with pytest.raises(errors.ClientError) as wrong:
        upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav", name="Not_Allowed")
    assert (wrong.value.code, wrong.value.status) == (400, "INVALID_ARGUMENT")


def test_files_list_and_delete(client, tmp_path):
    assert list(client.files.list()) == []
    names = [
        upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav").name for _ in range(5)
    ]
    listed = [file.name for file in client.files.list(config={"page_size": 2})]
    assert listed == names[::-1], "pages, newest first"
    client.files.delete(name=names[0])
    with pytest.raises(errors.ClientError) as gone:
        client.files.get(name=names[0])
    assert (gone.value.code, gone.value.status) == (403, "PERMISSION_DENIED")
    assert len(list(client.files.list())) == 4


@pytest.mark.parametrize("case", ["snake", "camel"])
def test_batch_from_a_file(client, tmp_path, case):
    lines = []
    for name, audio in CLIPS.items():
        file = upload(client, tmp_path / f"{name}.wav", audio, "audio/wav")
        lines.append(line(f"key/{name}", file, case))
    unknown = upload(client, tmp_path / "x.wav", b"nobody recorded this", "audio/wav")
    lines.append(line("key/x", unknown, case))
    source = jsonl(client, tmp_path / "in.jsonl", lines)
    job = client.batches.create(
        model=MODEL, src=source.name, config={"display_name": "run-1-gemini"}
    )
    assert job.state in (types.JobState.JOB_STATE_PENDING, types.JobState.JOB_STATE_RUNNING)
    assert job.dest is None or job.dest.file_name is None
    job = done(client, job)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert (job.display_name, job.model) == ("run-1-gemini", f"models/{MODEL}")
    assert job.end_time >= job.create_time
    output = client.files.download(file=job.dest.file_name).decode()
    rows = {row["key"]: row for row in map(json.loads, output.splitlines())}
    assert set(rows) == {f"key/{name}" for name in [*CLIPS, "x"]}
    for name in CLIPS:
        response = rows[f"key/{name}"]["response"]
        assert text_of(response) == TEXTS[name]
        assert response["modelVersion"] == MODEL and response["responseId"]
        # 16,000 bytes at 32,000 a second, 32 tokens a second; 11 characters of prompt.
        assert response["usageMetadata"]["promptTokenCount"] == 16 + 3
    error = rows["key/x"]["error"]
    assert error["code"] == 5
    assert "no recording" in error["message"]
    with pytest.raises(errors.ClientError):
        client.files.download(file=unknown.name)


def test_batch_inline(client):
    known = types.Part.from_bytes(data=CLIPS["two"], mime_type="audio/wav")
    unknown = types.Part.from_bytes(data=b"?", mime_type="audio/wav")
    requests = [
        types.InlinedRequest(
            contents=[types.Content(role="user", parts=[types.Part(text="Transcribe."), part])],
            metadata={"key": key},
            config=types.GenerateContentConfig(temperature=0),
        )
        for key, part in (("good", known), ("bad", unknown))
    ]
    job = done(client, client.batches.create(model=MODEL, src=requests))
    good, bad = job.dest.inlined_responses
    assert good.response.text == TEXTS["two"]
    assert good.metadata == {"key": "good"}
    assert bad.error.code == 5 and bad.response is None
    assert bad.metadata == {"key": "bad"}


def test_batches_list_cancel_delete(client, url, tmp_path):
    assert list(client.batches.list()) == []
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav")
    source = jsonl(client, tmp_path / "in.jsonl", [line("a", file)])
    # Held, so that it cannot end before it is cancelled.
    control(url, "POST", "/_sim/faults", {"fault": {"type": "stuck", "state": "RUNNING"}})

    def create():
        return client.batches.create(model=MODEL, src=source.name)

    names = [create().name for _ in range(3)]
    listed = [job.name for job in client.batches.list(config={"page_size": 1})]
    assert listed == names[::-1]
    last = create()
    client.batches.cancel(name=last.name)
    cancelled = client.batches.get(name=last.name)
    assert cancelled.state == types.JobState.JOB_STATE_CANCELLED
    assert cancelled.done
    client.batches.delete(name=last.name)
    with pytest.raises(errors.ClientError) as gone:
        client.batches.get(name=last.name)
    assert gone.value.code == 404
    assert len(list(client.batches.list())) == 3


def test_models_and_generate_content(client, tmp_path):
    names = {model.name for model in client.models.list()}
    assert {f"models/{MODEL}", "models/gemini-3.8-flash"} <= names
    assert "batchGenerateContent" in client.models.get(model=MODEL).supported_actions
    file = upload(client, tmp_path / "a.wav", CLIPS["three"], "audio/wav")
    for part in (file, types.Part.from_bytes(data=CLIPS["three"], mime_type="audio/wav")):
        response = client.models.generate_content(model=MODEL, contents=["Transcribe.", part])
        assert response.text == TEXTS["three"]
    with pytest.raises(errors.ClientError) as missing:
        client.models.get(model="gemini-0")
    assert missing.value.code == 404


def test_errors(client, url, tmp_path):
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav")
    source = jsonl(client, tmp_path / "in.jsonl", [line("a", file)])
    doubled = jsonl(client, tmp_path / "in.jsonl", [line("a", file)] * 2)
    unknown_field = jsonl(
        client, tmp_path / "in.jsonl", ['{"key":"a","request":{"contents":[],"thinking_config":{}}}']
    )
    for model, src, code, words in [
        ("gemini-0", source.name, 404, "not found for API version"),
        (MODEL, "files/nothing", 403, "permission to access the File"),
        (MODEL, doubled.name, 400, "duplicate key"),
        (MODEL, unknown_field.name, 400, "thinking_config"),
        (MODEL, file.name, 400, "MIME type"),
    ]:
        with pytest.raises(errors.ClientError) as refused:
            client.batches.create(model=model, src=src)
        assert refused.value.code == code
        assert words in refused.value.message
    rule = {"fault": {"type": "status", "code": 503}, "route": "batch_create", "times": 1}
    control(url, "POST", "/_sim/faults", rule)
    with pytest.raises(errors.ServerError) as down:
        client.batches.create(model=MODEL, src=source.name)
    assert (down.value.code, down.value.status) == (503, "UNAVAILABLE")
    assert client.batches.create(model=MODEL, src=source.name).name.startswith("batches/")


def test_failed_batches_are_parsed(client, url, tmp_path):
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav")
    source = jsonl(client, tmp_path / "in.jsonl", [line("a", file)])
    for state in ("FAILED", "EXPIRED", "CANCELLED"):
        fault = {"type": "end", "state": state, "code": 13, "message": "for the test"}
        control(url, "POST", "/_sim/faults", {"fault": fault, "times": 1})
        job = done(client, client.batches.create(model=MODEL, src=source.name))
        assert job.state == types.JobState[f"JOB_STATE_{state}"]
    control(url, "POST", "/_sim/faults", {"fault": {"type": "no_update_time"}, "times": 1})
    job = done(client, client.batches.create(model=MODEL, src=source.name))
    assert job.update_time is None


def test_reply_lost_after_create_leaves_a_batch_to_adopt(client, url, tmp_path):
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav")
    source = jsonl(client, tmp_path / "in.jsonl", [line("a", file)])
    rule = {"fault": {"type": "lose_reply"}, "route": "batch_create", "times": 1}
    control(url, "POST", "/_sim/faults", rule)
    with pytest.raises(Exception) as lost:
        client.batches.create(model=MODEL, src=source.name, config={"display_name": "mine"})
    assert not isinstance(lost.value, errors.APIError)
    assert [job.display_name for job in client.batches.list()] == ["mine"]


def test_keys_see_only_their_own(client, url, tmp_path):
    file = upload(client, tmp_path / "a.wav", CLIPS["one"], "audio/wav")
    source = jsonl(client, tmp_path / "in.jsonl", [line("a", file)])
    job = client.batches.create(model=MODEL, src=source.name)
    other = genai.Client(api_key="other", http_options=types.HttpOptions(base_url=url))
    assert job.name not in [job.name for job in other.batches.list()]
    for call in (lambda: other.files.get(name=file.name), lambda: other.batches.get(name=job.name)):
        with pytest.raises(errors.ClientError) as hidden:
            call()
        assert hidden.value.code in (403, 404)
