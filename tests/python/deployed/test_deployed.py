"""The deployed stack, driven whole.

Everything goes the way it goes in AWS: the first key by an operator's event, a
presigned upload, S3's event to register, a dataset, a run, SQS to submit, a
simulated provider, poll, results.
"""

import hashlib
import json
import urllib.request

from world import CLIPS, Api, client, invoke, wait

def test_an_unknown_key_gets_nothing(emulator, physical):
    Api(emulator, physical, "sk_none")("GET", "/runs", status=401)


def test_from_upload_to_results(emulator, physical, stack, api):
    clips = [json.loads(line) for line in
             (CLIPS / "clips.jsonl").read_text(encoding="utf-8").splitlines()]
    clips = [clip for clip in clips if clip["language"] == "en"][:2]
    api("PUT", "/credentials/google", {"api_key": "simulated-key-of-demo"})
    files = []
    for clip in clips:
        audio = (CLIPS / clip["file"]).read_bytes()
        assert hashlib.sha256(audio).hexdigest() == clip["sha256"]
        made = api("POST", "/files", {
            "filename": clip["file"], "content_type": clip["content_type"],
            "size_bytes": len(audio),
        }, 201)
        upload = made["upload"]
        request = urllib.request.Request(
            upload["url"], data=audio, method=upload.get("method", "PUT"),
            headers=upload["headers"],
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200
        files.append(made["file"]["id"])
    for file in files:  # S3 told SQS, SQS told register
        def registered(file=file):
            found = api("GET", f"/files/{file}")
            return found if found["status"] != "uploading" else None

        assert wait(f"{file} is registered", registered)["status"] == "ready"
    samples = [{"file_id": f, "ground_truth": c["ground_truth"]}
               for f, c in zip(files, clips, strict=True)]
    dataset = api("POST", "/datasets", {"name": "d", "language": "en", "samples": samples}, 201)
    run = api("POST", "/runs", {
        "run_name": "r", "dataset_id": dataset["id"], "providers": ["gemini-2.5-pro"]}, 202)

    def ended():
        # The schedule comes by each minute; the test does not wait for it.
        assert invoke(emulator, physical, "PollFunction", {"source": "aws.scheduler"}) is None
        found = api("GET", f"/runs/{run['id']}?include_results=true")
        return found if found["status"] not in ("pending", "processing") else None

    done = wait("the run has ended", ended)
    assert done["status"] == "completed", done
    recordings = [json.loads(line) for line in
                  (CLIPS / "recordings.jsonl").read_text(encoding="utf-8").splitlines()]
    known = {r["text"] for r in recordings if r["model"] == "gemini-2.5-pro"}
    transcriptions = [result["transcription"] for result in done["results"]]
    assert len(transcriptions) == 2 and set(transcriptions) <= known
    # The raw output lies in the bucket, beside nothing of another project.
    listed = client(emulator, "s3").list_objects_v2(Bucket=stack["Bucket"], Prefix="runs/demo/")
    assert any(o["Key"].endswith("output.jsonl") for o in listed["Contents"])
    for queue in ("EventsDeadLetters", "SubmitDeadLetters"):
        left = client(emulator, "sqs").get_queue_attributes(
            QueueUrl=physical[queue], AttributeNames=["ApproximateNumberOfMessages"])
        assert left["Attributes"]["ApproximateNumberOfMessages"] == "0", queue

    # Deleting the run leaves nothing of it in the bucket, which keeps what was
    # overwritten or deleted.
    s3 = client(emulator, "s3")

    def versions():
        found = s3.list_object_versions(Bucket=stack["Bucket"], Prefix="runs/demo/")
        kept = found.get("Versions", []) + found.get("DeleteMarkers", [])
        return [version["Key"] for version in kept]

    [raw] = versions()
    s3.put_object(Bucket=stack["Bucket"], Key=raw, Body=b"landed once more")
    s3.delete_object(Bucket=stack["Bucket"], Key=raw)
    assert versions() == [raw] * 3
    api("DELETE", f"/runs/{run['id']}")

    def gone():
        invoke(emulator, physical, "PollFunction", {"source": "aws.scheduler"})
        return versions() == [] or None

    assert wait("the run's objects are gone", gone)
    assert api("GET", "/runs") == []
