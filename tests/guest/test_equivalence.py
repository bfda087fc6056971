# SPDX-License-Identifier: MIT
"""Equivalence: what a guest sees in a VM is what it sees on the bare board.

Every tests/guest/<name>.c is built into one binary, which runs bare (QEMU's virt board with its
OpenSBI) and in a VM of Duomo on the same board.  Its transcript is what it prints between the lines
`=== <name> begin` and `=== <name> end`; the two transcripts must be equal, and both runs must end
by the guest's own power-off.

Environment:
  DUOMO_BARE_ONLY=1  no VM: two bare runs must be equal, and report no failure of their own
  DUOMO_ENGINES=...  the engines to try, with commas between (auto,classic)
  GUEST_VERBOSE=1    the guests print every case that they otherwise only hash
  QEMU               another qemu-system-riscv64

Bare transcripts are kept in build/guest/bare, by the hash of the binary, QEMU's version and the
machine; delete the folder to have them taken again.
"""

import difflib
import hashlib
import os
import pathlib
import random
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
OUT = BUILD / "guest"
QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
BARE_ONLY = bool(os.environ.get("DUOMO_BARE_ONLY"))
ENGINES = ["bare"] if BARE_ONLY else os.environ.get("DUOMO_ENGINES", "auto,classic").split(",")
VERBOSE = bool(os.environ.get("GUEST_VERBOSE"))
TIMEOUT_S = 300 if VERBOSE else 60
POWER_OFF_S = 5
# Guests whose names begin so have a disk, the one alone, the other as a partition of one.
WITH_DISK = "virtio_blk_"
DISK, DISKS = OUT / "disk.img", OUT / "disks.img"
SUFFIX = ".verbose.bin" if VERBOSE else ".bin"

# Machines: a name, and what -cpu gets besides.  The narrower and the richer ones are for the guests
# that page.
MACHINES = {"virt": "", "no-sv57": ",sv57=off", "no-sv48": ",sv48=off,sv57=off",
            "more": ",svinval=on,svnapot=on,svpbmt=on"}
# With Svnapot or Svpbmt, QEMU 7.2 forgets that bits 54 to 60 of an entry are reserved.
LEFT_OUT = {("page_high_bits", "more")}
# Where a QEMU's own board is no measure: a beginning of its version, the guest, and what is wrong.
NO_MEASURE = {
    ("8.", "csr_satp"): "the board hangs when satp is written with a mode that does not exist",
    ("8.", "plic_claim"): "the board's PLIC forgets a pending interrupt when its line falls (PLIC 1.0.0, "
                          "\"Interrupt Gateways\")",
    ("8.", "rtc_alarm"): "the same",
    ("8.", "plic_regs"): "the board's PLIC keeps a priority for source 0, which does not exist",
}


def guests():
    """The guests' names: every C file beside this one."""
    return sorted(p.stem for p in pathlib.Path(__file__).parent.glob("*.c"))


