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
import xml.dom.minidom
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
RUN = TOP / "bench" / "run.py"

spec = importlib.util.spec_from_file_location("bench_run", RUN)
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)
company, company_report = run.company, run.company_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if not shutil.which("riscv64-linux-gnu-gcc"):
        pytest.skip("no compiler for the guest's programs: tools/deps.sh bench")
    out = tmp_path_factory.mktemp("bench")
    done = subprocess.run([sys.executable, RUN, "--quick", "--only", "wall", "icount", "traps", "disk",
                           "many", "--out", out], capture_output=True, text=True, check=False)
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


def test_a_disk_yields_numbers(report):
    measured, text = report
    if "vm" not in machines():
        pytest.skip("no monitor")
    for case in run.disk.CASES:
        assert case.what in text
        for machine in machines():
            boots = measured["disk"]["ns"][case.name][machine]
            assert boots and all(turns and min(turns) > 0 for turns in boots)


def test_bare_instruction_counts_are_exact(report):
    traps = report[0]["traps"]
    for name in ("csrr_sscratch", "csrw_sscratch", "csrrw_sscratch", "csrrc_sstatus", "sret",
                 "mmio_uart_lsr", "fill_page"):
        assert traps[name]["bare"] == [1], name
    assert traps["sbi_base"]["bare"][0] > 50


@pytest.fixture(scope="module")
def many(report):
    if machines() == {"bare"}:
        pytest.skip("no monitor: make")
    return report[0]["many"]


def test_switches_yield_numbers(many):
    for name, _ in company.SWITCHES:
        assert 500 < min(many["switch"][name]["insns"]) < 100000, name
        assert min(many["switch"][name]["ns"]) > 0, name


def test_latencies_yield_numbers(many):
    for name, *_ in company.LATENCIES:
        assert len(many["latency"][name]) == company.QUICK.naps, name
        assert min(many["latency"][name]) >= 0, name
    assert min(many["latency"]["wake_bare"]) < 100 < min(many["latency"]["wake_alone"])


def test_shares_yield_numbers(many):
    for name, _, harts, vms in company.FAIR:
        run_of = many["fair"][name]
        assert len(run_of["ran_ms"]) == len(vms) and run_of["harts"] == harts, name
        assert sum(run_of["ran_ms"]) > 0, name
        assert [p is None for p in run_of["progress"]] == [v["role"] != "count" for v in vms], name


def test_idle_machines_cost_next_to_nothing(many):
    assert abs(many["idle"]["idle"]["16"]) < 0.01
    assert many["idle"]["tick"]["16"] > many["idle"]["tick"]["1"] > 0


def test_memory_yields_numbers(many):
    for mib in company.MEMORY_MIB:
        assert 0 < many["memory"][str(mib)]["control"] < 1 << 20
        assert many["memory"][str(mib)]["shadow tables"] >= 1 << 20


def test_many_machines_have_tables_and_figures(many, report, tmp_path):
    for part in company_report.parts(many):
        assert part in report[1]
    assert "Goals:" not in report[1]            # too little was measured to judge
    company_report.figures_write(many, tmp_path)
    for name in ("fairness", "latency", "idle"):
        assert xml.dom.minidom.parse(str(tmp_path / f"{name}.svg")).documentElement.tagName == "svg"


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
    args = run.Vm("classic").linux(run.QUICK)
    assert args[args.index("-bios") + 1] == run.BUILD / "duomo.elf"
    for option, value in (("--memory", run.GUEST_MEMORY), ("--kernel", run.KERNEL),
                          ("--initrd", run.INITRD), ("--engine", "classic"), ("--cmdline", run.cmdline(run.QUICK)),
                          ("-o", args[args.index("-kernel") + 1])):
        assert commands[0][commands[0].index(option) + 1] == value
    bare = run.Bare().linux(run.QUICK)
    assert bare[bare.index("-m") + 1] == run.GUEST_MEMORY
    assert bare[bare.index("-append") + 1] == run.cmdline(run.QUICK)


# What is made of the gaps that two VMs see in their own time.

def test_switch_is_from_who_went_to_who_came():
    gaps = {0: [(100, 300), (500, 700)], 1: [(50, 110), (320, 520)]}
    assert company.switches_of(gaps) == {(0, 1): [10, 20], (1, 0): []}


def test_interruption_of_one_is_no_switch():
    gaps = {0: [(100, 300), (350, 360), (500, 700)], 1: [(50, 110), (310, 520)]}
    assert company.switches_of(gaps) == {(0, 1): [10, 20], (1, 0): []}


