#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Benchmarks: what a virtual machine costs, against the bare machine and in the same run.

In:     build/duomo.elf and build/duomo (without them only the bare machine is measured); the kernel
        and busybox of tools/fetch.sh; the programs of bench/guest, which it builds.
Out:    build/bench.txt, tables for people; build/bench.json, every sample; with --write the tables
        also replace those of the same measurements in docs/measurements.md, between its markers.
Always: bare machine and VM get the same kernel, user land and memory, and take turns. What cannot
        be measured is an error, never a gap in a table.

Six measurements:
  wall    time on this computer. Compare the minima: everything else is the computer's noise.
  icount  Linux again, under QEMU's -icount, where one instruction takes one nanosecond: there time
          is the number of instructions that the whole machine executes, repeatable to 1 or 2 %.
  traps   the same for single privileged operations, by a small guest without an operating system.
  disk    a disk, bare and through the monitor (disk.py).
  net     TCP between two VMs and out of one (net.py).
  many    several VMs beside each other (company.py); with --write also the figures of the document.
"""

import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import company                                                                # noqa: E402
import company_report                                                         # noqa: E402
import disk                                                                   # noqa: E402
import net                                                                    # noqa: E402
from measure import (BUILD, OUT, QEMU, TOP, BenchError, goal, last_lines, number, say,  # noqa: E402
                     table, tool_run)

CACHE = Path(os.environ.get("DUOMO_CACHE")
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duomo")
KERNEL = CACHE / "kernel" / "Image"
TRAPCOST = BUILD / "guest" / "trapcost.bin"
INITRD = OUT / "initrd.gz"
DOCUMENT = TOP / "docs" / "measurements.md"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"

GUEST_MEMORY, MACHINE_MEMORY = "256M", "512M"
ICOUNT = ["-icount", "shift=0,sleep=off"]
SHELL_READY = "duomo: shell ready"


class Plan(NamedTuple):
    """How much is done: a divisor of the work, repeats in one boot, boots, and a limit for each."""
    divisor: int
    repeats: int
    boots: int
    timeout_s: int


FULL, QUICK = Plan(1, 2, 3, 300), Plan(20, 1, 1, 60)

# Name, what it is, and the unit of its time with how many nanoseconds that has.
BENCHES = [
    ("boot",        "boot to shell",                           "ms", 1e6),
    ("null_call",   "null system call (getppid)",              "us", 1e3),
    ("pipe",        "pipe round trip between two processes",   "us", 1e3),
    ("fork_exit",   "fork, exit, wait",                        "us", 1e3),
    ("fork_exec",   "fork, exec, exit, wait",                  "us", 1e3),
    ("page_fault",  "first touch of a page",                   "us", 1e3),
    ("mmap",        "mmap, touch, munmap",                     "us", 1e3),
    ("cpu_integer", "integer loop, per turn",                  "ns", 1),
    ("cpu_memory",  "random access to 8 MiB, per access",      "ns", 1),
    ("gzip_kib",    "gzip, per KiB",                           "us", 1e3),
]

TRAPS = [
    ("csrr_sscratch",  "csrr sscratch"),
    ("csrw_sscratch",  "csrw sscratch"),
    ("csrrw_sscratch", "csrrw sscratch"),
    ("csrrc_sstatus",  "csrrci sstatus, SIE"),
    ("csrr_sepc",      "csrr sepc"),
    ("csrw_sepc",      "csrw sepc"),
    ("sret",           "sret"),
    ("ecall_sret",     "ecall from user mode, and sret back"),
    ("page_fault",     "page fault of the guest's own, and sret"),
    ("fill_page",      "load after sfence.vma of its page"),
    ("sfence_page",    "sfence.vma of one page"),
    ("sfence_all",     "sfence.vma of everything, and refills"),
    ("satp_switch",    "satp, other address space, and refills"),
    ("sbi_base",       "SBI call (base extension)"),
    ("sbi_set_timer",  "SBI call (set timer)"),
    ("mmio_uart_lsr",  "device register (UART LSR)"),
    ("rdtime",         "rdtime"),
    ("wfi",            "wfi with an interrupt pending"),
]


# The machines.

def cmdline(plan):
    """Boots with the usual messages, then keeps the kernel from talking into the results.

    Without notests the kernel tests its ciphers in the background, for seconds after the boot.
    """
    return ("console=ttyS0 cryptomgr.notests TERM=dumb "
            f'duomo.run="dmesg -n 1; duobench {plan.divisor} {plan.repeats}"')


def bundle_pack(name, *args):
    bundle = OUT / f"{name}.itb"
    tool_run([BUILD / "duomo", "pack", "--memory", GUEST_MEMORY, "-o", bundle, *args])
    return bundle


class Bare:
    """The board itself, with the firmware that QEMU brings."""
    name = "bare"

    def linux(self, plan):
        return ["-m", GUEST_MEMORY, "-kernel", KERNEL, "-initrd", INITRD,
                "-append", cmdline(plan)]

    def traps(self):
        return ["-m", GUEST_MEMORY, "-kernel", TRAPCOST]


class Vm:
    """A virtual machine, on a board with enough memory for it and the monitor."""
    name = "vm"

    def __init__(self, engine):
        self.engine = engine

    def monitor(self, bundle):
        return ["-m", MACHINE_MEMORY, "-bios", BUILD / "duomo.elf", "-kernel", bundle]

    def linux(self, plan):
        return self.monitor(bundle_pack("linux", "--kernel", KERNEL, "--initrd", INITRD, "--engine", self.engine,
                                        "--cmdline", cmdline(plan)))

    def traps(self):
        return self.monitor(bundle_pack("trapcost", "--kernel", TRAPCOST, "--engine", "classic"))


# Running things.

def console_read(qemu, start):
    """The console's lines, and when the shell was ready, in seconds from the start."""
    lines, ready = [], None
    for line in qemu.stdout:
        lines.append(line.decode(errors="replace").rstrip())
        if ready is None and SHELL_READY in lines[-1]:
            ready = time.monotonic() - start
    return lines, ready


