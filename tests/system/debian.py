# SPDX-License-Identifier: MIT
#
# A whole Debian on a disk, as tools/mkrootfs.sh makes it: the machine around it, and the ways into it.
#
# In:     an image (with what stands beside it: kernel, initial RAM disk, host key), U-Boot or none.
# Out:    a description for machine.Machine; a login at its console; commands over ssh; what e2fsck says.
# Always: the network is QEMU's own; the only address of this computer in it is 127.0.0.1.

import os
import re
import socket
import subprocess
from pathlib import Path

from machine import COMMAND_SECONDS, PROMPT, QEMU, cpu

CACHE = Path(os.environ.get("DUOMO_CACHE")
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duomo")
# Some fifty seconds of a processor of our time, which others use too.
BOOT_SECONDS = 600
FILE_SYSTEM = 1 << 20           # where on its disk it begins


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Image:
    """A disk, or a part of one that begins at `start`."""

    def __init__(self, path, name, address, start=0):
        self.path, self.name, self.address = Path(path), name, address
        self.file_system = f"{path}?offset={start + FILE_SYSTEM}"

    def beside(self, ending):
        return self.path.with_name(self.name + ending)

    def debugfs(self, command, *options):
        done = subprocess.run(["/usr/sbin/debugfs", *options, "-R", command, self.file_system],
                              check=True, capture_output=True, text=True)
        return done.stdout

    def check(self):
        """What e2fsck -fn finds to say of the file system: nothing, if it was unmounted and is whole."""
        done = subprocess.run(["/usr/sbin/e2fsck", "-fn", self.file_system], capture_output=True, text=True,
                              check=False)
        said = re.sub(r"(?m)^(Pass \d: .*|.*: \d+/\d+ files .*)\n", "", done.stdout)
        return said + (f"exit code {done.returncode}\n" if done.returncode else "")


class BareDisk:
    """The board itself with that disk, which QEMU's firmware starts with its own kernel or with U-Boot."""

    def __init__(self, image, u_boot=None):
        self.image, self.u_boot, self.port = image, u_boot, free_port()

    def command(self):
        if self.u_boot:
            start = ["-kernel", str(self.u_boot)]
        else:
            start = ["-kernel", str(self.image.beside(".vmlinux")), "-initrd", str(self.image.beside(".initrd")),
                     "-append", f"root=LABEL={self.image.name} ro quiet console=ttyS0"]
        return QEMU + cpu("") + [
            "-m", "512M", "-global", "virtio-mmio.force-legacy=false",
            "-drive", f"if=none,id=disk,format=raw,file={self.image.path}", "-device", "virtio-blk-device,drive=disk",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-{self.image.address}:22",
            "-device", "virtio-net-device,netdev=net"] + start

    def clean(self):
        pass


def login(machine, name, seconds=BOOT_SECONDS):
    machine.expect_text(f"{name} login: ", seconds)
    machine.send("root\r")
    machine.expect_text("Password: ", BOOT_SECONDS)
    machine.send("duomo\r")
    machine.expect(PROMPT, BOOT_SECONDS)


def ssh_try(image, port, command, seconds=4 * COMMAND_SECONDS):
    """Runs a command in a machine, as root; the host key must be that of its image."""
    return subprocess.run(
        ["ssh", "-F", "none", "-p", str(port), "-i", CACHE / "debian-keys/user", "-o", "BatchMode=yes",
         "-o", f"ConnectTimeout={seconds}", "-o", "StrictHostKeyChecking=yes", "-o", f"HostKeyAlias={image.name}",
         "-o", f"UserKnownHostsFile={image.beside('.known_hosts')}", "root@127.0.0.1", command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * seconds, check=False)


def ssh(image, port, command, seconds=4 * COMMAND_SECONDS):
    """Runs a command that must succeed; returns what it printed."""
    done = ssh_try(image, port, command, seconds)
    assert done.returncode == 0, f"ssh: {command!r} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
