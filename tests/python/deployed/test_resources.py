"""What the deployment made, property by property, beside the template.

The template is the one that SAM's own translator makes of ours. What the
emulator does not make of it is asked for here by the services' own calls, with
the template's own values: at least their form is one that AWS's clients know.
"""

import io
import json
import zipfile

import pytest
from world import BUILD, PARAMETERS, cfn, client

# What a function may weigh when it is deployed, compressed as `sam deploy` does. The
# api has the pages as well.
MOST_BYTES = {"Api": 5_500_000, "Register": 4_900_000, "Submit": 4_900_000, "Poll": 4_900_000}


def test_every_resource_of_the_template_was_made(physical):
    assert physical.keys() == cfn.deployed(cfn.load(), **PARAMETERS).keys()


@pytest.mark.parametrize("name", MOST_BYTES)
def test_functions_are_small(name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(BUILD / f"{name}Function" / "bootstrap", "bootstrap")
    assert packed.tell() <= MOST_BYTES[name]


def test_tables(emulator, wanted):
    dynamodb = client(emulator, "dynamodb")
    for name, here, properties in wanted.of("AWS::DynamoDB::Table"):
        made = dynamodb.describe_table(TableName=here)["Table"]
        assert made["KeySchema"] == properties["KeySchema"], name
        assert made["BillingModeSummary"]["BillingMode"] == properties["BillingMode"], name

        def attributes(list_):
            return sorted((a["AttributeName"], a["AttributeType"]) for a in list_)

        assert attributes(made["AttributeDefinitions"]) == attributes(
            properties["AttributeDefinitions"]), name
        indexes = {i["IndexName"]: i for i in made.get("GlobalSecondaryIndexes", [])}
        for index in properties.get("GlobalSecondaryIndexes", []):
            found = indexes.pop(index["IndexName"])
            assert found["KeySchema"] == index["KeySchema"], name
            assert found["Projection"] == index["Projection"], name
        assert not indexes, name


def test_queues(emulator, wanted):
    sqs = client(emulator, "sqs")
    for name, here, properties in wanted.of("AWS::SQS::Queue"):
        made = sqs.get_queue_attributes(QueueUrl=here, AttributeNames=["All"])["Attributes"]
        for key in ("VisibilityTimeout", "MessageRetentionPeriod"):
            if key in properties:
                assert made[key] == str(properties[key]), (name, key)
        assert made["SqsManagedSseEnabled"] == "true", name
        redrive = json.loads(made["RedrivePolicy"]) if "RedrivePolicy" in made else None
        assert redrive == properties.get("RedrivePolicy"), name
    for name, _, properties in wanted.of("AWS::SQS::QueuePolicy"):
        for url in properties["Queues"]:
            made = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            assert json.loads(made["Attributes"]["Policy"]) == properties["PolicyDocument"], name


def test_bucket(emulator, wanted):
    s3 = client(emulator, "s3")
    [(_, here, properties)] = wanted.of("AWS::S3::Bucket")
    assert here == properties["BucketName"]
    assert s3.get_bucket_versioning(Bucket=here)["Status"] == "Enabled"
    made = s3.get_public_access_block(Bucket=here)["PublicAccessBlockConfiguration"]
    assert made == properties["PublicAccessBlockConfiguration"] and all(made.values())
    made = s3.get_bucket_ownership_controls(Bucket=here)["OwnershipControls"]
    assert made == properties["OwnershipControls"]
    [rule] = s3.get_bucket_encryption(Bucket=here)["ServerSideEncryptionConfiguration"]["Rules"]
    [asked] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ApplyServerSideEncryptionByDefault"] == asked["ServerSideEncryptionByDefault"]
    [rule] = s3.get_bucket_cors(Bucket=here)["CORSRules"]
    [asked] = properties["CorsConfiguration"]["CorsRules"]
    assert rule == {
        "AllowedMethods": asked["AllowedMethods"], "AllowedOrigins": asked["AllowedOrigins"],
        "AllowedHeaders": asked["AllowedHeaders"], "ExposeHeaders": asked["ExposedHeaders"],
        "MaxAgeSeconds": asked["MaxAge"],
    }
    made = s3.get_bucket_notification_configuration(Bucket=here)["QueueConfigurations"]
    asked = properties["NotificationConfiguration"]["QueueConfigurations"]
    assert [(m["QueueArn"], m["Events"], m["Filter"]["Key"]["FilterRules"]) for m in made] == [
        (a["Queue"], [a["Event"]], a["Filter"]["S3Key"]["Rules"]) for a in asked]
    [(_, _, policy)] = wanted.of("AWS::S3::BucketPolicy")
    made = json.loads(s3.get_bucket_policy(Bucket=here)["Policy"])
    assert made == policy["PolicyDocument"]


def test_key(emulator, wanted):
    kms = client(emulator, "kms")
    [(_, here, properties)] = wanted.of("AWS::KMS::Key")
    assert kms.get_key_rotation_status(KeyId=here)["KeyRotationEnabled"] is True
    made = json.loads(kms.get_key_policy(KeyId=here, PolicyName="default")["Policy"])
    assert made == properties["KeyPolicy"]


def test_roles_may_what_the_template_says_and_no_more(emulator, wanted):
    iam = client(emulator, "iam")
    for name, here, properties in wanted.of("AWS::IAM::Role"):
        role = iam.get_role(RoleName=here)["Role"]
        assert role["AssumeRolePolicyDocument"] == properties["AssumeRolePolicyDocument"], name
        assert not iam.list_attached_role_policies(RoleName=here)["AttachedPolicies"], name
        asked = {p["PolicyName"]: p["PolicyDocument"] for p in properties["Policies"]}
        assert iam.list_role_policies(RoleName=here)["PolicyNames"] == list(asked), name
        for policy, document in asked.items():
            made = iam.get_role_policy(RoleName=here, PolicyName=policy)["PolicyDocument"]
            assert made == document, (name, policy)


def test_functions(emulator, wanted):
    functions = client(emulator, "lambda")
    for name, here, properties in wanted.of("AWS::Lambda::Function"):
        made = functions.get_function_configuration(FunctionName=here)
        for key in ("Description", "Runtime", "Handler", "MemorySize", "Timeout", "Role",
                    "Architectures", "TracingConfig"):
            assert made[key] == properties[key], (name, key)
        assert made["Environment"]["Variables"] == properties["Environment"]["Variables"], name
        for key, value in properties["LoggingConfig"].items():
            assert made["LoggingConfig"][key] == value, (name, key)
    made = {(m["EventSourceArn"], m["FunctionArn"]): m
            for m in functions.list_event_source_mappings()["EventSourceMappings"]}
    for name, _, properties in wanted.of("AWS::Lambda::EventSourceMapping"):
        function = wanted.named(f"${{{name.split('Function')[0]}Function.Arn}}")
        mapping = made.pop((properties["EventSourceArn"], function))
        assert mapping["BatchSize"] == properties["BatchSize"], name
        assert mapping["FunctionResponseTypes"] == properties["FunctionResponseTypes"], name
        assert str(mapping["ScalingConfig"]["MaximumConcurrency"]) == properties[
            "ScalingConfig"]["MaximumConcurrency"], name
        assert mapping["State"] == "Enabled", name
    assert not made
    [(_, _, permission)] = wanted.of("AWS::Lambda::Permission")
    policy = functions.get_policy(FunctionName=permission["FunctionName"])["Policy"]
    [statement] = json.loads(policy)["Statement"]
    assert statement["Principal"] == {"Service": permission["Principal"]}
    assert statement["Action"] == permission["Action"]
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": permission["SourceArn"]},
        "StringEquals": {"AWS:SourceAccount": permission["SourceAccount"]}}


