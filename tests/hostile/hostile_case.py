# SPDX-License-Identifier: MIT
#
# One machine with attackers and a witness, and what must hold of it.
#
# In:     attackers as (guest, command line); how many harts; how long.
# Out:    what the machine left; what is wrong with that, in words.
# Always: the oracles are those of README.md.  Stalls and stays are measured where time is instructions:
#         on one hart.  On several, a busy host may delay anybody.

import os
import re
import subprocess
from pathlib import Path

from fit import Vm, bundle
from hostile_machine import Machine

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("DUOMO_BUILD", "build")
GUESTS = BUILD / "hostile"
SOAK = int(os.environ.get("DUOMO_HOSTILE_SOAK", "1"))

SLICE_US, MARGIN_US = 5000, 1000
LATE_US = 2000000       # nobody may be forgotten for so long, even where the host is busy
LINE_MS = 20
END_SECONDS = 150 * SOAK
STAY = 50000            # the longest stay in the monitor, in instructions
STACK_PERCENT = 75


class Case:
    """A machine: its attackers as (guest, command line), and what is wanted of it."""

    def __init__(self, *attackers, lines=10, rounds=1, first=True, mib=64, shadow_pages=None, icount=True,
                 witness=True, lost=False, until=None, slices=None, share=None, check=None, slow=False,
                 harts=1, cpu="rv64,h=false", memory="512M", turns=0, reports=False):
        self.attackers, self.lines, self.rounds, self.first = attackers, lines * SOAK, rounds, first
        self.mib, self.shadow_pages, self.icount = mib, shadow_pages, icount and harts == 1
        self.harts, self.cpu, self.memory = harts, cpu, memory
        self.turns = turns                      # that all harts have given, at least
        self.witness, self.lost, self.check, self.slow = witness, lost, check, slow
        self.reports = reports                  # it crashes in a way that the monitor notices
        self.until = until or []                # what is printed how often when enough was done
        self.slices = slices or len(attackers)  # the witness may wait for so many
        self.share = share if share is not None else 100 // (1 + len(attackers)) - 5

    def vms(self):
        guests = [(f"{guest}-{i}", guest, args) for i, (guest, args) in enumerate(self.attackers)]
        lines, ms = (self.lines, LINE_MS) if self.icount else (2 + self.lines // 10, 15 * LINE_MS)
        if self.witness:
            guests.insert(len(guests) if self.first else 0,
                          ("honest", "witness", f"lines={lines} ms={ms} seed=7 stay=1"))
        return [Vm(name, (GUESTS / f"{guest}.bin").read_bytes(), args, self.mib, self.shadow_pages)
                for name, guest, args in guests]


class Outcome:
    """What a machine left."""

    def __init__(self, machine, finished):
        self.finished, self.code = finished, machine.process.poll()
        self.changes, self.harts, self.stacks = ["QEMU has ended"], [], []
        if self.code is None and not machine.slow:
            self.harts = (machine.request("harts") or {}).get("harts", [])
        if self.code is None:
            self.changes, self.stacks = machine.changes(), machine.stacks()
        self.shown = machine.shown()

    def log(self):
        """The monitor's lines since the first VM has begun."""
        return re.findall(r"duomo: [^\n]*(?=\n)", self.shown[self.shown.find("=== "):])

    def tail(self):
        return "\n".join(line[:160] for line in self.shown.splitlines()[-25:])


def play(name, case, monitor, folder):
    machine = Machine(monitor, bundle(case.vms()), folder / name, case.icount, case.slow, case.memory,
                      case.harts, case.cpu)
    try:
        until = case.until if isinstance(case.until, list) else [case.until]
        finished = all(machine.wait(*what, END_SECONDS) for what in until)
        if case.witness:
            finished &= machine.wait("witness: done", 1, END_SECONDS)
        return Outcome(machine, finished)
    finally:
        machine.stop()


def build(*targets):
    done = subprocess.run(["make", "-s", "-C", ROOT, "-f", "tests/hostile/hostile.mk", f"B={BUILD}", *targets],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# The oracles: each yields what is wrong, in words.

def o1_no_panic(_, outcome):
    yield from (line for line in outcome.shown.splitlines() if "PANIC" in line)
    if outcome.code is not None:
        yield f"QEMU has ended with {outcome.code}"


def o2_witness_is_content(case, outcome):
    done = re.search(r"witness: done ok stall_us=(\d+) late_us=(\d+) share=(\d+)", outcome.shown)
    if not outcome.finished or not done:
        yield "it did not come to its end, or the witness not to a good one"
        return
    stall, late, share = map(int, done.groups())
    bound = case.slices * SLICE_US + MARGIN_US
    if case.icount and max(stall, late) > bound:
        yield f"the witness stalled for {stall} us, its timer was {late} us late; the bound is {bound}"
    if not case.icount and max(stall, late) > LATE_US:
        yield f"the witness stalled for {stall} us, its timer was {late} us late, and that is no busy host's doing"
    if case.icount and share < case.share:
        yield f"the witness had {share} % of the hart, not {case.share}"


def o3_monitor_is_unchanged(_, outcome):
    if outcome.changes:
        yield f"{len(outcome.changes)} bytes of the monitor have changed: {outcome.changes[:8]}"


def o4_attackers_have_attacked(case, outcome):
    for guest in {guest for guest, _ in case.attackers}:
        if len(re.findall(rf"\n{guest}: (?:round|life)", outcome.shown)) < case.rounds:
            yield f"{guest} has not done what it should"
    if sum(hart["turns"] for hart in outcome.harts) < case.turns:
        yield "the VMs have not taken turns often enough"
    yield from (line for line in outcome.shown.splitlines() if re.match(r"\w+: (\w+ )?BAD ", line))
    if not case.lost:
        yield from re.findall(r"\n(unexpected trap[^\n]*|FAIL [^\n]*)", outcome.shown)


def o5_log_is_empty(case, outcome):
    for line in outcome.log():
        if case.reports and re.match(r"duomo: (    |[\w-]+: it crashed: )", line):
            continue
        if not re.match(r"duomo: [\w-]+: its guest (powered off|asked for a reset|reported a failure)", line):
            yield f"the monitor said: {line}"


def g4_stays_are_short(case, outcome):
    if case.icount and not case.slow and outcome.finished:
        longest = max((hart["longest"] for hart in outcome.harts), default=None)
        if longest is None or longest > STAY:
            yield f"the longest stay in the monitor: {longest} instructions; the bound is {STAY}"


def s7_stacks_have_room(_, outcome):
    used = max(outcome.stacks, default=0)
    if used > STACK_PERCENT:
        yield f"the monitor has used {used} % of a stack; the bound is {STACK_PERCENT}"


ORACLES = [o1_no_panic, o2_witness_is_content, o3_monitor_is_unchanged, o4_attackers_have_attacked,
           o5_log_is_empty, g4_stays_are_short, s7_stacks_have_room]


def what_is_wrong(case, outcome):
    wrong = [f"{oracle.__name__[:2].upper()} {what}" for oracle in ORACLES for what in oracle(case, outcome)]
    return wrong + [f"O4 {what}" for what in (case.check(outcome.shown) if case.check else [])]
