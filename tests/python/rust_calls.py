"""What the functions ask of AWS, read from their Rust source.

No test on one machine notices a missing permission, and none notices one too
many. So this reads which calls each function makes: the store's methods are
found in `functions/NAME/src` and in what they use of `shared`, and each
method's requests in `shared/src/store`. It knows the few ways in which the
store talks to DynamoDB; a way that it doesn't know is an error, not a gap.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from cfn import ROOT

STORE = ROOT / "shared/src/store"

# What folding the changes of a count asks for (shared/src/store/counts.rs).
FOLDS = ("Query", "DeleteItem", "UpdateItem")
# Helpers of the store, called on `self`: actions, for a table given first.
HELPERS = {
    "get": ("GetItem",),
    "put_rev": ("PutItem",),
    "put_rev_of": ("PutItem",),
    "delete": ("DeleteItem",),
    "get_many": ("BatchGetItem",),
    "write_many": ("BatchWriteItem",),
    "delete_many": ("BatchWriteItem",),
    "count": ("GetItem", *FOLDS),
    "fold": FOLDS,
    "page": ("Query",),
    "all": ("Query",),
}
# Writes of a transaction. DynamoDB asks for the single permissions.
WRITES = {
    "put_rev": "PutItem",
    "put_if": "PutItem",
    "put": "PutItem",
    "update": "UpdateItem",
    "delete": "DeleteItem",
    "count": "PutItem",
    "check": "ConditionCheckItem",
}
REQUESTS = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
}
# Methods of the bucket, and what S3 asks for. Whether something is missing
# can only be told with ListBucket.
OBJECTS = {
    "head": {"GetObject", "ListBucket"},
    "get": {"GetObject", "ListBucket"},
    "range": {"GetObject"},
    "reader": {"GetObject"},
    "sha256": {"GetObject"},
    "audio": {"GetObject"},
    "presign_get": {"GetObject"},
    "presign_file": {"GetObject"},
    "presign_put": {"PutObject"},
    "put": {"PutObject"},
    "begin_parts": {"PutObject"},
    "put_part": {"PutObject"},
    "join_parts": {"PutObject"},
    "put_stream": {"PutObject", "AbortMultipartUpload"},
    "delete": {"DeleteObjectVersion", "ListBucketVersions"},
    "delete_file": {"DeleteObjectVersion", "ListBucketVersions"},
    "delete_prefix": {"DeleteObjectVersion", "ListBucketVersions"},
}
# What makes a handle on the bucket and asks for nothing.
MAKES = ("signed_by",)
# Where a method takes the version of the object, after its key. Reading one
# wants a permission of its own.
VERSIONED = {"head": 1, "range": 1, "sha256": 1, "audio": 1, "presign_get": 1}
# Files lie where they were sent to: by the API's own URL, or by people.
FILES = {"audio/", "incoming/"}
# What a function of `registration.rs` is about.
REGISTERS = {"register_upload": {"audio/"}, "register_incoming": {"incoming/"}}
VAULT = {"seal": "GenerateDataKey", "open": "Decrypt"}
# Shared modules with calls of their own, which belong to the function that calls them.
SHARED = ["shared/src/registration.rs", "shared/src/access/projects.rs"]
# The same for what is done alike with a unit; functions that use any of it may
# come to all of it.
WORK = ["shared/src/work/account.rs", "shared/src/work/admission.rs",
        "shared/src/work/discard.rs", "shared/src/work/step.rs"]

# Amazon Transcribe, which is asked with the role of the function that asks. Of what its
# adapter does (`providers/transcribe/adapter.rs`) `submit` prepares and starts jobs; `poll`
# looks for them, asks for them, reads what they left and deletes it. The service reads and
# writes the bucket with the rights of who starts a job.
TRANSCRIBE = ROOT / "shared/src/providers/transcribe"
LEFT = "runs/*/vendor/"
BY_ROLE = {
    "submit": {
        "prepared": {("s3:PutObject", LEFT), ("s3:AbortMultipartUpload", LEFT)},
        "start": {
            ("transcribe:StartTranscriptionJob", "job"),
            ("s3:GetObject", LEFT), ("s3:PutObject", LEFT),
        },
    },
    "poll": {
        "is_there": {("transcribe:GetTranscriptionJob", "job")},
        "discarded": {("transcribe:DeleteTranscriptionJob", "job")},
    },
}
# What else of the bucket `poll` needs for that it has for all of `runs/`.


def by_role(function):
    """IAM actions that a function needs for vendors that are asked with its role."""
    code = code_of(TRANSCRIBE / "client.rs")
    asked = set(re.findall(r"\.((?:start|get|list|delete)_transcription_jobs?)\(\)", code))
    known = {action.removeprefix("transcribe:") for steps in BY_ROLE.values()
             for needs in steps.values() for action, _ in needs if action.startswith("transcribe:")}
    assert {"".join(word.title() for word in name.split("_")) for name in asked} == known
    adapter = {name for name, _ in functions_of(code_of(TRANSCRIBE / "adapter.rs"))}
    steps = BY_ROLE.get(function, {})
    assert steps.keys() <= adapter
    return set().union(*steps.values())


def code_of(path):
    """Source without comments, tests and white space."""
    text = Path(path).read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"\s+(?=\W)|(?<=\W)\s+", "", text)


def functions_of(code):
    """Name and body of each function."""
    for match in re.finditer(r"\bfn (\w+)", code):
        start = code.find("{", match.end())
        end = code.find(";", match.end())
        if start < 0 or 0 <= end < start:
            continue
        depth, at = 1, start + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
        yield match[1], code[start:at]


@dataclass
class Method:
    """What one method of the store does."""

    requests: set = field(default_factory=set)
    calls: set = field(default_factory=set)


def tables_in(body, expression):
    """The table that an expression stands for."""
    expression = expression.lstrip("&")
    if match := re.fullmatch(r"(?:self|store)\.tables\.(\w+)|tables\.(\w+)", expression):
        return {match[1] or match[2]}
    if expression in ("table", "name"):
        found = set(re.findall(rf"let {expression}=&self\.tables\.(\w+);", body))
        found |= set(re.findall(r"DueTable::\w+=>&self\.tables\.(\w+)", body))
        if found:
            return found
    raise LookupError(f"which table is {expression!r}?")


def indexes_in(code, expression):
    """The indexes that an expression stands for; a field may be any that its file fills it with."""
    if expression.startswith('"'):
        return {expression.strip('"')}
    found = set(re.findall(r'\bindex:"(\w+)",hash:"\w+_key",', code))
    if expression != "listing.index" or not found:
        raise LookupError(f"which index is {expression!r}?")
    return found


TABLE = r"(&?(?:self\.|store\.)?tables\.\w+|&?table|&?name)"


def read_method(body, code):
    method, seen = Method(), 0

    def add(action, expression, index=None):
        for table in tables_in(body, expression):
            method.requests.add((action, f"{table}/index/{index}" if index else table))

    for helper, expression in re.findall(rf"\bself\.(\w+)\({TABLE},", body):
        for action in HELPERS[helper]:
            add(action, expression)
    for write, expression in re.findall(rf"(?<!self)\.(\w+)\({TABLE},", body):
        add(WRITES[write], expression)
    for expression in re.findall(rf"\buse_file\(txn,{TABLE},", body):
        add("UpdateItem", expression)
    if ".complete(" in body:
        method.requests.add(("PutItem", "runs"))
    requests = rf"\.db\.(\w+)\(\)\.table_name\({TABLE}\)(?:\.index_name\(([^)]+)\))?"
    for request, expression, index in re.findall(requests, body):
        seen += 1
        for found in indexes_in(code, index) if index else [None]:
            add(REQUESTS[request], expression, found)
    if body.count(".db.") != seen:
        raise LookupError("a request in a form that is not known here")
    method.calls = set(re.findall(r"\bself\.(\w+)\(", body)) - HELPERS.keys()
    return method


def store_methods():
    methods = {}
    for path in sorted(STORE.glob("*.rs")):
        if path.name in ("mod.rs", "txn.rs", "row.rs", "schema.rs"):
            continue  # the helpers themselves
        code = code_of(path)
        for name, body in functions_of(code):
            if path.name == "counts.rs" and not name.endswith("_files"):
                continue  # helpers, too
            touches = ".tables." in body or ".db." in body or "self." in body
            if not touches or name in ("complete", "item", "completed"):
                continue
            assert name not in methods, f"two methods of the store are called {name}"
            try:
                methods[name] = read_method(body, code)
            except (LookupError, KeyError) as problem:
                raise AssertionError(f"{path.name}: {name}: {problem}") from problem
    return methods


def requests_of(name, methods):
    method = methods[name]
    found = set(method.requests)
    for called in method.calls & methods.keys():
        found |= requests_of(called, methods)
    return found


def stray_callers():
    """Modules of `shared` that make calls and are not read here."""
    home = ROOT / "shared/src"
    for path in sorted(home.rglob("*.rs")):
        known = path.is_relative_to(STORE) or path == home / "objects.rs"
        if not known and str(path.relative_to(ROOT)) not in SHARED + WORK:
            code = code_of(path)
            uses = re.search(r"\bcrate::(store|objects|queue|app|App)\b|\bcredentials::Vault\b", code)
            if uses and re.search(rf"\b(store|objects|vault|queue)\.(?!(?:{'|'.join(MAKES)})\()\w+\(", code):
                yield path.relative_to(ROOT)


def arguments(text):
    """Arguments of a call, from the text after its bracket."""
    parts, depth, start = [], 1, 0
    for at, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 or (depth == 1 and sign == ","):
            parts.append(text[start:at])
            start = at + 1
        if depth == 0:
            return [part for part in parts if part]
    raise LookupError("a call that does not end")


def prefixes(module, method, key):
    """Where in the bucket the object lies that a call names."""
    if "snapshot_key(" in key:
        return {"datasets/"}
    if "run_prefix(" in key:
        return {"runs/"}
    if "import_prefix(" in key or (
        re.fullmatch(r"&?\w+", key) and "import_key(" in module
    ):
        return {"imports/"}
    if "report_prefix(" in key or (
        re.fullmatch(r"&?\w+", key) and "report_prefix(" in module and "run_prefix(" not in module
    ):
        return {"reports/"}
    made_here = re.fullmatch(r"&?\w+", key) and re.search(r"\b(run_prefix|raw_key|landed_at)\(", module)
    if made_here:
        return {"runs/"}
    if "object_key" in key or (re.fullmatch(r"&?\w+", key) and "object_key" in module):
        # Only people write below incoming/.
        return {"audio/"} if "PutObject" in OBJECTS[method] else FILES
    raise LookupError(f"where does {method}({key}) lead?")


def object_calls(module, where=None):
    """Actions on the bucket that a module asks for, with their prefixes."""
    found = set()
    for match in re.finditer(r"\bobjects\.(\w+)\(", module):
        method = match[1]
        if method not in OBJECTS:
            continue
        given = arguments(module[match.end():])
        for prefix in where or prefixes(module, method, given[0]):
            for action in OBJECTS[method]:
                # ListBucket has no prefix: see infra/IAM.md.
                found.add((f"s3:{action}", "bucket" if action == "ListBucket" else prefix))
            if method in VERSIONED and given[VERSIONED[method]] != "None":
                found.add(("s3:GetObjectVersion", prefix))
    return found


def needs_of_bucket(function):
    """S3 actions that a function's source asks for, each with a prefix."""
    found = set()
    files = sorted((ROOT / "functions" / function / "src").rglob("*.rs"))
    modules = [code_of(path) for path in files]
    for module in modules:
        found |= object_calls(module)
    registration = code_of(ROOT / "shared/src/registration.rs")
    assert {n for n, _ in functions_of(registration)} >= REGISTERS.keys()
    for name, where in REGISTERS.items():
        if any(re.search(rf"(?<!\.)\b{name}\(", module) for module in modules):
            found |= object_calls(registration, where)
    return found


