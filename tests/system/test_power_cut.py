# SPDX-License-Identifier: MIT
#
# The power goes while two virtual machines write to their partitions of one disk.
#
# In:     Linux with ext4 in two VMs, each with a partition; a disk whose cache is volatile (power_cut.py).
#         DUOMO_CUTS: how often QEMU is killed (2; `make powercut CUTS=50`).
# Out:    each file system recovers by its journal, at the last moment and at others before it; what a guest
#         was told is durable is there; nothing of the disk outside the partitions has changed.
# Always: no QEMU is left.

import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from conftest import needs
from power_cut import FLUSH, cut, flushed, log_read

PROJECT = Path(__file__).resolve().parents[2]
CUTS = int(os.environ.get("DUOMO_CUTS", "2"))
MOMENTS = 24                # within each run, beside its last: with two runs fifty cuts
VMS, PART_MIB = 2, 16
READY_SECONDS, ACKS_MIN, SLACK_SECONDS = 150, 8, 3
ACK = re.compile(r"acked (\d+) of (\w+)")
# Both kernels' own files, which the journal must keep whole, and records that are made durable one by one.
WRITER = """#!/bin/sh
modprobe crc32c_generic
modprobe ext4 && mount -t ext4 /dev/vda /mnt || { echo "no file system"; exit 1; }
last=$(tail -n 1 /mnt/records 2> /dev/null | sed 's/[^0-9]//g')
n=${last:-0}
while :; do
    n=$((n + 1))
    dd if=/dev/urandom of=/mnt/load.$((n % 7)) bs=16k count=4 2> /dev/null
    mv /mnt/load.$((n % 7)) /mnt/moved.$((n % 5))
    echo "record $n" >> /mnt/records
    sync && echo "acked $n of $NAME"
done
"""


@pytest.fixture(scope="module")
def tools():
    for tool in ("mke2fs", "e2fsck", "debugfs"):
        if not (shutil.which(tool) or Path("/sbin", tool).exists()):
            pytest.fail(f"no {tool}; remedy: tools/deps.sh test", pytrace=False)


@pytest.fixture(scope="module")
def cut_initrd(workdir):
    root = workdir / "cut-root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/writer").write_text(WRITER)
    (root / "bin/writer").chmod(0o755)
    path = workdir / "cut.gz"
    subprocess.run([PROJECT / "tools/mkinitrd.sh", path, root], check=True)
    return path


def run(*words, ok=(0,), **how):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False,
                          env=os.environ | {"PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}, **how)
    assert done.returncode in ok, f"{words[0]}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def disk_make(duomo, folder):
    """Two empty file systems, and a pattern wherever no partition is."""
    image, fs = folder / "disk.img", folder / "empty.ext4"
    run("mke2fs", "-q", "-t", "ext4", "-F", "-J", "size=4", fs, f"{PART_MIB}M")
    words = []
    for n in range(VMS):
        words += ["--partition", f"vm{n}:{PART_MIB}M:{fs}"]
    run(duomo, "disk", "create", image, *words)
    return image


def bundle_make(duomo, folder, kernel, initrd):
    path = folder / "cut.yaml"
    path.write_text("vms:\n" + "".join(
        f"  - {{name: vm{n}, memory: 192M, kernel: '{kernel}', initrd: '{initrd}', disk: vm{n},\n"
        f"     cmdline: 'console=ttyS0 quiet TERM=dumb NAME=vm{n} duomo.run=\"writer\"'}}\n"
        for n in range(VMS)))
    bundle = folder / "cut.itb"
    run(duomo, "pack", path, "-o", bundle)
    return bundle


def qemu_words(monitor, bundle, image, log):
    return ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,h=false", "-m", "768M", "-smp", "2",
            "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-bios", monitor,
            "-kernel", bundle, "-global", "virtio-mmio.force-legacy=false",
            "-blockdev", f"driver=file,node-name=image,filename={image}",
            "-blockdev", "driver=raw,node-name=raw,file=image",
            "-blockdev", f"driver=file,node-name=log,filename={log}",
            "-blockdev", "driver=blklogwrites,node-name=disk,file=raw,log=log,log-sector-size=512",
            "-device", "virtio-blk-device,drive=disk"]


