# SPDX-License-Identifier: MIT
"""What a disk gives to a virtual machine, against the same Linux on the same QEMU with the same disk.

In:     build/duomo and build/duomo.elf; the initrd with bench/guest/diskbench.c in it.
Out:    nanoseconds per request for each case, bare and in a VM, and the monitor's instructions for
        each request, as its own `stats` counts them.
Always: bare machine and VM take turns, with one image, whose cache on this computer is warm.  What
        a boot gives depends on which pages touch; so boots are compared by their medians.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from company import Console
from measure import BUILD, OUT, QEMU, BenchError, goal, last_lines, number, say, table, tool_run

IMAGE, SIZE_MIB = OUT / "disk.img", 128
RESULT = re.compile(r"bench (\w+) iterations (\d+) ns_total (\d+)")
KIB4, MIB1 = 4096, 1 << 20

# Name, what it is, bytes of a request.
CASES = [
    ("read_1m_1",   "read 1 MiB, one after the other",       MIB1),
    ("read_1m_32",  "read 1 MiB, 32 at a time",              MIB1),
    ("write_1m_1",  "write 1 MiB, one after the other",      MIB1),
    ("write_1m_32", "write 1 MiB, 32 at a time",             MIB1),
    ("read_4k_1",   "read 4 KiB at random, one by one",      KIB4),
    ("read_4k_32",  "read 4 KiB at random, 32 at a time",    KIB4),
    ("write_4k_1",  "write 4 KiB at random, one by one",     KIB4),
    ("write_4k_32", "write 4 KiB at random, 32 at a time",   KIB4),
]
# Case, at least so much of the bare throughput.
GOALS = [("read_1m_1", 0.90), ("read_1m_32", 0.90), ("write_1m_1", 0.90), ("write_1m_32", 0.90),
         ("read_4k_32", 0.70), ("write_4k_32", 0.70)]
PATIENCE_S = 20
INSNS_CASES, INSNS_GOAL = ("read_4k_32", "write_4k_32"), 1500
COUNTED = ("insns_devices", "insns_interrupts")


class Plan(NamedTuple):
    """How much is done."""
    divisor: int
    repeats: int
    boots: int
    timeout_s: int
    step: str = ""


FULL, QUICK = Plan(1, 3, 5, 300), Plan(16, 1, 1, 120)
COUNT = Plan(4, 1, 1, 900, " step")
ICOUNT = ["-icount", "shift=0"]         # otherwise QEMU's instret is this computer's time


def cmdline(plan, first_mib):
    return ("console=ttyS0 quiet cryptomgr.notests TERM=dumb duomo.run=\"dmesg -n 1; "
            f"diskbench /dev/vda {first_mib} {SIZE_MIB - 2} {plan.divisor} {plan.repeats}{plan.step}\"")


def image_make():
    """One partition, between 1 MiB and the end, whose blocks are all there."""
    content = OUT / "disk.content"
    content.write_bytes(os.urandom(MIB1) * SIZE_MIB)
    tool_run([BUILD / "duomo", "disk", "create", IMAGE, "--force", "--partition",
              f"bench:{SIZE_MIB}M:{content}"])
    content.unlink()


class Linux(Console):
    """One boot, which measures all cases and ends."""

    def finish(self):
        self.wait_for("the end", lambda: any("duomo: exit" in line for line in self.lines))
        if not any("duomo: exit 0" in line for line in self.lines):
            raise BenchError(f"{self.what}: the benchmark did not end well")
        return self.results()

    def results(self):
        found = {}
        for line in self.lines:
            if match := RESULT.search(line):
                found.setdefault(match[1], []).append(int(match[3]) / int(match[2]))
        return found


class Bare(Linux):
    """The board, with QEMU's firmware; the partition begins at its disk's first MiB."""

    def __init__(self, kernel, initrd, plan):
        super().__init__("disk, bare", [
            QEMU, "-M", "virt", "-cpu", "rv64,h=false", "-m", "256M", "-nographic", "-no-reboot",
            "-global", "virtio-mmio.force-legacy=false", "-drive",
            f"if=none,id=disk,format=raw,file={IMAGE}", "-device",
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
            "machine": {"disk": str(IMAGE)},
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

    def type(self, keys):
        self.process.stdin.write(keys)
        self.process.stdin.flush()

    def spent(self):
        done = subprocess.run([str(BUILD / "duomo"), "monitor", "--to", "disk", "--json", "-c",
                               "stats linux"], env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode:
            raise BenchError(f"{self.what}: stats: {done.stderr.strip() or done.stdout}")
        vcpu = json.loads(done.stdout)["vcpus"][0]
        return sum(vcpu[name] for name in COUNTED)

    def lines_with(self, words):
        return [line for line in self.lines if words in line]

    def begin(self, name):
        """Types the case's name until it has been done: a key may be lost on the way."""
        while not self.lines_with(f"bench {name} "):
            self.type(f"{name}\n".encode())
            with self.news:
                self.news.wait_for(lambda: self.ended or self.lines_with(f"bench {name} "), PATIENCE_S)
            if self.ended or time.monotonic() > self.deadline:
                raise BenchError(f"{self.what}: {name} was not measured" + last_lines(self.lines))

    def count(self):
        """Case -> the monitor's instructions for a request; the guest waits while the monitor is asked."""
        counts = {}
        for name, *_ in CASES:
            self.wait_for(name, lambda name=name: self.lines_with(f"begin {name}"))
            before = self.spent()
            self.begin(name)
            requests = int(RESULT.search(self.lines_with(f"bench {name} ")[0])[2])
            counts[name] = (self.spent() - before) / requests
        return counts