def test_silent_company_is_an_error_and_ends(monkeypatch, tmp_path):
    tool = tmp_path / "duomo"
    tool.write_text("#!/bin/sh\necho the keyboard is nobodys\necho last words\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setattr(company, "BUILD", tmp_path)
    monkeypatch.setattr(company.Console, "PATIENCE_S", 0.1)
    with pytest.raises(run.BenchError, match="x: 'told' was not told(.|\n)*last words"):
        with company.Company("x", 2 * [company.vm("idle")], 0.5) as machine:
            machine.samples("gaps", {0})
    assert machine.process.poll() is not None


# What is made of a machine that measures TCP.

def machine_says(*lines, ends="exit 0"):
    return ["sh", "-c", "\n".join(f"echo '{line}'" for line in lines) + f"\n{ends}"]


def test_tcp_is_the_most_of_what_was_sent():
    command = machine_says("net turns count 4 ns 8000", "net send bytes 500 ns 1000", "net send bytes 800 ns 1000")
    assert run.net.results(command, "x") == (800, 2)


def test_tcp_without_a_result_is_an_error():
    with pytest.raises(run.BenchError, match="x: no result(.|\n)*last words"):
        run.net.results(machine_says("net turns count 4 ns 8000", "last words"), "x")


def test_tcp_without_an_end_tells_what_stands(monkeypatch, tmp_path, capsys):
    tool = tmp_path / "duomo"
    tool.write_text('#!/bin/sh\n[ "$5" = net ] || exec echo "asked $*"\necho "of no port" >&2\nexit 1\n')
    tool.chmod(0o755)
    monkeypatch.setattr(run.net, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(sys.modules["measure"], "BUILD", tmp_path)
    with pytest.raises(run.BenchError, match="x: no end(.|\n)*last words"):
        run.net.results(machine_says("last words", ends="exec sleep 60"), "x", "place")
    said = capsys.readouterr().err
    assert "place: net: of no port" in said
    for question in ("devs a", "stats a", "log"):
        assert f"\n{question}:\nasked monitor --to place -c {question}\n" in said


def test_silent_monitor_is_an_error(monkeypatch, tmp_path):
    tool = tmp_path / "duomo"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setattr(sys.modules["measure"], "BUILD", tmp_path)
    monkeypatch.setattr(sys.modules["measure"], "ANSWER_S", 0.2)
    with pytest.raises(run.BenchError, match="place: stats a: no answer after"):
        sys.modules["measure"].monitor_ask("place", "place", "stats a")


# Goals.

def test_deviation_is_from_what_the_weight_says():
    assert company_report.deviations([110, 200, 390], [1, 2, 4]) == pytest.approx([10, 0, -2.5])
    assert company_report.deviations([50, None], [1, 1]) == [0]


@pytest.mark.parametrize("ran, harts, points", [([300, 700], 1, 0), ([320, 680], 1, 2),
                                                ([300, 850, 850], 2, 0)])
def test_cap_is_in_points_of_a_hart(ran, harts, points):
    run_of = {"ran_ms": ran, "harts": harts, "cap": 30}
    assert company_report.cap_points(run_of) == pytest.approx(points)


def test_cap_of_one_alone_is_by_progress():
    run_of = {"ran_ms": [9], "harts": 1, "cap": 30, "progress": [29], "of_progress": 100}
    assert company_report.cap_points(run_of) == pytest.approx(-1)


def test_goal_missed_is_said():
    assert company_report.goal("x", -3, 2, "{}")[0][-1] == "**no**"
    assert company_report.goal("x", -2, 2, "{}")[0][-1] == "yes"
    cost = {name: {"vm": [121]} for name, _ in run.TRAPS}
    assert "| yes |" in run.goals_part({"traps": cost})[1].replace("  ", "")
    cost["csrr_sepc"]["vm"] = [122]
    assert "**no**" in run.goals_part({"traps": cost})[1]
    assert run.goals_part({"traps": cost, "quick": True}) == []


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
    path.write_text(f"above\n{run.BEGIN}\nof no measurement\n{run.END}\nbelow\n")
    run.document_write(path, {"many": "new\n", "wall": "time\n"})
    run.document_write(path, {"many": "newer\n"})
    assert path.read_text() == f"""above
{run.BEGIN}
<!-- make bench: wall -->

time

<!-- make bench: many -->

newer

{run.END}
below
"""


def test_document_without_markers(tmp_path):
    path = tmp_path / "measurements.md"
    path.write_text("above\n")
    with pytest.raises(run.BenchError, match="once each"):
        run.document_write(path, {"many": "new\n"})
    assert path.read_text() == "above\n"
