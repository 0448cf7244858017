"""Who may do what, read from template.yaml.

    python tests/python/iam.py > infra/IAM.md

Needs the packages of requirements/template.txt. A test fails when the file
and the template differ.
"""

import re
from dataclasses import dataclass

import cfn

HEAD = """\
# Permissions

Made from `template.yaml` by `tests/python/iam.py`; don't edit. One role per
function, no managed policy, no wildcard action. Everything that is not in
this table is denied.

- `TransactWriteItems` needs no permission of its own: DynamoDB asks for those
  of the single writes.
- Projects and sealed credentials lie in one partition of `access`, and IAM
  knows no sort keys. `register` may ask whether an item is there, by its keys,
  and for nothing in it. Who reads more reaches sealed credentials, too, but only
  `submit` and `poll` can open them, by the policy of `CredentialsKey`, which
  leaves IAM policies of the account no say. `api` can seal one and never open it.
- `s3:ListBucket` has no prefix, because reads have none to compare: without it
  S3 answers 403 instead of 404 for objects that are not there.
- `*` stands only where AWS knows no resource (X-Ray, and the start of a job of
  Amazon Transcribe, which is bound by where its transcript goes instead).
- What is asked with these roles only where the operator switches it on
  (`AmazonTranscribe`) is in a table of its own; without that it is denied.

"""


@dataclass(frozen=True, order=True)
class Grant:
    """One action that a function or service may do to one resource."""

    who: str
    action: str
    resource: str
    condition: str


def listed(value):
    return value if isinstance(value, list) else [value]


def short(resource):
    """`${FilesTable.Arn}/index/due` is FilesTable/index/due."""
    job = re.search(r":transcription-job/(.*)$", resource)
    if job:
        own = cfn.PSEUDO["AWS::StackId"].split("/")[-1]
        assert job[1].startswith(own), resource
        return f"transcription-job/{{id of the stack}}{job[1].removeprefix(own)}"
    return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", resource)


def condition_of(statement):
    parts = []
    for operator, tests in sorted(statement.get("Condition", {}).items()):
        for key, values in sorted(tests.items()):
            parts.append(f"{operator} {key}: {', '.join(sorted(map(short, listed(values))))}")
    return "; ".join(parts)


def actors(resources):
    """Role -> the function or schedule that has it."""
    found = {}
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Lambda::Function":
            role, actor = properties["Role"], name.removesuffix("Function").lower()
        elif resource["Type"] == "AWS::Scheduler::Schedule":
            role, actor = properties["Target"]["RoleArn"], "(schedule)"
        else:
            continue
        role = short(role)
        assert role not in found, f"{role} is shared by {found.get(role)} and {actor}"
        found[role] = actor
    return found


def grants(resources):
    """Every permission of the roles, and what the key's policy adds."""
    who = actors(resources)
    found = []
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties["Policies"]:
                for statement in listed(policy["PolicyDocument"]["Statement"]):
                    found += of_statement(who[name], statement)
        elif resource["Type"] == "AWS::KMS::Key":
            for statement in listed(properties["KeyPolicy"]["Statement"]):
                for principal in listed(statement["Principal"]["AWS"]):
                    actor = who.get(short(principal), "(account)")
                    found += of_statement(actor, {**statement, "Resource": name})
    return sorted(set(found))


def of_statement(actor, statement):
    assert statement["Effect"] == "Allow", statement
    assert not {"NotAction", "NotResource"} & statement.keys(), statement
    return [
        Grant(actor, action, short(resource), condition_of(statement))
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def others(resources):
    """What services may do, by the policies of the resources themselves."""
    found = []
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"):
            for statement in listed(properties["PolicyDocument"]["Statement"]):
                if statement["Effect"] == "Allow":
                    [service] = listed(statement["Principal"]["Service"])
                    found += of_statement(service, statement)
        elif resource["Type"] == "AWS::Lambda::Permission":
            principal, source = properties["Principal"], properties["SourceArn"]
            target = re.sub(r"\W", "", properties["FunctionName"])
            found.append(Grant(principal, properties["Action"], target, f"SourceArn: {source}"))
    return sorted(found)


def table(rows):
    """A row for each resource and condition, its actions together."""
    together = {}
    for grant in rows:
        key = (grant.who, grant.resource, grant.condition)
        together.setdefault(key, []).append(grant.action)
    lines = ["| who | resource | actions | only if |", "| --- | --- | --- | --- |"]
    for (who, resource, condition), actions in sorted(together.items()):
        actions = ", ".join(f"`{action}`" for action in sorted(actions))
        condition = f"`{condition}`" if condition else ""
        lines.append(f"| {who} | `{resource}` | {actions} | {condition} |")
    return "\n".join(lines) + "\n"


def document(template):
    resources = cfn.deployed(template)
    always = grants(resources)
    switched = cfn.deployed(template, AmazonTranscribe="true")
    more = [grant for grant in grants(switched) if grant not in always]
    return (
        HEAD
        + "## Functions\n\n"
        + table(always)
        + "\n## Functions, with `AmazonTranscribe`\n\n"
        + table(more)
        + "\n## Services\n\n"
        + table(others(resources))
    )


if __name__ == "__main__":
    print(document(cfn.load()), end="")
