# SPDX-License-Identifier: MIT
#
# The commands `duomo pack` and `duomo show`, from outside.
#
# In:     build/duomo, or the one that the environment variable DUOMO names.
# Out:    what a user sees: the bundle, or one line that says what is wrong and what would be right.
# Always: a mistake leaves no bundle behind, and no half of one; exit code 1, nothing on stdout.

import itertools
import os
import struct
import subprocess
import zlib

import pytest

from files import DUOMO, MIB, duomo, image, tree

def elf(machine):
    return b"\177ELF\2\1\1" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(100)


def at(offset, magic):
    return bytes(offset) + magic + bytes(600)


def zboot():
    where = struct.pack("<II", 0x1234, 5678)
    return b"MZ\0\0zimg" + where + bytes(8) + b"gzip\0\0\0\0" + bytes(600)


@pytest.fixture
def here(tmp_path):
    (tmp_path / "Image").write_bytes(image())
    (tmp_path / "initrd").write_bytes(b"initrd! " * 1000 + b"odd")
    return tmp_path


def pack(here, *args):
    return duomo(here, "pack", "--kernel", "Image", "-o", "out.itb", *args)


def refusal(here, result):
    """The one line that a refused command leaves, which must be all that it leaves."""
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("duomo: ") and result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    assert "; " in result.stderr, "says what would be right"
    assert not [p for p in here.iterdir() if p.name.startswith("out.itb")]
    return result.stderr


def packed(here, *args):
    result = pack(here, *args)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return tree((here / "out.itb").read_bytes())


# What a bundle holds.

def test_bundle_with_defaults(here):
    root = packed(here)
    assert root["description"] == b"Duomo bundle\0"
    assert root["#address-cells"] == struct.pack(">I", 1)
    assert list(root["images"]) == ["kernel-vm"]
    assert root["vms"] == {"compatible": b"duomo,vms-1\0", "vm": {
        "memory": struct.pack(">Q", 256 * MIB), "vcpus": struct.pack(">I", 1),
        "kernel": b"kernel-vm\0", "bootargs": b"\0", "engine": b"auto\0"}}


def test_bundle_with_everything(here):
    root = packed(here, "--initrd", "initrd", "--cmdline", "console=ttyS0 x=\"a b\"",
                  "--memory=64M", "--name", "alpha-1", "--engine", "classic", "--shadow-pages", "512")
    assert root["vms"]["alpha-1"] == {
        "memory": struct.pack(">Q", 64 * MIB), "vcpus": struct.pack(">I", 1),
        "kernel": b"kernel-alpha-1\0", "ramdisk": b"ramdisk-alpha-1\0",
        "bootargs": b"console=ttyS0 x=\"a b\"\0", "engine": b"classic\0",
        "shadow-pages": struct.pack(">I", 512)}


def test_images(here):
    images = packed(here, "--initrd", "initrd")["images"]
    for name, kind, path in (("kernel-vm", b"kernel\0", "Image"),
                             ("ramdisk-vm", b"ramdisk\0", "initrd")):
        node, data = images[name], (here / path).read_bytes()
        assert node.pop("description").endswith(b"\0")
        assert node == {
            "data": data, "type": kind, "arch": b"riscv\0", "os": b"linux\0",
            "compression": b"none\0",
            "hash-1": {"algo": b"crc32\0", "value": struct.pack(">I", zlib.crc32(data))}}


@pytest.mark.parametrize("text, size", [
    ("16M", 16 * MIB), ("32768K", 32 * MIB), ("1G", 1 << 30), ("1t", 1 << 40),
    ("33554432", 32 * MIB)])
def test_memory_sizes(here, text, size):
    assert packed(here, "--memory", text)["vms"]["vm"]["memory"] == struct.pack(">Q", size)


def test_same_input_same_bundle(here):
    packed(here)
    first = (here / "out.itb").read_bytes()
    packed(here)
    assert (here / "out.itb").read_bytes() == first


def test_longest_command_line(here):
    assert packed(here, "--cmdline", "x" * 2047)["vms"]["vm"]["bootargs"] == b"x" * 2047 + b"\0"


