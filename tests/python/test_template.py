"""template.yaml against its linters, the source code and its own promises.

Needs the packages of requirements/template.txt, `checkov` in CHECKOV_BIN and
`stt-eval-local` in STT_EVAL_LOCAL_BIN; `tests/run` brings all of it.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import cfn
import iam
import pytest
import rust_calls
import yaml

FUNCTIONS = ["api", "register", "submit", "poll"]
TABLES = ["files", "datasets", "samples", "runs", "units", "results", "access"]
# Metrics that AWS services publish by themselves, for those used here.
# Our own are read from the code that emits them.
METRICS = {
    "AWS/ApiGateway": {"4xx", "5xx", "Count", "IntegrationLatency", "Latency"},
    "AWS/Lambda": {"Duration", "Errors", "Invocations", "Throttles"},
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
}
EVERYTHING = {
    "Stage": "prod",
    "Architecture": "x86_64",
    "AllowedOrigins": "https://a.example,https://b.example",
    "AmazonTranscribe": "true",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "GeminiBaseUrl": "http://127.0.0.1:1",
    "LosslessFlac": "true",
    "PollConcurrency": "0",
    "ProviderLimits": '{"groq":{"requests_per_minute":20}}',
    "ResubmitBatches": "true",
}

TEMPLATE = cfn.load()


def emitted():
    """Metrics of our own, each with the sets of dimensions that it is told by."""
    code = (cfn.ROOT / "shared/src/cloudwatch.rs").read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    functions = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((cfn.ROOT / "functions").glob("*/src/**/*.rs")))
    made = re.findall(
        r'pub const (\w+): Metric =\s+metric\("(\w+)", "\w+", (?:None|Some\("(\w+)"\))\)'
        r"\s*(\.also_in_total\(\))?;", code
    )
    listed = re.search(r"pub const ALL: \[Metric; \d+\] = \[(.*?)\]", code, re.S)[1]
    assert re.findall(r"\w+", listed) == [constant for constant, *_ in made]
    for constant, *_ in made:
        told = re.search(rf"\({constant}, ", code)
        assert told or f"cloudwatch::{constant}," in functions, f"{constant} is never emitted"
    sets = {}
    for _, name, by, total in made:
        sets[name] = [["Stack", by]] if by else [["Stack"]]
        if total:
            sets[name].append(["Stack"])
    return sets


OURS = emitted()
METRICS["SttEval"] = set(OURS)


@pytest.fixture(scope="module", params=["defaults", "everything"])
def resources(request):
    """What is deployed, with the defaults and with every option used."""
    return cfn.deployed(TEMPLATE, **(EVERYTHING if request.param == "everything" else {}))


@pytest.fixture(scope="module", params=["false", "true"], ids=["by key", "by role"])
def by_role(request):
    """Whether vendors are asked with the functions' roles."""
    return request.param


@pytest.fixture(scope="module")
def grants(by_role):
    return iam.grants(cfn.deployed(TEMPLATE, AmazonTranscribe=by_role))


def of(resources, kind):
    return {n: r["Properties"] for n, r in resources.items() if r["Type"] == kind}


def logical(name):
    return f"{name.capitalize()}Table"


