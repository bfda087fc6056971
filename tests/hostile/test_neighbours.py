# SPDX-License-Identifier: MIT
"""What one virtual machine leaves to the next, and what it takes from others when it begins and ends.

In:     machines whose VMs are started and ended through the monitor's requests (docs/monitor.md).
Out:    what the guests saw; who had which part of the RAM.
Always: every wait has an end.
"""

import re
import time

import pytest

from fit import Vm, bundle
from hostile_case import GUESTS, SOAK, STAY, Outcome, o1_no_panic, o3_monitor_is_unchanged, s7_stacks_have_room
from hostile_machine import Machine

SECONDS = 60
VECTORS = "rv64,h=false,v=true"
START_US = 100000       # to the first instruction of a guest of 16 MiB


def guest(name, kernel, args="", mib=16, start="boot"):
    return Vm(name, (GUESTS / f"{kernel}.bin").read_bytes(), args, mib, start=start)


def witness(lines=10):
    return guest("honest", "witness", f"lines={lines} ms=100 seed=7 stay=1")


class Board:
    """A machine whose VMs come and go."""

    def __init__(self, monitor, folder, *vms, **how):
        how = {"memory": "256M", "icount": False, **how}
        self.machine = Machine(monitor, bundle(vms), folder, **how)

    def ask(self, what):
        answer = self.machine.request(what)
        assert answer is not None and "error" not in answer, (what, answer, self.machine.shown()[-1000:])
        return answer

    def memory(self):
        """Whose which ranges are, in the order of addresses; and how much is free."""
        answer = self.ask("memory")
        return sorted((int(r["from"], 0), r["size"], r["owner"]) for r in answer["ranges"]), answer["sum"]["free"]

    def ram_of(self, name):
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for at, _, owner in self.memory()[0]:
                if owner == f"{name}: RAM":
                    return at
        raise AssertionError(f"{name} has no RAM")

    def longest(self):
        """The longest stay in the monitor; what a person asks of it is among the stays."""
        return max(hart["longest"] for hart in self.ask("harts")["harts"])

    def state(self, name):
        return next(vm["state"] for vm in self.ask("list")["vms"] if vm["name"] == name)

    def becomes(self, name, *wanted):
        deadline = time.monotonic() + SECONDS
        while (state := self.state(name)) not in wanted:
            assert time.monotonic() < deadline, f"{name} is {state}, not {wanted}"

    def shows(self, pattern, times=1):
        assert self.machine.wait(pattern, times, SECONDS), self.machine.shown()[-1500:]

    def ends_well(self):
        """The witness is content, and the monitor as it was."""
        self.shows("witness: done ok")
        outcome = Outcome(self.machine, True)
        oracles = (o1_no_panic, o3_monitor_is_unchanged, s7_stacks_have_room)
        wrong = [what for oracle in oracles for what in oracle(None, outcome)]
        wrong += re.findall(r"\n(\w+: (?:\w+ )?BAD [^\n]*)", outcome.shown)
        assert not wrong, "\n".join(wrong) + outcome.tail()
        return outcome


@pytest.fixture
def board(monitor, tmp_path):
    """Returns a function that starts a machine; the test's end stops it."""
    boards = []

    def begin(*vms, **how):
        boards.append(Board(monitor, tmp_path / str(len(boards)), *vms, **how))
        return boards[-1]

    yield begin
    for one in boards:
        one.machine.stop()


# P12: the next owner of memory, registers and devices finds nothing.

@pytest.mark.parametrize("harts, cpu", [(1, VECTORS), (2, VECTORS), (4, "rv64,h=false")])
def test_nothing_is_left_to_the_next(board, harts, cpu):
    b = board(witness(), guest("first", "mark", "way=2", 96, "hand"), guest("third", "mark", "way=0", 96, "hand"),
              guest("second", "mark", "way=1", 96, "hand"), harts=harts, cpu=cpu)
    b.shows("witness: 1 ok")
    before = b.memory()
    for turn, before_it in enumerate(("first", "third")):   # one is killed, one powers off
        b.ask(f"start {before_it}")
        b.shows("mark: round marked words=1[0-9]{7}", turn + 1)
        if before_it == "first":
            place = b.ram_of("first")
            b.ask("kill first")
        b.becomes(before_it, "off")
        assert b.memory() == before
        b.ask("start second")
        b.shows("mark: round found ram=0 registers=0 csrs=0 devices=0 of=1[0-9]{7}", turn + 1)
        assert b.ram_of("second") == place
        b.ask("kill second")
        b.becomes("second", "off")
    assert b.memory() == before
    b.ends_well()


