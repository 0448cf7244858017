"""The scripts of infra/live against the doubles: they see what they are to see.

What they are for can't be tried here. What can be: that on the doubles nothing
differs from what is expected of a live service, that a difference is seen where
there is one, and that no key gets into what they print.
"""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

LIVE = Path(__file__).resolve().parents[3] / "infra" / "live"
KEY = "a-key-that-must-not-be-printed"

pytestmark = pytest.mark.skipif("STT_API" not in os.environ, reason="a cloud that was started elsewhere")


def script(name, *arguments, tmp_path, **variables):
    """Runs a script; gives its exit code, its rows by what was looked at, and what it printed."""
    report = tmp_path / "rows.json"
    done = subprocess.run(
        [sys.executable, str(LIVE / name), *arguments, "--json", str(report)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    printed = done.stdout + done.stderr
    rows = json.loads(report.read_text(encoding="utf-8")) if report.exists() else []
    return done.returncode, {row["what"]: row for row in rows}, printed


def gemini(tmp_path, *arguments, key=KEY):
    url = os.environ["STT_GEMINI"]
    return script("gemini.py", "--url", url, *arguments, tmp_path=tmp_path, GEMINI_API_KEY=key)


def not_same(rows):
    return {what: row["verdict"] for what, row in rows.items() if row["verdict"] != "same"}


def faults(rules):
    url = os.environ["STT_GEMINI"] + "/_sim/faults"
    method = "POST" if rules else "DELETE"
    data = json.dumps(rules).encode() if rules else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    urllib.request.urlopen(request, timeout=10).close()


def test_the_double_of_gemini_is_what_the_script_expects(tmp_path):
    code, rows, printed = gemini(tmp_path, "--cancel")
    assert not_same(rows) == {}, printed
    assert code == 0, printed
    assert len(rows) >= 28, printed
    assert KEY not in printed


def test_a_service_that_does_otherwise_is_seen(tmp_path):
    rule = {"fault": {"type": "status", "code": 404}, "route": "file_delete", "api_key": "other-key"}
    faults([rule])
    try:
        code, rows, printed = gemini(tmp_path, key="other-key")
    finally:
        faults([])
    assert code == 1, printed
    assert rows["DELETE of the audio"]["verdict"] == "DIFFERENT", printed
    assert rows["DELETE of the audio"]["seen"] == 404


def test_a_script_without_a_key_says_so(tmp_path):
    for name, variable in (("gemini.py", "GEMINI_API_KEY"), ("aws.py", "STT_EVAL_API_KEY")):
        code, rows, printed = script(name, tmp_path=tmp_path, **{variable: ""})
        assert (code, rows) == (2, {}), printed
        assert f"{variable} is not set" in printed


def test_drops_on_the_embedded_cloud(tmp_path):
    code, rows, printed = script(
        "aws.py",
        *("--api", os.environ["STT_API"], "--bucket", os.environ["STT_BUCKET"]),
        *("--s3", os.environ["STT_S3"], "--drops", "60", "--patience", "60"),
        tmp_path=tmp_path,
        STT_EVAL_API_KEY=os.environ["STT_API_KEY"],
    )
    # What the embedded bucket does not have: versions, and keys with `//`.
    missing = {what for what, verdict in not_same(rows).items() if verdict == "not seen"}
    assert set(not_same(rows)) == missing, printed
    assert missing <= {"two quick writes to one key", "a key that ends in '//twice.wav'"}, printed
    assert code == (1 if missing else 0), printed
    assert rows["files of 60 drops"]["seen"] == 60
    assert os.environ["STT_API_KEY"] not in printed
