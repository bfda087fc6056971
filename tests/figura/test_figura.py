# SPDX-License-Identifier: MIT
"""figura (guests/figura/) on the bare board over OpenSBI and in a VM of Duomo: the same image, the
same commands, the same answers.

In:     build/figura.elf for the board, build/figura.bin in a bundle; the commands below.
Out:    a test for each command: both transcripts are equal, times masked, and say what the command
        is there to show; tests that type.
Always: every wait has an end, and no QEMU outlives its test.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

import pexpect
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/hostile"))
import fit
BUILD = ROOT / "build"
QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
PLACES = ["bare", "vm"]
SECONDS = 30
PROMPT = "figura> "

# A command, and what it must have printed: a regular expression of the whole.
KILLED = r"figura: process \d+ \({}\): {} at 0x4000[0-9a-f]+{}, killed\n"
ILLEGAL = KILLED.format("privileged", "illegal instruction", "")
COMMANDS = {
    "help": r"  help .*  hello .*  reboot .*Ctrl-C.*\n",
    "hello": r"hello from process \d+ in user mode\n",
    "ps": r"  1  shell +waits in wait\n +\d+  ps +ready\n",
    "time": r"up T s\n",
    "count 3": r"1\n2\n3\n",
    "sum": r"sum: 6c6e65d11e294f65\n",
    "kill 1": r"kill: no process .*\n",
    "privileged": ILLEGAL,
    "privileged sret": ILLEGAL,
    "privileged wfi": ILLEGAL,
    "privileged sfence": ILLEGAL,
    "privileged satp": ILLEGAL,
    "privileged nonsense": r"there is no nonsense; .*\n",
    "touch-device": KILLED.format("touch-device", "load page fault", ", address 0x10000000"),
    "touch-device store": KILLED.format("touch-device", "store page fault", ", address 0x10000000"),
    "touch-device disk": KILLED.format("touch-device", "load page fault", ", address 0x10001000"),
    "disk": r"disk: 2048 blocks of 512 bytes\n",
    "disk read 0": r"block 0: the first block\n",
    "disk read 2047": r"block 2047: the last block\n",
    "disk write 7 some text": r"block 7: some text\n",
    "disk read 7": r"block 7: some text\n",
    "disk write 7": r"block 7: \n",
    "disk beyond": r"disk: block 2048 cannot be read\n",
    "disk read 18446744073709551615": r"disk: block 18446744073709551615 cannot be read\n",
    "disk write 2048 x": r"disk: block 2048 cannot be written\n",
    "null": KILLED.format("null", "load page fault", ", address 0x0"),
    "storm 1": r"storm: over\n",
    "nonsense": r"nonsense: no such program; .*\n",
    "  hello  ": r"hello from process \d+ in user mode\n",
    "": "",
    "off": r"(duomo: vm: its guest powered off .*\n)?",
}


BLOCKS = 2048                                   # of figura's disk: 1 MiB


def disk_make(place, folder):
    """An image, and figura's partition in it: all of it on the board."""
    content = bytearray(BLOCKS * 512)
    for block, text in ((0, b"the first block"), (BLOCKS - 1, b"the last block")):
        content[block * 512:block * 512 + len(text)] = text
    disk, part = folder / "disk.img", folder / "part.img"
    part.write_bytes(content)
    if place == "bare":
        disk.write_bytes(content)
    else:
        subprocess.run([BUILD / "duomo", "disk", "create", disk, "--force", "--partition", "other:3M", "--partition",
                        f"figura::{part}", "--partition", "third:1M"], check=True, capture_output=True)
    return disk


def disk_words(disk):
    return ["-global", "virtio-mmio.force-legacy=false", "-drive", f"if=none,id=disk,format=raw,file={disk}",
            "-device", "virtio-blk-device,drive=disk"]


def command_line(place, folder, args, disk=None):
    """QEMU with figura, which gets these arguments; and perhaps with a disk."""
    qemu = [QEMU, "-M", "virt", "-nographic", "-no-reboot", *(disk_words(disk) if disk else [])]
    if place == "bare":
        return [*qemu, "-m", "16M", "-bios", "default", "-kernel", BUILD / "figura.elf",
                "-append", args]
    bundle = folder / "figura.itb"
    subprocess.run([BUILD / "duomo", "pack", "--kernel", BUILD / "figura.bin", "--cmdline", args,
                    "--memory", "16M", "-o", bundle, *(["--partition", "figura"] if disk else [])],
                   check=True, capture_output=True)
    return [*qemu, "-cpu", "rv64,h=false", "-m", "128M", "-bios", BUILD / "duomo.elf",
            "-kernel", bundle]


