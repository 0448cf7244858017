"""A proxy in front of gemini-sim that answers one call in another way.

What it plays is what live services, and what stands before them, have been
seen to answer. An answer is given in place of the call (`before`: the service
never saw it) or in place of the service's own (`after`: it did what was asked).
"""

import http.client
import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

START = ("POST", r"^/upload/\w+/files(\?(?!.*upload_id).*)?$")
CHUNK = ("POST", r"^/upload/\w+/files\?.*upload_id=")
ROUTES = {
    # Of audio that is not there yet comes first; of a run whose audio is there,
    # only the request document is sent.
    "audio_start": START,
    "audio_chunk": CHUNK,
    "document_start": START,
    "document_chunk": CHUNK,
    "file_get": ("GET", r"^/\w+/files/[^/:?]+(\?.*)?$"),
    "file_delete": ("DELETE", r"^/\w+/files/"),
    "file_download": ("GET", r"^(/download)?/\w+/files/[^/]+:download"),
    "batch_create": ("POST", r":batchGenerateContent"),
    "batch_get": ("GET", r"^/\w+/batches/"),
    "batch_list": ("GET", r"^/\w+/batches(\?.*)?$"),
    "batch_delete": ("DELETE", r"^/\w+/batches/"),
}


def error(status, name):
    body = {"error": {"code": status, "message": "an odd answer", "status": name, "details": []}}
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def page_of_33_megabytes():
    """What a list is like in which inline results of others stand."""
    inline = {"response": {"candidates": [{"content": {"parts": [{"text": "x" * 1_000_000}]}}]}}
    entry = {
        "name": "batches/" + "y" * 36,
        "metadata": {
            "displayName": "somebody else's",
            "state": "BATCH_STATE_SUCCEEDED",
            "output": {"inlinedResponses": {"inlinedResponses": [inline] * 33}},
        },
        "done": True,
    }
    return 200, {"Content-Type": "application/json"}, json.dumps({"operations": [entry]}).encode()


ANSWERS = {
    "302": lambda: (302, {"Location": "/elsewhere"}, b""),
    "302-away": lambda: (302, {"Location": "http://127.0.0.1:9/elsewhere"}, b""),
    "400": lambda: error(400, "INVALID_ARGUMENT"),
    "403": lambda: error(403, "PERMISSION_DENIED"),
    "404": lambda: error(404, "NOT_FOUND"),
    "409": lambda: error(409, "ALREADY_EXISTS"),
    "429": lambda: error(429, "RESOURCE_EXHAUSTED"),
    "429-retry-after": lambda: (429, {"Retry-After": "1", **error(429, "")[1]}, error(429, "RESOURCE_EXHAUSTED")[2]),
    "500": lambda: error(500, "INTERNAL"),
    "html": lambda: (200, {"Content-Type": "text/html"}, b"<html><body>Sign in to continue</body></html>"),
    "half": None,
    "33-mb": page_of_33_megabytes,
}
# Answers after which it can't be known whether the call was done.
UNCLEAR = ("302", "302-away", "500", "html", "half", "33-mb")
HOP = {"connection", "transfer-encoding", "keep-alive", "host"}


class Proxy:
    """Listens on a free port; `arm` says which call is answered otherwise, once."""

    def __init__(self, target):
        self.target = urllib.parse.urlsplit(target).netloc
        self._lock, self._armed = threading.Lock(), None
        self.struck, self.seen = [], []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                proxy.handle(self)

            do_GET = do_POST = do_DELETE = do_PATCH = handle_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arm(self, route, answer, after):
        with self._lock:
            self._armed = (route, answer, after)
            self.struck, self.seen = [], []

    def disarm(self):
        with self._lock:
            self._armed = None

    def _strike(self, method, path):
        with self._lock:
            route = next((r for r, (m, p) in ROUTES.items() if m == method and re.search(p, path)), None)
            self.seen.append((method, route, path))
            if self._armed is None or ROUTES[self._armed[0]] != ROUTES.get(route):
                return None
            armed, self._armed = self._armed, None
            self.struck.append(path)
            return armed

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        armed = self._strike(handler.command, handler.path)
        whole = None
        if armed is None or armed[2] or armed[1] == "half":
            whole = self._forward(handler, body)
        if armed is None:
            return self._answer(handler, *whole)
        if armed[1] == "half":
            status, headers, content = whole
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(max(len(content), 2)))
            handler.end_headers()
            handler.wfile.write(content[: len(content) // 2])
            handler.close_connection = True
            return None
        return self._answer(handler, *ANSWERS[armed[1]]())

    def _forward(self, handler, body):
        connection = http.client.HTTPConnection(self.target, timeout=60)
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in HOP}
        headers["Host"] = handler.headers["Host"]
        try:
            connection.request(handler.command, handler.path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP | {"content-length"}}
            # Where an upload goes on: it is to come by here as well.
            led = {k: v.replace(f"//{self.target}/", f"//{headers['Host']}/") for k, v in kept.items()}
            return answer.status, led, content
        finally:
            connection.close()

    @staticmethod
    def _answer(handler, status, headers, content):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        try:
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True