def test_kernel_that_just_fits(here):
    (here / "Image").write_bytes(image(image_size=14 * MIB))
    packed(here, "--memory", "16M")


def test_output_has_ordinary_permissions(here):
    packed(here)
    mask = os.umask(0)
    os.umask(mask)
    assert (here / "out.itb").stat().st_mode & 0o777 == 0o666 & ~mask


# What a kernel must be.

@pytest.mark.parametrize("data, what, right", [
    (b"",                              "empty",                     "cut short"),
    (b"hello",                         "not a RISC-V kernel image", "arch/riscv/boot/Image"),
    (image()[:63],                     "not a RISC-V kernel image", "arch/riscv/boot/Image"),
    (bytes(4096),                      "not a RISC-V kernel image", "arch/riscv/boot/Image"),
    (image(flags=1),                   "big-endian",                "little-endian"),
    (elf(62),                          "ELF file for x86-64",       "riscv64"),
    (elf(183),                         "ELF file for AArch64",      "riscv64"),
    (elf(777),                         "machine number 777",        "riscv64"),
    (elf(243),                         "program headers",           "build it again"),
    (b"\177ELF",                       "ELF file",                  "riscv64"),
    (at(0, b"\x1f\x8b\x08"),           "gzip",                      "gunzip"),
    (at(0, b"\xfd7zXZ\0"),             "xz",                        "unpack"),
    (at(0, b"\x28\xb5\x2f\xfd"),       "zstd",                      "unpack"),
    (zboot(),                          "zboot",                     "tail -c +4661 FILE | head -c 5678"),
    (at(0, b"MZ"),                     "an EFI program",            "arch/riscv/boot/Image"),
    (b"MZ" + at(0x202 - 2, b"HdrS"),   "kernel for x86",            "riscv64"),
    (b"MZ" + at(0x38 - 2, b"ARM\x64"), "kernel for arm64",          "riscv64"),
    (at(0x24, b"\x18\x28\x6f\x01"),    "kernel for arm",            "riscv64"),
    (at(0, b"\x27\x05\x19\x56"),       "uImage",                    "arch/riscv/boot/Image"),
    (at(0, b"\xd0\x0d\xfe\xed"),       "device tree",               "arch/riscv/boot/Image"),
    (at(0, b"070701"),                 "initramfs",                 "--initrd"),
    (at(0, b"!<arch>\n"),              "Debian package",            "unpack"),
    (image(image_size=1 << 63),        "impossible size",           "build it again"),
    (image(text_offset=2**64 - 4096),  "impossible size",           "build it again"),
    (image(image_size=300 * MIB),      "takes 302 MiB",             "at least 302M"),
    (image(text_offset=255 * MIB),     "takes 258 MiB",             "at least 258M"),
], ids=itertools.count())
def test_kernel_refused(here, data, what, right):
    (here / "Image").write_bytes(data)
    line = refusal(here, pack(here))
    assert line.startswith("duomo: Image: ")
    assert what in line.partition("; ")[0] and right in line.partition("; ")[2]


def test_kernel_file_larger_than_its_header_says(here):
    (here / "Image").write_bytes(image(file_size=15 * MIB, image_size=MIB))
    assert "takes 17 MiB" in refusal(here, pack(here, "--memory", "16M"))


def test_initrd_that_does_not_fit(here):
    (here / "initrd").write_bytes(bytes(10 * MIB))
    line = refusal(here, pack(here, "--memory", "16M", "--initrd", "initrd"))
    assert line.startswith("duomo: initrd: ") and "does not fit" in line and "at least 18M" in line
    packed(here, "--memory", "18M", "--initrd", "initrd")


@pytest.mark.parametrize("option", ["--kernel", "--initrd"])
def test_file_that_cannot_be_read(here, option):
    assert "nowhere: No such file" in refusal(here, pack(here, option, "nowhere"))
    (here / "empty").touch()
    assert "empty: the file is empty" in refusal(here, pack(here, option, "empty"))
    (here / "folder").mkdir()
    assert "folder: not a file" in refusal(here, pack(here, option, "folder"))
    if os.geteuid():
        (here / "Image").chmod(0)
        assert "Permission denied" in refusal(here, pack(here, option, "Image"))