def qemu_run(what, args, timeout_s):
    command = [QEMU, "-M", "virt", "-cpu", "rv64,h=false", "-nographic", "-no-reboot", *args]
    start = time.monotonic()
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        timer = threading.Timer(timeout_s, qemu.kill)
        timer.start()
        try:
            lines, ready = console_read(qemu, start)
            qemu.wait()
        finally:
            timer.cancel()
            qemu.kill()
    if qemu.returncode:
        raise BenchError(f"{what}: QEMU ended with {qemu.returncode} (the limit is {timeout_s} s)"
                         + last_lines(lines))
    return lines, ready


def results_parse(what, lines, pattern, names):
    """Name -> list of cost per operation, complete or an error."""
    found = {}
    for line in lines:
        match = re.search(pattern, line)
        if match:
            name, count, total = match[1], int(match[2]), int(match[3])
            found.setdefault(name, []).append(total / count)
    missing = [name for name in names if name not in found]
    if missing:
        raise BenchError(f"{what}: no result for {', '.join(missing)}" + last_lines(lines))
    return found


def linux_run(what, args, plan):
    lines, ready = qemu_run(what, args, plan.timeout_s)
    found = results_parse(what, lines, r"bench (\w+) iterations (\d+) ns_total (\d+)",
                          [row[0] for row in BENCHES])
    if ready is None or not any("duomo: exit 0" in line for line in lines):
        raise BenchError(f"{what}: the benchmarks did not end well" + last_lines(lines))
    return found, ready * 1e9


# The three measurements. Each is {benchmark: {machine: [samples]}}.

def wall_measure(machines, plan):
    result = {name: {m.name: [] for m in machines} for name, *_ in BENCHES}
    args = {m.name: m.linux(plan) for m in machines}
    for boot in range(plan.boots):
        for m in machines:
            say(f"wall: {m.name}, boot {boot + 1} of {plan.boots}")
            found, ready = linux_run(f"wall, {m.name}", args[m.name], plan)
            found["boot"] = [ready]
            for name, samples in found.items():
                result[name][m.name] += samples
    return result


def icount_measure(machines, plan):
    result = {name: {} for name, *_ in BENCHES}
    for m in machines:
        say(f"icount: {m.name}")
        found, _ = linux_run(f"icount, {m.name}", m.linux(plan) + ICOUNT, plan)
        for name, samples in found.items():
            result[name][m.name] = samples
    return result


