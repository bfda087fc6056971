# SPDX-License-Identifier: MIT
"""The console and the monitor over a serial line, with guests that print, spin and sleep.

In:     build/duomo.elf and the guests of tests/hostile, which are built if need be.
Out:    what the line shows after which keys.
Always: every wait has an end.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/hostile"))

from fit import Vm, bundle                                      # noqa: E402
from hostile_machine import Machine                             # noqa: E402

GUESTS = ROOT / "build/hostile"
SECONDS = 20
COMMANDS = ["list", "top", "start", "stop", "kill", "pause", "resume", "reset", "console", "stats", "regs",
            "csr", "mem", "walk", "trace", "steps", "crash", "disks", "net", "devs", "log", "memory", "harts", "off", "version", "help"]


class Line:
    """A machine and what its line shows."""

    def __init__(self, folder, *guests, show=None):
        vms = [Vm(name, (GUESTS / f"{guest}.bin").read_bytes(), args, 16) for name, guest, args in guests]
        self.machine = Machine(ROOT / "build/duomo.elf", bundle(vms, show), folder, icount=False, memory="256M")
        self.seen = 0

    def type(self, keys):
        self.machine.line.sendall(keys.encode("latin-1"))

    def expect(self, pattern, seconds=SECONDS):
        """Waits for a pattern in what was not looked at yet; returns the match."""
        deadline = time.monotonic() + seconds
        pattern = re.compile(pattern.encode("latin-1"), re.S)
        while True:
            with self.machine.news:
                if match := pattern.search(bytes(self.machine.console), self.seen):
                    self.seen = match.end()
                    return match
                left = deadline - time.monotonic()
                assert left > 0 and not self.machine.ended, \
                    f"waited for {pattern.pattern}; shown: {bytes(self.machine.console[self.seen:][-2000:])}"
                self.machine.news.wait(min(1, left))

    def quiet(self, seconds):
        """What comes in so long."""
        time.sleep(seconds)
        with self.machine.news:
            fresh, self.seen = bytes(self.machine.console[self.seen:]), len(self.machine.console)
        return fresh

    def prompt(self):
        self.type("\x1dm")
        self.expect(r"duomo> \x1b\[K")

    def command(self, text):
        """A command at the prompt; returns its answer."""
        self.type(text + "\r")
        answer = self.expect(re.escape(text) + r"\r\n(.*?)\rduomo> \x1b\[K").group(1)
        return answer.decode("latin-1").replace("\r\n", "\n")

    def request(self, text, form="json"):
        """A framed one; returns the answer and whether it is well."""
        nonce = secrets.token_hex(8)
        self.type(f"\x1d:{nonce} {form} {text}\r")
        match = self.expect(f"\x1b_duomo;{nonce};begin\x1b\\\\(.*?)\x1b_duomo;{nonce};end;(ok|error)\x1b\\\\")
        payload = match.group(1).decode("latin-1")
        return json.loads(payload) if form == "json" else payload, match.group(2) == b"ok"

    def states(self):
        return {vm["name"]: vm["state"] for vm in self.request("list")[0]["vms"]}

    def state_becomes(self, name, *wanted):
        deadline = time.monotonic() + SECONDS
        while (state := self.states()[name]) not in wanted:
            assert time.monotonic() < deadline, f"{name} is {state}, not {wanted}"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def guests():
    assert (ROOT / "build/duomo.elf").exists(), "no build/duomo.elf; remedy: make"
    subprocess.run(["make", "-s", "-C", ROOT, "-f", "tests/hostile/hostile.mk", "hostile-guests"], check=True)


@pytest.fixture
def start(guests, tmp_path):
    """Returns a function that starts a machine; the test's end stops it."""
    lines = []

    def begin(*vms, show=None):
        lines.append(Line(tmp_path / str(len(lines)), *vms, show=show))
        return lines[-1]

    yield begin
    for line in lines:
        line.machine.stop()
        if os.environ.get("DUOMO_SHOW") == "1":
            print(line.machine.console.decode("latin-1").replace("\x1b", "^["))
        assert b"PANIC" not in line.machine.console


TALKER = ("talker", "witness", "lines=100000 ms=50 stay=1")
SPINNER = ("spinner", "spin", "")
SLEEPER = ("sleeper", "sleeper", "which=0")


