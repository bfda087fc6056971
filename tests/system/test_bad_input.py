# SPDX-License-Identifier: MIT
#
# What the monitor is given and cannot use: it says so in one line, and the machine ends.
#
# In:     bundles that `duomo pack` made and a test then damaged, and machines that are too poor.
# Out:    for each: one line, the console's last, that begins with "duomo: ", names the thing and, after
#         a semicolon, the remedy; and an exit code of QEMU's that is not 0.  (What the monitor says
#         before, about the machine, has no remedies in it.)
# Always: a damaged bundle has right checksums, unless they are what is wrong: the tool's own checks
#         and the checksums must not be what stands between a mistake and the monitor.
#
# The kernel in these bundles is only a header, so all of them are small.

import os
import re
import struct
import subprocess
import zlib

import pytest

from machine import QEMU, cpu, cpu_takes

pytestmark = pytest.mark.skipif(os.environ.get("DUOMO_BARE") == "1", reason="the monitor's own duties")

SECONDS = 20
MIB = 1 << 20

TEXT_OFFSET, IMAGE_SIZE, MAGIC, MAGIC2 = 0x08, 0x10, 0x30, 0x38
KERNEL = struct.pack("<IIQQQIIQQII", 0x6f, 0, 2 * MIB, 4096, 0, 2, 0, 0,
                     int.from_bytes(b"RISCV\0\0\0", "little"), 0x05435352, 0).ljust(4096, b"\x13")
INITRD = bytes(range(256)) * 16


class Bundle:
    """A bundle, and the ways to spoil it."""

    def __init__(self, path):
        self.path = path

    def put(self, node, name, *value, kind="s"):
        subprocess.run(["fdtput", "-t", kind, self.path, node, name, *map(str, value)], check=True)

    def put_u64(self, node, name, value):
        self.put(node, name, value >> 32, value & 0xffffffff, kind="u")

    def delete(self, node, name):
        subprocess.run(["fdtput", "-d", self.path, node, name], check=True)

    def remove(self, node):
        subprocess.run(["fdtput", "-r", self.path, node], check=True)

    def write(self, offset, data):
        content = bytearray(self.path.read_bytes())
        content[offset:offset + len(data)] = data
        self.path.write_bytes(content)

    def structure(self):
        return struct.unpack_from(">I", self.path.read_bytes(), 8)[0]

    def cut(self, part):
        content = self.path.read_bytes()
        self.path.write_bytes(content[:int(len(content) * part)])

    def image(self, image, offset, data, checksum=True):
        """Overwrites bytes of an image; the checksum follows, unless told otherwise."""
        old = {"kernel-vm": KERNEL, "ramdisk-vm": INITRD}[image]
        new = old[:offset] + data + old[offset + len(data):]
        self.write(self.path.read_bytes().index(old), new)
        if checksum:
            self.put(f"/images/{image}/hash-1", "value", zlib.crc32(new), kind="u")


def u64(value):
    return struct.pack("<Q", value)


# What is done to a bundle, and what the monitor's line must speak of.
BUNDLES = {
    "cut in the middle":          (lambda b: b.cut(0.5), "bundle"),
    "cut after the header":       (lambda b: b.cut(0.01), "bundle"),
    "cut at the end":             (lambda b: b.cut(0.99), "bundle"),
    "magic flipped":              (lambda b: b.write(0, b"\xff"), "bundle"),
    "version from the future":    (lambda b: b.write(20, b"\0\0\0\x63\0\0\0\x63"), "bundle"),
    "larger than the machine":    (lambda b: b.write(4, b"\x7f\xff\xff\xff"), "bundle"),
    "structure flipped":          (lambda b: b.write(b.structure(), b"\xff\xff\xff\xff"), "bundle"),
    "strings out of the file":    (lambda b: b.write(12, b"\x7f\xff\xff\xff"), "bundle"),
    "a device tree, no bundle":   (lambda b: b.remove("/vms"), "vms|bundle"),
    "made by another tool":       (lambda b: b.put("/vms", "compatible", "other,vms-9"), "bundle"),
    "no machine in it":           (lambda b: b.remove("/vms/vm"), "machine|vm"),

    "kernel flipped":             (lambda b: b.image("kernel-vm", 100, b"\xff", checksum=False), "kernel"),
    "initrd flipped":             (lambda b: b.image("ramdisk-vm", 100, b"\xff", checksum=False), "initrd|ramdisk"),
    "checksum missing":           (lambda b: b.remove("/images/kernel-vm/hash-1"), "kernel"),
    "checksum of unknown kind":   (lambda b: b.put("/images/kernel-vm/hash-1", "algo", "crc99"), "kernel"),
    "image without data":         (lambda b: b.delete("/images/kernel-vm", "data"), "kernel"),
    "kernel not in the bundle":   (lambda b: b.put("/vms/vm", "kernel", "kernel-gone"), "kernel"),
    "initrd not in the bundle":   (lambda b: b.put("/vms/vm", "ramdisk", "ramdisk-gone"), "initrd|ramdisk"),
    "no kernel named":            (lambda b: b.delete("/vms/vm", "kernel"), "kernel"),

    "kernel without its magic":   (lambda b: b.image("kernel-vm", MAGIC2, b"\0\0\0\0"), "kernel"),
    "kernel for arm64":           (lambda b: b.image("kernel-vm", MAGIC2, b"ARM\x64"), "kernel"),
    "kernel larger than memory":  (lambda b: b.image("kernel-vm", IMAGE_SIZE, u64(1 << 30)), "memory"),
    "kernel of endless size":     (lambda b: b.image("kernel-vm", IMAGE_SIZE, u64(2**64 - 1)), "memory"),
    "kernel far beyond memory":   (lambda b: b.image("kernel-vm", TEXT_OFFSET, u64(2**64 - 4096)), "memory"),

    "more memory than there is":  (lambda b: b.put_u64("/vms/vm", "memory", 1 << 30), "memory"),
    "endless memory":             (lambda b: b.put_u64("/vms/vm", "memory", 2**64 - 2 * MIB), "memory"),
    "odd memory":                 (lambda b: b.put_u64("/vms/vm", "memory", 64 * MIB + 4096), "memory"),
    "no memory":                  (lambda b: b.put_u64("/vms/vm", "memory", 0), "memory"),
    "memory not said":            (lambda b: b.delete("/vms/vm", "memory"), "memory"),
    "no vcpus":                   (lambda b: b.put("/vms/vm", "vcpus", 0, kind="u"), "vcpu"),
    "too many vcpus":             (lambda b: b.put("/vms/vm", "vcpus", 100000, kind="u"), "vcpu"),
    "unknown engine":             (lambda b: b.put("/vms/vm", "engine", "warp"), "engine"),
    "too few shadow pages":       (lambda b: b.put("/vms/vm", "shadow-pages", 1, kind="u"), "shadow"),
    "too many shadow pages":      (lambda b: b.put("/vms/vm", "shadow-pages", 2**32 - 1, kind="u"), "shadow"),
    "command line too long":      (lambda b: b.put("/vms/vm", "bootargs", "x" * 5000), "command line"),
    "command line without end":   (lambda b: b.put("/vms/vm", "bootargs", 0x61, kind="bx"), "command line"),
}

