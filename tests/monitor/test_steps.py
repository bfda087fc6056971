#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The five steps of a system call, and violations, as the monitor records them of figura.

In:     build/duomo.elf, build/figura.bin; figura's symbols, which say where the kernel's trap entry is.
Out:    each step, and each violation, checked from the records (JSON), not from their text;
        with --write, the transcripts in docs/five-steps.md, made anew.
Always: every wait has an end.
"""

import functools
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import test_monitor                                             # noqa: E402

ROOT = test_monitor.ROOT
DOCUMENT = ROOT / "docs/five-steps.md"
SECONDS = 20
ECALL, ILLEGAL, LOAD_PAGE, STORE_PAGE = 8, 2, 13, 15
UART, WRITE = 0x10000000, 1                     # figura's system call `write`: address, length


class Figura(test_monitor.Line):
    """A machine with figura on it, and perhaps others."""

    def __init__(self, folder, args="", *others):
        kernel = (ROOT / "build/figura.bin").read_bytes()
        vms = [test_monitor.Vm("figura", kernel, args, 16), *others]
        self.machine = test_monitor.Machine(ROOT / "build/duomo.elf", test_monitor.bundle(vms, None), folder,
                                            icount=False, memory="256M")
        self.seen = 0
        self.expect("figura> ")

    def steps(self):
        """What was followed, once it is complete."""
        deadline = time.monotonic() + SECONDS
        while (told := self.request("steps figura show")[0])["state"] != "complete":
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        return told["records"]

    def trace(self, kinds, *commands):
        """The records of these kinds that commands of figura's shell make."""
        self.request(f"trace on figura {kinds}")
        for command in commands:
            self.type(command + "\r")
            self.expect("figura> ")
        self.request("trace off figura")
        return self.request("trace figura 100")[0]["vcpus"][0]["records"]


def symbol(elf, name):
    names = subprocess.run(["riscv64-linux-gnu-nm", ROOT / "build" / elf], capture_output=True, text=True, check=True)
    return int(re.search(rf"^([0-9a-f]+) . {name}$", names.stdout, re.M).group(1), 16)


def number(text):
    return int(text, 0)


@pytest.fixture
def figura(tmp_path):
    machines = []

    def begin(*args):
        machines.append(Figura(tmp_path / str(len(machines)), *args))
        return machines[-1]

    yield begin
    for line in machines:
        line.machine.stop()
        assert b"PANIC" not in line.machine.console


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """The records of one `write` of one character: the shell echoes an h."""
    line = Figura(tmp_path_factory.mktemp("call"))
    assert line.request("steps figura")[0] == {"state": "waiting"}
    line.type("h")
    try:
        yield line.steps()
    finally:
        line.machine.stop()


def test_step_1_the_call_traps_and_the_kernel_is_entered(call):
    first = call[0]
    assert first["step"] == 1 and first["kind"] == "ecall" and first["asm"] == "ecall"
    assert (first["mode"], first["to_mode"], first["cause"]) == ("vU", "vS", ECALL)
    assert number(first["a7"]) == WRITE and number(first["a1"]) == 1
    assert 0 < number(first["pc"]) - symbol("figura/user.elf", "call") < 16
    assert number(first["to_pc"]) == symbol("figura.elf", "trap_entry")
    assert not number(first["sstatus"]) & 0x100         # SPP: it came from vU


def test_step_2_the_kernel_traps_in_virtual_system_mode(call):
    assert {record["step"] for record in call[1:-1]} == {2}
    for record in call[1:-1]:
        assert record["mode"] == record["to_mode"] == "vS"
        assert record["cause"] in (ILLEGAL, LOAD_PAGE, STORE_PAGE)
        assert record["cause"] != ILLEGAL or number(record["tval"]) == number(record["insn"])


def test_step_3_duomo_does_what_the_kernel_wants(call):
    csrs = [record for record in call if record["kind"] == "csr"]
    process_pc = number(call[0]["pc"])
    seen = {record["csr"]: number(record["old"]) for record in csrs if record["asm"].endswith("zero")}
    assert seen["sepc"] == process_pc and seen["scause"] == ECALL and seen["stval"] == 0
    assert number(csrs[0]["new"]) == number(call[0]["a0"])       # csrrw a0, sscratch, a0
    assert [record["csr"] for record in csrs if number(record["new"]) == process_pc + 4] == ["sepc"]


def test_step_3_the_device(call):
    accesses = [(record["device"], record["direction"], record["width"], number(record["offset"]),
                 number(record["value"])) for record in call if record["kind"] == "mmio"]
    assert accesses == [("uart", "read", 1, 5, 0x60), ("uart", "write", 1, 0, ord("h"))]
    assert [number(record["tval"]) for record in call if record["kind"] == "mmio"] == [UART + 5, UART]


def test_step_4_the_kernel_goes_on_behind_it(call):
    for record in call[1:-1]:
        behind = number(record["to_pc"]) - number(record["pc"])
        assert behind == (0 if record["kind"] == "page" else 4), record


def test_step_5_sret_leads_back_into_the_process(call):
    last = call[-1]
    assert last["step"] == 5 and last["asm"] == "sret" and last["kind"] == "sret"
    assert (last["mode"], last["to_mode"], last["cause"]) == ("vS", "vU", ILLEGAL)
    assert number(last["to_pc"]) == number(call[0]["pc"]) + 4
    assert number(last["sstatus"]) & 2                  # SIE: its interrupts are on again