def test_keys(start):
    line = start(TALKER, SPINNER, SLEEPER)
    line.expect(r"duomo: the keyboard is talker's, and it alone is shown; Ctrl-\] \?")
    line.expect(r"witness: 3 ok")
    line.type("\x1d?")
    line.expect(r"duomo: Ctrl-\] q .*3 +sleeper\r\n")
    line.type("\x1d2")
    line.expect(r"--- spinner ---\r\n.*spin: round 1\r\n")
    assert line.quiet(0.5) == b""                       # the others are not shown
    line.type("\x1dn")
    line.expect(r"--- sleeper ---")
    line.type("\x1d1")
    line.expect(r"--- talker ---\r\n.*witness: 7 ok")    # of the time when it was not shown
    line.type("\x1da")
    line.expect(r"--- all; the keyboard is talker's ---\r\n")
    line.expect("\x1b\\[1;3\\dmsleeper\x1b\\[0m\\| sleeper: ")
    line.expect("\x1b\\[1;3\\dmtalker \x1b\\[0m\\| witness: ")


def test_all_from_the_start(start):
    line = start(TALKER, SPINNER, show="all")
    line.expect(r"duomo: the keyboard is talker's, and all are shown")
    line.expect("\x1b\\[1;3\\dmspinner\x1b\\[0m\\| spin: round 1\r\n")


def test_nothing_of_a_flood_reaches_the_terminal(start):
    line = start(("flood", "flood", "way=0"), TALKER, show="all")
    line.expect(r"witness: 5 ok")
    for shown in bytes(line.machine.console).split(b"=== ", 1)[1].split(b"\r\n")[1:-1]:
        whose = re.match(rb"(\x1b\[1;3\dm\w+ *\x1b\[0m\| )(.*)", shown, re.S)
        assert whose, shown
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", whose.group(2)), shown


def test_the_prompt_is_the_monitors(start):
    line = start(("flood", "flood", "way=1"), TALKER)
    line.expect("duomo-like")
    line.prompt()
    assert line.quiet(0.5) == b""                       # a flood, and nothing of it is seen
    assert "talker" in line.command("list")
    line.type("\x04")
    line.expect(r"--- flood ---")
    line.expect("duomo-like")


def test_every_command(start):
    line = start(TALKER, SPINNER)
    line.expect("witness: 1 ok")
    line.prompt()
    time.sleep(2.5)                                     # rates are those of the last seconds
    listed = line.command("list").splitlines()
    assert [row.split()[1] for row in listed] == ["name", "talker", "spinner"]
    assert all(25 < float(row.split()[6]) < 75 for row in listed[2:]), listed
    assert "privileged" in line.command("stats talker")
    assert re.search(r"pc +[0-9a-f]{16}", line.command("regs spinner"))
    assert re.search(r"satp +8000", line.command("csr talker satp"))
    assert "stvec" in line.command("csr talker")
    assert re.search(r"0000000200000000 ( +[0-9a-f]{2}){16}", line.command("mem talker 0x200000000 32"))
    assert "6f 00 00" in line.command("mem spinner p:0x80200000")
    walked = line.command("walk talker 0x200000000")
    user = {"classic": "u", "direct": "-"}[listed[2].split()[4]]    # its kernel's page, in real U or S
    assert re.search(rf"    0  [0-9a-f]{{16}} vrwx\S+  [0-9a-f]{{16}} vrwx{user}", walked), walked
    assert "uart: ier" in line.command("devs talker")
    assert "the keyboard is talker's" in line.command("log")
    assert "talker: RAM" in line.command("memory")
    assert "rv64" in line.command("harts")
    assert line.command("version").startswith("Duomo ")
    helped = line.command("help")
    assert [row.split()[0] for row in helped.splitlines()[1:]] == COMMANDS
    assert "no such command" in line.command("nonsense")
    line.type("top\r")
    for _ in range(2):
        line.expect("\x1b\\[H\x1b\\[Jvm  name")
    line.type(" ")
    line.expect(r"duomo> \x1b\[K")
    line.command("console talker".replace("console", "version "))
    line.type("console spinner\r")
    line.expect("--- spinner ---")