@pytest.fixture(scope="session", autouse=True)
def built():
    subprocess.run(["make", "-s", "all"], cwd=ROOT, check=True, capture_output=True)


def masked(text):
    """Without times, carriage returns, and what OpenSBI from 1.5 on says about a process's fault."""
    text = re.sub(r"up \d+\.\d+ s", "up T s", text.replace("\r", ""))
    return re.sub(r"system_opcode_insn: Invalid opcode.*\n?", "", text)


def transcript(place, folder):
    """What each command printed: figura shows each behind its prompt."""
    args = "run=" + ";".join(COMMANDS)
    disk = disk_make(place, folder)
    done = subprocess.run(command_line(place, folder, args, disk), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=SECONDS,
                          check=False)
    parts = masked(done.stdout).split(PROMPT)[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


@pytest.fixture(scope="session")
def transcripts(tmp_path_factory):
    return {place: transcript(place, tmp_path_factory.mktemp(place)) for place in PLACES}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, transcripts):
    bare, vm = (transcripts[place].get(command) for place in PLACES)

    assert bare is not None, "the command was not reached"
    assert re.fullmatch(COMMANDS[command], bare, re.S), bare
    if command == "off":
        assert re.fullmatch(COMMANDS[command], vm), vm
    else:
        assert vm == bare


class Typist:
    """Somebody at figura's console."""

    def __init__(self, line):
        self.console = pexpect.spawn(str(line[0]), [str(word) for word in line[1:]],
                                     encoding="latin-1", timeout=SECONDS, echo=False)

    def sees(self, what):
        """Waits for a regular expression; returns what came before."""
        self.console.expect(what)
        return masked(self.console.before)

    def types(self, keys, then=PROMPT):
        self.console.send(keys)
        return self.sees(then)

    def stop(self):
        self.console.close(force=True)


@pytest.fixture
def console(tmp_path):
    """Returns a function that starts figura; the test's end stops it."""
    typists = []

    def start(place, args="", bundle=None):
        line = command_line(place, tmp_path, args)
        if bundle:
            pathlib.Path(line[-1]).write_bytes(bundle)
        typists.append(Typist(line))
        return typists[-1]

    yield start
    for typist in typists:
        typist.stop()


@pytest.mark.parametrize("place", PLACES)
def test_line_editing(place, console):
    user = console(place)
    user.sees(PROMPT)
    assert "hello from process 2" in user.types("\x7fhelxx\x7f\x08lo\r")
    assert "hello from process 3" in user.types("nonsense\x15hello\r")
    assert user.types("nonsense\x03") == "nonsense^C\n"
    assert "hello from process 4" in user.types("\x1b[Ahello\r")
    assert "99: no such program" in user.types("9" * 200 + "\r")
    user.types("off\r", pexpect.EOF)


@pytest.mark.parametrize("place", PLACES)
def test_interrupted(place, console):
    user = console(place)
    user.sees(PROMPT)
    user.types("spin\r", "spin\r+\n")
    time.sleep(0.1)
    assert "process 2 (spin): Ctrl-C, killed" in user.types("\x03")
    user.types("count 1000\r", "\n3\r+\n")
    assert "process 3 (count): Ctrl-C, killed" in user.types("\x03")
    assert "hello from process 4" in user.types("hello\r")
    user.types("off\r", pexpect.EOF)


def test_outside_of_the_partition_nothing_changes(tmp_path):
    disk = disk_make("vm", tmp_path)
    before = disk.read_bytes()
    first = 4 << 20                             # `other` lies before it
    args = "run=disk write 0 a;disk write 2047 b;disk write 2048 c;disk write 18446744073709545472 d;off"
    subprocess.run(command_line("vm", tmp_path, args, disk), stdin=subprocess.DEVNULL, timeout=SECONDS,
                   check=True, capture_output=True)
    after = disk.read_bytes()
    assert after[:first] == before[:first] and after[first + BLOCKS * 512:] == before[first + BLOCKS * 512:]
    assert after[first:first + 512] == b"a".ljust(512, b"\0")
    assert after[first + 2047 * 512:first + BLOCKS * 512] == b"b".ljust(512, b"\0")