def traps_measure(machines, plan):
    result = {name: {} for name, _ in TRAPS}
    for m in machines:
        say(f"traps: {m.name}")
        what = f"traps, {m.name}"
        lines, _ = qemu_run(what, m.traps() + ICOUNT, plan.timeout_s)
        found = results_parse(what, lines, r"cost (\w+) ops (\d+) insns (-?\d+)",
                              [name for name, _ in TRAPS])
        for name, samples in found.items():
            result[name][m.name] = samples
    return result


# Tables.

def ratio_of(samples):
    return min(samples["vm"]) / min(samples["bare"]) if "vm" in samples else None


def mean_row(measured, columns):
    """The geometric mean of the ratios, as a last row; nothing without a VM."""
    ratios = [ratio_of(samples) for samples in measured.values()]
    if None in ratios:
        return []
    mean = math.exp(statistics.fmean(math.log(r) for r in ratios))
    return [["geometric mean"] + [""] * (columns - 2) + [f"{mean:.2f}"]]


def wall_table(measured):
    rows = []
    for name, what, unit, ns in BENCHES:
        samples = measured[name]
        row = [what, unit]
        for machine in ("bare", "vm"):
            values = samples.get(machine)
            row += [number(min(values) / ns), number(statistics.median(values) / ns)] if values \
                else ["-", "-"]
        ratio = ratio_of(samples)
        rows.append(row + [f"{ratio:.2f}" if ratio else "-"])
    head = ["time", "unit", "bare", "median", "VM", "median", "VM / bare"]
    return table(head, rows + mean_row(measured, len(head)))


def icount_table(measured):
    rows = []
    for name, what, *_ in BENCHES:
        samples = measured[name]
        ratio = ratio_of(samples)
        rows.append([what, number(min(samples["bare"])),
                     number(min(samples["vm"])) if ratio else "-",
                     f"{ratio:.2f}" if ratio else "-"])
    head = ["instructions", "bare", "VM", "VM / bare"]
    return table(head, rows + mean_row(measured, len(head)))


def traps_table(measured):
    rows = [[what] + [f"{min(measured[name][m]):,.0f}" if m in measured[name] else "-"
                      for m in ("bare", "vm")] for name, what in TRAPS]
    return table(["instructions", "bare", "VM"], rows)


def traps_parts(measured):
    return ["Instructions for one privileged operation, its own included:", traps_table(measured)]


def icount_parts(measured):
    return ["Instructions that the whole machine executes, per operation:", icount_table(measured)]


def wall_parts(measured):
    return ["Time (minimum and median; the ratio compares the minima):", wall_table(measured)]


# In the order in which they are told.
PARTS = {"wall": wall_parts, "icount": icount_parts, "traps": traps_parts, "disk": disk.parts,
         "net": net.parts, "many": company_report.parts}
MEASUREMENTS = list(PARTS)


def machine_text(report, of=None):
    engine = {"traps": "classic", "net": "auto", "many": "auto"}.get(of, report["machine"]["engine"])
    return ("{qemu}, {cpus} x {cpu} (load {load}); Linux {kernel}; {guest_memory} of memory, engine {engine}."
            .format(**report["machine"] | {"engine": engine}))


def sections(report):
    """Name of a measurement -> its tables and its goals, for each that was done."""
    return {name: "\n\n".join(parts(report[name])
                              + goals_part({name: report[name], "quick": report.get("quick")}))
            for name, parts in PARTS.items() if name in report}


def report_text(report):
    return "\n\n".join([machine_text(report), *sections(report).values()]) + "\n"


CSR_GOALS = {"csrrc_sstatus": 135}      # what is not named: 121


def goals_part(report):
    """Each goal, what was reached, and whether that is enough; nothing where too little was done."""
    rows = []
    if report.get("quick"):
        return []
    if "vm" in report.get("traps", {}).get("csrr_sepc", {}):
        costs = {name: min(report["traps"][name]["vm"]) for name, _ in TRAPS if name[:3] == "csr"}
        worst = max(costs, key=lambda name: costs[name] - CSR_GOALS.get(name, 121))
        rows += goal("an emulated CSR access: instructions (sstatus: 135)", costs[worst],
                     CSR_GOALS.get(worst, 121), "{:,.0f}")
    if "disk" in report:
        rows += disk.goals(report["disk"])
    if "net" in report:
        rows += net.goals(report["net"])
    if "many" in report:
        rows += company_report.goals(report["many"])
    return ["Goals:", table(["goal", "reached", "bound", "met"], rows)] if rows else []


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def machine_describe(engine):
    return {"qemu": tool_run([QEMU, "--version"]).splitlines()[0], "cpu": cpu_name(),
            "cpus": os.cpu_count(), "kernel": (KERNEL.parent / "version").read_text().strip(),
            "guest_memory": GUEST_MEMORY, "engine": engine}