# What is missing in a machine.
MACHINES = {
    "16 MiB of RAM":   (["-m", "16M"], "", "memory|RAM"),
    "64 MiB of RAM":   (["-m", "64M"], "", "memory|RAM"),
    "no translation":  (["-m", "512M"], "mmu=off", "Sv39"),
    "no protection":   (["-m", "512M"], "pmp=off", "PMP"),
    "no FP registers": (["-m", "512M"], "f=off,d=off,zfinx=on", "Zfinx"),
}


@pytest.fixture(scope="session")
def pack(qemu, duomo, workdir):
    """Returns a function that makes a bundle for one test."""
    kernel, initrd = workdir / "header-only", workdir / "initrd"
    kernel.write_bytes(KERNEL)
    initrd.write_bytes(INITRD)

    def make(*more, kernel=kernel, initrd=initrd):
        path = workdir / "bad.itb"
        path.unlink(missing_ok=True)
        done = subprocess.run([duomo, "pack", "--kernel", kernel, "--initrd", initrd, "--memory", "128M",
                               *more, "-o", path], capture_output=True, text=True, timeout=SECONDS)
        return path, done

    return make


@pytest.fixture
def bundle(pack):
    path, done = pack()
    assert done.returncode == 0, done.stderr
    return Bundle(path)


def assert_refuses(monitor, words, bundle=None, options=("-m", "512M"), properties=""):
    command = QEMU + cpu(properties) + [*options, "-no-reboot", "-bios", str(monitor)]
    if bundle:
        command += ["-kernel", str(bundle)]
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        shown = (late.output or b"").decode(errors="replace")[-1000:]
        pytest.fail(f"still running after {SECONDS} s; the console:\n{shown}", pytrace=False)
    shown = ended.stdout.decode(errors="replace")
    lines = shown.strip().splitlines()
    refusals = [line for line in lines if re.match(r"duomo: .*; \w", line)]

    assert refusals == lines[-1:], shown
    assert re.search(words, refusals[0], re.IGNORECASE), refusals[0]
    assert ended.returncode > 0, f"QEMU's exit code is {ended.returncode}: {refusals[0]}"


@pytest.mark.parametrize("name", BUNDLES)
def test_refuses_a_bundle(monitor, bundle, name):
    spoil, words = BUNDLES[name]
    spoil(bundle)
    assert_refuses(monitor, words, bundle.path)


@pytest.mark.parametrize("name", MACHINES)
def test_refuses_a_machine(monitor, bundle, name):
    options, properties, words = MACHINES[name]
    if not cpu_takes(properties):
        pytest.skip(f"this QEMU cannot: {properties}")
    assert_refuses(monitor, words, bundle.path, options, properties)


def test_refuses_to_start_without_a_bundle(monitor, qemu):
    assert_refuses(monitor, "bundle")


def test_refuses_what_is_no_bundle(monitor, qemu, workdir):
    path = workdir / "text"
    path.write_text("This is not a bundle.\n" * 100)
    assert_refuses(monitor, "bundle", path)


def test_refuses_an_initrd_that_does_not_fit(monitor, pack, workdir):
    initrd = workdir / "large"
    initrd.write_bytes(bytes(20 * MIB))
    path, done = pack(initrd=initrd)
    assert done.returncode == 0, done.stderr
    Bundle(path).put_u64("/vms/vm", "memory", 16 * MIB)
    assert_refuses(monitor, "initrd|ramdisk", path)


def test_the_tool_refuses_first(pack, workdir):
    text = workdir / "text"
    text.write_text("This is not a kernel.\n" * 100)
    for more, files, words in [
        ([], {"kernel": text}, "kernel"),
        ([], {"kernel": workdir / "gone"}, "gone"),
        (["--memory", "1M"], {}, "memory"),
        (["--cmdline", "x" * 5000], {}, "cmdline"),
    ]:
        path, done = pack(*more, **files)
        assert done.returncode != 0 and not path.exists(), done.stderr
        assert len(done.stderr.splitlines()) == 1 and re.search(words, done.stderr), done.stderr