def acked(text):
    """VM -> the last record that it was told is durable."""
    found = {}
    for number, name in ACK.findall(text):
        found[name] = max(found.get(name, 0), int(number))
    return found


def have_all_worked(text):
    found = ACK.findall(text)
    return all(sum(who == f"vm{n}" for _, who in found) > ACKS_MIN for n in range(VMS))


def wait_for(qemu, out, end, is_there):
    while not is_there(text := out.read_text(errors="replace")):
        assert time.monotonic() < end and qemu.poll() is None, text[-3000:]
        time.sleep(0.3)


def run_and_kill(words, out, chance):
    """Until both VMs have done something, and then for a moment; returns what they were told."""
    with open(out, "wb") as console, \
            subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=console,
                             stderr=subprocess.STDOUT) as qemu:
        try:
            end = time.monotonic() + READY_SECONDS
            wait_for(qemu, out, end, lambda text: "Ctrl-]" in text)     # the monitor listens
            qemu.stdin.write(b"\x1da")                                  # all consoles, line by line
            qemu.stdin.flush()
            wait_for(qemu, out, end, have_all_worked)
            time.sleep(SLACK_SECONDS * chance.random())
        finally:
            qemu.kill()
            qemu.wait()
    return acked(out.read_text(errors="replace"))


def partition(image, n):
    """A file with the n-th partition's content."""
    path = image.with_suffix(f".part{n}")
    with open(image, "rb") as disk:
        disk.seek((1 + n * PART_MIB) << 20)
        path.write_bytes(disk.read(PART_MIB << 20))
    return path


def records(fs):
    """Those in the file, which must be all from the first on, in order."""
    numbers = [int(line.split()[1]) for line in run("debugfs", "-R", "cat /records", fs).splitlines()]
    assert numbers == list(range(1, len(numbers) + 1)), f"{fs}: {numbers[-20:]}"
    return len(numbers)


def recover(image):
    """Each file system replays its journal, and is sound then: nothing else has to be repaired."""
    found = []
    for n in range(VMS):
        fs = partition(image, n)
        run("e2fsck", "-fy", "-E", "journal_only", fs, ok=(0, 1))
        run("e2fsck", "-fn", fs)
        found.append(records(fs))
    return found


def outside(image):
    """All bytes of the disk that belong to no partition."""
    data = image.read_bytes()
    return data[:1 << 20], data[(1 + VMS * PART_MIB) << 20:]


def test_what_was_flushed_survives_a_power_cut(bare, tools, qemu, monitor, duomo, kernel, cut_initrd, tmp_path):
    if bare:
        pytest.skip("the bare machine has no partitions for two guests")
    chance = random.Random(1)
    image, log, out = disk_make(duomo, tmp_path), tmp_path / "log", tmp_path / "console"
    bundle = bundle_make(duomo, tmp_path, kernel, cut_initrd)
    around = outside(image)

    for turn in range(CUTS):
        before, trial = tmp_path / "before.img", tmp_path / "trial.img"
        shutil.copyfile(image, before)
        log.write_bytes(b"")
        told = run_and_kill(qemu_words(monitor, bundle, image, log), out, chance)
        entries = log_read(log)
        assert sum(1 for entry in entries if entry.flags & FLUSH) >= VMS * ACKS_MIN, "flushes do not arrive"

        found = []
        for moment in sorted(chance.sample(range(1, len(entries)), MOMENTS)) + [len(entries)]:
            shutil.copyfile(before, trial)
            cut(trial, entries, moment, seed=moment)
            now, durable = recover(trial), flushed(entries, moment)
            # What had survived by luck may be lost a moment later, until a flush has come.
            for earlier, kept in found:
                assert earlier > durable or all(a >= b for a, b in zip(now, kept)), \
                    f"cut {turn}, {moment}: {now}, flushed {durable}, after {kept} at {earlier}"
            found.append((moment, now))
        kept = found[-1][1]
        for n in range(VMS):
            assert kept[n] >= told[f"vm{n}"], f"vm{n} was told that {told} is durable, and {kept} is there"
        assert outside(trial) == around, "something outside of the partitions was written"
        shutil.copyfile(before, image)
        cut(image, entries, len(entries), seed=len(entries))    # the guests themselves recover from it