def tool(name, *arguments, home):
    """Runs a tool of this environment; it never sees an account."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LANG": "C.UTF-8",
    }
    binary = os.environ.get(f"{name.upper()}_BIN") or str(Path(sys.executable).with_name(name))
    command = [binary, *map(str, arguments)]
    return subprocess.run(
        command, env=env, cwd=home, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=300,
    )


# ------------------------------------------------------------------- linters


def test_sam_validates(tmp_path):
    done = tool(
        "sam", "validate", "--lint", "--region", "us-east-1", "--template", cfn.TEMPLATE,
        home=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_cfn_lint_has_no_complaint(tmp_path):
    done = tool("cfn-lint", "--regions", "us-east-1", "--", cfn.TEMPLATE, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_cfn_lint_has_no_complaint_about_what_sam_makes_of_it(tmp_path):
    """Without a transform, cfn-lint is stricter: every reference must lead somewhere."""
    plain = cfn.translated(TEMPLATE)
    assert "Transform" not in plain
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    done = tool("cfn-lint", "--regions", "us-east-1", "--", path, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def checkov(path, home):
    done = tool(
        "checkov", "--framework", "cloudformation", "--skip-download", "--compact",
        "--output", "json", "--file", path, home=home,
    )
    report = json.loads(done.stdout)
    assert not report["results"]["parsing_errors"], report["results"]["parsing_errors"]
    assert report["summary"]["resource_count"] > 50, "checkov reads the template"
    return report["results"]


def found(checks):
    return {(check["resource"].split(".")[-1], check["check_id"]) for check in checks}


def test_checkov_finds_nothing_but_what_is_justified(tmp_path):
    results = checkov(cfn.TEMPLATE, tmp_path)
    assert found(results["failed_checks"]) == set()
    # Without the suppressions exactly those fail: none of them is stale.
    suppressed = set()
    bare = cfn.TEMPLATE.read_text(encoding="utf-8")
    for name, resource in TEMPLATE["Resources"].items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            suppressed.add((name, skip["id"]))
            assert len(skip["comment"]) > 40, f"{name}: {skip['id']} wants a reason"
    unchecked = tmp_path / "template.yaml"
    unchecked.write_text(bare.replace("checkov:", "not-checkov:"), encoding="utf-8")
    assert found(checkov(unchecked, tmp_path)["failed_checks"]) == suppressed


def test_samconfig_names_parameters_that_exist():
    config = tomllib.loads((cfn.ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    for stage in ("default", "prod"):
        given = {}
        for command in ("build", "deploy"):
            overrides = config[stage][command]["parameters"]["parameter_overrides"]
            given[command] = dict(override.split("=") for override in overrides)
            for name, value in given[command].items():
                parameter = TEMPLATE["Parameters"][name]
                assert value in map(str, parameter.get("AllowedValues", [value])), (name, value)
                assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), (name, value)
        # Functions built for another processor than they are deployed for never start.
        assert given["build"]["Architecture"] == given["deploy"]["Architecture"], stage


# -------------------------------------------------------------------- tables


def table_of(properties):
    """A table in the words of schema.rs."""
    types = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
    used = {key["AttributeName"] for key in properties["KeySchema"]}
    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert (types["pk"], types["sk"]) == ("S", "S")
    indexes = []
    for index in properties.get("GlobalSecondaryIndexes", []):
        hash_key, range_key = index["KeySchema"]
        assert (hash_key["KeyType"], range_key["KeyType"]) == ("HASH", "RANGE")
        used |= {hash_key["AttributeName"], range_key["AttributeName"]}
        assert types[hash_key["AttributeName"]] == "S"
        projection = index["Projection"]
        include = projection.get("NonKeyAttributes", [])
        assert projection["ProjectionType"] == ("INCLUDE" if include else "KEYS_ONLY")
        indexes.append(
            {
                "name": index["IndexName"],
                "hash": hash_key["AttributeName"],
                "range": range_key["AttributeName"],
                "numeric_range": types[range_key["AttributeName"]] == "N",
                "include": include,
            }
        )
    assert used == types.keys(), "attributes are declared for keys only"
    ttl = properties.get("TimeToLiveSpecification")
    assert ttl is None or ttl["Enabled"] is True
    return {"indexes": indexes, "ttl": ttl and ttl["AttributeName"]}


def test_tables_are_those_of_the_code(resources):
    command = [os.environ["STT_EVAL_LOCAL_BIN"], "schema"]
    schema = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    wanted = {logical(t["name"]): {"indexes": t["indexes"], "ttl": t["ttl"]} for t in schema}
    assert wanted.keys() == {logical(name) for name in TABLES}
    tables = of(resources, "AWS::DynamoDB::Table")
    assert {name: table_of(properties) for name, properties in tables.items()} == wanted


def test_tables_are_safe(resources):
    for name, table in of(resources, "AWS::DynamoDB::Table").items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert table["DeletionProtectionEnabled"] == "true", name


def test_what_holds_data_outlives_the_stack(resources):
    policies = {n: r["DeletionPolicy"] for n, r in resources.items() if "DeletionPolicy" in r}
    kept = {name for name, policy in policies.items() if policy != "Delete"}
    assert kept == {"Bucket", "CredentialsKey", *map(logical, TABLES)}
    for name in kept:
        # A first deployment that fails leaves nothing behind.
        assert policies[name] == "RetainExceptOnCreate", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name


def test_names_belong_to_the_stack(resources):
    """Two stacks in one account and region never meet."""
    names = {}
    for name, resource in resources.items():
        for key, value in resource["Properties"].items():
            if key in ("Name", "LogGroupName") or key == resource["Type"].split("::")[2] + "Name":
                names[name] = value
    stack = cfn.PSEUDO["AWS::StackName"]
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    assert cfn.PSEUDO["AWS::StackId"].split("/")[-1] in names.pop("Bucket")
    assert len(bucket["BucketName"]) <= 63
    assert names.pop("HttpApiStage") == "$default"  # a name within the API
    assert names == {"HttpApi": stack, "AccessLogs": f"/aws/vendedlogs/{stack}/access"}


def test_no_parameter_replaces_what_holds_data():
    """A replaced resource stays, but what points at its data points elsewhere."""
    once, changed = cfn.deployed(TEMPLATE), cfn.deployed(TEMPLATE, **EVERYTHING)
    # What CloudFormation can't change without making the resource anew.
    fixed = {
        "AWS::S3::Bucket": ["BucketName"],
        "AWS::DynamoDB::Table": ["TableName", "KeySchema"],
        "AWS::KMS::Key": ["KeySpec", "KeyUsage", "MultiRegion"],
    }
    kept = [name for name, resource in once.items() if resource["Type"] in fixed]
    assert len(kept) == 2 + len(TABLES)
    for name in kept:
        for key in fixed[once[name]["Type"]]:
            before, after = (stack[name]["Properties"].get(key) for stack in (once, changed))
            assert before == after, (name, key)


# ----------------------------------------------------------- bucket and queues


def test_bucket(resources):
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    [policy] = of(resources, "AWS::S3::BucketPolicy").values()
    tls = policy["PolicyDocument"]["Statement"][0]
    assert (tls["Effect"], tls["Action"], tls["Principal"]) == ("Deny", "s3:*", "*")
    assert tls["Resource"] == ["${Bucket.Arn}", "${Bucket.Arn}/*"]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {"DaysAfterInitiation": 1} in [r.get("AbortIncompleteMultipartUpload") for r in rules]
    # A registered file can be an old version of an object under incoming/.
    expiring = {r.get("Prefix") for r in rules if "NoncurrentVersionExpiration" in r}
    assert expiring == {"audio/", "runs/", "imports/", "datasets/", "reports/"}
    # Nothing goes by itself but what can be made again.
    [gone] = [r for r in rules if "ExpirationInDays" in r or "ExpirationDate" in r]
    assert (gone["Prefix"], gone["ExpirationInDays"]) == ("reports/", "30")
    # S3 takes no days beside this, and a marker is left where something expired.
    assert "ExpiredObjectDeleteMarker" not in gone
    marked = {r["Prefix"] for r in rules if r.get("ExpiredObjectDeleteMarker")}
    assert marked == expiring
    [cors] = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedMethods"] == ["PUT", "GET", "HEAD"]
    assert "ETag" in cors["ExposedHeaders"] and "*" not in cors["AllowedOrigins"]
    assert cors["AllowedOrigins"][0] == "https://${HttpApi}.execute-api.us-east-1.amazonaws.com"


def test_further_origins_reach_bucket_and_api():
    resources = cfn.deployed(TEMPLATE, **EVERYTHING)
    [cors] = of(resources, "AWS::S3::Bucket")["Bucket"]["CorsConfiguration"]["CorsRules"]
    further = ["https://a.example", "https://b.example"]
    assert cors["AllowedOrigins"][1:] == further
    api = of(resources, "AWS::ApiGatewayV2::Api")["HttpApi"]
    assert api["CorsConfiguration"]["AllowOrigins"] == further
    assert "CorsConfiguration" not in of(cfn.deployed(TEMPLATE), "AWS::ApiGatewayV2::Api")["HttpApi"]


def test_uploads_reach_register(resources):
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    announced = {}
    for rule in bucket["NotificationConfiguration"]["QueueConfigurations"]:
        assert (rule["Event"], rule["Queue"]) == ("s3:ObjectCreated:*", "${EventsQueue.Arn}")
        [prefix] = rule["Filter"]["S3Key"]["Rules"]
        assert prefix["Name"] == "prefix"
        announced[prefix["Value"]] = True
    code = module_text("shared/src/objects")
    parse_key = re.search(r"fn parse_key.*?\n}", code, re.S)[0]
    read = {re.search(r'INCOMING: &str = "(.*?)"', code)[1]}
    read |= set(re.findall(r'strip_prefix\("(.*?)"\)', parse_key))
    assert "strip_prefix(INCOMING)" in parse_key
    assert announced.keys() == read, "what is announced is what register reads"
    assert resources["Bucket"]["DependsOn"] in ("EventsQueuePolicy", ["EventsQueuePolicy"])
    allowed = of(resources, "AWS::SQS::QueuePolicy")["EventsQueuePolicy"]["PolicyDocument"]
    source = allowed["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert source == f"arn:aws:s3:::{bucket['BucketName']}"


def test_queues(resources):
    queues = of(resources, "AWS::SQS::Queue")
    assert queues.keys() == {"EventsQueue", "EventsDeadLetters", "SubmitQueue", "SubmitDeadLetters"}
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 86_400
        policy = of(resources, "AWS::SQS::QueuePolicy")[f"{name}Policy"]
        tls = policy["PolicyDocument"]["Statement"][-1]
        assert (tls["Effect"], tls["Action"]) == ("Deny", "sqs:*")
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (policy["Queues"], tls["Resource"]) == ([f"${{{name}}}"], f"${{{name}.Arn}}")
    for name, times in (("Events", 8), ("Submit", 5)):
        redrive = queues[f"{name}Queue"]["RedrivePolicy"]
        assert redrive == {
            "deadLetterTargetArn": f"${{{name}DeadLetters.Arn}}", "maxReceiveCount": times
        }


def test_queues_feed_functions(resources):
    functions = of(resources, "AWS::Lambda::Function")
    queues = of(resources, "AWS::SQS::Queue")
    fed = {}
    for mapping in of(resources, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert int(mapping["ScalingConfig"]["MaximumConcurrency"]) >= 2
        queue = mapping["EventSourceArn"][2:].split(".")[0]
        function = mapping["FunctionName"].strip("${}")
        assert queues[queue]["VisibilityTimeout"] >= 6 * functions[function]["Timeout"]
        fed[function] = queue
    assert fed == {"RegisterFunction": "EventsQueue", "SubmitFunction": "SubmitQueue"}


# ----------------------------------------------------------------- functions


def test_functions(resources):
    functions = of(resources, "AWS::Lambda::Function")
    assert functions.keys() == {f"{name.capitalize()}Function" for name in FUNCTIONS}
    logs = of(resources, "AWS::Logs::LogGroup")
    groups = set()
    for name, function in functions.items():
        source = TEMPLATE["Resources"][name]
        binary = source["Metadata"]["BuildProperties"]["Binary"]
        assert source["Metadata"]["BuildMethod"] == "rust-cargolambda"
        assert (cfn.ROOT / source["Properties"]["CodeUri"] / "Cargo.toml").exists()
        manifest = (cfn.ROOT / "functions" / binary / "Cargo.toml").read_text(encoding="utf-8")
        assert f'name = "{binary}"' in manifest
        assert name == f"{binary.capitalize()}Function"
        assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
        assert function["TracingConfig"] == {"Mode": "Active"}
        group = function["LoggingConfig"]["LogGroup"].strip("${}")
        levels = {**function["LoggingConfig"]}
        assert levels.pop("LogFormat") == "JSON"
        # Reports of invocations (memory, billed time) are of level INFO.
        assert (levels["ApplicationLogLevel"], levels["SystemLogLevel"]) == ("INFO", "INFO")
        assert int(logs[group]["RetentionInDays"]) > 0
        groups.add(group)
    assert len(groups) == 4, "a log group each"


def feeds_itself(function, grants, resources):
    """Whether what a function may write can invoke it again."""
    sends = {g.resource for g in grants if (g.who, g.action) == (function, "sqs:SendMessage")}
    written = {g.resource for g in grants if (g.who, g.action) == (function, "s3:PutObject")}
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    for rule in bucket["NotificationConfiguration"]["QueueConfigurations"]:
        [prefix] = rule["Filter"]["S3Key"]["Rules"]
        if f"Bucket/{prefix['Value']}*" in written:
            sends.add(rule["Queue"][2:].split(".")[0])
    reads = {g.resource for g in grants if (g.who, g.action) == (function, "sqs:ReceiveMessage")}
    return bool(sends & reads)


def compiled_for(*functions):
    """Each package that these functions are made of in one call of cargo, with its features."""
    command = ["cargo", "tree", "--locked", "--target", "x86_64-unknown-linux-gnu", "--edges", "normal,build",
               "--prefix", "none", "--no-dedupe", "--format", "{p} {f}"]
    for function in functions:
        command += ["--package", function]
    return set(subprocess.run(command, cwd=cfn.ROOT, check=True, text=True, capture_output=True).stdout.splitlines())


def test_what_functions_have_in_common_compiles_once():
    """`sam build` makes each by itself: one feature more in one of them, and all that stands on
    it is compiled anew for the others (shared/Cargo.toml)."""
    together = compiled_for(*FUNCTIONS)
    assert len(together) > 100
    for function in FUNCTIONS:
        assert not compiled_for(function) - together, f"{function} has features of its own"


def test_lambda_stops_no_loop_that_is_meant(grants):
    """Lambda ends a chain of a function's own messages after about 16 of them."""
    resources = cfn.deployed(TEMPLATE)
    loops = {name for name in FUNCTIONS if feeds_itself(name, grants, resources)}
    assert loops == {"submit"}
    for name in FUNCTIONS:
        function = of(resources, "AWS::Lambda::Function")[f"{name.capitalize()}Function"]
        # Where none is meant, one is a mistake, and Lambda may stop it.
        assert function.get("RecursiveLoop") == ("Allow" if name in loops else None), name


