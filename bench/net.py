#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TCP: between two virtual machines and out of one, against the bare machine on the same QEMU.

In:     build/duomo.elf and build/duomo; the kernel and busybox of tools/fetch.sh; tcpbench, which it
        builds for the guests and for this computer.
Out:    a table: the most of several runs, in MB a second, and the shortest round trip.
Always: bare machine and virtual machines take turns, in one call; QEMU's user network is what the
        bare machine and the way out go through.  What cannot be measured is an error.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from measure import BUILD, OUT, QEMU, BenchError, goal, last_lines, monitor_ask, say, table, tool_run  # noqa: E402

CACHE = Path(os.environ.get("DUOMO_CACHE")
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duomo")
KERNEL, INITRD = CACHE / "kernel" / "Image", OUT / "net-initrd.gz"
HERE, ROOT = OUT / "tcpbench", OUT / "net-root"
OUTSIDE, OTHER = "10.0.2.2", "10.0.2.22"
TURNS, TIMEOUT_S = 500, 300
QUESTIONS = ("net", "devs a", "stats a", "regs a", "csr a", "harts", "log")
BARE, BETWEEN = "bare, to this computer", "VM to VM"
RESULT = re.compile(r"net (send|turns) (?:bytes|count) (\d+) ns (\d+)")


def build():
    (ROOT / "bin").mkdir(parents=True, exist_ok=True)
    words = ["-static", "-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "bench/guest/tcpbench.c", "-o"]
    tool_run(["gcc", *words, HERE])
    tool_run(["riscv64-linux-gnu-gcc", *words, ROOT / "bin" / "tcpbench"])
    tool_run(["tools/mkinitrd.sh", INITRD, ROOT])


def asks(own, to, port, seconds):
    """What a guest does that measures: its address, then both measurements."""
    return (f"ifconfig eth0 {own} up; tcpbench turns {to} {port} {TURNS}; "
            f"tcpbench send {to} {port} {seconds}; tcpbench send {to} {port} {seconds}")


def cmdline(command):
    return f'console=ttyS0 TERM=dumb quiet duomo.run="{command}"'


def standing(machine):
    """Where its frames wait, as its monitor says."""
    said = ""
    for question in QUESTIONS:
        try:
            said += f"\n{question}:\n" + monitor_ask(machine, machine, question)
        except BenchError as why:
            said += f"\n{why}"
    return said


def results(command, what, machine=None):
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as run:
        try:
            shown = run.communicate(timeout=TIMEOUT_S)[0]
        except subprocess.TimeoutExpired:
            shown = None
            say(f"{what}: no end after {TIMEOUT_S} s" + (standing(machine) if machine else ""))
        finally:
            run.kill()
        if shown is None:
            raise BenchError(f"{what}: no end" + last_lines(run.communicate()[0].splitlines()))
    found = RESULT.findall(shown)
    sent = [int(n) * 1000 / int(ns) for kind, n, ns in found if kind == "send"]
    turns = [int(ns) / int(n) / 1000 for kind, n, ns in found if kind == "turns"]
    if len(sent) != 2 or len(turns) != 1:
        raise BenchError(f"{what}: no result" + last_lines(shown.splitlines()))
    say(f"{what}: {max(sent):.1f} MB/s, {turns[0]:.0f} us")
    return max(sent), turns[0]


def bare(port, seconds):
    return results([QEMU, "-M", "virt", "-nographic", "-cpu", "rv64,h=false", "-m", "256M",
                    "-global", "virtio-mmio.force-legacy=false", "-netdev", "user,id=n", "-device",
                    "virtio-net-device,netdev=n", "-kernel", KERNEL, "-initrd", INITRD, "-append",
                    cmdline(asks("10.0.2.15", OUTSIDE, port, seconds))], BARE)


def virtual(harts, to, port, seconds, what):
    def vm(name, command):
        return (f"  - name: {name}\n    kernel: {KERNEL}\n    initrd: {INITRD}\n    memory: 256M\n"
                f"    network: yes\n    cmdline: '{cmdline(command)}'\n")

    path = OUT / "net.yaml"
    server = f"ifconfig eth0 {OTHER} up; tcpbench serve {port} & sleep {2 * seconds + 30}"
    vms = vm("a", asks("10.0.2.21", to, port, seconds)) + (vm("b", server) if to == OTHER else "")
    path.write_text(f"machine:\n  harts: {harts}\n  network: yes\nvms:\n{vms}")
    return results([BUILD / "duomo", "run", path], what, path.stem)


def measure(rounds, seconds):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    ways = {
        BARE: lambda: bare(port, seconds),
        "VM, to this computer": lambda: virtual(1, OUTSIDE, port, seconds, "VM, to this computer"),
        "VM to VM, one hart": lambda: virtual(1, OTHER, port, seconds, "VM to VM, one hart"),
        "VM to VM, two harts": lambda: virtual(2, OTHER, port, seconds, "VM to VM, two harts"),
    }
    got = {way: [] for way in ways}
    server = subprocess.Popen([str(HERE), "serve", str(port)])
    try:
        for _ in range(rounds):
            for way, run in ways.items():
                got[way].append(run())
    finally:
        server.terminate()
        server.wait()
    return got


def parts(got):
    rows = [[way, f"{max(s for s, _ in each):.1f}", f"{min(t for _, t in each):.0f}"]
            for way, each in got.items()]
    return ["TCP, the most of several runs and the shortest round trip:",
            table(["TCP", "MB/s", "round trip, us"], rows)]


def goals(got):
    """From VM to VM at least as much as the bare machine through QEMU's user network."""
    most = {way: max(s for s, _ in each) for way, each in got.items()}
    between = max(rate for way, rate in most.items() if way.startswith(BETWEEN))
    return goal("TCP between two VMs: MB/s, at least the bare machine's", between, most[BARE], "{:.1f}",
                at_least=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    try:
        build()
        got = measure(options.rounds, options.seconds)
    except BenchError as why:
        sys.exit(f"bench: {why}")
    print("\n\n".join(parts(got)))


if __name__ == "__main__":
    main()
