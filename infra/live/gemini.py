"""The first live hour, Gemini: one clip through Files and Batch, call by call.

    GEMINI_API_KEY=… python infra/live/gemini.py [--clip FILE] [--cancel] [--json FILE]

Costs one batch item of a few seconds of audio (two with --cancel), far below
one cent. Prints what was seen beside what `gemini-sim` plays; exit 0 when all
is the same, 1 when something differs or was not seen, 2 when it could not run.
Needs Python 3.11 and nothing else; redirects are not followed, so that they are
seen. Whatever it makes it deletes, as far as the service lets it.
"""

import argparse
import http.client
import json
import os
import pathlib
import secrets
import sys
import time
import urllib.parse

from observations import Observations

REAL = "https://generativelanguage.googleapis.com"
CLIP = pathlib.Path(__file__).resolve().parents[2] / "infra/local/clips/hi-01.wav"
TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg"}
TIMEOUT = 120
MAX_BODY = 64 * 1024 * 1024
OVER = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
FIELDS = (
    "operations(name,done,error,metadata(name,displayName,state,createTime,output/responsesFile),"
    "response/responsesFile),nextPageToken"
)


class Refused(Exception):
    """An answer without which nothing more can be looked at."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def error(self):
        """Status and message of a refusal, without what could be a secret."""
        error = self.json.get("error") or {}
        return f"{self.status} {error.get('status', '')}".strip()


class Gemini:
    """Plain HTTP to one base address: no redirects, no repetition."""

    def __init__(self, base, key):
        parts = urllib.parse.urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SystemExit(f"--url {base}: an http or https address is wanted")
        self.scheme, self.host, self.key = parts.scheme, parts.netloc, key

    def ask(self, method, path, body=None, headers=None, key=True):
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.host, timeout=TIMEOUT)
        headers = dict(headers or {})
        if key:
            headers["x-goog-api-key"] = self.key
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(MAX_BODY))
        finally:
            connection.close()

    def upload(self, display_name, mime, data, seen, what):
        start = self.ask(
            "POST",
            "/upload/v1beta/files",
            {"file": {"displayName": display_name}},
            {
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(len(data)),
                "X-Goog-Upload-Header-Content-Type": mime,
            },
        )
        target = start.headers.get("X-Goog-Upload-URL") if start.status == 200 else None
        if not target:
            raise Refused(f"the upload of the {what} was not begun: {start.error}")
        parts = urllib.parse.urlsplit(target)
        seen.see(f"upload of the {what}: host of the upload URL", self.host, parts.netloc,
                 "the client sends audio to the same host only")
        done = self.ask(
            "POST",
            f"{parts.path}?{parts.query}",
            data,
            {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"},
        )
        file = done.json.get("file") or {}
        if not file.get("name"):
            raise Refused(f"the upload of the {what} did not end: {done.error}")
        for _ in range(60):
            if file.get("state") != "PROCESSING":
                break
            time.sleep(2)
            file = self.ask("GET", f"/v1beta/{file['name']}").json
        seen.see(f"state of the {what}", "ACTIVE", file.get("state"), "staging of audio")
        return file


def state_of(operation):
    state = (operation.get("metadata") or {}).get("state") or ""
    return state.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")


def output_of(operation):
    metadata = (operation.get("metadata") or {}).get("output") or {}
    response = operation.get("response") or {}
    return metadata.get("responsesFile"), response.get("responsesFile")


def listed(gemini, name, fields=True):
    """The entry of a batch in the list, how many pages it took, and the answer."""
    token, pages = "", 0
    while True:
        query = {"pageSize": "20"}
        if fields:
            query["fields"] = FIELDS
        if token:
            query["pageToken"] = token
        answer = gemini.ask("GET", "/v1beta/batches?" + urllib.parse.urlencode(query))
        pages += 1
        for entry in answer.json.get("operations") or []:
            if entry.get("name") == name:
                return entry, pages, answer
        token = answer.json.get("nextPageToken")
        if answer.status != 200 or not token or pages >= 50:
            return None, pages, answer


def create(gemini, model, document, name):
    body = {"batch": {"displayName": name, "inputConfig": {"fileName": document}}}
    return gemini.ask("POST", f"/v1beta/models/{model}:batchGenerateContent", body)


def document_for(audio, mime):
    """One line of the shape that the product sends."""
    line = {
        "key": "first-live-item",
        "request": {
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"text": "Transcribe the speech in this recording word for word, in the script of its language."},
                        {"file_data": {"file_uri": audio["uri"], "mime_type": mime}},
                    ],
                }
            ],
            "generation_config": {"temperature": 0, "max_output_tokens": 4096},
        },
    }
    return (json.dumps(line) + "\n").encode()


def look_at_listing(gemini, batch, seen):
    began = time.monotonic()
    for _ in range(30):
        entry, _, answer = listed(gemini, batch)
        if entry or answer.status != 200:
            break
        time.sleep(1)
    if not entry and answer.status == 400:
        entry, _, answer = listed(gemini, batch, fields=False)
        seen.hold("list with a field mask", False, "200", "400, and without the mask "
                  f"{answer.status}", "memory of poll: pages with other people's inline results")
    else:
        seen.see("list with a field mask", 200, answer.status, "memory of poll")
    waited = time.monotonic() - began
    seen.hold("a new batch is in the list", bool(entry) and waited < 600, "at once",
              f"after {waited:.0f} s" if entry else "not within 30 looks",
              "SUBMISSION_GRACE_SECONDS must be longer, or a batch is made twice")


def wait(gemini, batch, minutes, seen):
    """Follows a batch to its end, and tells what came in which order."""
    began, states, bare = time.monotonic(), [], 0
    while time.monotonic() - began < minutes * 60:
        answer = gemini.ask("GET", f"/v1beta/{batch}")
        if answer.status != 200:
            seen.note(f"GET of the batch: {answer.error} (a single odd answer is no end)")
            time.sleep(5)
            continue
        state = state_of(answer.json)
        if not states or states[-1] != state:
            states.append(state)
            seen.note(f"{time.monotonic() - began:5.0f} s  {answer.json['metadata'].get('state')}")
        if state in OVER:
            if state != "SUCCEEDED" or any(output_of(answer.json)):
                return answer.json, bare
            bare += 1
        time.sleep(2 if time.monotonic() - began < 60 else 15)
    return None, bare


def look_at_output(gemini, operation, output, seen):
    metadata, response = output_of(operation)
    seen.hold("the output's name stands in metadata.output and in response",
              metadata == response and bool(metadata), "both the same",
              "both the same" if metadata == response else f"{bool(metadata)}, {bool(response)}",
              "the client reads both")
    seen.see("length of the output's id", 42, len(output.removeprefix("files/")),
             "DELETE refuses ids over 40")
    first = gemini.ask("GET", f"/v1beta/{output}:download?alt=media")
    to = first.headers.get("Location") or ""
    seen.see("download without /download/: status", 302, first.status, "the path that is asked first")
    if 300 <= first.status < 400:
        target = urllib.parse.urlsplit(to)
        seen.hold("its redirect", target.path.startswith("/download/") and target.netloc in ("", gemini.host),
                  "the same host, /download/…", f"{target.netloc or 'the same host'}, {target.path[:20]}…",
                  "a redirect to another host is not followed: the key would go there")
        bare = gemini.ask("GET", f"/download/v1beta/{output}:download?alt=media", key=False)
        seen.hold("the target without the key", bare.status in (400, 401, 403), "refused", bare.error,
                  "the key is attached again")
    unknown = gemini.ask("GET", f"/v1beta/files/{'z' * 12}:download?alt=media")
    seen.see("download of an id that is not there, without /download/", 302, unknown.status,
             "a redirect is no proof that a file exists")
    missing = gemini.ask("GET", f"/download/v1beta/files/{'z' * 12}:download?alt=media")
    seen.see("download of an id that is not there", "403 PERMISSION_DENIED", missing.error,
             "403 about a file is not always for ever")
    whole = gemini.ask("GET", f"/download/v1beta/{output}:download?alt=media")
    seen.see("download: status", 200, whole.status, "everything")
    lines = [json.loads(line) for line in whole.body.splitlines() if line.strip()] if whole.status == 200 else []
    keys = [line.get("key") for line in lines]
    seen.see("keys of the output's lines", ["first-live-item"], keys, "results are joined by key")
    if lines:
        answer = lines[0].get("response") or {}
        candidates = answer.get("candidates") or [{}]
        parts = (candidates[0].get("content") or {}).get("parts") or []
        text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
        seen.hold("the line holds a transcription", bool(text.strip()), "text", f"{len(text)} characters",
                  "parsing")
        usage = answer.get("usageMetadata") or {}
        seen.hold("the line holds its usage", "promptTokenCount" in usage, "promptTokenCount",
                  ", ".join(sorted(usage)), "cost")
        seen.note(f"model version {answer.get('modelVersion')}")
    return lines


def clean(gemini, batch, output, documents, seen):
    if output:
        gone = gemini.ask("DELETE", f"/v1beta/{output}")
        seen.see("DELETE of the output", "400 INVALID_ARGUMENT", gone.error,
                 "outputs stay for 48 h and count against the 20 GB")
    for what, name in documents.items():
        gone = gemini.ask("DELETE", f"/v1beta/{name}")
        seen.see(f"DELETE of the {what}", 200, gone.status, "what is left at the provider")
        after = gemini.ask("GET", f"/v1beta/{name}")
        seen.see(f"GET of the deleted {what}", "403 PERMISSION_DENIED", after.error, "how absence is told")
    if batch:
        gone = gemini.ask("DELETE", f"/v1beta/{batch}")
        seen.see("DELETE of the batch", 200, gone.status, "what is left at the provider")
        after = gemini.ask("GET", f"/v1beta/{batch}")
        seen.see("GET of the deleted batch", "404 NOT_FOUND", after.error, "how absence is told")
        entry, _, _ = listed(gemini, batch)
        seen.see("the deleted batch in the list", "absent", "there" if entry else "absent", "absence in the list")


def look_at_cancel(gemini, model, document, minutes, seen):
    made = create(gemini, model, document, f"first-live-hour-cancel-{secrets.token_hex(4)}")
    name = made.json.get("name")
    if not name:
        seen.miss("cancel", "CANCELLED", f"a second batch was not made: {made.error}")
        return
    told = gemini.ask("POST", f"/v1beta/{name}:cancel", {})
    seen.see("cancel", 200, told.status, "stopping")
    ended, _ = wait(gemini, name, minutes, seen)
    seen.hold("state after cancel", ended is not None and state_of(ended) == "CANCELLED", "CANCELLED",
              state_of(ended) if ended else f"still open after {minutes} min", "stopping")
    output = next((o for o in output_of(ended or {}) if o), None)
    seen.note(f"output of the cancelled batch: {'there' if output else 'none'}")
    if ended is not None:
        gemini.ask("DELETE", f"/v1beta/{name}")


def first_hour(gemini, options, seen):
    mime = TYPES.get(options.clip.suffix.lower())
    if not mime:
        raise SystemExit(f"--clip: one of {', '.join(TYPES)} is wanted")
    wrong = Gemini(f"{gemini.scheme}://{gemini.host}", "not-a-key").ask("GET", "/v1beta/batches?pageSize=1")
    if options.key_checked:
        seen.see("a wrong key", "400 INVALID_ARGUMENT", wrong.error, "a refused key is told from a bad request")
    nothing = create(gemini, "no-such-model", "files/none", "first-live-hour")
    seen.see("a model that is not there", "404 NOT_FOUND", nothing.error, "a closed model is told at once")

    tag = secrets.token_hex(4)
    audio = gemini.upload(f"first-live-hour-{tag}.audio", mime, options.clip.read_bytes(), seen, "audio")
    documents = {"audio": audio["name"]}
    batch = output = None
    over = True
    try:
        lines = gemini.upload(f"first-live-hour-{tag}.jsonl", "application/jsonl",
                              document_for(audio, mime), seen, "request document")
        documents["request document"] = lines["name"]
        uploaded = gemini.ask("GET", f"/download/v1beta/{audio['name']}:download?alt=media")
        seen.hold("download of an uploaded file", 400 <= uploaded.status < 500, "refused", uploaded.error)
        made = create(gemini, options.model, lines["name"], f"first-live-hour-{tag}")
        batch = made.json.get("name")
        if not batch:
            raise Refused(f"the batch was not made: {made.error}")
        over = False
        seen.hold("the batch's name", batch.startswith("batches/"), "batches/…", batch.split("/")[0] + "/…")
        look_at_listing(gemini, batch, seen)
        ended, bare = wait(gemini, batch, options.minutes, seen)
        if ended is None:
            seen.miss("the end of the batch", "SUCCEEDED", f"still open after {options.minutes} min; "
                      f"run again later, or look at {batch} by hand")
            return
        over = True
        seen.see("state at the end", "SUCCEEDED", state_of(ended))
        seen.note(f"looks that saw SUCCEEDED before its output: {bare}")
        output = next((o for o in output_of(ended) if o), None)
        if output:
            look_at_output(gemini, ended, output, seen)
            entry, _, _ = listed(gemini, batch)
            seen.see("the list tells the output too", output, next((o for o in output_of(entry or {}) if o), None),
                     "states are taken from the list")
        else:
            seen.miss("the output", "a file", f"none: {ended.get('error')}")
        if options.cancel:
            look_at_cancel(gemini, options.model, lines["name"], options.minutes, seen)
    finally:
        # What an open batch still needs is not taken away: it is paid for.
        if over:
            clean(gemini, batch, output, documents, seen)
        else:
            seen.note(f"left at the provider: {', '.join([batch, *documents.values()])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", default=REAL, help="another address, e.g. of gemini-sim")
    parser.add_argument("--model", default="gemini-2.5-flash")
    parser.add_argument("--clip", type=pathlib.Path, default=CLIP)
    parser.add_argument("--minutes", type=float, default=50, help="how long the batch is waited for")
    parser.add_argument("--cancel", action="store_true", help="make a second batch, and cancel it")
    parser.add_argument("--json", help="write the observations here")
    options = parser.parse_args()
    key = os.environ.get("GEMINI_API_KEY")
    if not key:
        print("GEMINI_API_KEY is not set", file=sys.stderr)
        return 2
    # A double that takes any key says nothing about wrong ones.
    options.key_checked = options.url == REAL or os.environ.get("KEY_IS_CHECKED") == "1"
    seen = Observations()
    try:
        first_hour(Gemini(options.url, key), options, seen)
    except (Refused, OSError, http.client.HTTPException) as error:
        print(f"ended early: {error}", file=sys.stderr)
        seen.close(options.json)
        return 2
    return seen.close(options.json)


if __name__ == "__main__":
    sys.exit(main())
