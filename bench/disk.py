# SPDX-License-Identifier: MIT
"""What a disk gives to a virtual machine, against the same Linux on the same QEMU with the same disk.

In:     build/duomo and build/duomo.elf; the initrd with bench/guest/diskbench.c in it.
Out:    nanoseconds per request for each case, bare and in a VM, and the monitor's instructions for
        each request, as its own `stats` counts them.
Always: bare machine and VM stand beside each other and take turns of some half a second, with
        images that are the same and whose cache on this computer is warm.  (The processor's own
        caches are the other one's when a turn begins.  In turns of a tenth of a second that was
        part of the measurement, and more of the VM's.)  The two turns of a pair are compared, so
        that what else this computer does changes both; of a boot's pairs the middle one counts, and
        of the boots the one in the middle, for what a boot gives depends on which pages touch.
"""

import json
import os
import random
import re
import signal
import tempfile
import time
from pathlib import Path
from statistics import median, pstdev
from typing import NamedTuple

from company import Console
from measure import BUILD, OUT, QEMU, BenchError, goal, last_lines, monitor_ask, number, say, table, tool_run

IMAGES, SIZE_MIB = {kind: OUT / f"disk.{kind}.img" for kind in ("bare", "vm")}, 128
RESULT = re.compile(r"bench (\w+) turn (\d+) iterations (\d+) ns_total (\d+)")
KIB4, MIB1 = 4096, 1 << 20


class Case(NamedTuple):
    """What is done with a disk, as bench/guest/diskbench.c knows it."""
    name: str
    what: str
    size: int               # of a request, in bytes
    pairs: int              # of turns in a boot, at most
    share: float = 0        # at least so much of the bare throughput is the goal


CASES = [
    Case("read_1m_1",     "read 1 MiB in sequence, one by one",      MIB1, 7, 0.90),
    Case("read_1m_32",    "read 1 MiB in sequence, 32 at a time",    MIB1, 7, 0.90),
    Case("write_1m_1",    "write 1 MiB in sequence, one by one",     MIB1, 7, 0.90),
    Case("write_1m_32",   "write 1 MiB in sequence, 32 at a time",   MIB1, 7, 0.90),
    Case("read_1m_r1",    "read 1 MiB at random, one by one",        MIB1, 7, 0.90),
    Case("read_1m_r32",   "read 1 MiB at random, 32 at a time",      MIB1, 7, 0.90),
    Case("write_1m_r1",   "write 1 MiB at random, one by one",       MIB1, 7, 0.90),
    Case("write_1m_r32",  "write 1 MiB at random, 32 at a time",     MIB1, 7, 0.90),
    Case("read_4k_1",     "read 4 KiB in sequence, one by one",      KIB4, 3),
    Case("read_4k_32",    "read 4 KiB in sequence, 32 at a time",    KIB4, 3, 0.70),
    Case("write_4k_1",    "write 4 KiB in sequence, one by one",     KIB4, 3),
    Case("write_4k_32",   "write 4 KiB in sequence, 32 at a time",   KIB4, 3, 0.70),
    Case("read_4k_r1",    "read 4 KiB at random, one by one",        KIB4, 7),
    Case("read_4k_r32",   "read 4 KiB at random, 32 at a time",      KIB4, 7, 0.70),
    Case("write_4k_r1",   "write 4 KiB at random, one by one",       KIB4, 7),
    Case("write_4k_r32",  "write 4 KiB at random, 32 at a time",     KIB4, 7, 0.70),
]
PATIENCE_S = 20
DRAWS = 1000              # of a standard error
INSNS_CASES = [c.name for c in CASES if c.size == KIB4 and c.name.endswith("32")]
INSNS_GOAL = 1500
COUNTED = ("insns_devices", "insns_interrupts")


class Plan(NamedTuple):
    """How much is done."""
    divisor: int
    turns: int              # of each machine, in one boot and case, unless the case says less
    boots: int
    timeout_s: int