def test_log_groups(emulator, wanted):
    found = client(emulator, "logs").describe_log_groups()["logGroups"]
    made = {group["logGroupName"]: group for group in found}
    for name, here, properties in wanted.of("AWS::Logs::LogGroup"):
        assert made[here]["retentionInDays"] == int(properties["RetentionInDays"]), name


def test_routes_and_schedule(emulator, wanted, physical):
    gateway = client(emulator, "apigatewayv2")
    api = physical["HttpApi"]
    made = gateway.get_routes(ApiId=api)["Items"]
    assert {route["RouteKey"] for route in made} == {
        p["RouteKey"] for _, _, p in wanted.of("AWS::ApiGatewayV2::Route")}
    [integration] = gateway.get_integrations(ApiId=api)["Items"]
    [(_, _, asked)] = wanted.of("AWS::ApiGatewayV2::Integration")
    for key in ("IntegrationType", "IntegrationUri", "PayloadFormatVersion", "TimeoutInMillis"):
        assert integration[key] == asked[key], key
    [stage] = gateway.get_stages(ApiId=api)["Items"]
    [(_, _, asked)] = wanted.of("AWS::ApiGatewayV2::Stage")
    for key in ("StageName", "AutoDeploy", "AccessLogSettings"):
        assert stage[key] == asked[key], key
    scheduler = client(emulator, "scheduler")
    [listed] = scheduler.list_schedules()["Schedules"]
    schedule = scheduler.get_schedule(Name=listed["Name"])
    [(_, _, asked)] = wanted.of("AWS::Scheduler::Schedule")
    assert schedule["State"] == "ENABLED"
    for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target"):
        assert schedule[key] == asked[key], key