# P9: one follows the other on a hart, with the same ASIDs and addresses.

def test_same_asids_in_two(board):
    b = board(guest("a", "asid", "seed=1"), guest("b", "asid", "seed=2"), icount=True)
    assert b.machine.wait("asid: round", 12 * SOAK, 4 * SECONDS * SOAK), b.machine.shown()[-1500:]
    turns = sum(vcpu["turns"] for vcpu in b.ask("stats")["vcpus"])
    assert turns > 100000 * SOAK
    assert "BAD" not in b.machine.shown() and "PANIC" not in b.machine.shown()


# S3, G8: starts and ends cost nothing that does not come back.

@pytest.mark.parametrize("harts, lives", [(1, 1000), (4, 300)])
def test_a_thousand_starts(board, harts, lives):
    lives *= SOAK
    b = board(witness(), guest("short", "reboot", "quick=1"), harts=harts, icount=harts == 1)
    b.shows("reboot: life", 10)
    before, stay = b.memory(), b.longest()
    assert b.machine.wait("reboot: life", lives, 4 * SECONDS * SOAK), b.machine.shown()[-1500:]
    assert harts > 1 or b.longest() <= max(stay, STAY)
    assert b.memory() == before
    shown = b.ends_well().shown
    begun = [int(at) for at in re.findall(r"reboot: life at_us=(\d+)", shown)]
    spans = sorted(then - now for now, then in zip(begun, begun[1:]))
    assert len(begun) >= lives
    if harts == 1:
        assert spans[-1] < START_US, spans[-10:]


@pytest.mark.parametrize("harts", [1, 2, 4])
def test_ends_at_any_moment(board, harts):
    b = board(witness(20), guest("a", "fuzz", "seed=5000", 64, "hand"), guest("b", "fp", "", 16, "hand"),
              guest("c", "reboot", "", 16, "hand"), harts=harts)
    b.shows("witness: 1 ok")
    before = b.memory()
    for turn in range((30 if harts < 4 else 12) * SOAK):
        for name in "abc":
            b.ask(f"start {name}")
        time.sleep(turn % 10 * 0.004)
        for name in "cba":
            b.ask(f"kill {name}")
        for name in "abc":
            b.becomes(name, "off")
    assert b.memory() == before
    b.ends_well()


# S5: who asks for more than there is gets nothing, and takes nothing.

def test_one_that_does_not_fit(board):
    b = board(witness(), guest("large", "mark", "way=1", 128), guest("other", "fp", "", 128, "hand"), harts=2)
    b.shows("mark: round found ram=0")
    before = b.memory()
    for turn in range(3):
        b.machine.request("start other")
        b.shows("other: the machine has too little RAM for its 128 MiB; give it less", turn + 1)
        b.becomes("other", "off")
        assert b.memory() == before
    b.ask("kill large")
    b.becomes("large", "off")
    b.ask("start other")                                # and now it fits
    b.shows("fp: round 2")
    b.ends_well()


# A person looks at one that has no RAM, or has it at this moment only.

@pytest.mark.parametrize("harts", [1, 2])
def test_one_that_is_off_is_looked_at(board, harts):
    b = board(witness(), guest("gone", "witness", "lines=1000", 16, "hand"), harts=harts)
    b.shows("witness: 1 ok")
    for _ in range(3):
        for state in ("off", "running"):
            for look in ("regs", "csr", "devs", "stats"):
                b.ask(f"{look} gone")
            for look in ("mem gone p:0x80200000 64", "mem gone 0x80200000 64", "walk gone 0x80200000"):
                answer = b.machine.request(look)
                assert answer and ("error" in answer) == (state == "off"), (look, state, answer)
            b.ask("start gone" if state == "off" else "kill gone")
            for look in ("mem gone p:0x80200000 64", "walk gone 0x80200000"):
                assert b.machine.request(look)
            b.becomes("gone", "running" if state == "off" else "off")
    b.ends_well()
