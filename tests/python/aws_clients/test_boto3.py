"""The embedded cloud with boto3 and the aws command.

The endpoints come from the environment: STT_S3, STT_DYNAMODB, STT_SQS,
STT_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
`cargo run -p stt-eval-local --example embedded_cloud` prints them all, and
`stt-eval-local serve` prints the endpoints. Everything the tests make has a
name of their own and is removed, so they also run on a cloud that is in use.
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from base64 import b64encode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = os.environ["STT_BUCKET"]
RUN = uuid.uuid4().hex[:12]
PREFIX = f"boto3/{RUN}/"


def client(service):
    """A client that does not hide failures behind retries.

    For S3 in us-east-1 boto3 presigns with version 2 unless it is told not to;
    AWS refuses that for every bucket made since 2020.
    """
    version = "s3v4" if service == "s3" else None
    return boto3.client(
        service,
        endpoint_url=os.environ[f"STT_{service.upper()}"],
        config=Config(
            retries={"total_max_attempts": 1}, read_timeout=30, signature_version=version
        ),
    )


@pytest.fixture(scope="module")
def s3():
    s3 = client("s3")
    yield s3
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
    for page in pages:
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=found["Key"])


@pytest.fixture(scope="module")
def table():
    dynamodb = client("dynamodb")
    name = f"boto3-{RUN}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "due")
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-due",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "due", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    yield dynamodb, name
    dynamodb.delete_table(TableName=name)


@pytest.fixture()
def queue():
    sqs = client("sqs")
    url = sqs.create_queue(
        QueueName=f"boto3-{uuid.uuid4().hex}", Attributes={"VisibilityTimeout": "2"}
    )["QueueUrl"]
    yield sqs, url
    sqs.delete_queue(QueueUrl=url)


def status_of(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def send(method, url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(url, fields, content):
    """Sends a form as a browser does."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += [f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="f"', "", ""]
    body = "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return send("POST", url, body, {"content-type": kind})[0]


def test_an_object_is_stored_and_read(s3):
    key = PREFIX + "é ü+%41/x.wav"
    put = s3.put_object(
        Bucket=BUCKET, Key=key, Body=b"hello", ContentType="audio/wav", Metadata={"a": "b"}
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    head = s3.head_object(Bucket=BUCKET, Key=key)
    assert (head["ContentLength"], head["ContentType"]) == (5, "audio/wav")
    assert head["Metadata"] == {"a": "b"}
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"hello"
    part = s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=1-2")
    assert (part["Body"].read(), part["ContentRange"]) == (b"el", "bytes 1-2/5")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX + "é")
    assert [found["Key"] for found in listed["Contents"]] == [key]
    with pytest.raises(ClientError) as missing:
        s3.head_object(Bucket=BUCKET, Key=PREFIX + "missing")
    assert status_of(missing) == 404
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key=PREFIX + "missing")
    with pytest.raises(ClientError) as exists:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"again", IfNoneMatch="*")
    assert status_of(exists) == 412


def test_an_empty_object_is_an_object(s3):
    key = PREFIX + "empty"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"", ContentType="audio/wav")
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b""
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "audio/wav"
    with pytest.raises(ClientError) as range_of_nothing:
        s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-9")
    assert status_of(range_of_nothing) == 416
    url = s3.generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": key, "ContentLength": 0}, ExpiresIn=60
    )
    assert send("PUT", url, b"", {"content-type": ""})[0] == 200


def test_lists_come_in_pages_and_deletes_in_batches(s3):
    keys = [f"{PREFIX}list/{at:02}" for at in range(7)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix=PREFIX + "list/", PaginationConfig={"PageSize": 3}
    )
    assert [found["Key"] for page in pages for found in page["Contents"]] == keys
    deleted = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]}
    )
    assert len(deleted["Deleted"]) == 7
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX + "list/")["KeyCount"] == 0


def test_a_large_file_goes_up_in_parts(s3, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 12)
    key = PREFIX + "large"
    s3.upload_file(str(path), BUCKET, key)
    head = s3.head_object(Bucket=BUCKET, Key=key)
    assert head["ContentLength"] == 12 << 20 and "-" in head["ETag"]
    s3.download_file(BUCKET, key, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == path.read_bytes()


def test_presigned_requests_do_what_was_signed(s3):
    body = b"RIFF pretend audio"
    checksum = b64encode(hashlib.sha256(body).digest()).decode()
    url = s3.generate_presigned_url(
        "put_object",
        Params={
            "Bucket": BUCKET,
            "Key": PREFIX + "signed",
            "ContentLength": len(body),
            "ContentType": "audio/wav",
            "IfNoneMatch": "*",
            "ChecksumSHA256": checksum,
        },
        ExpiresIn=60,
    )
    headers = {
        "content-type": "audio/wav",
        "if-none-match": "*",
        "x-amz-checksum-sha256": checksum,
    }
    assert send("PUT", url, body + b"x", headers)[0] in (400, 403)
    assert send("PUT", url, body, headers | {"content-type": "audio/mpeg"})[0] == 403
    assert send("PUT", url, b"X" + body[1:], headers)[0] == 400
    assert send("PUT", url, body, headers)[0] == 200
    assert send("PUT", url, body, headers)[0] == 412
    get = s3.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": PREFIX + "signed"}, ExpiresIn=60
    )
    assert send("GET", get) == (200, body)
    assert send("GET", get.split("?")[0])[0] == 403
    assert send("GET", get.replace("signed", "other"))[0] == 403