def test_the_lives_of_vms(start):
    line = start(TALKER, SPINNER, SLEEPER)
    line.expect("witness: 1 ok")
    assert line.request("pause talker") == ({"text": ""}, True)
    line.quiet(0.2)
    assert line.quiet(0.5) == b"" and line.states()["talker"] == "paused"
    assert line.request("resume talker")[1]
    line.expect("witness: [0-9]+ ok")
    assert line.request("stop spinner")[1]              # it has interrupts off and gives nothing back
    line.expect(r"duomo: spinner: stopped by the operator \(start 1\)")
    line.state_becomes("spinner", "stopped")
    assert int(line.request("regs spinner")[0]["vcpus"][0]["pc"], 0) >= 0x80200000
    assert line.request("start spinner")[1]
    line.state_becomes("spinner", "running")
    line.request("kill spinner")
    line.state_becomes("spinner", "off")
    assert not line.request("kill spinner")[1]
    assert "no memory" in line.request("mem spinner p:0x80000000")[0]["error"]
    assert "no memory" in line.request("walk spinner 0x80000000")[0]["error"]
    line.request("reset spinner")                       # from off, as a machine's button does
    line.state_becomes("spinner", "running")
    line.request("reset talker")
    line.expect("talker: reset by the operator.*witness: 0 ok")
    starts = {vm["name"]: vm["starts"] for vm in line.request("list")[0]["vms"]}
    assert starts == {"talker": 2, "spinner": 3, "sleeper": 1}


def test_stopped_vms_keep_the_machine_and_killed_ones_end_it(start):
    line = start(TALKER, SPINNER)
    line.expect("witness: 1 ok")
    for name in ("talker", "spinner"):
        assert line.request(f"stop {name}")[1]
    line.state_becomes("spinner", "stopped")
    assert line.request("start talker")[1]              # all were off, and the machine is still there
    line.state_becomes("talker", "running")
    line.request("kill spinner")
    line.state_becomes("spinner", "off")
    line.type("\x1d:0123456789abcdef json kill talker\r")
    assert line.machine.wait_end(SECONDS) == 0


def test_requests(start):
    line = start(TALKER, ("flood", "flood", "way=1"))
    line.expect("witness: 1 ok")
    for show in ("\x1d1", "\x1d2", "\x1da", "\x1dm"):
        line.type(show)
        for command in ("list", "stats", "regs talker", "csr flood", "harts", "memory", "devs talker", "help",
                        "log", "version", "mem talker 0x200000000 4096", "walk talker 0x200000000"):
            answer, is_well = line.request(command)
            assert is_well and answer, command
        answer, is_well = line.request("walk nobody 0")
        assert not is_well and "nobody" in answer["error"]
    assert {row["usage"].split()[0] for row in line.request("help")[0]["commands"]} == set(COMMANDS)
    text, is_well = line.request("mem talker p:0x80000000 4096", "text")
    assert is_well and len(text.splitlines()) == 256
    vms = line.request("list")[0]["vms"]
    assert [vm["name"] for vm in vms] == ["talker", "flood"] and vms[0]["memory"] == 16 << 20


def test_a_long_reply_on_a_slow_line(start):
    line = start(TALKER, ("flood", "flood", "way=0"))
    line.expect("witness: 1 ok")
    line.machine.slow = True
    line.type("\x1d2")
    for _ in range(2):
        text, is_well = line.request("mem talker p:0x80000000 4096", "text")
        assert is_well and all(re.fullmatch(r"[0-9a-f]{16} ( +[0-9a-f]{2}){16}  .{16}", row) for row in text.splitlines())


def test_a_paste_longer_than_everything(start):
    line = start(TALKER, SPINNER)
    line.expect("witness: 1 ok")
    line.type("\x1dm" + "version\r" * 500)
    for _ in range(500):
        line.expect(r"Duomo \d")


def test_a_vm_that_does_not_read_lets_the_keys_through(start):
    line = start(SPINNER, TALKER)
    line.expect("spin: round 1")
    line.type("x" * 3000 + "\x1d2")
    line.expect("--- talker ---", seconds=30)


def test_off(start):
    line = start(TALKER, SPINNER)
    line.expect("witness: 1 ok")
    line.type("\x1dqn")
    line.expect(r"\(y/n\) no\r\n.*--- talker ---")
    line.type("\x1dqy")
    line.expect("duomo: powered off by the operator\r\n")
    assert line.machine.wait_end(SECONDS) == 0
