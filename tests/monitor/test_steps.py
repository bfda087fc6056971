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
DISK, NOTIFY = 0x10001000, 0x50                 # Virtio 1.2, 4.2.2
READ_BLOCK, WRITE_BLOCK = 11, 12                # figura's: block, address
FIRST, BLOCKS = 6144, 2048                      # figura's partition: 1 MiB behind 1 + 2 MiB


def disk_make(folder):
    """An image with three partitions."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "build/duomo", "disk", "create", folder / "disk.img", "--partition", "before:2M",
                    "--partition", "figura:1M", "--partition", "behind:1M"], check=True)
    with open(folder / "disk.img", "r+b") as image:
        image.seek((FIRST + 3) * 512)
        image.write(b"hello from the disk")
    return folder / "disk.img"


class Figura(test_monitor.Line):
    """A machine with figura on it, and perhaps others."""

    def __init__(self, folder, args="", *others, disk=False, more=None):
        kernel = (ROOT / "build/figura.bin").read_bytes()
        more = ({"disk-partition": "figura"} if disk else {}) | (more or {})
        vms = [test_monitor.Vm("figura", kernel, args, 16, more=more), *others]
        self.machine = test_monitor.Machine(ROOT / "build/duomo.elf", test_monitor.bundle(vms, None), folder,
                                            icount=False, memory="256M",
                                            disk=disk_make(folder) if disk else None)
        self.seen = 0
        self.expect("figura> ")

    def waits(self):
        """Until its shell has begun to read: the prompt is seen a moment before."""
        deadline = time.monotonic() + SECONDS
        while self.request("list")[0]["vms"][0]["state"] != "waiting":
            assert time.monotonic() < deadline

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
    line.waits()
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


# A block of the disk.

@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    line = Figura(tmp_path_factory.mktemp("disk"), disk=True)
    try:
        yield line
    finally:
        line.machine.stop()


def followed(line, command):
    line.request("steps figura disk")
    line.type(command + "\r")
    line.expect("figura> ")
    return line.steps()


def requests(records):
    return [record for record in records if "sector" in record]


@pytest.mark.parametrize("command, call, block", [("disk read 3", READ_BLOCK, 3), ("disk write 5 x", WRITE_BLOCK, 5),
                                                  ("disk read 2047", READ_BLOCK, 2047)])
def test_the_five_steps_of_a_block(disk, command, call, block):
    records = followed(disk, command)
    assert records[0]["kind"] == "ecall" and (number(records[0]["a7"]), number(records[0]["a0"])) == (call, block)
    request, = requests(records)
    assert (request["step"], request["mode"], request["kind"]) == (2, "vS", "mmio")
    assert (request["device"], request["direction"], number(request["offset"])) == ("virtio-block", "write", NOTIFY)
    assert number(request["tval"]) == DISK + NOTIFY and not request["refused"]
    assert [number(request[name]) for name in ("sector", "partition_first", "physical_sector")] == \
        [block, FIRST, FIRST + block]
    after = records[records.index(request):]
    claims = [record for record in after if record.get("device") == "plic" and record["direction"] == "read"]
    assert number(claims[0]["value"]) == 1                      # the disk's interrupt
    assert any(record["kind"] == "wfi" for record in after)
    assert records[-1]["asm"] == "sret" and number(records[-1]["to_pc"]) == number(records[0]["pc"]) + 4


@pytest.mark.parametrize("block", [BLOCKS, 2**64 - FIRST])
def test_a_block_that_is_not_there_is_refused(disk, block):
    request, = requests(followed(disk, f"disk read {block}"))
    assert request["refused"] and number(request["sector"]) == block
    assert number(request["physical_sector"]) == 0


def test_disks_says_what_went_through(disk):
    def user():
        found, = disk.request("disks")[0]["users"]
        return found

    before = user()
    assert (before["owner"], before["partition"], before["access"]) == ("figura", 2, "read-write")
    for command in ("disk read 3", "disk write 4 text", "disk beyond"):
        disk.type(command + "\r")
        disk.expect("figura> ")
    after = user()
    assert [after[name] - before[name] for name in ("requests", "bytes", "errors")] == [3, 1024, 1]
    assert after["depth"] == 0
    told = disk.request("disks")[0]
    assert [(part["label"], part["first"], part["sectors"]) for part in told["partitions"]] == [
        ("before", 2048, 4096), ("figura", FIRST, BLOCKS), ("behind", FIRST + BLOCKS, 2048)]
    assert [(one["table"], one["size"], one["sector"], one["state"]) for one in told["disks"]] == [
        ("GPT", 6 << 20, 512, "works")]
    text = disk.request("disks", "text")[0]
    assert re.search(r"\r\nfigura +0 +2 +read-write", text) and text.count("GPT") == 1


def test_no_disk_and_no_network(figura):
    line = figura()
    assert line.request("disks")[0] == {"disks": [], "partitions": [], "users": []}
    assert line.request("net")[0] == {"ports": []}
    assert "no disk" in line.request("disks", "text")[0] and "nobody" in line.request("net", "text")[0]


def test_net_says_who_is_there(tmp_path):
    kernel = (ROOT / "build/figura.bin").read_bytes()
    mac = bytes.fromhex("525400010203")
    line = Figura(tmp_path, "", test_monitor.Vm("other", kernel, "", 16, more={"net-mac": mac, "net-vlan": 9}))
    try:
        port, = line.request("net")[0]["ports"]
        assert (port["port"], port["kind"], port["mac"], port["vlan"], port["state"]) == (
            "other", "vm", "52:54:00:01:02:03", 9, "closed")
        assert port["sent_frames"] == port["received_bytes"] == 0 and set(port["drops"].values()) == {0}
    finally:
        line.machine.stop()


def test_a_vm_without_its_partition_does_not_start_and_the_others_do(tmp_path):
    kernel = (ROOT / "build/figura.bin").read_bytes()
    others = [test_monitor.Vm(name, kernel, "", 16, more={"disk-partition": partition})
              for name, partition in (("absent", "nowhere"), ("second", "#2"))]
    line = Figura(tmp_path, "", *others, disk=True)
    try:
        assert set(line.states()) == {"figura"}
        for words in (rb"duomo: absent: [^\n]*partition[^\n]*; ", rb"duomo: second: [^\n]*another VM's[^\n]*; "):
            assert re.search(words, line.machine.console), line.machine.console
    finally:
        line.machine.stop()


@pytest.mark.parametrize("command, asm, device", [
    ("privileged csrr", "csrrs t0, sstatus, zero", None), ("privileged sret", "sret", None),
    ("privileged wfi", "wfi", None), ("privileged sfence", "sfence.vma zero, zero", None),
    ("privileged satp", "csrrw zero, satp, zero", None), ("touch-device", "lbu", "uart"),
    ("touch-device store", "sb", "uart"), ("touch-device disk", "lw", "virtio-slots")])
def test_violation(command, asm, device, violations):
    record = violations[command]
    assert record["kind"] == "violation" and record["asm"].startswith(asm)
    assert (record["mode"], record["to_mode"]) == ("vU", "vS")
    assert number(record["to_pc"]) == symbol("figura.elf", "trap_entry")
    assert number(record["scause"]) == record["cause"] and record.get("device") == device
    if device:
        assert record["cause"] == (STORE_PAGE if "store" in command else LOAD_PAGE)
        assert number(record["leads_to"]) == number(record["stval"]) == (DISK if "disk" in command else UART)
    else:
        assert record["cause"] == ILLEGAL and number(record["stval"]) == number(record["insn"])


COMMANDS = ["privileged csrr", "privileged sret", "privileged wfi", "privileged sfence", "privileged satp",
            "touch-device", "touch-device store", "touch-device disk"]


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
    def records():
        told, is_well = line.request("trace figura 50")
        assert is_well
        return told["vcpus"][0]["records"]

    line = figura()
    line.request("trace on figura")
    line.type("storm 2\r")
    deadline = time.monotonic() + SECONDS
    while not records():                                # until the keys are there
        assert time.monotonic() < deadline
    before = line.machine.cpu_seconds()                 # a storm leaves no time unused, and a busy computer takes some
    for _ in range(20):
        assert 0 < len(records()) <= 50
        assert line.request("list")[1]
    assert line.machine.cpu_seconds() - before < 10
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
    line.waits()
    line.prompt()
    line.command("steps figura")
    line.type("\x04h")
    line.steps()
    return "duomo> steps figura show\n" + line.request("steps figura show", "text")[0]


def transcript_disk(line):
    line.request("steps figura disk")
    line.type("\x15disk read 3\r")
    line.steps()
    return "duomo> steps figura show\n" + line.request("steps figura show", "text")[0]


def transcript_violation(line):
    line.request("steps figura violation")
    line.type("\x15privileged sret\r")
    line.steps()
    told = line.request("steps figura show", "text")[0]
    return "duomo> steps figura show\n" + told.partition("\n2.  ")[0] + "\n(the kernel kills the process)\n"


TRANSCRIPTS = {"call": transcript_call, "disk": transcript_disk, "violation": transcript_violation}


def document_make(text, folder):
    line = Figura(folder, disk=True, more={"engine": "classic"})
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