def needs(function):
    """IAM actions that a function's source asks for, by service."""
    methods = store_methods()
    code = "".join(code_of(p) for p in sorted((ROOT / "functions" / function / "src").rglob("*.rs")))
    for path in SHARED:
        module = code_of(ROOT / path)
        # All of it: what one of its functions calls is what the caller needs.
        offered = re.findall(r"\bpub (?:async )?fn (\w+)", module)
        if any(re.search(rf"(?<!\.)\b{name}\(", code) for name in offered):
            code += module
    if "stt_eval_shared::work::" in code:
        code += "".join(code_of(ROOT / path) for path in WORK)
    strays = [str(path) for path in stray_callers()]
    assert not strays, f"calls that SHARED does not name: {strays}"
    found = set()
    for name in re.findall(r"\bstore\.(\w+)\(", code):
        if name in methods:
            found |= {(f"dynamodb:{a}", r) for a, r in requests_of(name, methods)}
        elif name not in ("clone",):
            raise AssertionError(f"{function}: the store has no method {name} that is known here")
    found |= needs_of_bucket(function)
    for name in re.findall(r"\bvault\.(\w+)\(", code):
        found |= {(f"kms:{VAULT[name]}", "key")} if name in VAULT else set()
    if re.search(r"\bqueue\.show_again\(", code):
        found.add(("sqs:ChangeMessageVisibility", "events"))
    if re.search(r"\bqueue\.send(_one)?\(", code):
        found.add(("sqs:SendMessage", "queue"))
    return found


if __name__ == "__main__":
    for function in ("api", "register", "submit", "poll"):
        for action, resource in sorted(needs(function)):
            print(function, action, resource)