# What the options must be.

@pytest.mark.parametrize("args, what, right", [
    (["--memory", "15M"],          "15M (15 MiB) is too little",       "at least 16M"),
    (["--memory", "256"],          "256 (256 bytes) is too little",    "at least 16M"),
    (["--memory", "0"],            "too little",                       "at least 16M"),
    (["--memory", "17M"],          "17M is not a multiple of 2 MiB",   "18M would be"),
    (["--memory", "16777217"],     "not a multiple of 2 MiB",          "18M would be"),
    (["--memory", "1025G"],        "more memory than any board has",   "at most 1T"),
    (["--memory", "256Q"],         "'256Q' is not a size",             "256M"),
    (["--memory", "256MB"],        "'256MB' is not a size",            "256M"),
    (["--memory", "M"],            "'M' is not a size",                "256M"),
    (["--memory", "-16M"],         "'-16M' is not a size",             "256M"),
    (["--memory", " 16M"],         "' 16M' is not a size",             "256M"),
    (["--memory", ""],             "'' is not a size",                 "256M"),
    (["--memory", "99999999999T"], "is not a size",                    "256M"),
    (["--memory", "9" * 30],       "is not a size",                    "256M"),
    (["--cmdline", "x" * 2048],    "2048 bytes are too many",          "at most 2047"),
    (["--name", ""],               "a name of 0 characters",           "1 to 31"),
    (["--name", "n" * 32],         "a name of 32 characters",          "1 to 31"),
    (["--name", "1st"],            "does not begin with a letter",     "vm1"),
    (["--name", "a/b"],            "'/' in the name",                  "letters, digits"),
    (["--engine", "warp"],         "no engine 'warp'",                 "auto, direct or classic"),
    (["--shadow-pages", "few"],    "'few' is not a number",            "16 to"),
    (["--shadow-pages", "512x"],   "'512x' is not a number",           "16 to"),
    (["--shadow-pages", "1"],      "1 is out of range",                "16 to"),
    (["--frobnicate", "1"],        "unknown option '--frobnicate'",    "duomo help pack"),
    (["--kernels=Image"],          "unknown option '--kernels=Image'", "duomo help pack"),
    (["-x"],                       "unknown option '-x'",              "duomo help pack"),
    (["stray"],                    "both a file and --kernel",         "in the file"),
    (["stray", "cat"],             "one word too many: 'cat'",         "duomo help pack"),
    (["--memory"],                 "--memory needs a value",           "--memory SIZE"),
    (["-o"],                       "--output needs a value",           "--output FILE"),
], ids=itertools.count())
def test_option_refused(here, args, what, right):
    line = refusal(here, pack(here, *args))
    assert what in line.partition("; ")[0] and right in line.partition("; ")[2]


def test_kernel_and_output_must_be_named(here):
    assert "add --kernel FILE" in refusal(here, duomo(here, "pack", "-o", "out.itb"))
    assert "add -o FILE" in refusal(here, duomo(here, "pack", "--kernel", "Image"))


# Where the bundle goes.

def test_output_that_cannot_be_written(here):
    kernel = ["pack", "--kernel", "Image", "--initrd", "initrd"]
    assert "No such file" in refusal(here, duomo(here, *kernel, "-o", "nowhere/out.itb"))
    assert "cannot be replaced" in refusal(here, duomo(here, *kernel, "-o", "/dev/null"))
    assert "cannot be replaced" in refusal(here, duomo(here, *kernel, "-o", "."))
    assert "the kernel itself" in refusal(here, duomo(here, *kernel, "-o", "./Image"))
    assert "the initrd itself" in refusal(here, duomo(here, *kernel, "-o", "./initrd"))
    assert (here / "Image").read_bytes() == image()


def test_mistake_leaves_an_older_bundle_alone(here):
    packed(here)
    before = (here / "out.itb").read_bytes()
    assert pack(here, "--memory", "17M").returncode == 1
    assert (here / "out.itb").read_bytes() == before