def measure(plan, kernel, initrd, engine):
    """{"ns": {case: {machine: [each boot's quickest]}}, "insns": {case: count}}, the latter not if quick."""
    ns = {name: {"bare": [], "vm": []} for name, *_ in CASES}
    image_make()
    for boot in range(plan.boots):
        for kind in ("bare", "vm"):
            say(f"disk: {kind}, boot {boot + 1} of {plan.boots}")
            with Bare(kernel, initrd, plan) if kind == "bare" else Vm(kernel, initrd, plan, engine) as machine:
                found = machine.finish()
            for name in ns:
                ns[name][kind].append(min(found[name]))
    insns = {}
    if plan.divisor == FULL.divisor:
        say("disk: instructions")
        with Vm(kernel, initrd, COUNT, engine, *ICOUNT) as machine:
            insns = machine.count()
    IMAGE.unlink()
    return {"ns": ns, "insns": insns}


def share_of(boots):
    """The VM's throughput as a part of the bare machine's: of a boot in the middle."""
    return median(boots["bare"]) / median(boots["vm"])


def parts(found):
    rows = []
    for name, what, size in CASES:
        samples = found["ns"][name]
        per_second = [size / median(samples[m]) * 1e9 / MIB1 for m in ("bare", "vm")]
        rows.append([what] + [number(v) for v in per_second] + [f"{100 * share_of(samples):.0f} %"]
                    + [number(found["insns"][name]) for _ in range(bool(found["insns"]))])
    head = ["disk", "bare, MiB/s", "VM, MiB/s", "VM / bare"] + ["monitor's instructions"] * bool(found["insns"])
    return ["A disk's throughput (of each boot the quickest run, and of those the median), and what the monitor "
            "executes for one request, from the guest's register accesses to the physical disk's interrupt:", table(head, rows)]


def goals(found):
    words = {name: what for name, what, _ in CASES}
    most = max(found["insns"][name] for name in INSNS_CASES)
    rows = goal("disk: the monitor's instructions for 4 KiB, 32 at a time", most, INSNS_GOAL, "{:,.0f}")
    for name, least in GOALS:
        rows += goal(f"disk: {words[name]}: of the bare throughput", 100 * share_of(found["ns"][name]),
                     100 * least, "{:.0f} %", at_least=True)
    return rows
