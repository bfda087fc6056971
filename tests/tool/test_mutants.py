# SPDX-License-Identifier: MIT
"""tools/mutants.py: two mutants of which it is known who must notice them.

In:     the monitor's sources and what was built of them.
Out:    the report that the tool writes.
Always: nothing is changed outside of the test's own folder.
"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What is changed, and by which suite that must be seen.
KNOWN = {
    "a threshold that is off by one": ("off-by-one src/vdev/vplic.c: bool         up   = p->priority", "unit"),
    "floating point is not loaded":   ("drop-call src/vm/engine.c: fp_load", "hostile"),
}


def mutants(*args):
    return subprocess.run([ROOT / "tools/mutants.py", *args], capture_output=True, text=True, check=False, timeout=560)


@pytest.mark.parametrize("what", KNOWN)
def test_is_killed(what, tmp_path):
    match, suite = KNOWN[what]
    done = mutants("--match", match, "--suites", suite, "--cases", "fp-first", "--out", tmp_path, "--jobs", "1")
    assert done.stdout.endswith("1 killed, 0 survived\n"), done.stdout + done.stderr
    assert f"| {suite} | 1 |" in (tmp_path / "report.md").read_text()


def test_seed_decides():
    lists = [mutants("--list", "--count", "50", "--seed", seed).stdout for seed in "112"]
    assert lists[0] == lists[1] != lists[2]
    assert len(set(lists[0].splitlines())) == 50
