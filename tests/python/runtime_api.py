"""Lambda's Runtime API, as a function's process sees it, and that process.

    with Function(binary, environment) as function:
        answer = function.invoke(event)

Standard library only: infra/bench/cold_start.py measures with it. Answers go
out in one piece and without Nagle's delay, or each would seem 40 ms slower.
"""

import json
import queue
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field

PREFIX = "/2018-06-01/runtime/"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class Failed(Exception):
    """The function answered with an error, or its process ended."""


@dataclass
class Invocation:
    """An event on its way to the function, and its answer on the way back."""

    body: bytes
    deadline_ms: int
    answer: queue.Queue = field(default_factory=lambda: queue.Queue(1))
    given: float = 0.0


class RuntimeApi:
    """Listens for one process; `asked` is when it first wanted an event."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.waiting = queue.Queue()
        self.given = {}
        self.asked = None
        self.ready = threading.Event()
        self.init_error = None
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        buffer = b""
        try:
            with connection:
                while True:
                    while b"\r\n\r\n" not in buffer:
                        received = connection.recv(65536)
                        if not received:
                            return
                        buffer += received
                    arrived = time.perf_counter()
                    head, buffer = buffer.split(b"\r\n\r\n", 1)
                    lines = head.decode("latin-1").split("\r\n")
                    method, path, _ = lines[0].split(" ")
                    headers = {k.lower(): v.strip() for k, v in
                               (line.split(":", 1) for line in lines[1:])}
                    body, buffer = self._body(connection, headers, buffer)
                    connection.sendall(self._answer(method, path, body, arrived))
        except OSError:
            return

    @staticmethod
    def _body(connection, headers, buffer):
        def need(count):
            nonlocal buffer
            while len(buffer) < count:
                received = connection.recv(65536)
                if not received:
                    raise OSError("the function broke off")
                buffer += received

        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                while b"\r\n" not in buffer:
                    need(len(buffer) + 1)
                size, buffer = buffer.split(b"\r\n", 1)
                size = int(size, 16)
                need(size + 2)
                body, buffer = body + buffer[:size], buffer[size + 2:]
                if size == 0:
                    return body, buffer
        length = int(headers.get("content-length", 0))
        need(length)
        return buffer[:length], buffer[length:]

    def _answer(self, method, path, body, arrived):
        path = path.removeprefix(PREFIX)
        if (method, path) == ("GET", "invocation/next"):
            if self.asked is None:
                self.asked = arrived
                self.ready.set()
            invocation = self.waiting.get()
            number = f"8476a536-e9f4-11e8-9739-{len(self.given):012d}"
            self.given[number] = invocation
            invocation.given = time.perf_counter()
            return self._response("200 OK", invocation.body, {
                "Lambda-Runtime-Aws-Request-Id": number,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn":
                    "arn:aws:lambda:us-east-1:123456789012:function:f",
                "Lambda-Runtime-Trace-Id": TRACE,
            })
        if path == "init/error":
            self.init_error = body
            self.ready.set()
        else:
            _, number, kind = path.split("/")
            self.given[number].answer.put((kind, body, arrived))
        return self._response("202 Accepted", b'{"status":"OK"}', {})

    @staticmethod
    def _response(status, body, headers):
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class Function:
    """A bootstrap that runs, with its own Runtime API."""

    def __init__(self, binary, environment, *, log=subprocess.DEVNULL):
        self.api = RuntimeApi()
        environment = {
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            **environment,
        }
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(binary)], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.api.close()

    def wait_ready(self, seconds=30):
        """Until it asks for its first event; gives the seconds that it took."""
        until = time.monotonic() + seconds
        while not self.api.ready.wait(0.02):
            if self.process.poll() is not None:
                raise Failed(f"the process ended with {self.process.returncode}")
            if time.monotonic() > until:
                raise Failed("it never asked for an event")
        if self.api.init_error is not None:
            raise Failed(self.api.init_error.decode())
        return self.api.asked - self.began

    def invoke_timed(self, event, seconds=60):
        """Gives the answer, and the seconds from process start to it."""
        answer, _, arrived = self.invoke_between(event, seconds)
        return answer, arrived - self.began

    def invoke_between(self, event, seconds=60):
        """Gives the answer, when the process was given the event, and when it had answered."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        deadline_ms = int((time.time() + seconds) * 1000)
        invocation = Invocation(body, deadline_ms)
        self.api.waiting.put(invocation)
        until = time.monotonic() + seconds
        while True:
            try:
                kind, body, arrived = invocation.answer.get(timeout=0.2)
                break
            except queue.Empty:
                if self.process.poll() is not None:
                    raise Failed(f"the process ended with {self.process.returncode}") from None
                if time.monotonic() > until:
                    raise Failed("no answer") from None
        if kind != "response":
            raise Failed(body.decode())
        return json.loads(body) if body else None, invocation.given, arrived

    def invoke(self, event, seconds=60):
        return self.invoke_timed(event, seconds)[0]

    def resident_mb(self):
        """Resident memory now, and at its highest."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            lines = dict(line.split(":", 1) for line in status if ":" in line)
        return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