def test_full_disk_leaves_nothing(here):
    script = 'ulimit -f 8; exec "$0" pack --kernel Image -o out.itb'
    result = subprocess.run(["bash", "-c", "trap '' XFSZ; " + script, DUOMO], cwd=here,
                            capture_output=True, text=True, timeout=60)
    assert "was not written" in refusal(here, result)


# What show prints.

def test_show(here):
    packed(here, "--initrd", "initrd", "--cmdline", "console=ttyS0", "--shadow-pages", "64")
    result = duomo(here, "show", "out.itb")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    for line in ("vm vm", "memory 256 MiB", "vcpus 1", "kernel kernel-vm", "ramdisk ramdisk-vm",
                 "bootargs console=ttyS0", "engine auto", "shadow-pages 64", "images",
                 "kernel-vm kernel 64 KiB crc32 ok", "ramdisk-vm ramdisk 7.8 KiB crc32 ok"):
        assert line.split() in lines


def test_show_finds_damaged_image(here):
    packed(here, "--initrd", "initrd")
    blob = (here / "out.itb").read_bytes()
    (here / "bad.itb").write_bytes(blob.replace(b"initrd! ", b"Initrd! ", 1))
    result = duomo(here, "show", "bad.itb")
    assert result.returncode == 1
    assert "crc32 ok" in result.stdout and "crc32 bad" in result.stdout
    assert result.stderr == "duomo: bad.itb: the bundle is damaged; pack it again\n"


def test_show_finds_missing_image(here):
    packed(here)
    blob = (here / "out.itb").read_bytes()
    at_reference = blob.rindex(b"kernel-vm\0")
    (here / "bad.itb").write_bytes(blob[:at_reference] + b"kernel-xx\0" + blob[at_reference + 10:])
    result = duomo(here, "show", "bad.itb")
    assert result.returncode == 1 and "no such image" in result.stdout


def test_show_makes_text_harmless(here):
    packed(here, "--cmdline", "clear\033[2Jscreen")
    result = duomo(here, "show", "out.itb")
    assert result.returncode == 0 and "clear?[2Jscreen" in result.stdout


@pytest.mark.parametrize("make", [
    lambda bundle: b"short",
    lambda bundle: bundle[:-1],
    lambda bundle: bundle[:40],
    lambda bundle: bytes(4096),
    lambda bundle: bundle[:56] + b"\xff" * 64 + bundle[120:],
    lambda bundle: bundle.replace(b"duomo,vms-1", b"other,vms-1"),
])
def test_show_refuses_what_is_no_bundle(here, make):
    packed(here)
    (here / "odd").write_bytes(make((here / "out.itb").read_bytes()))
    (here / "out.itb").unlink()
    assert "give what 'duomo pack' wrote" in refusal(here, duomo(here, "show", "odd"))


def test_show_needs_one_bundle(here):
    assert "duomo show FILE" in refusal(here, duomo(here, "show"))
    assert "one word too many: 'b'" in refusal(here, duomo(here, "show", "a", "b"))
    assert "nowhere: No such file" in refusal(here, duomo(here, "show", "nowhere"))


# The command itself.

def test_help_and_version(here):
    everything = duomo(here, "help")
    assert everything.returncode == 0
    for command in ("pack", "show", "help"):
        assert command in everything.stdout
        one = duomo(here, "help", command)
        assert one.returncode == 0 and one.stdout.startswith(f"Usage: duomo {command} ")
        assert duomo(here, command, "--help").stdout == one.stdout
    assert duomo(here, "--help").stdout == everything.stdout
    assert duomo(here, "--version").stdout.startswith("duomo ")
    for option in ("--kernel", "--initrd", "--cmdline", "--memory", "--name", "--engine",
                   "--shadow-pages", "-o, --output"):
        assert option in duomo(here, "help", "pack").stdout


def test_unknown_command(here):
    assert "'duomo help' lists them" in refusal(here, duomo(here))
    assert "frob: no such command" in refusal(here, duomo(here, "frob"))
    assert "frob: no such command" in refusal(here, duomo(here, "help", "frob"))
