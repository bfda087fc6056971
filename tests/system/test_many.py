# SPDX-License-Identifier: MIT
#
# Many virtual machines, of different systems, on one, two and four harts: as a user starts them.
#
# In:     build/duomo, build/duomo.elf, figura, the kernel and the initial file system (conftest.py).
# Out:    what the machines print, what the monitor says of them, QEMU's exit code.
# Always: no QEMU is left.

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from conftest import needs
from machine import BOOT_SECONDS

PROJECT = Path(__file__).resolve().parents[2]
LINUX, FIGURAS = 2, 14
NAPS = 1500


@pytest.fixture
def figura(bare):
    if bare:
        pytest.skip("the bare machine has no monitor")
    return needs(PROJECT / "build/figura.elf", "make")


def vm_text(name, kernel, cmdline, *more):
    return "".join(f"    {line}\n" for line in
                   (f"kernel: {kernel}", f"cmdline: '{cmdline}'", *more)).replace("    ", f"  - name: {name}\n    ", 1)


def config_write(path, harts, vms, memory="4G"):
    path.write_text(f"machine:\n  harts: {harts}\n  memory: {memory}\nvms:\n{''.join(vms)}")
    return path


class Run:
    """`duomo run` of a file; its control socket is of its own."""

    def __init__(self, duomo, path, *options):
        self.duomo = duomo
        self.environment = os.environ | {"XDG_RUNTIME_DIR": str(path.parent)}
        self.out = path.with_suffix(".out")
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([duomo, "run", path, *options], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env=self.environment)

    def shown(self):
        return self.out.read_text(encoding="utf-8", errors="replace")

    def ask(self, command):
        done = subprocess.run([self.duomo, "monitor", "-c", command, "--json"], capture_output=True, text=True,
                              timeout=BOOT_SECONDS, check=False, env=self.environment)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_for(self, condition, what):
        end = time.monotonic() + 4 * BOOT_SECONDS
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, f"{what}\n{self.shown()[-3000:]}"
            time.sleep(0.5)

    def states(self):
        answer = self.ask("list")
        return [vm["state"] for vm in answer["vms"]] if answer else []

    def end(self):
        self.process.terminate()
        self.process.wait(BOOT_SECONDS)


@pytest.fixture
def run(duomo, qemu):
    runs = []

    def start(path, *options):
        runs.append(Run(duomo, path, *options))
        return runs[-1]

    yield start
    for each in runs:
        each.end()


@pytest.mark.parametrize("harts", [1, 2, 4])
def test_sixteen_at_once(run, figura, kernel, initrd, tmp_path, harts):
    linux = "console=ttyS0 quiet TERM=dumb"
    vms = [vm_text(f"linux{n}", kernel, linux, f"initrd: {initrd}", "memory: 192M") for n in range(LINUX)]
    vms += [vm_text(f"figura{n}", figura, "run=sum;hello", "memory: 16M") for n in range(FIGURAS)]
    machine = run(config_write(tmp_path / "many.yaml", harts, vms))
    all_wait = ["waiting"] * (LINUX + FIGURAS)

    machine.wait_for(lambda: machine.states() == all_wait, "they do not all come to wait for their users")
    assert f"{harts} of {harts} run guests" in machine.shown() or harts == 1
    assert len(machine.ask("harts")["harts"]) == harts
    # One that waits for room on the line waits, too, for a moment.
    machine.wait_for(lambda: "root@duomo" in machine.shown(), "the shell has no prompt")
    machine.ask("kill linux0")
    machine.wait_for(lambda: machine.states()[0] == "off", "one is not killed")
    # Those that wait have a timer, too, which wakes one of them for a moment now and then.
    assert set(machine.states()[1:]) <= {"waiting", "running"}
    machine.wait_for(lambda: machine.states()[1:] == all_wait[1:], "the others do not go on waiting")


def test_what_it_prints_while_the_monitor_answers_is_whole(run, kernel, initrd, tmp_path):
    """Linux gives its UART a FIFO's worth at once, and the line's room may end after any byte of it."""
    linux = 'console=ttyS0 quiet TERM=dumb duomo.run="seq 1 5000; echo all of them; sleep 99"'
    machine = run(config_write(tmp_path / "words.yaml", 1, [vm_text("linux", kernel, linux, f"initrd: {initrd}")]))

    machine.wait_for(lambda: "\n1\n" in machine.shown().replace("\r", ""), "it does not begin")
    end = time.monotonic() + BOOT_SECONDS
    while "all of them" not in machine.shown() and time.monotonic() < end:
        assert machine.ask("stats linux")
        time.sleep(0.03)
    numbers = machine.shown().replace("\r", "").split("\n1\n", 1)[1].split("all of them")[0].split()
    assert numbers == [str(n) for n in range(2, 5001)]


def test_a_nap_is_one_wait(run, bare, kernel, initrd, tmp_path):
    """Where the guest has the hart's own timer, that may be a while late; who was woken for it must find it due,
    or it sleeps again, and again."""
    if bare:
        pytest.skip("the bare machine has no monitor")
    naps = f"for i in $(seq {NAPS}); do usleep 700; done"
    linux = f'console=ttyS0 quiet TERM=dumb duomo.run="sleep 2; echo begin; sleep 4; {naps}; echo end; sleep 99"'
    machine = run(config_write(tmp_path / "naps.yaml", 1, [vm_text("linux", kernel, linux, f"initrd: {initrd}")]))
    waits = []

    for word in ("begin", "end"):
        machine.wait_for(lambda word=word: f"\n{word}" in machine.shown(), f"it does not {word}")
        waits.append(machine.ask("stats linux")["vcpus"][0]["waits"])
    assert 0.9 * NAPS <= waits[1] - waits[0] <= 1.2 * NAPS


def test_one_that_is_broken_keeps_nobody_from_starting(run, figura, tmp_path):
    vms = [vm_text("elsewhere", figura, "run=off", "harts: [2]"), vm_text("good", figura, "run=hello;off")]
    path = config_write(tmp_path / "broken.yaml", 3, vms)
    machine = run(path, "--qemu-option", "-smp", "--qemu-option", "1")

    assert machine.process.wait(BOOT_SECONDS) == 1
    shown = machine.shown()
    assert "elsewhere: the machine has none of the harts that it may run on" in shown
    assert "hello from process" in shown