def test_options_reach_the_functions():
    new_account = {"ReservedConcurrency": "false"}
    for parameters, architecture, reserved, stage in [
        ({}, "arm64", {"Register": "20", "Submit": "10", "Poll": "3"}, "dev"),
        (new_account, "arm64", {}, "dev"),
        (EVERYTHING, "x86_64", {"Register": "20", "Submit": "10"}, "prod"),
    ]:
        functions = of(cfn.deployed(TEMPLATE, **parameters), "AWS::Lambda::Function")
        for function in functions.values():
            assert function["Architectures"] == [architecture]
            variables = function["Environment"]["Variables"]
            assert variables["STAGE"] == stage
            # Metrics of two stacks of one stage in a region stay apart.
            assert variables["STACK_NAME"] == cfn.PSEUDO["AWS::StackName"]
            # At a provider, two stacks of one stage stay apart by the stack's own id.
            assert variables["DEPLOYMENT_ID"] == cfn.PSEUDO["AWS::StackId"].split("/")[-1]
        # Not the API: what it may take is what the others leave.
        kept = {
            name.removesuffix("Function"): function["ReservedConcurrentExecutions"]
            for name, function in functions.items()
            if "ReservedConcurrentExecutions" in function
        }
        assert kept == reserved


def module_text(module):
    """A module of Rust, whether it is one file or several."""
    path = cfn.ROOT / module
    files = [path.with_suffix(".rs"), *sorted(path.rglob("*.rs"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def seconds(module, name):
    code = module_text(module)
    [bound] = re.findall(rf"\b{name}: (?:Duration::from_secs\(([\d_]+)\)|minutes\((\d+)\))", code)
    return int(bound[0] or 0) or 60 * int(bound[1])


def test_timeouts_fit_the_bounds_of_the_protocol(resources):
    timeout = {n: f["Timeout"] for n, f in of(resources, "AWS::Lambda::Function").items()}
    # A claim that counts as lost must not have a living function behind it.
    assert 2 * timeout["SubmitFunction"] <= seconds("shared/domain/src/unit", "grace")
    assert timeout["PollFunction"] <= seconds("shared/src/config", "task_lease")
    assert timeout["PollFunction"] <= seconds("shared/domain/src/unit", "collect_lease")
    [integration] = of(resources, "AWS::ApiGatewayV2::Integration").values()
    assert 1000 * timeout["ApiFunction"] == integration["TimeoutInMillis"] == 30_000


def test_environment_is_what_the_code_reads(resources):
    code = (cfn.ROOT / "shared/src/config.rs").read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    required = set(re.findall(r'env\s*\.required\("(\w+)"\)', code))
    optional = set(re.findall(r'env\s*\.(?:optional|parsed)\("(\w+)"', code))
    optional |= set(re.findall(r'\("(\w+)", &mut ', code))
    assert len(required) >= 10 and {"KMS_KEY_ID", "BUCKET_VERSIONED"} <= optional
    [bucket] = of(resources, "AWS::S3::Bucket").values()
    versioned = bucket["VersioningConfiguration"]["Status"] == "Enabled"
    with_key = set()
    for name, function in of(resources, "AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"]
        assert required <= variables.keys(), f"{name} lacks {required - variables.keys()}"
        assert variables.keys() - required <= optional, f"{name} has what is not read"
        assert variables["BUCKET_VERSIONED"] == str(versioned).lower()
        assert variables["BUCKET"] == "${Bucket}"
        assert variables["SUBMIT_QUEUE_URL"] == "${SubmitQueue}"
        # Who is given messages of it says when those that failed come again.
        events = "${EventsQueue}" if name == "RegisterFunction" else None
        assert variables.get("EVENTS_QUEUE_URL") == events
        for table in TABLES:
            assert variables[f"TABLE_{table.upper()}"] == f"${{{logical(table)}}}"
        if "KMS_KEY_ID" in variables:
            assert variables["KMS_KEY_ID"] == "${CredentialsKey.Arn}"
            with_key.add(name)
    assert with_key == {"ApiFunction", "SubmitFunction", "PollFunction"}


def test_poll_is_called_every_minute(resources):
    [schedule] = of(resources, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Arn"] == "${PollFunction.Arn}"
    assert schedule["Target"]["RoleArn"] == "${ScheduleRole.Arn}"
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    [invoke] = of(resources, "AWS::Lambda::EventInvokeConfig").values()
    assert invoke["FunctionName"] == "${PollFunction}" and invoke["MaximumRetryAttempts"] == 0


def test_http_api(resources):
    [integration] = of(resources, "AWS::ApiGatewayV2::Integration").values()
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["IntegrationUri"] == "${ApiFunction.Arn}"
    routes = of(resources, "AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == {"ANY /", "ANY /{proxy+}"}
    assert {route["Target"] for route in routes} == {"integrations/${HttpApiIntegration}"}
    [stage] = of(resources, "AWS::ApiGatewayV2::Stage").values()
    assert stage["StageName"] == "$default" and stage["AutoDeploy"] is True
    assert int(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) > 0
    assert int(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]) > 0
    line = re.sub(r"\$context\.(status|responseLength|responseLatency)\b", "1",
                  stage["AccessLogSettings"]["Format"])
    logged = json.loads(line)
    assert {"time", "request_id", "method", "path", "status"} <= logged.keys()
    forbidden = ("queryString", "header", "authorizer", "requestOverride", "apiKey")
    assert not [word for word in forbidden if word in line]


# --------------------------------------------------------------- permissions


def test_iam_table_is_up_to_date():
    written = (cfn.ROOT / "infra/IAM.md").read_text(encoding="utf-8")
    command = "python tests/python/iam.py > infra/IAM.md"
    assert written == iam.document(TEMPLATE), f"run: {command}"


def test_roles_are_the_ones_that_are_written_down(resources):
    """SAM adds no role and no managed policy of its own."""
    roles = of(resources, "AWS::IAM::Role")
    assert roles.keys() == {n for n, r in TEMPLATE["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    assert roles.keys() == iam.actors(resources).keys(), "each role has one function"
    assert not [n for n, role in roles.items() if role.get("ManagedPolicyArns")]
    others = [n for n, r in resources.items() if r["Type"].startswith("AWS::IAM::")]
    assert set(others) == roles.keys()


def test_no_wildcards(grants):
    for grant in grants:
        assert "*" not in grant.action, grant
        if grant.action == "transcribe:StartTranscriptionJob":
            bound = "StringEquals transcribe:OutputBucketName: ${Bucket}; "
            bound += "StringLike transcribe:OutputKey: runs/*/vendor/*"
            assert grant.condition == bound, grant
        elif grant.action.startswith("transcribe:"):
            assert grant.resource == "transcription-job/{id of the stack}.*", grant
        elif grant.resource == "*":
            assert grant.action.startswith("xray:"), grant
        elif "*" in grant.resource:
            assert re.fullmatch(r"Bucket/([a-z]+|runs/\*/vendor)/\*", grant.resource), grant
    assert not [g for g in grants if g.action in ("dynamodb:Scan", "dynamodb:PartiQLSelect")]


def test_only_submit_and_poll_open_credentials(grants):
    kms = {(g.who, g.action) for g in grants if g.action.startswith("kms:")}
    use = {"kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
    use |= {"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"}
    assert {(who, action) for who, action in kms if action in use or who in FUNCTIONS} == {
        ("api", "kms:GenerateDataKey"),
        ("submit", "kms:Decrypt"),
        ("poll", "kms:Decrypt"),
    }
    for grant in grants:
        if grant.who in FUNCTIONS and grant.action.startswith("kms:"):
            assert "kms:EncryptionContextKeys: project, provider" in grant.condition
            assert "kms:EncryptionContext:project: *" in grant.condition


def test_only_api_reads_api_keys(grants):
    no_keys = "ForAllValues:StringNotLike dynamodb:LeadingKeys: key#*"
    only_keys = (
        f"ForAllValues:StringEquals dynamodb:Attributes: pk, sk; {no_keys}; "
        "StringEqualsIfExists dynamodb:Select: SPECIFIC_ATTRIBUTES"
    )
    for grant in grants:
        if grant.resource == "AccessTable" and grant.who != "api":
            # Operators make keys through poll: it can write one, not read one.
            made = (grant.who, grant.action) == ("poll", "dynamodb:PutItem")
            assert made or grant.action == "dynamodb:GetItem", grant
            bare = only_keys if grant.who == "register" else no_keys
            assert grant.condition == ("" if made else bare), grant


def test_register_reads_no_secret():
    """Secrets are attributes of items in partitions that it may ask for."""
    asked = rust_calls.code_of(cfn.ROOT / "shared/src/registration.rs")
    [method] = set(re.findall(r"store\.(\w*project)\(", asked))
    access = rust_calls.code_of(cfn.ROOT / "shared/src/store/access.rs")
    body = dict(rust_calls.functions_of(access))[method]
    # What IAM compares: the attributes that the request names.
    [named] = re.findall(r'\.projection_expression\("(.*?)"\)', body)
    assert set(named.split(",")) <= {"pk", "sk"}
    assert "self.get(" not in body, "which asks for whole items"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_does_and_no_more(function, grants, by_role):
    """Nothing on one machine notices a missing permission; this does."""
    granted = set()
    for grant in grants:
        service = grant.action.split(":")[0]
        if grant.who != function or service in ("logs", "xray"):
            continue
        if service == "dynamodb":
            table, _, index = grant.resource.partition("Table")
            granted.add((grant.action, table.lower() + index))
        elif grant.action == "s3:ListBucketVersions":
            [prefixes] = re.findall(r"^StringLike s3:prefix: (.*)$", grant.condition)
            assert grant.resource == "Bucket"
            granted |= {(grant.action, prefix.removesuffix("*")) for prefix in prefixes.split(", ")}
        elif service == "s3":
            where = re.fullmatch(r"Bucket(?:/(\w+/(?:\*/vendor/)?)\*)?", grant.resource)[1]
            assert grant.condition == ""
            granted.add((grant.action, where or "bucket"))
        elif service == "kms":
            granted.add((grant.action, "key"))
        elif grant.action == "sqs:SendMessage":
            granted.add((grant.action, "queue"))
        elif service == "transcribe":
            granted.add((grant.action, "job"))
        elif grant.action == "sqs:ChangeMessageVisibility":
            assert grant.resource == "EventsQueue"
            granted.add((grant.action, "events"))
    needed = rust_calls.needs(function)
    if by_role == "true":
        needed |= rust_calls.by_role(function)
    lacking = [" ".join(need) for need in sorted(needed - granted)]
    assert not lacking, "the code asks for what the role may not do:\n" + "\n".join(lacking)
    idle = [" ".join(grant) for grant in sorted(granted - needed)]
    assert not idle, "the role may do what the code never asks for:\n" + "\n".join(idle)


def test_queue_readers(grants):
    reading = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    found = {(g.who, g.resource, g.action) for g in grants if g.action in reading}
    wanted = {("register", "EventsQueue"), ("submit", "SubmitQueue")}
    assert found == {(who, queue, action) for who, queue in wanted for action in reading}


# ------------------------------------------------------------------ watching


def test_alarms_watch_what_exists(resources):
    alarms = of(resources, "AWS::CloudWatch::Alarm")
    watched = set()
    for name, alarm in alarms.items():
        assert alarm["MetricName"] in METRICS[alarm["Namespace"]], name
        [dimension] = alarm["Dimensions"]
        if alarm["Namespace"] == "SttEval":
            assert dimension == {"Name": "Stack", "Value": cfn.PSEUDO["AWS::StackName"]}, name
            assert ["Stack"] in OURS[alarm["MetricName"]], f"{name} watches what is not told"
            assert alarm["TreatMissingData"] == "notBreaching", name
            watched.add(alarm["MetricName"])
            continue
        target = dimension["Value"].strip("${}").split(".")[0]
        kind = {"AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/ApiGateway": "ApiId"}
        assert dimension["Name"] == kind[alarm["Namespace"]], name
        assert target in resources, name
        watched.add((alarm["MetricName"], target))
    wanted = {("Errors", f"{f.capitalize()}Function") for f in FUNCTIONS}
    wanted |= {("Throttles", f"{f.capitalize()}Function") for f in FUNCTIONS}
    for queue in ("Events", "Submit"):
        wanted.add(("ApproximateNumberOfMessagesVisible", f"{queue}DeadLetters"))
        wanted.add(("ApproximateAgeOfOldestMessage", f"{queue}Queue"))
    wanted |= {("Invocations", "PollFunction"), ("5xx", "HttpApi"), ("Latency", "HttpApi")}
    wanted |= {"OldestUnfinishedRun", "OldestOutbox", "MostOverdue", "PollErrors", "ItemsFailed",
               "DuplicateBatches", "UnknownBatchStates", "ActionNeeded"}
    assert watched == wanted
    # Long polls may keep the next ones out for a while, each up to its timeout.
    poll = of(resources, "AWS::Lambda::Function")["PollFunction"]
    throttled = alarms["PollThrottlesAlarm"]
    assert throttled["Period"] * throttled["EvaluationPeriods"] >= 5 * poll["Timeout"]
    # A whole unit that fails is told.
    [most] = re.findall(r"MAX_UNIT_SAMPLES: \w+ = (\d+);", module_text("shared/domain/src/unit"))
    assert alarms["ItemsFailedAlarm"]["Threshold"] <= int(most)
    prices = json.loads((cfn.ROOT / "infra/bench/prices.json").read_text(encoding="utf-8"))
    assert prices["monthly"]["alarms"]["note"] == f"{len(alarms)} at 0.10"
    # A unit that waits for a person tells of it each time it is tried.
    longest = int(re.search(r"LONGEST: u32 = (\d+);", module_text("shared/domain/src/unit"))[1])
    longest *= seconds("shared/domain/src/unit", "refusal_pause")
    assert longest == 900 and alarms["ActionNeededAlarm"]["Period"] > longest + 300
    for queue in ("Events", "Submit"):
        alarm = alarms[f"{queue}DeadLettersAlarm"]
        assert (alarm["Threshold"], alarm["Statistic"]) == (1, "Maximum")
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarms["PollSilentAlarm"]["TreatMissingData"] == "breaching"


def test_alarms_go_to_the_topic():
    silent = of(cfn.deployed(TEMPLATE), "AWS::CloudWatch::Alarm").values()
    assert not [alarm for alarm in silent if alarm.get("AlarmActions")]
    for alarm in of(cfn.deployed(TEMPLATE, **EVERYTHING), "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [EVERYTHING["AlarmTopicArn"]]


@pytest.mark.parametrize(("resubmits", "batches"), [("false", 1), ("true", 2)])
def test_a_run_may_take_as_long_as_its_batches(resubmits, batches):
    """A batch that does not end is stopped at its deadline, and where that is
    asked for submitted once more: the alarm for old runs waits until the last
    deadline is over."""
    resources = cfn.deployed(TEMPLATE, ResubmitBatches=resubmits)
    alarm = of(resources, "AWS::CloudWatch::Alarm")["OldestRunAlarm"]
    unit = module_text("shared/domain/src/unit")
    [hours] = re.findall(r"deadline: Duration::from_secs\((\d+) \* 3_600\)", unit)
    slack = seconds("shared/domain/src/unit", "settle") + seconds("shared/domain/src/unit", "grace")
    all_of_them = batches * (int(hours) * 3600 + slack)
    assert all_of_them + 3600 < alarm["Threshold"] <= 1.25 * all_of_them
    told = re.findall(r"\d+", alarm["AlarmDescription"])
    assert told[batches - 1] == str(int(alarm["Threshold"]) // 3600) and told[2:] == [hours]
    functions = of(resources, "AWS::Lambda::Function").values()
    assert {f["Environment"]["Variables"]["RESUBMIT_BATCHES"] for f in functions} == {resubmits}
    # A poll comes by each unfinished run this often, and so within a period.
    for module in ("functions/poll/src/runs/due", "functions/submit/src/plan"):
        again = r"CHECK_AGAIN: Duration = Duration::from_secs\((\d+)\)"
        [often] = re.findall(again, module_text(module))
        assert int(often) < alarm["Period"]


def test_one_credential_that_keeps_failing_is_told(resources):
    """It comes ever more seldom, down to the longest pause between its polls."""
    pauses = []
    for path in sorted((cfn.ROOT / "shared/src/providers").glob("*/*.rs")):
        text = path.read_text(encoding="utf-8")
        for told in re.findall(r"poll_pauses: &\[(.*?)\]", text, re.DOTALL):
            read = [60 * int(n) for n in re.findall(r"minutes\((\d+)\)", told)]
            read += [int(n) for n in re.findall(r"from_secs\((\d+)\)", told)]
            assert read, f"{path}: {told}"
            pauses += read
    longest = max(pauses)
    # Pauses are off by up to a tenth, and the poll that finds it due comes
    # within a minute.
    apart = longest * 1.1 + 60
    alarm = of(resources, "AWS::CloudWatch::Alarm")["PollWorkAlarm"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
    period, periods = alarm["Period"], alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm", periods)
    assert needed >= 3, "what goes wrong once or twice is no alarm"
    for first in range(0, int(apart), 10):
        failed = {int((first + n * apart) // period) for n in range(100)}
        assert len(failed & set(range(periods))) >= needed, f"first after {first} s"


def test_dashboard_shows_metrics_that_exist(resources):
    [dashboard] = of(resources, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert len(widgets) >= 5
    shown = set()
    for widget in widgets:
        before = []
        for line in widget["properties"]["metrics"]:
            metric = [part for part in line if isinstance(part, str)]
            if not metric:
                [search] = line
                name = re.search(r'MetricName="(\w+)"', search["expression"])[1]
                [(stack, by), *_] = OURS[name]
                assert f"{{SttEval,{stack},{by}}}" in search["expression"]
                assert f'Stack="{cfn.PSEUDO["AWS::StackName"]}"' in search["expression"]
                shown.add(name)
                continue
            if metric[0] == "...":
                metric = before[: len(before) - len(metric) + 1] + metric[1:]
            metric = [old if part == "." else part for part, old in
                      zip(metric, before + [None] * len(metric), strict=False)]
            assert metric[1] in METRICS[metric[0]], line
            if metric[0] == "SttEval":
                assert metric[2::2] in OURS[metric[1]], line
                assert metric[3] == cfn.PSEUDO["AWS::StackName"], line
                shown.add(metric[1])
            else:
                assert re.sub(r"\.\w+$", "", metric[3].strip("${}")) in resources, line
            before = metric
    assert shown == set(OURS), "every metric of our own is shown"


# ------------------------------------------------------------------- outputs


def test_outputs_tell_how_to_make_the_first_key():
    """The commands ask the function that answers operators for what it knows."""
    outputs = {name: output["Value"] for name, output in TEMPLATE["Outputs"].items()}
    requests = []
    for name in ("FirstProjectCommand", "FirstKeyCommand"):
        words = shlex.split(outputs[name]["Fn::Sub"])
        assert words[:3] == ["aws", "lambda", "invoke"]
        options = dict(zip(words[3:-1:2], words[4:-1:2], strict=True))
        assert options["--function-name"] == "${PollFunction}"
        assert options["--cli-binary-format"] == "raw-in-base64-out", "or the payload is no text"
        requests.append(json.loads(options["--payload"])["operator"])
    code = module_text("functions/poll/src/operator")
    fields = re.search(r"enum Request \{(.*?)\n\}", code, re.S)[1]
    for request, variant in zip(requests, ("CreateProject", "CreateKey"), strict=True):
        body = re.search(rf"\b{variant} \{{(.*?)\}}", fields, re.S)[1]
        assert request["action"] == re.sub(r"(?<!^)([A-Z])", r"_\1", variant).lower()
        assert request.keys() - {"action"} == set(re.findall(r"(\w+): ", body))
    assert requests[0]["project"] == requests[1]["project"]
    assert requests[1]["role"] == "admin"


# -------------------------------------------------------------------- events


def test_events_are_those_of_this_deployment():
    """The fixtures for `cargo lambda invoke` say what this release reads."""
    events = {p.stem: json.loads(p.read_text(encoding="utf-8"))
              for p in (cfn.ROOT / "infra/events").glob("*.json")}
    functions = {name.split("-")[0] for name in events}
    assert functions == set(FUNCTIONS), "each function has an event"
    code = (cfn.ROOT / "shared/src/queue.rs").read_text(encoding="utf-8")
    variants = re.search(r"pub enum Message \{(.*?)\n\}", code, re.S)[1]
    types = {re.sub(r"(?<!^)([A-Z])", r"_\1", v).lower()
             for v in re.findall(r"^    (\w+) \{", variants, re.M)}
    sent = {json.loads(record["body"])["type"]
            for name, event in events.items() if name.startswith("submit-")
            for record in event["Records"]}
    assert sent == types
    keys = [record["s3"]["object"]["key"]
            for name, event in events.items() if name.startswith("register-")
            for message in event["Records"]
            for record in json.loads(message["body"]).get("Records", [])]
    assert {key.split("/")[0] for key in keys} == {"audio", "incoming"}
    for name, event in events.items():
        if name.startswith("api-"):
            assert (event["version"], event["requestContext"]["stage"]) == ("2.0", "$default")
            assert event["rawPath"] == event["requestContext"]["http"]["path"]
        elif name == "poll":
            assert event["source"] == "aws.scheduler"


def test_yaml_says_nothing_twice():
    """A key given twice silently loses the first one."""
    class Strict(cfn.Loader):
        pass

    def mapping(loader, node, deep=False):
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice near line {node.start_mark.line + 1}: {keys}"
        return yaml.SafeLoader.construct_mapping(loader, node, deep)

    Strict.add_constructor("tag:yaml.org,2002:map", lambda l, n: mapping(l, n, deep=True))
    yaml.load(cfn.TEMPLATE.read_text(encoding="utf-8"), Strict)
