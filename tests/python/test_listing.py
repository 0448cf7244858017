"""The memory of `poll` while six credentials have lists of 33 MB a page: the bound
of infra/bench/listing.py, held by the function's own binary.

Needs boto3, `stt-eval-local` in STT_EVAL_LOCAL_BIN and the other binaries beside
it.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra/bench"))

import listing  # noqa: E402

BINARIES = Path(os.environ["STT_EVAL_LOCAL_BIN"]).parent


@pytest.mark.parametrize("variant", ["only what is asked for", "everything"])
def test_memory_is_bounded(variant):
    took = listing.measure(BINARIES, None, faults=listing.VARIANTS[variant])
    assert took["lists"] >= 6 and took["refused"] == 0, took
    assert took["peak_mb"] - took["idle_mb"] < listing.BOUND, took
