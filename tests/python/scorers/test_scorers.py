"""`stt-eval score` beside scorers that others wrote, and its JUnit beside the rules of readers.

jiwer and meeteval are from PyPI; sclite is Debian's `sctk`, which `tests/run` installs where it may: without
it its test says that it is left out, and why. Needs the binary in STT_EVAL_BIN.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jiwer
import meeteval
import pytest

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("STT_EVAL_BIN", str(ROOT / "target/debug/stt-eval"))
sys.path.insert(0, str(ROOT / "infra/bench"))
from scoring_vs_jiwer import pair  # noqa: E402

PAIRS = 10_000
# sclite aligns by itself, and tells of each utterance.
UTTERANCES = 1_000


def pairs(count):
    """Seeded texts in Latin and Indic scripts, one hypothesis in fifty empty."""
    rng = random.Random(14)
    made = [pair(rng, rng.randint(1, 18)) for _ in range(count)]
    return [(right, "" if at % 50 == 7 else heard) for at, (right, heard) in enumerate(made)]


def run(folder, *arguments):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    command = [BINARY, "score", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120)


def score(folder, *arguments):
    done = run(folder, *arguments, "--normalizer", "raw-v1", "--json")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)["systems"][0]


def counted(counts):
    return counts["substitutions"] + counts["deletions"] + counts["insertions"]


def test_ten_thousand_pairs_are_counted_as_jiwer_counts_them(tmp_path):
    words = [("words", "wer", jiwer.process_words)]
    both = [*words, ("characters", "cer", jiwer.process_characters)]
    # jiwer takes long for characters.
    for count, wanted in ((PAIRS, words), (UTTERANCES, both)):
        made = pairs(count)
        for name, side in (("r.txt", 0), ("h.txt", 1)):
            (tmp_path / name).write_text("".join(f"{one[side]}\n" for one in made), encoding="utf-8")
        ours = score(tmp_path, "r.txt", "h.txt")
        assert ours["samples"] == count
        right, heard = map(list, zip(*made))
        for own, rate, process in wanted:
            theirs = process(right, heard)
            counts = ours[own]
            # Of one cost there are several alignments, so what is a substitution may differ; the
            # cost and the length of the references may not.
            assert counted(counts) == theirs.substitutions + theirs.deletions + theirs.insertions
            length = theirs.hits + theirs.substitutions + theirs.deletions
            assert counts["hits"] + counts["substitutions"] + counts["deletions"] == length
            assert ours[rate] == getattr(theirs, rate)


def distance(right, heard):
    """Least edits between two lists, as in any textbook."""
    before = list(range(len(heard) + 1))
    for at, word in enumerate(right, 1):
        row = [at]
        for place, other in enumerate(heard, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (word != other)))
        before = row
    return before[-1]


def test_sclite_counts_no_fewer_errors_and_as_many_where_the_optima_coincide(tmp_path):
    if not shutil.which("sctk"):
        pytest.skip("sclite is not installed: Debian's package sctk has it")
    made = pairs(UTTERANCES)
    for name, side in (("r.trn", 0), ("h.trn", 1)):
        lines = (f"{one[side]} (s-{at:04})\n" for at, one in enumerate(made))
        (tmp_path / name).write_text("".join(lines), encoding="utf-8")
    ours = score(tmp_path, "r.trn", "h.trn")["words"]
    told = subprocess.run(
        ["sctk", "sclite", "-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "rm", "-e", "utf-8",
         "-o", "pralign", "stdout"],
        cwd=tmp_path, capture_output=True, timeout=120, check=True,
    ).stdout.decode()
    found = re.findall(r"^id: \(s-(\d+)\)\nScores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", told, re.M)
    assert len(found) == UTTERANCES
    least = theirs = length = together = 0
    for at, hits, *edits in (map(int, one) for one in found):
        right, heard = (text.split() for text in made[at])
        own = distance(right, heard)
        # It weighs 4, 3 and 3, so its alignment may have an error more than the shortest one.
        assert sum(edits) >= own
        together += sum(edits) == own
        least += own
        theirs += sum(edits)
        length += hits + edits[0] + edits[1]
    assert counted(ours) == least <= theirs
    assert ours["hits"] + ours["substitutions"] + ours["deletions"] == length
    assert together > 0.95 * UTTERANCES


def segments(texts, rng):
    """Calls of one speaker each, in some segments that do not stand in their order."""
    made = []
    for at, text in enumerate(texts):
        words = text.split()
        cuts = sorted(rng.randint(0, len(words)) for _ in range(rng.randint(0, 3)))
        times = zip([0, *cuts], [*cuts, len(words)])
        for place, (start, end) in enumerate(times):
            made.append((f"call{at:03}", place * 2.5, place * 2.5 + 2.4, " ".join(words[start:end])))
    rng.shuffle(made)
    return made


def test_stm_and_seglst_are_counted_as_meeteval_counts_them(tmp_path):
    rng = random.Random(15)
    made = pairs(200)
    for name, side in (("r", 0), ("h", 1)):
        all_of_it = segments([one[side] for one in made], rng)
        stm = (f"{call} 1 s {start} {end} {words}\n" for call, start, end, words in all_of_it)
        (tmp_path / f"{name}.stm").write_text("".join(stm), encoding="utf-8")
        seglst = [
            {"session_id": call, "speaker": "s", "start_time": start, "end_time": end, "words": words}
            for call, start, end, words in all_of_it
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(seglst, ensure_ascii=False), encoding="utf-8")
    for right, heard in (("r.stm", "h.stm"), ("r.json", "h.json"), ("r.stm", "h.json")):
        ours = score(tmp_path, right, heard)
        both = (meeteval.io.load(tmp_path / name) for name in (right, heard))
        theirs = meeteval.wer.combine_error_rates(meeteval.wer.cpwer(*both))
        assert ours["samples"] == len(made)
        assert (counted(ours["words"]), ours["wer"]) == (theirs.errors, theirs.error_rate)


# ------------------------------------------------------------------------ JUnit
# Jenkins' readers go by junit-10.xsd of its xunit plug-in. There is no package of it, so
# these are its rules of the elements that we write, by hand: attributes that are needed, those
# that may be there, and children.
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
RULES = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def check(element):
    needed, may, children = RULES[element.tag]
    there = set(element.attrib)
    assert needed <= there <= needed | may, (element.tag, there)
    if "time" in element.attrib:
        assert TIME.fullmatch(element.attrib["time"])
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check(child)
    # Only what went wrong or was printed may have a text.
    if element.tag not in ("failure", "error", "system-out"):
        texts = [element.text, *(child.tail for child in element)]
        assert not any(text and text.strip() for text in texts)


def test_junit_keeps_to_the_rules_of_its_readers(tmp_path):
    (tmp_path / "r.txt").write_text("a b c\nd e f\n")
    (tmp_path / "a<&\"'b.txt").write_text("a b c\nd e x\n")
    (tmp_path / "c]]>.txt").write_text("a b c\nd e f\n")
    done = run(
        tmp_path, "r.txt", "a<&\"'b.txt", "c]]>.txt", "--junit", "j.xml",
        "--fail-if", "wer>0.1", "--fail-if", "wer.high>0.5", "--junit-samples", "worst=2",
    )
    assert done.returncode == 100, done.stderr.decode()
    document = ElementTree.parse(tmp_path / "j.xml").getroot()
    check(document)
    cases = list(document.iter("testcase"))
    outcomes = [{child.tag for child in case} for case in cases]
    printed = frozenset({"system-out"})
    wrong = {frozenset({"failure"}), frozenset({"error"})}
    assert {frozenset(one) for one in outcomes} == {frozenset(), printed} | wrong
    for suite in (document, *document.iter("testsuite")):
        own = list(suite.iter("testcase"))
        for attribute, tag in (("tests", None), ("failures", "failure"), ("errors", "error")):
            counted_here = len(own) if tag is None else sum(case.find(tag) is not None for case in own)
            assert int(suite.attrib[attribute]) == counted_here
    # GitLab keeps the first of two cases of one name, and shows the body.
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
    assert len(names) == len(set(names))
    assert all(wrong.text for wrong in document.iter("failure"))