def test_alarms_and_dashboard(emulator, wanted):
    watch = client(emulator, "cloudwatch")
    pages = watch.get_paginator("describe_alarms").paginate()
    made = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    for name, here, properties in wanted.of("AWS::CloudWatch::Alarm"):
        alarm = made.pop(here)
        for key, value in properties.items():
            assert alarm[key] == value, (name, key)
    assert not made
    [(_, here, properties)] = wanted.of("AWS::CloudWatch::Dashboard")
    body = watch.get_dashboard(DashboardName=here)["DashboardBody"]
    assert json.loads(body) == json.loads(properties["DashboardBody"])


def test_what_the_emulator_left_out_can_be_asked_for(emulator, wanted):
    """Nothing of it is in the way of the flow, which runs on the same stack."""
    dynamodb, s3 = client(emulator, "dynamodb"), client(emulator, "s3")
    functions, gateway = client(emulator, "lambda"), client(emulator, "apigatewayv2")
    lasting = 0
    for name, here, properties in wanted.of("AWS::DynamoDB::Table"):
        dynamodb.update_continuous_backups(
            TableName=here, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"])
        made = dynamodb.describe_continuous_backups(TableName=here)["ContinuousBackupsDescription"]
        assert made["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED", name
        assert properties["SSESpecification"] == {"SSEEnabled": True}, name
        dynamodb.update_table(TableName=here, SSESpecification={"Enabled": True})
        if "TimeToLiveSpecification" in properties:
            dynamodb.update_time_to_live(
                TableName=here, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
            made = dynamodb.describe_time_to_live(TableName=here)["TimeToLiveDescription"]
            assert (made["TimeToLiveStatus"], made["AttributeName"]) == ("ENABLED", "ttl"), name
        else:
            lasting += 1
    assert lasting == 4, "files, runs and access hold what passes"
    [(_, here, properties)] = wanted.of("AWS::S3::Bucket")
    rules = [as_call(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=here, LifecycleConfiguration={"Rules": rules})
    made = s3.get_bucket_lifecycle_configuration(Bucket=here)["Rules"]
    assert [rule["ID"] for rule in made] == [rule["ID"] for rule in rules]
    [(_, _, properties)] = wanted.of("AWS::Lambda::EventInvokeConfig")
    asked = {key: properties[key] for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")}
    functions.put_function_event_invoke_config(FunctionName=properties["FunctionName"], **asked)
    made = functions.get_function_event_invoke_config(FunctionName=properties["FunctionName"])
    assert {key: made[key] for key in asked} == asked
    reserved = {}
    for name, here, properties in wanted.of("AWS::Lambda::Function"):
        if "ReservedConcurrentExecutions" in properties:
            reserved[name] = int(properties["ReservedConcurrentExecutions"])
            functions.put_function_concurrency(
                FunctionName=here, ReservedConcurrentExecutions=reserved[name])
            made = functions.get_function_concurrency(FunctionName=here)
            assert made["ReservedConcurrentExecutions"] == reserved[name]
            functions.delete_function_concurrency(FunctionName=here)
    assert set(reserved) == {"RegisterFunction", "SubmitFunction", "PollFunction"}, "the API takes what is left"
    assert min(reserved.values()) >= 1
    [(_, _, properties)] = wanted.of("AWS::ApiGatewayV2::Stage")
    limits = properties["DefaultRouteSettings"]
    gateway.update_stage(
        ApiId=properties["ApiId"], StageName=properties["StageName"], DefaultRouteSettings={
            "ThrottlingRateLimit": float(limits["ThrottlingRateLimit"]),
            "ThrottlingBurstLimit": int(limits["ThrottlingBurstLimit"])})


def as_call(rule):
    """A lifecycle rule of a template in the words of the service's own call."""
    called = {"ID": rule["Id"], "Status": rule["Status"],
              "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "AbortIncompleteMultipartUpload" in rule:
        called["AbortIncompleteMultipartUpload"] = {
            key: int(days) for key, days in rule["AbortIncompleteMultipartUpload"].items()}
    if "NoncurrentVersionExpiration" in rule:
        called["NoncurrentVersionExpiration"] = {
            key: int(days) for key, days in rule["NoncurrentVersionExpiration"].items()}
    if "ExpiredObjectDeleteMarker" in rule:
        called["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    return called
