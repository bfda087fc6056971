# SPDX-License-Identifier: MIT
#
# The disks that tools/mkrootfs.sh makes, on the bare board: what a virtual machine boots boots there.
#
# In:     Debian's packages, as tools/fetch.sh brought them; the first image of all takes minutes.
# Out:    what is on the images; what a machine prints that boots them, and what it leaves on its disk.
# Always: an image is used by one machine at a time.

import subprocess

import pytest

from conftest import PROJECT
from debian import BOOT_SECONDS, BareDisk, Image, login, ssh
from machine import Machine

MKROOTFS = PROJECT / "tools/mkrootfs.sh"


@pytest.fixture(scope="module")
def make_image(workdir):
    """Returns a function that makes an image."""
    def make(name, address, *options):
        path = workdir / f"{name}.img"
        subprocess.run([MKROOTFS, path, "--name", name, *options], check=True)
        return Image(path, name, address)
    return make


@pytest.fixture(scope="module")
def image(make_image):
    return make_image("debian1", "10.0.2.11")


@pytest.fixture
def start(qemu):
    machines = []

    def start_machine(description):
        machines.append(Machine(description))
        return machines[-1]

    yield start_machine
    for machine in machines:
        machine.stop()


def power_off(machine):
    machine.send("poweroff\r")
    assert machine.wait_end(BOOT_SECONDS) == 0


def test_what_is_wrong_with_the_options(tmp_path):
    out = tmp_path / "x.img"
    for options, why in ((["--name", "Debian 1"], "is no name"), (["--name", "web"], "needs an --address"),
                         (["--address", "here"], "is no address"), (["--size", "huge"], "is no size"),
                         (["--size", "10M"], "at least"),
                         (["--frobnicate"], "usage:"), (["--size"], "usage:")):
        done = subprocess.run([MKROOTFS, out, *options], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and why in done.stderr, (options, done.stderr)
    assert not list(tmp_path.iterdir())


def test_each_image_is_itself(make_image, image):
    other = make_image("web", "10.0.2.31", "--address", "10.0.2.31", "--size", "1200M")
    assert image.path.stat().st_size == 1 << 30 and other.path.stat().st_size == 1200 << 20
    for one in (image, other):
        assert one.check() == ""
        assert one.debugfs("cat /etc/hostname") == f"{one.name}\n"
        assert f"Address={one.address}/24\n" in one.debugfs("cat /etc/systemd/network/10-ether.network")
        assert f"{one.address} {one.name}\n" in one.debugfs("cat /etc/hosts")
        assert f"root=LABEL={one.name} " in one.debugfs("cat /boot/extlinux/extlinux.conf")
        assert f"Filesystem volume name:   {one.name}\n" in one.debugfs("stats -h")
        assert "Mode:  0600" in one.debugfs("stat /etc/ssh/ssh_host_ed25519_key")
    for own in ("/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        assert image.debugfs(f"cat {own}") != other.debugfs(f"cat {own}") != ""
    other.path.unlink()


def test_a_system_on_the_network(start, image):
    description = BareDisk(image)
    machine = start(description)
    login(machine, "debian1")
    assert machine.run("findmnt -no SOURCE,FSTYPE,OPTIONS /", seconds=120).startswith("/dev/vda1 ext4 rw")
    assert machine.run("systemctl --failed --no-legend --plain | cat", seconds=120) == ""
    machine.run("ping -c 1 -W 30 10.0.2.2", seconds=120)
    assert machine.run("dpkg --audit", seconds=120) == ""
    assert ssh(image, description.port, "hostname; id -u", 240) == "debian1\n0\n"
    power_off(machine)
    assert image.check() == ""