FULL, QUICK = Plan(1, 7, 20, 300), Plan(16, 1, 1, 120)
COUNT = Plan(1, 1, 1, 900)
ICOUNT = ["-icount", "shift=0"]         # otherwise QEMU's instret is this computer's time


def cmdline(plan, first_mib):
    return ("console=ttyS0 quiet cryptomgr.notests TERM=dumb duomo.run=\"dmesg -n 1; "
            f"diskbench /dev/vda {first_mib} {SIZE_MIB - 2} {plan.divisor}\"")


def images_make():
    """One partition, between 1 MiB and the end, whose blocks are all there."""
    content = OUT / "disk.content"
    content.write_bytes(os.urandom(MIB1) * SIZE_MIB)
    for image in IMAGES.values():
        tool_run([BUILD / "duomo", "disk", "create", image, "--force", "--partition",
                  f"bench:{SIZE_MIB}M:{content}"])
    content.unlink()


class Turn(NamedTuple):
    """What a machine did."""
    requests: int
    ns: float               # for each


class Linux(Console):
    """One boot; it does what it is told, turn by turn."""

    turns = 0

    def begin(self):
        self.wait_for("ready", lambda: "ready" in self.lines)

    def turn(self, name):
        """Types the case's name until it has been done: a key may be lost on the way."""
        self.turns += 1
        while not (done := self.done(name)):
            self.type(f"{self.turns} {name}\n".encode())
            with self.news:
                self.news.wait_for(lambda: self.ended or self.done(name), PATIENCE_S)
            if self.ended or time.monotonic() > self.deadline:
                raise BenchError(f"{self.what}: {name} was not measured" + last_lines(self.lines))
        return done

    def done(self, name):
        for match in filter(None, map(RESULT.search, self.lines[-2:])):
            if match[1] == name and int(match[2]) == self.turns:
                return Turn(int(match[3]), int(match[4]) / int(match[3]))
        return None

    def type(self, keys):
        self.process.stdin.write(keys)
        self.process.stdin.flush()

    def finish(self):
        self.type(b"0\n")
        self.wait_for("the end", lambda: any("duomo: exit" in line for line in self.lines))
        if not any("duomo: exit 0" in line for line in self.lines):
            raise BenchError(f"{self.what}: the benchmark did not end well" + last_lines(self.lines))


class Bare(Linux):
    """The board, with QEMU's firmware; the partition begins at its disk's first MiB."""

    def __init__(self, kernel, initrd, plan):
        super().__init__("disk, bare", [
            QEMU, "-M", "virt", "-cpu", "rv64,h=false", "-m", "256M", "-nographic", "-no-reboot",
            "-global", "virtio-mmio.force-legacy=false", "-drive",
            f"if=none,id=disk,format=raw,file={IMAGES['bare']}", "-device",
            "virtio-blk-device,drive=disk,queue-size=512",
            "-kernel", kernel, "-initrd", initrd, "-append", cmdline(plan, 1)], plan.timeout_s)

    def end(self):
        self.process.send_signal(signal.SIGTERM)


class Vm(Linux):
    """The same Linux in a VM, whose disk is the partition."""

    def __init__(self, kernel, initrd, plan, engine, *qemu):
        self.folder = tempfile.TemporaryDirectory(prefix="duomo-bench-")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder.name}
        file = Path(self.folder.name) / "disk.yaml"         # JSON is YAML
        file.write_text(json.dumps({
            "machine": {"disk": str(IMAGES["vm"])},
            "vms": [{"name": "linux", "memory": "256M", "kernel": str(kernel), "initrd": str(initrd),
                     "engine": engine, "disk": "bench", "cmdline": cmdline(plan, 0)}]}))
        command = [BUILD / "duomo", "run", file, "--qemu", QEMU]
        for word in qemu:
            command += ["--qemu-option", word]
        super().__init__("disk, vm", command, plan.timeout_s, self.environment)

    def __exit__(self, *_):
        super().__exit__()
        self.folder.cleanup()

    def end(self):
        self.type(b"\x1dx")

    def spent(self):
        stats = monitor_ask(self.what, "disk", "stats linux", "--json", environment=self.environment)
        vcpu = json.loads(stats)["vcpus"][0]
        return sum(vcpu[name] for name in COUNTED)

    def count(self):
        """Case -> the monitor's instructions for a request; the guest waits while the monitor is asked."""
        counts = {}
        for case in CASES:
            before = self.spent()
            requests = self.turn(case.name).requests
            counts[case.name] = (self.spent() - before) / requests
        return counts


