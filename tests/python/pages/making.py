"""What tests make by the API, recordings, datasets and runs of transcripts, and what it refuses."""

import json
import time
import urllib.error

from test_review import until

API = "/api/v1/evaluations/stt"


def recording(site, name, content):
    """Sends a recording inside a request; it can be used at once."""
    boundary = "recording-of-a-test"
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
    body = f"{head}content-type: audio/wav\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return site.sent("POST", f"{API}/files", body, kind)["file"]["id"]


def clips(site, samples, language="hi"):
    """A dataset: its id, and those of its clips."""
    body = {"name": f"clips {time.time()}", "language": language, "samples": samples}
    made = site.api("POST", f"{API}/datasets", body)["id"]
    found = site.api("GET", f"{API}/datasets/{made}?include_samples=true&limit=100")["samples"]
    return made, [sample["id"] for sample in found]


def clear(site, dataset):
    """Deletes a dataset and its recordings, so that lists of the tests that follow are not full of them."""
    made, samples = dataset
    found = site.api("GET", f"{API}/datasets/{made}?include_samples=true&limit=100")["samples"]
    files = {sample["file_id"] for sample in found}
    assert len(files) == len(samples)
    site.api("DELETE", f"{API}/datasets/{made}")
    until(lambda: files & {file["id"] for file in site.api("GET", f"{API}/files?limit=100")}, set())


def transcribed(site, dataset, models, **more):
    """A run over what models heard: of each by its name, a transcript for each clip."""
    made, samples = dataset
    lists = [
        {"name": name, "items": [{"sample_id": sample, **one} for sample, one in zip(samples, heard, strict=True)]}
        for name, heard in models.items()
    ]
    body = {"run_name": "made elsewhere", "dataset_id": made, "transcripts": lists, **more}
    run = site.api("POST", f"{API}/runs", body)["id"]
    until(lambda: site.api("GET", f"{API}/runs/{run}")["status"], "completed")
    return run


def refused(site, method, path, body):
    """The status of a refusal, and what it says of each field."""
    try:
        site.api(method, path, body)
    except urllib.error.HTTPError as error:
        told = json.load(error)
        assert told["success"] is False and told["error"], told
        return error.code, {field["field"]: field["message"] for field in told["errors"] or []}
    raise AssertionError(f"{method} {path} is not refused")