def test_a_form_upload_keeps_to_its_policy(s3):
    form = s3.generate_presigned_post(
        BUCKET,
        PREFIX + "form",
        Fields={"Content-Type": "audio/wav"},
        Conditions=[{"Content-Type": "audio/wav"}, ["content-length-range", 1, 100]],
        ExpiresIn=60,
    )

    assert post(form["url"], form["fields"], b"x" * 101) == 400
    # AWS answers 403; s3s says 400.
    assert post(form["url"], form["fields"] | {"Content-Type": "text/html"}, b"x") in (400, 403)
    assert post(form["url"], form["fields"] | {"key": PREFIX + "elsewhere"}, b"x") in (400, 403)
    assert post(form["url"], {"key": PREFIX + "anonymous"}, b"x") == 403
    assert post(form["url"], form["fields"], b"x" * 100) in (200, 204)
    assert s3.head_object(Bucket=BUCKET, Key=PREFIX + "form")["ContentLength"] == 100
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX + "form")["KeyCount"] == 1


def test_signatures_of_version_2_are_refused():
    old = boto3.client(
        "s3", endpoint_url=os.environ["STT_S3"], config=Config(signature_version="s3")
    )
    url = old.generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": PREFIX + "old"}, ExpiresIn=60
    )
    assert "AWSAccessKeyId" in url
    assert send("PUT", url, b"x")[0] in (400, 403)
    assert send("GET", old.generate_presigned_url("list_buckets"))[0] == 400
    with pytest.raises(ClientError) as refused:
        old.put_object(Bucket=BUCKET, Key=PREFIX + "old", Body=b"x")
    assert status_of(refused) == 400
    form = old.generate_presigned_post(BUCKET, PREFIX + "old", ExpiresIn=60)
    assert "AWSAccessKeyId" in form["fields"]
    assert post(form["url"], form["fields"], b"x") == 400


def test_items_are_written_together_and_queried(table):
    dynamodb, name = table

    def put(sk, due):
        return {
            "Put": {
                "TableName": name,
                "Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "due": {"S": due}},
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    items = [put("a", "3"), put("b", "1"), put("c", "2")]
    for _ in range(2):
        # The token makes the second call no call.
        dynamodb.transact_write_items(TransactItems=items, ClientRequestToken=RUN)
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as refused:
        dynamodb.transact_write_items(TransactItems=[put("d", "1"), put("a", "9")])
    reasons = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["due"] == {"S": "3"}
    query = {
        "TableName": name,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p"}},
    }
    pages = dynamodb.get_paginator("query").paginate(**query, PaginationConfig={"PageSize": 2})
    assert [item["sk"]["S"] for page in pages for item in page["Items"]] == ["a", "b", "c"]
    due = dynamodb.query(**query, IndexName="by-due", Limit=2)
    assert [item["sk"]["S"] for item in due["Items"]] == ["b", "c"]
    assert due["LastEvaluatedKey"]["due"] == {"S": "2"}


def test_messages_are_sent_received_and_deleted(queue):
    sqs, url = queue
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {
                "Id": str(at),
                "MessageBody": f"message {at}",
                "MessageAttributes": {"n": {"DataType": "Number", "StringValue": str(at)}},
            }
            for at in range(3)
        ],
    )
    assert len(sent["Successful"]) == 3
    received = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=5,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )["Messages"]
    assert sorted(message["Body"] for message in received) == [f"message {at}" for at in range(3)]
    for message in received[:2]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    # The third comes again when its visibility timeout of two seconds ends.
    started = time.monotonic()
    [again] = sqs.receive_message(
        QueueUrl=url, WaitTimeSeconds=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )["Messages"]
    assert time.monotonic() - started < 6
    assert again["Body"] == received[2]["Body"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    with pytest.raises(ClientError) as large:
        sqs.send_message(QueueUrl=url, MessageBody="x" * (1 << 21))
    assert status_of(large) == 400


@pytest.mark.parametrize(
    ("service", "target"),
    [("dynamodb", "DynamoDB_20120810.ListTables"), ("sqs", "AmazonSQS.ListQueues")],
)
def test_unsigned_calls_are_refused(service, target):
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
    url = os.environ[f"STT_{service.upper()}"]
    assert 400 <= send("POST", url, b"{}", headers)[0] < 500


def test_unsigned_reads_and_writes_of_objects_are_refused():
    address = os.environ["STT_S3"].removeprefix("http://")
    for method, path in [("GET", ""), ("GET", "/x"), ("PUT", "/x"), ("DELETE", "/x")]:
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request(method, f"/{BUCKET}{path}", body=b"x" if method == "PUT" else None)
        assert connection.getresponse().status == 403, (method, path)


def aws(*arguments):
    command = [sys.executable, "-m", "awscli", "--output", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_command_works(s3, tmp_path):
    source = tmp_path / "clip.wav"
    source.write_bytes(b"RIFF")
    key = PREFIX + "cli/clip one.wav"
    aws("--endpoint-url", os.environ["STT_S3"], "s3", "cp", str(source), f"s3://{BUCKET}/{key}")
    listed = aws(
        "--endpoint-url", os.environ["STT_S3"],
        "s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", PREFIX + "cli/",
    )
    assert [found["Key"] for found in json.loads(listed)["Contents"]] == [key]
    tables = aws("--endpoint-url", os.environ["STT_DYNAMODB"], "dynamodb", "list-tables")
    assert "TableNames" in json.loads(tables)
    queues = aws("--endpoint-url", os.environ["STT_SQS"], "sqs", "list-queues")
    assert json.loads(queues)["QueueUrls"]
