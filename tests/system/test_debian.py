# SPDX-License-Identifier: MIT
#
# Two whole Debians in two virtual machines, each on its partition of one disk, in one network.
#
# In:     build/duomo, build/duomo.elf; the images of tools/mkrootfs.sh; U-Boot.
# Out:    what the machines print and answer over ssh, and what they leave on the disk.
# Always: all that is on the disk beside the two partitions is a pattern, which nobody may change.

import hashlib
import json
import random
import subprocess
import time

import pytest

import next_kernel
from conftest import CACHE, PROJECT
from debian import BOOT_SECONDS, Image, free_port, login, ssh, ssh_try
from machine import Machine

NAMES = {"debian1": "10.0.2.11", "debian2": "10.0.2.12"}
GAP_MIB = 8

CONFIG = """
machine:
  harts: 2
  disk: {disk}
  network: yes
  forward: [{ports[0]}:10.0.2.11:22, {ports[1]}:10.0.2.12:22]
vms:
  - name: debian1
    memory: 512M
    kernel: debian1.vmlinux
    initrd: debian1.initrd
    cmdline: "root=LABEL=debian1 ro quiet console=ttyS0"
    disk: debian1
    network: yes
  - name: debian2
    memory: 512M
    kernel: {u_boot}
    disk: debian2
    network: yes
"""


class Disk:
    """One disk with both systems, and a pattern wherever they and the partition table are not."""

    def __init__(self, duomo, path, next_deb):
        self.path = path
        gaps = [f"{name}:{GAP_MIB}M" for name in ("before", "between", "behind")]
        parts = [gaps[0], f"debian1::{path.parent}/debian1.img", gaps[1], f"debian2::{path.parent}/debian2.img", gaps[2]]
        image = Image(path.parent / "debian2.img", "debian2", NAMES["debian2"])
        image.debugfs(f"write {next_deb} /root/next-kernel.deb", "-w")
        subprocess.run([duomo, "disk", "create", path, *(word for part in parts for word in ("--partition", part))],
                       check=True)
        self.images = {}
        self.find()
        self.fill()

    def find(self):
        said = subprocess.run(["/usr/sbin/sfdisk", "-J", self.path], check=True, capture_output=True, text=True)
        table = json.loads(said.stdout)["partitiontable"]
        self.parts = {part["name"]: (part["start"] * 512, part["size"] * 512) for part in table["partitions"]}
        for name, address in NAMES.items():
            self.images[name] = Image(self.path, name, address, self.parts[name][0])

    def fill(self):
        with open(self.path, "r+b") as disk:
            for name in ("before", "between", "behind"):
                start, size = self.parts[name]
                disk.seek(start)
                disk.write(random.Random(name).randbytes(size))

    def outside(self):
        """A hash of every byte outside the two partitions: the pattern and both partition tables."""
        digest, at = hashlib.sha256(), 0
        with open(self.path, "rb") as disk:
            for start, size in sorted(self.parts[name] for name in NAMES):
                disk.seek(at)
                digest.update(disk.read(start - at))
                at = start + size
            disk.seek(at)
            digest.update(disk.read())
        return digest.hexdigest()


class Pair:
    """`duomo run`, with both machines on the disk."""

    def __init__(self, duomo, disk):
        self.duomo, self.disk = duomo, disk
        self.ports = dict(zip(NAMES, (free_port(), free_port())))
        self.config = disk.path.with_name("pair.yaml")
        self.config.write_text(CONFIG.format(disk=disk.path, ports=list(self.ports.values()),
                                             u_boot=CACHE / "u-boot/u-boot.bin"))

    def command(self):
        return [str(self.duomo), "run", str(self.config)]

    def clean(self):
        pass

    def ssh(self, name, command, seconds=240):
        return ssh(self.disk.images[name], self.ports[name], command, seconds)

    def soon(self, name, command):
        """Runs a command when the connection is closed.  (A timer of systemd's may be late for a minute.)"""
        self.ssh(name, f"systemd-run --quiet --on-active=1 --timer-property=AccuracySec=100ms {command}")

    def wait(self, name, other_than=""):
        """Waits until a machine answers, and is not in the boot of that id any more; returns the boot's id."""
        end = time.monotonic() + 2 * BOOT_SECONDS
        while time.monotonic() < end:
            done = ssh_try(self.disk.images[name], self.ports[name], "cat /proc/sys/kernel/random/boot_id", 60)
            if done.returncode == 0 and done.stdout != other_than:
                return done.stdout
            time.sleep(2)
        pytest.fail(f"{name} does not answer: {done.stdout}{done.stderr}", pytrace=False)


@pytest.fixture
def disk(duomo, workdir):
    subprocess.run([PROJECT / "tools/fetch.sh", "u-boot"], check=True)
    for name in NAMES:
        subprocess.run([PROJECT / "tools/mkrootfs.sh", workdir / f"{name}.img", "--name", name], check=True)
    [kernel] = (CACHE / "debian").glob("linux-image-[0-9]*.deb")
    next_kernel.make(kernel, workdir / "next-kernel.deb", workdir)
    made = Disk(duomo, workdir / "disk.img", workdir / "next-kernel.deb")
    for name in NAMES:
        (workdir / f"{name}.img").unlink()
    yield made
    made.path.unlink()


def test_two_debians_on_one_disk(bare, qemu, monitor, duomo, disk):
    if bare:
        pytest.skip("the bare machine has no monitor; test_rootfs.py is for it")
    outside = disk.outside()
    pair = Pair(duomo, disk)
    machine = Machine(pair)
    try:
        login(machine, "debian1")
        first = pair.wait("debian2")

        # Each is on its own partition, in one network with the other and with this computer.
        for name, other in zip(NAMES, reversed(NAMES)):
            assert pair.ssh(name, "hostname; findmnt -no LABEL /") == f"{name}\n{name}\n"
            assert pair.ssh(name, f"ssh {other} hostname") == f"{other}\n"
        machine.run("ping -c 2 debian2", seconds=240)

        # debian2 upgrades its kernel, and U-Boot boots that.
        release = pair.ssh("debian2", "uname -r").strip()
        pair.ssh("debian2", "dpkg -i next-kernel.deb && sync", BOOT_SECONDS)
        pair.soon("debian2", "reboot")
        pair.wait("debian2", first)
        assert pair.ssh("debian2", "uname -r").strip() == next_kernel.next_release(release)

        pair.soon("debian2", "poweroff")
        machine.send("poweroff\r")
        assert machine.wait_end(BOOT_SECONDS) == 0
    finally:
        machine.stop()

    for name in NAMES:
        assert disk.images[name].check() == "", name
    assert disk.outside() == outside