@pytest.mark.parametrize("command, asm, device", [
    ("privileged csrr", "csrrs t0, sstatus, zero", None), ("privileged sret", "sret", None),
    ("privileged wfi", "wfi", None), ("privileged sfence", "sfence.vma zero, zero", None),
    ("privileged satp", "csrrw zero, satp, zero", None), ("touch-device", "lbu", "uart"),
    ("touch-device store", "sb", "uart")])
def test_violation(command, asm, device, violations):
    record = violations[command]
    assert record["kind"] == "violation" and record["asm"].startswith(asm)
    assert (record["mode"], record["to_mode"]) == ("vU", "vS")
    assert number(record["to_pc"]) == symbol("figura.elf", "trap_entry")
    assert number(record["scause"]) == record["cause"] and record.get("device") == device
    if device:
        assert record["cause"] == (STORE_PAGE if "store" in command else LOAD_PAGE)
        assert number(record["leads_to"]) == number(record["stval"]) == UART
    else:
        assert record["cause"] == ILLEGAL and number(record["stval"]) == number(record["insn"])


COMMANDS = ["privileged csrr", "privileged sret", "privileged wfi", "privileged sfence", "privileged satp",
            "touch-device", "touch-device store"]


@pytest.fixture(scope="module")
def violations(tmp_path_factory):
    line = Figura(tmp_path_factory.mktemp("violations"))
    try:
        records = line.trace("violation", "null", "hello", *COMMANDS)
    finally:
        line.machine.stop()
    assert len(records) == len(COMMANDS)                # neither `null` nor `hello` is one
    return dict(zip(COMMANDS, records))


def test_a_violation_is_followed(figura):
    line = figura()
    line.request("steps figura violation")
    line.type("touch-device\r")
    records = line.steps()
    assert records[0]["kind"] == "violation" and records[0]["device"] == "uart"
    assert (records[-1]["kind"], records[-1]["to_mode"]) == ("sret", "vU")
    assert number(records[-1]["to_pc"]) != number(records[0]["pc"])      # the process was killed


def test_told_at_the_prompt(figura):
    line = figura("run=count 1000")
    line.prompt()
    line.command("steps figura")
    line.expect(r"figura: complete\r\n1\.  vU .*\n5\.  vS .*duomo> \x1b\[K")
    assert "tracing is off" in line.command("trace figura")
    assert "no kind \"nonsense\"" in line.command("trace on figura nonsense")


def test_a_traced_storm_keeps_nobody_waiting(figura):
    line = figura()
    line.request("trace on figura")
    line.type("storm 2\r")
    before = time.monotonic()
    for _ in range(20):
        records, is_well = line.request("trace figura 50")
        assert is_well and 0 < len(records["vcpus"][0]["records"]) <= 50
        assert line.request("list")[1]
    assert time.monotonic() - before < 10
    line.request("trace off figura")
    assert line.machine.wait("storm: over", 1, SECONDS)


def test_hot_path_comes_back(figura):
    def privileged(line):
        before = line.request("stats figura")[0]["vcpus"][0]["privileged"]
        line.type("x\x08")
        line.quiet(0.3)
        return line.request("stats figura")[0]["vcpus"][0]["privileged"] - before

    line = figura()
    usual = privileged(line)
    line.request("trace on figura mmio")
    assert privileged(line) > 2 * usual
    line.request("trace off figura")
    assert privileged(line) < 1.5 * usual + 3


# The document's transcripts.

def transcript_call(line):
    line.prompt()
    line.command("steps figura")
    line.type("\x04h")
    line.steps()
    return "duomo> steps figura show\n" + line.request("steps figura show", "text")[0]


def transcript_violation(line):
    line.request("steps figura violation")
    line.type("\x15privileged sret\r")
    line.steps()
    told = line.request("steps figura show", "text")[0]
    return "duomo> steps figura show\n" + told.partition("\n2.  ")[0] + "\n(the kernel kills the process)\n"


TRANSCRIPTS = {"call": transcript_call, "violation": transcript_violation}


def document_make(text, folder):
    line = Figura(folder)
    try:
        for name, make in TRANSCRIPTS.items():
            block = "".join(f"    {row}".rstrip() + "\n" for row in make(line).replace("\r", "").splitlines())
            marks = rf"(<!-- transcript: {name} -->\n\n).*?(\n<!-- end -->)"
            text = re.sub(marks, functools.partial(lambda block, m: m[1] + block + m[2], block), text, flags=re.S)
    finally:
        line.machine.stop()
    return text


def masked(text):
    """Another compiler has other addresses and registers."""
    text = re.sub(r"\b[0-9a-f]{3,}\b", "N", text)
    return re.sub(r"\b(?:ra|sp|[ast]\d+)\b", "R", text)


def test_the_document_is_true(tmp_path):
    text = DOCUMENT.read_text()
    assert masked(document_make(text, tmp_path)) == masked(text), "remedy: tests/monitor/test_steps.py --write"


if __name__ == "__main__":
    assert sys.argv[1:] == ["--write"], __doc__
    with tempfile.TemporaryDirectory() as there:
        DOCUMENT.write_text(document_make(DOCUMENT.read_text(), Path(there)))
