# SPDX-License-Identifier: MIT
"""Crashes of a guest: how they are noticed, what is reported, what follows.

In:     build/duomo.elf; figura, whose `crash` and `spin off` break its kernel on purpose.
Out:    the log's lines and the command `crash` after each; starts by what on-crash says.
Always: every wait has an end.  A second figura keeps the machine up.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import test_monitor                                             # noqa: E402
from test_steps import ROOT, number, symbol                     # noqa: E402

LOOP = r"its trap handler traps at its first instruction, for ever"
WATCHDOG = r"it has left an interrupt pending for too long \(watchdog\)"
FETCH_ACCESS, FETCH_PAGE, ILLEGAL = 1, 12, 2


class Line(test_monitor.Line):
    def __init__(self, folder, command, more):
        kernel = (ROOT / "build/figura.bin").read_bytes()
        vms = [test_monitor.Vm("figura", kernel, f"run={command}", 16, more=more),
               test_monitor.Vm("other", kernel, "name=other", 16)]
        self.machine = test_monitor.Machine(ROOT / "build/duomo.elf", test_monitor.bundle(vms, None), folder,
                                            icount=False, memory="256M")
        self.seen = 0
        self.expect("figura: up")

    def crash(self):
        report, is_well = self.request("crash figura")
        return report if is_well else None


@pytest.fixture
def start(tmp_path):
    lines = []

    def begin(command, **more):
        more = {name.replace("_", "-"): value for name, value in more.items()}
        lines.append(Line(tmp_path / str(len(lines)), command, more))
        return lines[-1]

    yield begin
    for line in lines:
        line.machine.stop()
        assert b"PANIC" not in line.machine.console


def functions():
    """figura's kernel: where each function begins."""
    names = subprocess.run(["riscv64-linux-gnu-nm", "-n", ROOT / "build/figura.elf"], capture_output=True, text=True,
                           check=True).stdout
    return [(int(at, 16), name) for at, name in re.findall(r"^([0-9a-f]+) [tT] (\w+)$", names, re.M)]


def function_at(pc):
    return [name for at, name in functions() if at <= pc][-1]


def test_a_loop_of_traps(start):
    line = start("crash trap")
    line.expect(rf"duomo: figura: it crashed: {LOOP} \(start 1\)\r\n")
    log = line.expect(r"(duomo:     vS, pc 0, .*?)duomo:     `crash figura`").group(1).decode()
    line.state_becomes("figura", "off")
    report = line.crash()
    exits, handler = report["exits"], report["exits"][-1]

    assert re.search(LOOP, report["why"]) and report["start"] == 1 and report["mode"] == "vS"
    assert number(report["registers"]["pc"]) == number(report["csrs"]["stvec"]) == 0
    assert number(report["csrs"]["sepc"]) == number(report["csrs"]["stval"]) == 0
    assert number(report["csrs"]["scause"]) == handler["cause"] in (FETCH_ACCESS, FETCH_PAGE)
    assert 0 < len(exits) <= 32 and number(handler["pc"]) == 0 and handler["mode"] == "vS"
    broke = [e for e in exits if e["cause"] == ILLEGAL][-1]      # what began it
    assert function_at(number(broke["pc"])) == "mischief" and number(broke["tval"]) & 0xffff == 0
    called = [function_at(number(pc)) for pc in report["backtrace"]]
    assert len(called) >= 2 and called[-1] == "trap_entry", called
    assert len(log.splitlines()) < 30 and log.count("exit vS") == 8
    told, _ = line.request("crash figura", "text")
    assert told.count("exit v") == len(exits) and told.count("from ") == len(called)
    assert line.states()["other"] == "waiting" and not line.request("crash other")[1]


@pytest.mark.parametrize("command", ["crash trap", "crash fail"])
def test_restart_at_most(command, start):
    line = start(command, on_crash="restart", restart_max=5)
    line.state_becomes("figura", "off")
    log = bytes(line.machine.console).decode("latin-1")
    starts = {vm["name"]: vm["starts"] for vm in line.request("list")[0]["vms"]}
    told = re.findall(r"duomo: figura: it(?: crashed|s guest reported)[^\n]*\(start (\d+)\)", log)

    assert starts == {"figura": 6, "other": 1} and line.crash()["start"] == 6
    assert told == ["1", "2", "4"]                      # and so no guest can fill the log
    assert log.count("duomo:     vS, pc") == (3 if command == "crash trap" else 0)


def test_what_the_guest_reports_itself_is_kept(start):
    line = start("crash fail")
    line.expect(r"duomo: figura: its guest reported a failure \(start 1\)\r\n")
    line.state_becomes("figura", "off")
    report = line.crash()
    assert "reported a failure" in report["why"] and number(report["registers"]["a7"]) == 0x53525354
    assert "kernel_trap" in [function_at(number(pc)) for pc in report["backtrace"]]


def test_watchdog(start):
    line = start("spin off", watchdog=1, on_crash="restart", restart_max=1)
    line.expect(rf"it crashed: {WATCHDOG} \(start 1\)")
    line.expect(rf"it crashed: {WATCHDOG} \(start 2\)")
    line.state_becomes("figura", "off")
    report = line.crash()
    assert function_at(number(report["registers"]["pc"])) in ("spin", "mischief")
    assert number(report["csrs"]["mip"]) & number(report["csrs"]["mie"])


@pytest.mark.parametrize("command, watchdog", [("spin", 1), ("crash hang", 1), ("storm 60", 1), ("spin off", 0)])
def test_no_crash(command, watchdog, start):
    line = start(command, **({"watchdog": watchdog} if watchdog else {}))
    line.quiet(1.8)
    assert line.states()["figura"] in ("running", "waiting") and line.crash() is None
    answer, is_well = line.request("crash figura")
    assert not is_well and "has not crashed" in answer["error"]