def cpu_accepted(options):
    """Whether this QEMU knows these properties of its rv64 CPU."""
    try:
        done = subprocess.run(
            [QEMU, "-M", "virt", "-cpu", "rv64,h=false" + options, "-m", "64M", "-display", "none",
             "-bios", "none", "-S", "-monitor", "stdio", "-serial", "null"],
            input="quit\n", capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def cases():
    """Every guest on the default machine; the paging guests on every machine that QEMU can be; all
    of that under each engine."""
    machines = [m for m, options in MACHINES.items() if not options or cpu_accepted(options)]
    for name in guests():
        for machine in machines:
            if (name, machine) in LEFT_OUT:
                continue
            if machine == "virt" or name.startswith("page_"):
                for engine in ENGINES:
                    yield name, machine, engine


CASES = list(cases())


class Run:
    """What one run of QEMU left: all its output, and how it ended."""

    def __init__(self, output, ended, why):
        self.output = output
        self.ended = ended          # QEMU ended by itself
        self.why = why              # what was wrong, or None

    def transcript(self, name):
        """The lines between the frames, or None."""
        # OpenSBI from 1.5 on says on the console what it then also tells the guest by a trap.
        said = self.output.replace(
            "system_opcode_insn: Invalid opcode for CSR read/write instruction", "")
        found = re.search(rf"^=== {name} begin\n(.*?)^=== {name} end$", said, re.S | re.M)
        return found.group(1) if found else None


def run_qemu(arguments, name):
    """Runs QEMU until it ends, the time is over, or it does not end after the guest's last line."""
    output = bytearray()
    last_line = threading.Event()
    process = subprocess.Popen([QEMU, "-M", "virt", "-nographic", *arguments],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)

    def read():
        while chunk := process.stdout.read1(65536):
            output.extend(chunk)
            if f"=== {name} end".encode() in output[-65536 - 64:]:
                last_line.set()

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + TIMEOUT_S
    while reader.is_alive() and time.monotonic() < deadline and not last_line.is_set():
        reader.join(0.02)
    reader.join(POWER_OFF_S if last_line.is_set() else 0)
    ended = not reader.is_alive()
    if not ended:
        process.kill()
    reader.join()
    process.wait()
    process.stdout.close()
    text = output.decode("latin-1").replace("\r", "")
    if not last_line.is_set():
        tail = "\n".join(text.splitlines()[-15:])
        state = "QEMU ended" if ended else f"no end after {TIMEOUT_S} s"
        return Run(text, ended, f"the guest did not finish ({state}); its last lines:\n{tail}")
    if not ended:
        return Run(text, ended, f"the guest finished, but nothing powered off in {POWER_OFF_S} s")
    return Run(text, ended, None)


def qemu_version():
    done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def bare(name, machine, cached=True):
    """The guest on the bare board, under QEMU's own OpenSBI."""
    binary = OUT / f"{name}{SUFFIX}"
    key = hashlib.sha256()
    for part in (binary.read_bytes(), qemu_version().encode(), MACHINES[machine].encode()):
        key.update(hashlib.sha256(part).digest())
    kept = OUT / "bare" / f"{name}-{key.hexdigest()[:20]}.txt"
    if cached and kept.exists():
        return Run(kept.read_text(), True, None)

    run = run_qemu(["-cpu", "rv64,h=false" + MACHINES[machine], "-m", "64M",
                    "-kernel", str(binary), *disk_of(name, DISK)], name)
    if run.why is None:
        # Made aside and then named, for the pair beside this one may look for the same run.
        kept.parent.mkdir(exist_ok=True)
        aside = kept.with_suffix(f".{threading.get_ident()}")
        aside.write_text(run.output)
        aside.replace(kept)
    return run


def in_vm(name, machine, engine):
    """The guest in a VM with the board's memory, on a machine with more."""
    bundle = OUT / f"{name}.{machine}.{engine}.itb"
    packed = subprocess.run(
        [BUILD / "duomo", "pack", "--kernel", OUT / f"{name}{SUFFIX}", "--memory", "64M",
         "--engine", engine, "--cmdline", "", "-o", bundle,
         *(["--partition", "test"] if name.startswith(WITH_DISK) else [])],
        capture_output=True, text=True, check=False)
    if packed.returncode != 0:
        return Run("", False, f"duomo pack: {packed.stdout}{packed.stderr}")
    return run_qemu(["-cpu", "rv64,h=false" + MACHINES[machine], "-m", "512M",
                     "-bios", str(BUILD / "duomo.elf"), "-kernel", str(bundle),
                     *disk_of(name, DISKS)], name)


def disk_of(name, image):
    """QEMU's words for the disk that a guest has, whose image stays as it is; none for most."""
    if not name.startswith(WITH_DISK):
        return []
    return ["-global", "virtio-mmio.force-legacy=false",
            "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={image}",
            "-device", "virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0"]


def run_pair(name, machine, engine):
    first = bare(name, machine, cached=not BARE_ONLY)
    second = bare(name, machine, cached=False) if BARE_ONLY else in_vm(name, machine, engine)
    return first, second


def no_measure(name):
    """Why this QEMU's board cannot say what is right; or None."""
    version = qemu_version().removeprefix("QEMU emulator version ")
    return next((why for (begin, guest), why in NO_MEASURE.items()
                 if guest == name and version.startswith(begin)), None)


@pytest.fixture(scope="session")
def built():
    """The guests, all of them."""
    target = [f"build/guest/{name}{SUFFIX}" for name in guests()]
    done = subprocess.run(["make", "-s", "-C", ROOT, "-f", "tests/guest/guest.mk", *target],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    disks_make()


def disks_make():
    """The disk of those that have one: alone on the bare board, and as one of the partitions of a
    disk whose other bytes are different ones."""
    numbers = random.Random(4)
    DISK.write_bytes(numbers.randbytes(1 << 20))
    other = OUT / "other.img"
    other.write_bytes(numbers.randbytes(1 << 20))
    done = subprocess.run([BUILD / "duomo", "disk", "create", DISKS, "--force",
                           "--partition", f"before::{other}", "--partition", f"test::{DISK}",
                           "--partition", f"after::{other}"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def pairs(built, request):
    """All pairs of runs that are wanted, two at a time, begun at once."""
    wanted = [item.callspec.params["case"] for item in request.session.items
              if hasattr(item, "callspec") and "case" in item.callspec.params]
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = {case: pool.submit(run_pair, *case) for case in wanted}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case))
def test_same_transcript(case, pairs):
    name, machine, engine = case
    if why := no_measure(name):
        pytest.skip(f"{qemu_version()}: {why}")
    first, second = pairs[case].result()
    other = "bare again" if BARE_ONLY else f"vm, {engine}"

    for run, where in ((first, "bare"), (second, other)):
        if run.why is not None:
            pytest.fail(f"{name}, {where}, {machine}: {run.why}", pytrace=False)
        if not run.transcript(name):
            pytest.fail(f"{name}, {where}, {machine}: no transcript, or an empty one, in:\n"
                        f"{run.output[-2000:]}", pytrace=False)
        if re.search(r"^FAIL", run.transcript(name), re.M):
            pytest.fail(f"{name}, {where}, {machine}:\n{run.transcript(name)}", pytrace=False)
    if first.transcript(name) != second.transcript(name):
        diff = "\n".join(difflib.unified_diff(first.transcript(name).splitlines(),
                                              second.transcript(name).splitlines(),
                                              "bare", other, lineterm="", n=2))
        hint = "" if VERBOSE else "\n(GUEST_VERBOSE=1 shows every case behind a hash)"
        pytest.fail(f"{name}, {machine}: the transcripts differ\n{diff[:20000]}{hint}",
                    pytrace=False)
