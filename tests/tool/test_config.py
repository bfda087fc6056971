# SPDX-License-Identifier: MIT
#
# The configuration file, from outside: what of it comes into the bundle, and its mistakes.
#
# In:     build/duomo, or the one that the environment variable DUOMO names; files made here.
# Out:    for each mistake `file:line: what; right`, all of them in one run; properties otherwise.
# Always: no file, however hostile, takes long or crashes the tool.

import itertools
import os
import struct
import subprocess
import time

import pytest

from files import MIB, RAM, duomo, elf, image, tree

KERNEL = "    kernel: Image\n"
ONE = "vms:\n  - name: a\n" + KERNEL                       # lines 1 to 3
TWO = ONE + "  - name: b\n" + KERNEL                       # and 4, 5


def cells(number, size=4):
    return number.to_bytes(size, "big")


@pytest.fixture
def here(tmp_path):
    (tmp_path / "Image").write_bytes(image())
    (tmp_path / "initrd").write_bytes(b"initrd! " * 1000 + b"odd")
    return tmp_path


def mistakes(here, text, command=("check", "f.yaml")):
    """The lines that a file with mistakes yields, and that there is nothing else."""
    (here / "f.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = duomo(here, *command)
    assert result.returncode == 1 and result.stdout == "", result
    assert not [p for p in here.iterdir() if p.name.startswith("out.itb")]
    return result.stderr.splitlines()


def packed(here, text):
    (here / "f.yaml").write_text(text)
    result = duomo(here, "pack", "f.yaml", "-o", "out.itb")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return tree((here / "out.itb").read_bytes())


# What a bundle holds.

def test_least_file(here):
    assert packed(here, ONE)["vms"] == {"compatible": b"duomo,vms-1\0", "a": {
        "memory": cells(256 * MIB, 8), "vcpus": cells(1), "kernel": b"kernel-a\0",
        "bootargs": b"\0", "engine": b"auto\0"}}


def test_all_fields(here):
    root = packed(here, """
        machine: {harts: 2, memory: 1G, when-all-off: stay, network: yes, forward: [2222:10.0.2.15:22]}
        vms:
          - name: debian-1
            memory: 64M
            vcpus: 1
            kernel: Image
            initrd: initrd
            cmdline: "console=ttyS0 x='a b'"
            engine: classic
            weight: 250
            cap: 30%
            watchdog: 10
            harts: [0, 1]
            console: keyboard
            on-crash: {restart-at-most: 3}
            start: hand
            shadow-pages: 512
            disk: {partition: root, readonly: yes, requests: 500, bytes: 20M}
            network: {mac: "52:54:00:a0:B1:02", isolated: yes, vlan: 4094, rate: 1G}
            virtio-console: yes
    """)
    assert root["vms"]["when-all-off"] == b"stay\0"
    assert root["vms"]["debian-1"] == {
        "memory": cells(64 * MIB, 8), "vcpus": cells(1), "kernel": b"kernel-debian-1\0",
        "ramdisk": b"ramdisk-debian-1\0", "bootargs": b"console=ttyS0 x='a b'\0",
        "engine": b"classic\0", "weight": cells(250), "cap": cells(30), "watchdog": cells(10), "harts": cells(3, 8),
        "console": b"keyboard\0", "on-crash": b"restart\0", "restart-max": cells(3),
        "start": b"hand\0", "shadow-pages": cells(512), "disk-partition": b"root\0",
        "disk-readonly": b"", "disk-requests": cells(500), "disk-bytes": cells(20 * MIB, 8),
        "net-mac": bytes.fromhex("525400a0b102"), "net-isolated": b"", "net-vlan": cells(4094),
        "net-rate": cells(1024 * MIB, 8), "virtio-console": b""}


def test_values_that_are_the_default_are_left_out(here):
    root = packed(here, "machine: {when-all-off: power-off}\n" + ONE + "    weight: 100\n"
                  "    console: yes\n    on-crash: stop\n    start: boot\n    network: no\n"
                  "    virtio-console: no\n")
    assert set(root["vms"]) == {"compatible", "a"}
    assert set(root["vms"]["a"]) == {"memory", "vcpus", "kernel", "bootargs", "engine"}


def test_a_mac_address_is_made_from_the_name(here):
    root = packed(here, "vms:\n" + "".join(
        f"  - {{name: {name}, kernel: Image, network: {network}}}\n"
        for name, network in (("a", "yes"), ("b", "{vlan: 3}"), ("c", "no"), ("d", "{isolated: no}"))))
    macs = {name: root["vms"][name].get("net-mac") for name in "abcd"}
    assert macs["c"] is None and len(set(macs.values())) == 4
    assert all(macs[name].startswith(b"\x52\x54\0") and len(macs[name]) == 6 for name in "abd")
    assert set(root["vms"]["d"]) == {"memory", "vcpus", "kernel", "bootargs", "engine", "net-mac"}
    assert packed(here, ONE + "    network: yes\n")["vms"]["a"]["net-mac"] == macs["a"]


def test_what_several_boot_is_there_once(here):
    (here / "copy").write_bytes(image())
    (here / "other").write_bytes(image(image_size=4 * MIB))
    root = packed(here, "vms:\n" + "".join(
        f"  - {{name: {name}, kernel: {kernel}, initrd: initrd}}\n"
        for name, kernel in (("a", "Image"), ("b", "Image"), ("c", "copy"), ("d", "other"))))
    assert list(root["images"]) == ["kernel-a", "ramdisk-a", "kernel-d"]
    assert [root["vms"][name]["kernel"] for name in "abcd"] == 3 * [b"kernel-a\0"] + [b"kernel-d\0"]
    assert {root["vms"][name]["ramdisk"] for name in "abcd"} == {b"ramdisk-a\0"}


def test_paths_begin_at_the_file(here):
    folder = here / "folder"
    folder.mkdir()
    (folder / "f.yaml").write_text(ONE)
    (here / "Image").rename(folder / "Image")
    assert duomo(here, "check", "folder/f.yaml").returncode == 0
    assert duomo(here, "check", folder / "f.yaml").returncode == 0
    assert duomo(folder, "check", "f.yaml").returncode == 0
    (folder / "f.yaml").write_text(ONE.replace("Image", str(folder / "Image")))
    assert duomo(here, "check", "folder/f.yaml").returncode == 0


def test_most_machines(here):
    text = "vms:\n" + "".join(f"  - {{name: v{i}, kernel: Image}}\n" for i in range(64))
    assert len(packed(here, text)["vms"]) == 65
    (here / "out.itb").unlink()
    assert mistakes(here, text + 2 * "  - {name: w, kernel: Image}\n") == [
        "f.yaml:66: vms: more than 64 virtual machines; leave the others out"]


def test_anchors(here):
    root = packed(here, "vms:\n  - &a {name: a, kernel: &k Image}\n  - {name: b, kernel: *k}\n")
    assert list(root["vms"]) == ["compatible", "a", "b"]


def test_check_says_that_all_is_well(here):
    (here / "f.yaml").write_text(TWO)
    result = duomo(here, "check", "f.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "f.yaml: no mistakes; 2 virtual machines\n"


def test_show_tells_all_fields(here):
    packed(here, "machine: {when-all-off: stay}\n" + ONE + "    weight: 7\n    cap: 30\n    watchdog: 7\n"
           "    harts: [0, 63]\n    console: no\n    on-crash: restart\n    start: hand\n")
    result = duomo(here, "show", "out.itb")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    for line in ("when-all-off stay", "weight 7", "cap 30 %", "watchdog 7", "harts 0 63", "console no",
                 "on-crash restart", "start hand"):
        assert line.split() in lines


# Mistakes: what stands in line 4 (or the whole file), and what is said of it.

@pytest.mark.parametrize("line, said", [
    ("memory: 17M",              "memory: 17M is not a multiple of 2 MiB; 18M would be"),
    ("memory: 15M",              "memory: 15M (15 MiB) is too little memory; give at least 16M"),
    ("memory: lots",             "memory: 'lots' is not a size; write a number and K, M or G, as in 256M"),
    ("memory:",                  "memory: no value; write one, or leave the line out"),
    ("memory: [16M]",            "memory: this is a list; a single value would be right"),
    ("memory: {a: 16M}",         "memory: this is a map; a single value would be right"),
    ("memroy: 16M",              "unknown field 'memroy'; is 'memory' meant?"),
    ("Memory: 16M",              "unknown field 'Memory'; is 'memory' meant?"),
    ("frobnication: 1",          "unknown field 'frobnication'; 'duomo help config' lists them"),
    ("[a]: 1",                   "a list stands where a field's name should; write NAME: VALUE"),
    ("<<: {name: c}",            "unknown field '<<'; 'duomo help config' lists them"),
    ("name: b",                  "name: given twice; the first is in line 2, and one is enough"),
    ("vcpus: 2",                 "vcpus: 2 is out of range; 1 would be right"),
    ("vcpus: one",               "vcpus: 'one' is not a number; 1 would be right"),
    ("weight: 0",                "weight: 0 is out of range; 1 to 1000 would be right"),
    ("weight: 1001",             "weight: 1001 is out of range; 1 to 1000 would be right"),
    ("weight: -1",               "weight: '-1' is not a number; 1 to 1000 would be right"),
    ("weight: 1.5",              "weight: '1.5' is not a number; 1 to 1000 would be right"),
    ("weight: 99999999999999999999", "weight: '99999999999999999999' is not a number; 1 to 1000 would be right"),
    ("cap: 130%",                "cap: 130% is out of range; 1 to 100 would be right"),
    ("cap: 30 %%",               "cap: '30 %%' is not a number; 1 to 100 would be right"),
    ("watchdog: 0",              "watchdog: 0 is out of range; 1 to 3600 would be right"),
    ("cap: 0",                   "cap: 0 is out of range; 1 to 100 would be right"),
    ("harts: 0",                 "harts: this is a single value; a list, as in [0, 1], would be right"),
    ("harts: []",                "harts: an empty list; at least one item would be right"),
    ("harts: [0, 1, 0]",         "harts: 0 is named twice; once is enough"),
    ("harts: [64]",              "harts: 64 is out of range; 0 to 63 would be right"),
    ("harts: [[0]]",             "harts: this is a list; a single value would be right"),
    ("harts: [zero]",            "harts: 'zero' is not a number; 0 to 63 would be right"),
    ("console: maybe",           "console: there is no console 'maybe'; yes, no or keyboard would be right"),
    ("engine: warp",             "engine: there is no engine 'warp'; auto, direct or classic would be right"),
    ("start: never",             "start: there is no start 'never'; boot or hand would be right"),
    ("on-crash: burn",           "on-crash: there is no on-crash 'burn'; stop or restart would be right"),
    ("on-crash: {}",             "on-crash: the map is empty; 'restart-at-most: 3' would be right"),
    ("on-crash: {restart-at-most: 0}", "restart-at-most: 0 is out of range; 1 to 1000000 would be right"),
    ("on-crash: {restart: 1}",   "unknown field 'restart'; 'duomo help config' lists them"),
    ("shadow-pages: 15",         "shadow-pages: 15 is out of range; 16 to 16384 would be right"),
    ("load: 0x80200000",         "load: this is for a raw program, and Image says itself where it goes; leave it out"),
    ("load: 0x7fffffff",         "load: 0x7fffffff is out of range; 0x80000000 to 0x10080000000 would be right"),
    ("load: 0x80200001",         "load: 0x80200001 is not a multiple of 2; 0x80200002 would be"),
    ("load: 0x",                 "load: '0x' is not a number; 0x80000000 to 0x10080000000 would be right"),
    ("initrd: nowhere",          "nowhere: No such file or directory; give the path of a readable file"),
    ("initrd: .",                ".: not a file; give a regular file"),
    ("initrd: ''",               "initrd: an empty path; name a file"),
    ("cmdline: \"a\\0b\"",       "cmdline: a NUL byte in the value; leave it out"),
    ("cmdline: " + "x" * 2048,   "cmdline: 2048 bytes are too many; at most 2047 would be right"),
    ("disk: ''",                 "disk: a partition's label of 0 characters; 1 to 36 would be right"),
    ("network: maybe",           "network: there is no network 'maybe'; yes or no would be right"),
    ("network: {mac: 1}",        "mac: '1' is no address of a card; write it as in 52:54:00:12:34:56"),
    ("network: {mac: 52:54:00:12:34:56:78}", "mac: '52:54:00:12:34:56:78' is no address of a card; write it as in 52:54:00:12:34:56"),
    ("network: {mac: 53:54:00:12:34:56}", "mac: '53:54:00:12:34:56' is no address of a single card; one that begins with 52:54:00 would be right"),
    ("network: {mac: 00:00:00:00:00:00}", "mac: '00:00:00:00:00:00' is no address of a single card; one that begins with 52:54:00 would be right"),
    ("network: {vlan: 4095}",    "vlan: 4095 is out of range; 1 to 4094 would be right"),
    ("network: {rate: fast}",    "rate: 'fast' is not a size; 64K to 1T a second would be right"),
    ("network: {speed: 1}",      "unknown field 'speed'; 'duomo help config' lists them"),
    ("virtio-console: 1",        "virtio-console: there is no virtio-console '1'; yes or no would be right"),
    ("memory: \"\\e[2J\\x9b\"",  "memory: '?[2J??' is not a size; write a number and K, M or G, as in 256M"),
], ids=itertools.count())
def test_mistake_in_a_line(here, line, said):
    assert mistakes(here, ONE + f"    {line}\n") == ["f.yaml:4: " + said]


FILES_WITH_MISTAKES = [  # the file, then all that is said of it
    ("", "duomo: f.yaml: the file is empty; was its download or build cut short?"),
    ("# nothing\n", "f.yaml:1: no virtual machines; add 'vms:' and below it '- name: NAME' and so on"),
    ("machine: {harts: 1}\n", "f.yaml:1: no virtual machines; add 'vms:' and below it '- name: NAME' and so on"),
    ("vms: []\n", "f.yaml:1: vms: an empty list; at least one item would be right"),
    ("vms: 3\n", "f.yaml:1: vms: this is a single value; a list of maps, each begun by '- ', would be right"),
    ("vms:\n  - 3\n", "f.yaml:2: vms: this is a single value; a map of fields would be right"),
    ("[]\n", "f.yaml:1: this is a list; a map with 'vms:' would be right"),
    ("vms:\n  - memory: 16M\n",
     "f.yaml:2: vms: this machine has no name; add 'name: NAME'",
     "f.yaml:2: vms: this machine has no kernel; add 'kernel: FILE'"),
    (ONE + "  - name: 1st\n" + KERNEL, "f.yaml:4: name: the name '1st' does not begin with a letter; 'vm1' would do"),
    (ONE + "  - name: a b\n" + KERNEL, "f.yaml:4: name: ' ' in the name 'a b'; use letters, digits, '-' and '_'"),
    (ONE + f"  - name: {'n' * 32}\n" + KERNEL, "f.yaml:4: name: a name of 32 characters; 1 to 31 would be right"),
    (TWO.replace("b", "a"), "f.yaml:4: name: a machine in line 2 is called 'a', too; give each its own name"),
    (TWO.replace(KERNEL, KERNEL + "    console: keyboard\n"),
     "f.yaml:7: console: the machine of line 4 has the keyboard; only one can"),
    ("machine: {harts: 2}\n" + ONE + "    harts: [1, 2]\n",
     "f.yaml:5: harts: hart 2 is named, and the machine has 2; numbers below that would be right"),
    (ONE + "    harts: [1]\nmachine:\n  harts: 1\n",
     "f.yaml:4: harts: hart 1 is named, and the machine has 1; [0] would be right"),
    ("machine: {harts: 65, memory: 1M, when-all-off: burn}\n" + ONE,
     "f.yaml:1: harts: 65 is out of range; 1 to 64 would be right",
     "f.yaml:1: memory: 1M (1 MiB) is too little memory; give at least 32M",
     "f.yaml:1: when-all-off: there is no when-all-off 'burn'; power-off or stay would be right"),
    ("machine: {memory: 256M}\n" + ONE,
     "f.yaml:1: memory: the virtual machines have 256 MiB together; leave it out, or give more"),
    ("machine: {network: yes, forward: [22, 2222:10.0.2.15:22, 2222:10.0.2.16:22, 70000:10.0.2.15:22, 1:1.2.3:4, 1:1.2.3.4:0]}\n" + ONE,
     *[f"f.yaml:1: forward: '{text}' is no PORT:ADDRESS:PORT; 2222:10.0.2.15:22 would be right" if text != "2222"
       else "f.yaml:1: forward: port 2222 leads elsewhere already; take another"
       for text in ("22", "2222", "70000:10.0.2.15:22", "1:1.2.3:4", "1:1.2.3.4:0")]),
    ("machine:\n  forward: [2222:10.0.2.15:22]\n" + ONE,
     "f.yaml:2: forward: the board has no network; add 'network: yes' beside it"),
    (TWO.replace(KERNEL, KERNEL + "    network: {mac: 52:54:00:00:00:01}\n"),
     "f.yaml:7: network: the machine of line 4 has the same MAC address; give this one another 'mac:'"),
    ("machine:\n" + ONE, "f.yaml:1: machine: this is a single value; a map of fields would be right"),
    (ONE + "---\n" + ONE, "f.yaml:5: a second document begins here; one file, one configuration"),
    (ONE.replace("Image", "nowhere"), "f.yaml:3: nowhere: No such file or directory; give the path of a readable file"),
    ("vms:\n\t- name: a\n", "f.yaml:2: this is no YAML: found character that cannot start any token "
     "while scanning for the next token; correct the line, or the one before it"),
    ("vms: [\n", "f.yaml:2: this is no YAML: did not find expected node content while parsing a flow node; "
     "correct the line, or the one before it"),
    ("vms: *nobody\n", "f.yaml:1: this is no YAML: found undefined alias; correct the line, or the one before it"),
    ("a: 1\n\nb: \0\n", "f.yaml:3: this is no YAML: control characters are not allowed; "
     "correct the line, or the one before it"),
    (b"a: 1\nb: \xff\n", "f.yaml:2: this is no YAML: invalid leading UTF-8 octet; "
     "correct the line, or the one before it"),
]


@pytest.mark.parametrize("row", FILES_WITH_MISTAKES, ids=itertools.count())
def test_mistake_in_a_file(here, row):
    assert mistakes(here, row[0]) == list(row[1:])


def test_all_mistakes_in_the_order_of_lines(here):
    (here / "small").write_bytes(image(image_size=20 * MIB))
    lines = mistakes(here, """\
vms:
  - name: a
    kernel: nowhere
    memory: 17M
    initrd: missing
  - name: a
    kernel: small
    memory: 16M
    console: perhaps
  - name: c
    kernel: small
    memory: 16M
    colour: red
machine:
  harts: 0
""", ("pack", "f.yaml", "-o", "out.itb"))
    assert [line.split(":")[1] for line in lines] == ["3", "4", "5", "6", "9", "13", "15"]


def test_memory_must_hold_what_it_boots(here):
    (here / "big").write_bytes(bytes(10 * MIB))
    assert mistakes(here, ONE + "    memory: 16M\n    initrd: big\n") == [
        "f.yaml:5: big: the initrd (10 MiB) does not fit beside the kernel (5 MiB) into 'a' with "
        "16 MiB; give it at least 18M"]
    (here / "Image").write_bytes(image(image_size=15 * MIB))
    assert mistakes(here, ONE + "    memory: 16M\n") == [
        "f.yaml:3: Image: the kernel takes 17 MiB of memory and 'a' has 16 MiB; give it at least 18M"]


def test_file_that_cannot_be_read(here):
    for command in (["check", "nowhere"], ["pack", "nowhere", "-o", "out.itb"], ["run", "nowhere"]):
        result = duomo(here, *command)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr == "duomo: nowhere: No such file or directory; " \
            "give the path of a readable file\n"
    assert "not a file" in duomo(here, "check", ".").stderr


def test_file_or_options_not_both(here):
    (here / "f.yaml").write_text(ONE)
    result = duomo(here, "pack", "f.yaml", "--memory", "64M", "-o", "out.itb")
    assert result.returncode == 1
    assert result.stderr == "duomo: pack: both a file and --memory are given; " \
        "describe the machine in the file\n"


# Hostile files.

def bomb():
    """Nine levels of ten aliases each."""
    return "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join(10 * [f'*a{i - 1}'])}]\n"
                                     for i in range(1, 10))


@pytest.mark.parametrize("text", [
    bomb(),
    bomb() + "vms: *a9\n",
    "vms: &a [*a]\n",
    "&a {vms: [*a]}\n",
    "vms: " + 100000 * "[",
    "vms: " + 100000 * "{a: ",
    100000 * "- ",
    "vms:\n" + 40000 * "- 3\n",
    "vms: [" + 60000 * "&a ,",
    "vms: [" + "".join(f"&{i:x} a," for i in range(28000)) + "]",
    "vms: [&v {name: a, kernel: Image, harts: [" + 20000 * "0," + "]}" + 20000 * ",*v" + "]",
    "".join(f"a{i}: 1\n" for i in range(20000)),
    250000 * "a" + ": 1\n",
    "? " * 100000,
    "a: " + 250000 * "x",
    "a: \"" + 100000 * "\\0" + "\"",
    b"\xfe\xff" + 50000 * b"\0\n",
    3 << 20,
], ids=itertools.count())
def test_hostile_file(here, text):
    begun = time.monotonic()
    lines = mistakes(here, bytes(text) if isinstance(text, int) else text)
    assert time.monotonic() - begun < 10
    assert 1 <= len(lines) <= 101
    assert all(len(line) < 600 for line in lines)


def test_no_device_and_no_fifo(here):
    os.mkfifo(here / "fifo")
    assert "not a file" in duomo(here, "check", "fifo").stderr
    assert "not a file" in duomo(here, "check", "/dev/zero").stderr
    (here / "f.yaml").write_text(ONE.replace("Image", "fifo"))
    assert "fifo: not a file" in duomo(here, "check", "f.yaml").stderr


# Kernels that are no Linux Image.

def kernel(here, data, more="", memory="64M"):
    """The kernel's image in the bundle."""
    (here / "Image").write_bytes(data)
    return packed(here, ONE + f"    memory: {memory}\n{more}")["images"]["kernel-a"]


def test_raw_program(here):
    data = struct.pack("<II", 0x13, 0x6F) + bytes(9)
    node = kernel(here, data)
    assert node["data"] == data
    assert (node["load"], node["entry"], node["mem-size"]) == \
        (cells(0x80200000, 8), cells(0x80200000, 8), cells(len(data), 8))
    node = kernel(here, data, "    load: 0x80000000\n")
    assert node["load"] == node["entry"] == cells(RAM, 8)


def test_linux_image_has_no_place_of_its_own(here):
    assert not {"load", "entry", "mem-size"} & set(kernel(here, image()))


def test_elf_is_flattened(here):
    node = kernel(here, elf([(RAM + 0x1000, b"text", 4), (RAM + 0x3000, b"data!", 0x2000),
                             (RAM + 0x8000, b"", 0x1000)], entry=RAM + 0x1002))
    assert node["data"] == b"text" + bytes(0x1FFC) + b"data!"
    assert (node["load"], node["entry"], node["mem-size"]) == \
        (cells(RAM + 0x1000, 8), cells(RAM + 0x1002, 8), cells(0x8000, 8))


def test_elf_with_virtual_addresses(here):
    node = kernel(here, elf([(RAM + 0x200000, b"code", 4, {"virtual": 0xFFFFFFFF80000000})],
                            entry=0xFFFFFFFF80000002))
    assert (node["load"], node["entry"]) == (cells(RAM + 0x200000, 8), cells(RAM + 0x200002, 8))


GOOD = (RAM, b"code", 4)


@pytest.mark.parametrize("data, said", [
    (elf([GOOD], bits=1),                    "a 32-bit ELF file; give a kernel for riscv64"),
    (elf([GOOD], order=2),                   "a big-endian ELF file; give a kernel for riscv64"),
    (elf([GOOD], machine=62),                "an ELF file for x86-64; give a kernel for riscv64"),
    (elf([GOOD], kind=1),                    "an ELF file that is no program; link it first"),
    (elf([]),                                "an ELF file without a loadable segment; link it as a program"),
    (elf([GOOD])[:100],                      "its program headers are not in the file; build it again"),
    (elf([GOOD])[:63],                       "an ELF file that is cut short; give a whole one for riscv64"),
    (elf([GOOD])[:-1],                       "a segment is not in the file; was its download or build cut short?"),
    (elf([(RAM, b"code", 3)]),               "a segment has more bytes in the file than in memory; build it again"),
    (elf([(RAM, b"code", 4, {"offset": 2**64 - 2})]),
     "a segment is not in the file; was its download or build cut short?"),
    (elf([(RAM - 4, b"code", 4)]),           "a segment goes to physical address 0x7ffffffc, where a machine has no RAM; "
                                             "link it for 0x80000000 or above"),
    (elf([(RAM, b"code", 2**64 - 1)]),       "a segment goes to physical address 0x80000000, where a machine has no RAM; "
                                             "link it for 0x80000000 or above"),
    (elf([(2**64 - 2, b"code", 4)]),         "a segment goes to physical address 0xfffffffffffffffe, where a machine has no "
                                             "RAM; link it for 0x80000000 or above"),
    (elf([GOOD, (RAM + 3, b"more", 4)]),     "two segments overlap at physical address 0x80000003; link it so that each has "
                                             "its own place"),
    (elf([GOOD], entry=RAM + 4),             "its entry 0x80000004 is in none of its segments; link it again"),
    (elf([GOOD, (RAM + (1 << 30), b"x", 1)]), "its segments lie too far apart; link them next to each other"),
    (elf([(RAM + 8 * i, b"x", 1) for i in range(65)]), "more than 64 segments; link it with fewer"),
    (elf([(RAM, b"", 64)]),                  "no segment has bytes in the file; build it again"),
    (elf([(RAM, b"code", 1 << 30)]),         "the kernel takes 1 GiB of memory and 'a' has 256 MiB; give it at least 1024M"),
    (b"\177ELF",                             "an ELF file that is cut short; give a whole one for riscv64"),
    (b"#!/bin/sh\n",                         "a text, not a RISC-V kernel image; give the kernel's arch/riscv/boot/Image"),
], ids=itertools.count())
def test_kernel_refused(here, data, said):
    (here / "Image").write_bytes(data)
    assert mistakes(here, ONE) == ["f.yaml:3: Image: " + said]


# Help and completion come from the same rows.

FIELDS = ("name", "memory", "vcpus", "kernel", "load", "initrd", "cmdline", "engine", "weight", "cap", "watchdog",
          "harts", "console", "on-crash", "restart-at-most", "start", "shadow-pages", "machine",
          "vms", "when-all-off", "disk", "partition", "readonly", "requests", "bytes", "network",
          "mac", "isolated", "vlan", "rate", "virtio-console", "forward")


def test_help_explains_every_field(here):
    said = duomo(here, "help", "config").stdout
    for field in FIELDS:
        assert f"{field}:" in said
    assert "(1 to 1000; left out: 100)" in said and "(yes, no or keyboard; left out: yes)" in said


def complete(here, *words):
    """What bash offers for the last of the words."""
    script = duomo(here, "completion", "bash").stdout
    listed = " ".join(f"'{word}'" for word in ("duomo",) + words)
    script += f"\nCOMP_WORDS=({listed}); COMP_CWORD={len(words)}; _duomo; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", script], cwd=here, capture_output=True, text=True,
                          timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_completion(here):
    assert complete(here, "") == ["run", "pack", "check", "show", "disk", "monitor", "completion", "help"]
    assert complete(here, "pa") == ["pack"]
    assert complete(here, "pack", "--mem") == ["--memory"]
    assert "--qemu-option" in complete(here, "run", "--")
    assert "--kernel" in complete(here, "run", "--") and "--name" in complete(here, "pack", "-")
    assert complete(here, "check", "Im") == ["Image"]
    assert complete(here, "run", "--initrd", "in") == ["initrd"]
    assert complete(here, "run", "--engine", "") == ["auto", "direct", "classic"]
    assert complete(here, "run", "--memory", "I") == []
    assert complete(here, "help", "con") == ["config"] and complete(here, "help", "sh") == ["show"]
    assert complete(here, "completion", "") == ["bash"]
    assert complete(here, "disk", "cr") == ["create"]
    assert complete(here, "disk", "create", "--fo") == ["--force"]
    assert complete(here, "disk", "create", "x", "--table", "") == ["gpt", "mbr"]
    assert complete(here, "run", "--disk", "in") == ["initrd"]