@pytest.mark.parametrize("place", PLACES)
def test_without_a_disk(place, console):
    user = console(place)
    user.sees(PROMPT)
    assert "disk: 0 blocks" in user.types("disk\r")
    assert "disk: 0 blocks" in user.types("disk read 0\r")
    user.types("off\r", pexpect.EOF)


@pytest.mark.parametrize("place", PLACES)
def test_processes_take_turns(place, console):
    user = console(place)
    user.sees(PROMPT)
    for pid in (2, 3, 4, 5, 6, 7):
        assert f"process {pid}\n" in user.types("spin &\r")
    assert user.types("ps\r").count("spin") == 6
    assert "sum: 6c6e65d11e294f65" in user.types("sum\r")
    assert "process 10\n" in user.types("spin &\r")
    assert "no room" in user.types("hello\r")
    for pid in (2, 3, 4, 5, 6, 7, 10):
        assert "no process" not in user.types(f"kill {pid}\r")
    assert "hello from" in user.types("hello\r")
    user.types("off\r", pexpect.EOF)


@pytest.mark.parametrize("place", PLACES)
def test_memory_comes_back(place, console):
    """More processes than there is memory for, one after the other."""
    user = console(place, "run=" + ";".join(["null", "hello"] * 60))
    for _ in range(120):
        user.sees(PROMPT)
    assert "hello from process 121 " in user.types("", PROMPT)
    user.types("off\r", pexpect.EOF)


@pytest.mark.parametrize("place", PLACES)
def test_shell_in_the_shell(place, console):
    user = console(place, "name=outer")
    user.sees("outer> ")
    user.types("shell name=inner\r", "inner> ")
    assert user.types("ps\r", "inner> ").count("waits in wait") == 2
    user.types("exit\r", "outer> ")
    user.types("shell\r", PROMPT)
    assert "process 4 (shell): Ctrl-C, killed" in user.types("\x03", "outer> ")
    user.types("exit\r", pexpect.EOF)


def test_reboot(console):
    user = console("bare")
    user.sees(PROMPT)
    user.types("reboot\r", pexpect.EOF)         # -no-reboot: QEMU ends
    user = console("vm")
    user.sees(PROMPT)
    user.types("reboot\r", "its guest asked for a reset")
    user.sees("figura: up")
    user.sees(PROMPT)
    user.types("off\r", "its guest powered off \\(start 2\\)")


def test_kernel_fails(console):
    said = {}
    for place in PLACES:
        user = console(place, "run=crash")
        user.sees(PROMPT)
        said[place] = user.types("", pexpect.EOF)
    assert said["bare"].startswith("crash\nfigura: the kernel itself: load page fault at 0x80")
    assert said["vm"] == said["bare"] + "duomo: vm: its guest reported a failure (start 1)\n"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command, said", [
    ("spin off", "spins with interrupts off"), ("crash trap", "no trap entry any more"),
    ("crash hang", "waits for nothing")])
def test_kernel_stands_still(place, command, said, console):
    if (place, command) == ("vm", "crash trap"):
        pytest.skip("it is noticed: test_a_loop_of_traps_is_noticed")
    user = console(place, f"run={command};hello")
    user.sees(said)
    user.console.send("\x03")
    assert user.console.expect([PROMPT, pexpect.EOF, pexpect.TIMEOUT], timeout=0.3) == 2


def test_a_loop_of_traps_is_noticed(console):
    user = console("vm", "run=crash trap")
    user.sees("no trap entry any more")
    user.sees(r"duomo: vm: it crashed: its trap handler traps at its first instruction, for ever \(start 1\)")
    user.sees(pexpect.EOF)


@pytest.mark.parametrize("command", ["spin", "spin off", "crash trap", "crash fail", "crash hang",
                                     "storm 60"])
def test_neighbour_goes_on(command, console):
    """Two figuras in one bundle: what one does to itself, the other does not notice."""
    kernel = (BUILD / "figura.bin").read_bytes()
    vms = [fit.Vm("bad", kernel, f"name=bad run={command}", 16),
           fit.Vm("good", kernel, "name=good run=count 3;sum;hello;off", 16)]
    user = console("vm", bundle=fit.bundle(vms))
    user.sees("duomo: good: its guest powered off \\(start 1\\)")
