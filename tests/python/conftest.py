"""A running embedded cloud for the tests in aws_clients.

They read the endpoints from the environment when they are imported, so it is
started when pytest meets the first of them, unless STT_S3 says that one runs
already. STT_EVAL_LOCAL_BIN is the binary to start.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
READY_WITHIN = 60

# What the embedded cloud accepts (`CloudConfig` of infra/local).
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}

cloud = None


class Cloud:
    """`stt-eval-local serve` on free ports, with a data directory of its own."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="stt-eval-")
        binary = os.environ["STT_EVAL_LOCAL_BIN"]
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", self.data]
        command += ["--gemini", "sim"]
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        # Without the timer a server that never gets ready would hang the run.
        timer = threading.Timer(READY_WITHIN, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise RuntimeError(f"ended, or not ready in {READY_WITHIN} s: {command}\n{self.logged()}")
        self.ready = json.loads(line)
        assert self.ready["ready"] is True, line

    def logged(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self):
        """SIGTERM stops it cleanly, and nothing but the ready line was printed."""
        self.process.terminate()
        try:
            rest, _ = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.returncode == 0, f"{self.process.returncode}\n{self.logged()}"
        assert rest == "", f"more than one line on stdout: {rest!r}"
        shutil.rmtree(self.data)


def pytest_collect_file(file_path):
    global cloud
    if file_path.suffix != ".py" or HERE / "aws_clients" not in file_path.parents:
        return
    if cloud is None and "STT_S3" not in os.environ:
        cloud = Cloud()
        os.environ.update(CREDENTIALS)
        # Nothing of a real account is near.
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            os.environ.pop(name, None)
        os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        for service in ("s3", "dynamodb", "sqs", "bucket"):
            os.environ[f"STT_{service.upper()}"] = cloud.ready[service]
        os.environ["STT_API"] = cloud.ready["url"]
        os.environ["STT_GEMINI"] = cloud.ready["gemini"]
        os.environ["STT_API_KEY"] = cloud.ready["api_keys"]["demo"]


def pytest_sessionfinish(session):
    if cloud is None:
        return
    try:
        cloud.stop()
    except (AssertionError, subprocess.TimeoutExpired) as problem:
        print(f"\nthe embedded cloud did not stop cleanly: {problem}")
        session.exitstatus = 1
