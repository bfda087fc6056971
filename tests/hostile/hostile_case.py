# SPDX-License-Identifier: MIT
#
# One machine with attackers and a witness, and what must hold of it.
#
# In:     attackers as (guest, command line); how many harts; how long.
# Out:    what the machine left; what is wrong with that, in words.
# Always: the oracles are those of README.md.  Stalls and stays are measured where time is instructions:
#         on one hart.  On several, a busy host may delay anybody.

import copy
import os
import random
import re
import struct
import subprocess
from collections import Counter
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
                 harts=1, cpu="rv64,h=false", memory="512M", turns=0, reports=False,
                 disk=False, net=False, dropped=None, one_core=False):
        self.engine = self.witness_engine = "auto"
        self.attackers, self.lines, self.rounds, self.first = attackers, lines * SOAK, rounds, first
        self.mib, self.shadow_pages, self.icount = mib, shadow_pages, icount and harts == 1
        self.harts, self.cpu, self.memory = harts, cpu, memory
        self.one_core = one_core                # of the host's: QEMU's threads keep each other waiting
        self.turns = turns                      # that all harts have given, at least
        self.disk = disk                        # each attacker has a partition of one
        self.net = net                          # the n-th attacker has the address 52:54:00:00:00:n
        self.dropped = dropped or {}            # VM: why frames of its port must have been dropped
        self.witness, self.lost, self.check, self.slow = witness, lost, check, slow
        self.reports = reports                  # it crashes in a way that the monitor notices
        self.until = until or []                # what is printed how often when enough was done
        self.slices = slices or len(attackers)  # the witness may wait for so many
        self.share = share if share is not None else 100 // (1 + len(attackers)) - 5

    def vms(self):
        guests = [(f"{guest}-{i}", guest, args) for i, (guest, args) in enumerate(self.attackers)]
        lines, ms = (self.lines, LINE_MS) if self.icount else (2 + self.lines // 10, 15 * LINE_MS)
        if self.witness:
            wait = ms if self.icount else LATE_US // 1000
            guests.insert(len(guests) if self.first else 0,
                          ("honest", "witness", f"lines={lines} ms={ms} wait={wait} seed=7 stay=1"))
        return [Vm(name, (GUESTS / f"{guest}.bin").read_bytes(), args, self.mib, self.shadow_pages,
                   more={"engine": self.witness_engine} if guest == "witness" else
                   {"engine": self.engine, **self.devices(name)}) for name, guest, args in guests]

    def under(self, engine, witness_engine):
        """The same, with these engines."""
        case = copy.copy(self)
        case.engine, case.witness_engine = engine, witness_engine
        return case

    def devices(self, name):
        number = int(name.rpartition("-")[2])
        return {**({"disk-partition": name} if self.disk else {}),
                **({"net-mac": bytes((0x52, 0x54, 0, 0, 0, number))} if self.net else {})}


class Disk:
    """One disk for all attackers of a case, each of which has a partition; between and around them
    lies a pattern."""

    SECTORS = 2048

    def __init__(self, case, folder):
        names = [f"{guest}-{i}" for i, (guest, _) in enumerate(case.attackers)]
        folder.mkdir(parents=True, exist_ok=True)
        self.path, part = folder / "disk.img", folder / "part.img"
        part.write_bytes(random.Random(1).randbytes(512 * self.SECTORS))
        words = [word for name in names for word in
                 ("--partition", f"{name}::{part}", "--partition", f"gap-{name}::{part}")]
        subprocess.run([BUILD / "duomo", "disk", "create", self.path, *words], check=True, capture_output=True)
        self.before = self.path.read_bytes()
        self.open = [self.place(name) for name in names]

    def place(self, name):
        """First byte and size of the partition, from the table itself."""
        at = self.before.find(name.encode("utf-16-le") + b"\0\0", 1024)
        first, last = struct.unpack_from("<QQ", self.before, at - 56 + 32)
        return 512 * first, 512 * (last + 1 - first)

    def changes(self):
        """How many bytes outside the partitions are not as they were."""
        after = bytearray(self.path.read_bytes())
        for at, size in self.open:
            after[at:at + size] = self.before[at:at + size]
        return 0 if after == self.before else sum(a != b for a, b in zip(after, self.before))


class Outcome:
    """What a machine left."""

    def __init__(self, machine, finished):
        self.finished, self.code = finished, machine.process.poll()
        self.changes, self.harts, self.stacks, self.disk_changes = ["QEMU has ended"], [], [], 0
        self.ports = []
        if self.code is None and not machine.slow:
            self.harts = (machine.request("harts") or {}).get("harts", [])
            self.ports = (machine.request("net") or {}).get("ports", [])
        if self.code is None:
            self.changes, self.stacks = machine.changes(), machine.stacks()
        self.shown = machine.shown()

    def log(self):
        """The monitor's lines since the first VM has begun."""
        return re.findall(r"duomo: [^\n]*(?=\n)", self.shown[self.shown.find("=== "):])

    def tail(self):
        return "\n".join(line[:160] for line in self.shown.splitlines()[-25:])


def play(name, case, monitor, folder):
    disk = Disk(case, folder / name) if case.disk else None
    machine = Machine(monitor, bundle(case.vms()), folder / name, case.icount, case.slow, case.memory,
                      case.harts, case.cpu, disk and disk.path, case.one_core)
    try:
        until = case.until if isinstance(case.until, list) else [case.until]
        finished = all(machine.wait(*what, END_SECONDS) for what in until)
        if case.witness:
            finished &= machine.wait("witness: done", 1, END_SECONDS)
        outcome = Outcome(machine, finished)
    finally:
        machine.stop()
    if disk:
        outcome.disk_changes = disk.changes()
    return outcome


def build(*targets):
    done = subprocess.run(["make", "-s", "-C", ROOT, "-f", "tests/hostile/hostile.mk", f"B={BUILD}", *targets],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def seeds_in_common(shown):
    """Of the lives of `reboot`: the seeds that more than one had, and those that are 0."""
    seeds = Counter(re.findall(r"reboot: life [^\n]*seed=(\w+)", shown))
    return [seed for seed, lives in seeds.items() if lives > 1 or seed == "0"]


# The oracles: each yields what is wrong, in words.

def o1_no_panic(_, outcome):
    yield from (line for line in outcome.shown.splitlines() if "PANIC" in line)
    if outcome.code is not None:
        yield f"QEMU has ended with {outcome.code}"


def o2_witness_is_content(case, outcome):
    done = re.search(r"witness: done ok stall_us=(\d+) late_us=(\d+) share=(\d+)", outcome.shown)
    if not outcome.finished or not done:
        told = re.findall(r"\n((?:witness: |FAIL |unexpected trap|duomo: honest: its guest )[^\n]*)", outcome.shown)
        yield "\n    ".join(["it did not come to its end, or the witness not to a good one:", *told[-4:]])
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


def o3_disk_is_unchanged(_, outcome):
    if outcome.disk_changes:
        yield f"{outcome.disk_changes} bytes of the disk outside the partitions have changed"


def o4_attackers_have_attacked(case, outcome):
    for guest in {guest for guest, _ in case.attackers}:
        if len(re.findall(rf"\n{guest}: (?:round|life)", outcome.shown)) < case.rounds:
            yield f"{guest} has not done what it should"
    if outcome.harts and len(outcome.harts) != case.harts:
        yield f"{len(outcome.harts)} of {case.harts} harts take part"
    if sum(hart["turns"] for hart in outcome.harts) < case.turns:
        yield "the VMs have not taken turns often enough"
    yield from (line for line in outcome.shown.splitlines() if re.match(r"\w+: (\w+ )?BAD ", line))
    if not case.lost:
        yield from re.findall(r"\n(unexpected trap[^\n]*|FAIL [^\n]*)", outcome.shown)


def o4_frames_were_dropped(case, outcome):
    for port in outcome.ports:
        for why in case.dropped.get(port["port"], ()):
            if not port["drops"].get(why):
                yield f"no frame of {port['port']} was dropped as {why}"
    if missing := case.dropped.keys() - {port["port"] for port in outcome.ports}:
        yield f"there are no ports of {missing}"


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


ORACLES = [o1_no_panic, o2_witness_is_content, o3_monitor_is_unchanged, o3_disk_is_unchanged,
           o4_attackers_have_attacked, o4_frames_were_dropped, o5_log_is_empty, g4_stays_are_short, s7_stacks_have_room]


def what_is_wrong(case, outcome):
    wrong = [f"{oracle.__name__[:2].upper()} {what}" for oracle in ORACLES for what in oracle(case, outcome)]
    return wrong + [f"O4 {what}" for what in (case.check(outcome.shown) if case.check else [])]
