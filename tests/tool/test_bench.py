# SPDX-License-Identifier: MIT
#
# The benchmarks, quickly: that each yields a number, not which.
#
# In:     bench/run.py, which measures the bare machine, and a VM where the monitor has been built.
# Out:    that its files are complete, and that a missing result is an error.
# Always: what stands in build/bench.* stays as it is.

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
RUN = TOP / "bench" / "run.py"

spec = importlib.util.spec_from_file_location("bench_run", RUN)
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if not shutil.which("riscv64-linux-gnu-gcc"):
        pytest.skip("no compiler for the guest's programs: tools/deps.sh bench")
    out = tmp_path_factory.mktemp("bench")
    done = subprocess.run([sys.executable, RUN, "--quick", "--out", out], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "bench.txt").read_text() == done.stdout
    return json.loads((out / "bench.json").read_text()), done.stdout


def machines():
    built = (TOP / "build" / "duomo.elf").exists() and (TOP / "build" / "duomo").exists()
    return {"bare", "vm"} if built else {"bare"}


@pytest.mark.parametrize("measurement, rows", [
    ("wall", run.BENCHES), ("icount", run.BENCHES), ("traps", run.TRAPS)])
def test_every_benchmark_yields_numbers(report, measurement, rows):
    measured, text = report
    for name, what, *_ in rows:
        assert what in text
        assert set(measured[measurement][name]) == machines()
        for samples in measured[measurement][name].values():
            assert samples and all(sample > 0 for sample in samples)


def test_bare_instruction_counts_are_exact(report):
    traps = report[0]["traps"]
    for name in ("csrr_sscratch", "csrw_sscratch", "csrrw_sscratch", "csrrc_sstatus", "sret",
                 "mmio_uart_lsr", "fill_page"):
        assert traps[name]["bare"] == [1], name
    assert traps["sbi_base"]["bare"][0] > 50


# What run.py makes of a console.

PATTERN = r"bench (\w+) iterations (\d+) ns_total (\d+)"


def test_results_are_parsed():
    lines = ["noise", "bench a iterations 10 ns_total 55", "vm: bench b iterations 1 ns_total 7",
             "bench a iterations 10 ns_total 44"]
    assert run.results_parse("x", lines, PATTERN, ["a", "b"]) == {"a": [5.5, 4.4], "b": [7.0]}


def test_missing_result_is_an_error():
    with pytest.raises(run.BenchError, match="no result for b(.|\n)*Kernel panic"):
        run.results_parse("x", ["bench a iterations 1 ns_total 1", "Kernel panic"], PATTERN,
                          ["a", "b"])


@pytest.mark.parametrize("script, code", [("exit 3", 3), ("exec sleep 60", -9)])
def test_failing_machine_is_an_error(tmp_path, monkeypatch, script, code):
    qemu = tmp_path / "qemu"
    qemu.write_text(f"#!/bin/sh\necho last words\n{script}\n")
    qemu.chmod(0o755)
    monkeypatch.setattr(run, "QEMU", str(qemu))
    with pytest.raises(run.BenchError, match=f"QEMU ended with {code} (.|\n)*last words"):
        run.qemu_run("x", [], 0.5)


def test_vm_gets_the_same_memory_and_command_line(monkeypatch):
    commands = []
    monkeypatch.setattr(run, "tool_run", commands.append)
    args = run.Vm().linux(run.QUICK)
    assert args[args.index("-bios") + 1] == run.BUILD / "duomo.elf"
    for option, value in (("--memory", run.GUEST_MEMORY), ("--kernel", run.KERNEL),
                          ("--initrd", run.INITRD), ("--cmdline", run.cmdline(run.QUICK)),
                          ("-o", args[args.index("-kernel") + 1])):
        assert commands[0][commands[0].index(option) + 1] == value
    bare = run.Bare().linux(run.QUICK)
    assert bare[bare.index("-m") + 1] == run.GUEST_MEMORY
    assert bare[bare.index("-append") + 1] == run.cmdline(run.QUICK)


# What it writes.

def both(bare, vm):
    return {"bare": bare, "vm": vm}


def test_tables_compare_minima():
    measured = {name: both([2e6, 1e6, 3e6], [4e6, 2e6]) for name, *_ in run.BENCHES}
    first = [cell.strip() for cell in run.wall_table(measured).splitlines()[2].split("|")]
    assert first[1:-1] == ["boot to shell", "ms", "1.00", "2.00", "2.00", "3.00", "2.00"]
    assert run.wall_table(measured).splitlines()[-1].split()[-2] == "2.00"
    assert len({len(line) for line in run.icount_table(measured).splitlines()}) == 1


def test_document_between_markers(tmp_path):
    path = tmp_path / "measurements.md"
    path.write_text(f"above\n{run.BEGIN}\nold\n{run.END}\nbelow\n")
    run.document_write(path, "new\n")
    run.document_write(path, "newer\n")
    assert path.read_text() == f"above\n{run.BEGIN}\n\nnewer\n\n{run.END}\nbelow\n"


def test_document_without_markers(tmp_path):
    path = tmp_path / "measurements.md"
    path.write_text("above\n")
    with pytest.raises(run.BenchError, match="once each"):
        run.document_write(path, "new\n")
    assert path.read_text() == "above\n"
