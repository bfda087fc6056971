# SPDX-License-Identifier: MIT
#
# One Linux on the machine's disk and network card, both modern and both legacy; and on disks with large
# sectors, with an MBR, and with what a damaged table has left.
#
# In:     build/duomo, build/duomo.elf, the kernel and the initial file system (conftest.py).
# Out:    what the guest wrote is on its partition and nothing else has changed; what it was sent came back.
# Always: no QEMU is left.

import hashlib
import random
import socket
import subprocess
import time

import pytest

from test_many import Run, config_write, vm_text
from test_network import free_port

SECONDS = 150
MIB = 1 << 20
SENT = 2 * MIB
# Its second MiB is a copy of its first; the third is written by nobody.
COPY = ("dd if=/dev/vda of=/tmp/x bs=64k count=16 2> /dev/null; md5sum < /tmp/x; "
        "dd if=/tmp/x of=/dev/vda bs=64k seek=16 conv=fsync 2> /dev/null; echo written")
GUEST = f"ifconfig eth0 10.0.2.21 up; route add default gw 10.0.2.2; {COPY}; nc -ll -p 7000 -e cat"
MINE = random.Random("mine").randbytes(3 * MIB)


@pytest.fixture
def disk_make(duomo, tmp_path):
    """A partition between two others, all full of noise."""
    def make(*options):
        path, words = tmp_path / "disk.img", []
        for name in ("before", "mine", "behind"):
            part = tmp_path / f"{name}.part"
            part.write_bytes(random.Random(name).randbytes(3 * MIB))
            words += ["--partition", f"{name}::{part}"]
        subprocess.run([duomo, "disk", "create", path, *words, *options], check=True, capture_output=True)
        return path
    return make


def one_linux(path, kernel, initrd, guest, partition, *more):
    return config_write(path, 1, [vm_text("linux", kernel, f'console=ttyS0 TERM=dumb quiet duomo.run="{guest}"',
                                          f"initrd: {initrd}", "memory: 128M", f"disk: {partition}", *more)], "512M")


def judge(disk, before, shown):
    """What the guest has read is what was there, and what has changed is what it was to write."""
    mine = before.index(MINE)
    assert hashlib.md5(MINE[:MIB]).hexdigest() in shown
    assert disk.read_bytes() == before[:mine + MIB] + MINE[:MIB] + before[mine + 2 * MIB:]


def echoed(port, data):
    """What comes back of that from the forwarded port, whose guest may still be booting."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
                got = b""
                for at in range(0, len(data), 65536):
                    line.sendall(data[at:at + 65536])
                    while len(got) < min(at + 65536, len(data)):
                        part = line.recv(65536)
                        if not part:
                            raise OSError("closed")
                        got += part
                return got
        except OSError:
            time.sleep(1)
    return b""


@pytest.mark.parametrize("old", [False, True], ids=["modern", "legacy"])
def test_disk_and_network(bare, qemu, duomo, monitor, kernel, initrd, disk_make, tmp_path, old):
    if bare:
        pytest.skip("the bare machine has no partitions")
    port, disk = free_port(), disk_make()
    before = disk.read_bytes()
    path = one_linux(tmp_path / "one.yaml", kernel, initrd, GUEST, "mine", "network: yes")
    path.write_text(path.read_text().replace("vms:", (
        f"  disk: {disk}\n  network: yes\n  forward: ['{port}:10.0.2.21:7000']\nvms:"), 1))
    how = f"virtio-mmio.force-legacy={'true' if old else 'false'}"
    run = Run(duomo, path, "--qemu-option", "-global", "--qemu-option", how)
    try:
        run.wait_for(lambda: "written" in run.shown().split(), "the disk is not written")
        noise = random.Random(1).randbytes(SENT)
        assert echoed(port, noise) == noise
    finally:
        run.end()
    judge(disk, before, run.shown())


@pytest.mark.parametrize("options, partition, says", [
    (["--sector-size", "4096"], "mine", "sectors of 4096 bytes, table GPT,"),
    (["--table", "mbr"], "'#2'", "table MBR,"), ([], "mine", "table GPT (backup),")],
    ids=["sectors-of-4096", "mbr", "backup"])
def test_disks_of_other_kinds(bare, qemu, duomo, monitor, kernel, initrd, disk_make, tmp_path, options, partition,
                              says):
    if bare:
        pytest.skip("the bare machine has no partitions")
    disk = disk_make(*options)
    if "backup" in says:
        with disk.open("r+b") as image:
            image.seek(512)
            image.write(bytes(512))
    before = disk.read_bytes()
    path = one_linux(tmp_path / "one.yaml", kernel, initrd, COPY, partition)
    path.write_text(path.read_text().replace("vms:", f"  disk: {disk}\nvms:", 1))
    run = Run(duomo, path)
    try:
        run.wait_for(lambda: "written" in run.shown().split(), "the disk is not written")
    finally:
        run.end()
    judge(disk, before, run.shown())
    assert says in run.shown()
