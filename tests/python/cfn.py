"""Reading template.yaml the way CloudFormation does.

`load` gives the template as written, `deployed` what is left of it after
SAM's own translator has made plain resources of it and the parameters have
their values. What only AWS knows stays a name: `${FilesTable.Arn}`.
"""

import copy
import os
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/"
    "stt/0f6c2c54-7d3a-4a0e-9a5b-2f1d8c3b4e5f",
    "AWS::StackName": "stt",
    "AWS::URLSuffix": "amazonaws.com",
}


class Loader(yaml.SafeLoader):
    """YAML with the short forms of intrinsic functions."""


def _intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _intrinsic)


def load(path=TEMPLATE):
    """The template as written."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)


def translated(template):
    """The template after SAM's transform."""
    os.environ.setdefault("AWS_DEFAULT_REGION", PSEUDO["AWS::Region"])
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        # What `sam package` does: the code lies in a bucket by now.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "zip"}
    # No function may need a managed policy: there is none to be looked up.
    return Translator({}, Parser()).translate(template, {})


def deployed(template, **parameters):
    """Resources as they would be deployed with these parameters."""
    known = dict(PSEUDO)
    for name, parameter in template["Parameters"].items():
        known[name] = str(parameters.pop(name, parameter["Default"]))
    assert not parameters, f"no such parameters: {parameters}"
    conditions = template.get("Conditions", {})
    plain = translated(template)
    return _resolve({"Resources": plain["Resources"]}, known, conditions)["Resources"]


GONE = object()


def _resolve(value, known, conditions):
    def go(value):
        return _resolve(value, known, conditions)

    if isinstance(value, list):
        return [v for v in map(go, value) if v is not GONE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(function, argument)] = value.items()
        if function == "Ref":
            if argument == "AWS::NoValue":
                return GONE
            return known.get(argument, f"${{{argument}}}")
        if function == "Fn::GetAtt":
            return f"${{{'.'.join(argument)}}}"
        if function == "Fn::Sub":
            text, names = argument if isinstance(argument, list) else (argument, {})
            for name, replacement in [*known.items(), *go(names).items()]:
                text = text.replace(f"${{{name}}}", replacement)
            return text
        if function == "Fn::If":
            name, then, otherwise = argument
            return go(then if go(conditions[name]) else otherwise)
        if function == "Fn::Equals":
            return len({str(go(v)) for v in argument}) == 1
        if function == "Fn::Not":
            return not go(argument[0])
        if function == "Fn::And":
            return all(map(go, argument))
        if function == "Condition" and isinstance(argument, str) and argument in conditions:
            return go(conditions[argument])
        if function == "Fn::Split":
            return go(argument[1]).split(argument[0])
        if function == "Fn::Select":
            return go(argument[1])[int(argument[0])]
        if function == "Fn::Join":
            return argument[0].join(go(argument[1]))
        if function.startswith("Fn::"):
            raise NotImplementedError(function)
    resolved = {key: go(v) for key, v in value.items()}
    return {key: v for key, v in resolved.items() if v is not GONE}