def boot_measure(machines, plan):
    """Case -> machine -> nanoseconds per request in each turn; turns of one number are a pair."""
    found = {case.name: {kind: [] for kind in machines} for case in CASES}
    for machine in machines.values():
        machine.begin()
    for case in CASES:
        for turn in range(min(plan.turns, case.pairs)):
            for kind in sorted(machines, reverse=turn % 2):     # none has always the other's wake
                found[case.name][kind].append(machines[kind].turn(case.name).ns)
    for machine in machines.values():
        machine.finish()
    return found


def measure(plan, kernel, initrd, engine):
    """{"ns": {case: {machine: [[a boot's turns]]}}, "insns": {case: count}}, the latter not if quick."""
    ns = {case.name: {"bare": [], "vm": []} for case in CASES}
    images_make()
    for boot in range(plan.boots):
        say(f"disk: bare and VM, boot {boot + 1} of {plan.boots}")
        with Bare(kernel, initrd, plan) as bare, Vm(kernel, initrd, plan, engine) as vm:
            for name, kinds in boot_measure({"bare": bare, "vm": vm}, plan).items():
                for kind, turns in kinds.items():
                    ns[name][kind].append(turns)
    insns = {}
    if plan.divisor == FULL.divisor:
        say("disk: instructions")
        with Vm(kernel, initrd, COUNT, engine, *ICOUNT) as machine:
            machine.begin()
            insns = machine.count()
            machine.finish()
    for image in IMAGES.values():
        image.unlink()
    return {"ns": ns, "insns": insns}


def middle(boots):
    """Of each boot's turns the middle one, and of the boots' the middle one."""
    return median(map(median, boots))


def shares(boots):
    """Of each boot's pairs, what part of the bare machine's throughput the VM had."""
    return [[bare / vm for bare, vm in zip(*boot)] for boot in zip(boots["bare"], boots["vm"])]


def share_of(boots):
    """The VM's throughput as a part of the bare machine's, turn by turn."""
    return middle(shares(boots))


def error_of(boots):
    """The standard error of share_of(): how far it moves when boots and their pairs are drawn anew."""
    drawn, found = random.Random(1), shares(boots)
    return pstdev(middle(drawn.choices(boot, k=len(boot)) for boot in drawn.choices(found, k=len(found)))
                  for _ in range(DRAWS))


def parts(found):
    rows = []
    for case in CASES:
        samples = found["ns"][case.name]
        per_second = [case.size / middle(samples[m]) * 1e9 / MIB1 for m in ("bare", "vm")]
        error = f" ± {100 * error_of(samples):.0f}" if len(samples["vm"]) > 1 else ""
        rows.append([case.what] + [number(v) for v in per_second] + [f"{100 * share_of(samples):.0f}{error} %"]
                    + [number(found["insns"][case.name]) for _ in range(bool(found["insns"]))])
    head = ["disk", "bare, MiB/s", "VM, MiB/s", "VM / bare"] + ["monitor's instructions"] * bool(found["insns"])
    return ["A disk's throughput (of each boot the middle turn, and of those the median; VM / bare turn by turn, "
            "with its standard error), "
            "and what the monitor executes for one request, from the guest's register accesses to the physical disk's interrupt:", table(head, rows)]


def goals(found):
    most = max(found["insns"][name] for name in INSNS_CASES)
    rows = goal("disk: the monitor's instructions for 4 KiB, 32 at a time", most, INSNS_GOAL, "{:,.0f}")
    for case in CASES:
        if case.share:
            rows += goal(f"disk: {case.what}: of the bare throughput",
                         100 * share_of(found["ns"][case.name]), 100 * case.share, "{:.0f} %", at_least=True)
    return rows