SECTION = re.compile(r"<!-- make bench: (\w+) -->\n")


def document_write(path, texts):
    """Puts the sections between the markers of a document; what was not measured keeps its text."""
    try:
        before, rest = path.read_text().split(BEGIN)
        old, after = rest.split(END)
    except (OSError, ValueError) as error:
        raise BenchError(f"{path}: needs the lines {BEGIN} and {END}, once each") from error
    words = SECTION.split(old)
    kept = dict(zip(words[1::2], (text.strip() for text in words[2::2])))
    kept.update({name: text.strip() for name, text in texts.items()})
    told = "".join(f"<!-- make bench: {name} -->\n\n{kept[name]}\n\n" for name in MEASUREMENTS if name in kept)
    path.write_text(f"{before}{BEGIN}\n{told}{END}{after}")


# The whole.

def prepare():
    tool_run(["make", "-s", "-f", "bench/bench.mk", "bench-guests"])
    tool_run(["tools/fetch.sh", "kernel", "busybox"])
    tool_run(["tools/mkinitrd.sh", INITRD, OUT / "root"])


def machines_find(bare_only, engine):
    machines = [Bare()]
    if bare_only:
        return machines
    if (BUILD / "duomo.elf").exists() and (BUILD / "duomo").exists():
        return machines + [Vm(engine)]
    say("no build/duomo.elf and build/duomo: only the bare machine is measured; run make first")
    return machines


def measure(args):
    machines = machines_find(args.bare, args.engine)
    plan = QUICK if args.quick else FULL
    if args.boots:
        plan = plan._replace(boots=args.boots)
    measurements = {"traps": traps_measure, "icount": icount_measure, "wall": wall_measure}
    report = {"machine": machine_describe(args.engine), "quick": args.quick}
    for name, run in measurements.items():
        if name in args.only:
            report[name] = run(machines, plan)
    if "disk" in args.only and len(machines) > 1:
        of_disk = disk.QUICK if args.quick else disk.FULL
        if args.boots:
            of_disk = of_disk._replace(boots=args.boots)
        report["disk"] = disk.measure(of_disk, KERNEL, INITRD, args.engine)
    if "net" in args.only and len(machines) > 1:
        net.build()
        report["net"] = net.measure(1 if args.quick else args.boots or 3, 2 if args.quick else 5)
    if "many" in args.only and len(machines) > 1:
        report["many"] = company.measure(company.QUICK if args.quick else company.FULL)
    report["machine"]["load"] = f"{os.getloadavg()[2]:.1f}"     # of the last 15 minutes
    return report


def arguments():
    parser = argparse.ArgumentParser(description="Measures a VM against the bare machine.")
    parser.add_argument("--quick", action="store_true", help="less work and one boot of each")
    parser.add_argument("--bare", action="store_true", help="the bare machine only")
    parser.add_argument("--boots", type=int, metavar="N",
                        help="boots of each machine for wall-clock time (3)")
    parser.add_argument("--only", nargs="+", default=MEASUREMENTS, choices=MEASUREMENTS,
                        help="leave the others out")
    parser.add_argument("--engine", default="auto", help="of the VM with Linux, but for net and many (auto)")
    parser.add_argument("--out", type=Path, default=BUILD, metavar="DIR",
                        help="where bench.txt and bench.json go (build)")
    parser.add_argument("--write", action="store_true", help="update docs/measurements.md too: the measurements that were done")
    args = parser.parse_args()
    if args.boots is not None and args.boots < 1:
        parser.error("--boots: at least 1 would be right")
    return args


def main():
    args = arguments()
    try:
        prepare()
        report = measure(args)
        text = report_text(report)
        (args.out / "bench.json").write_text(json.dumps(report, indent=1) + "\n")
        (args.out / "bench.txt").write_text(text)
        if args.write:
            document_write(DOCUMENT, {name: f"{machine_text(report, name)}\n\n{tables}"
                                      for name, tables in sections(report).items()})
            if "many" in report:
                company_report.figures_write(report["many"], DOCUMENT.parent)
    except (BenchError, OSError) as error:
        say(error)
        return 1
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
