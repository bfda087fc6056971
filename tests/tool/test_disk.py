# SPDX-License-Identifier: MIT
#
# The command `duomo disk`, and what a configuration's disk must be like, from outside.
#
# In:     build/duomo, or the one that the environment variable DUOMO names; sfdisk and sgdisk, which
#         judge what it makes.
# Out:    what a user sees: an image of a disk, a table, or one line that says what is wrong.
# Always: a mistake leaves no image behind, and an old one as it was.

import itertools
import json
import os
import struct
import subprocess
import zlib

import pytest

from files import MIB, duomo, image

KERNEL = "kernel: Image"


@pytest.fixture
def here(tmp_path):
    (tmp_path / "Image").write_bytes(image())
    (tmp_path / "root").write_bytes(os.urandom(3 * MIB - 5))
    return tmp_path


def create(here, *args, name="disk"):
    result = duomo(here, "disk", "create", name, *args)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return (here / name).read_bytes()


def refusal(here, *args):
    """The one line of a command that is refused; no file is left of it."""
    before = {path: path.read_bytes() for path in here.iterdir()}
    result = duomo(here, *args)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("duomo: ") and result.stderr.count("\n") == 1
    assert "; " in result.stderr
    assert {path: path.read_bytes() for path in here.iterdir()} == before
    return result.stderr


def sfdisk(here, name="disk"):
    done = subprocess.run(["/usr/sbin/sfdisk", "--json", name], cwd=here, capture_output=True,
                          check=True)
    return json.loads(done.stdout)["partitiontable"]


def sgdisk_verifies(here, name="disk"):
    done = subprocess.run(["/usr/sbin/sgdisk", "--verify", name], cwd=here, capture_output=True,
                          text=True, check=True)
    return "No problems found" in done.stdout and "roblem:" not in done.stdout


# What is made.

def test_partitions_are_those_asked_for(here):
    data = create(here, "--partition", "debian:5M", "--partition", "u-boot.1:1536K",
                  "--partition", "last::root")
    table = sfdisk(here)
    assert table["label"] == "gpt" and table["sectorsize"] == 512
    assert [(p["name"], p["start"], p["size"]) for p in table["partitions"]] == [
        ("debian", 2048, 5 * 2048), ("u-boot.1", 6 * 2048, 2 * 2048), ("last", 8 * 2048, 3 * 2048)]
    assert {p["type"] for p in table["partitions"]} == {"0FC63DAF-8483-4772-8E79-3D69D8477DE4"}
    assert len({p["uuid"] for p in table["partitions"]} | {table["id"]}) == 4
    assert len(data) == 12 * MIB and sgdisk_verifies(here)
    root = (here / "root").read_bytes()
    assert data[8 * MIB:11 * MIB] == root + bytes(5)
    assert not any(data[MIB:8 * MIB])


def test_both_headers_by_the_specification(here):
    """UEFI 2.10, tables 5.5 and 5.6, read here once more."""
    data = create(here, "--partition", "a:1M", "--size", "64M")
    last = len(data) // 512 - 1
    assert len(data) == 64 * MIB
    for at, other in ((1, last), (last, 1)):
        header = data[512 * at:512 * at + 92]
        fields = struct.unpack("<8sIIIIQQQQ16sQIII", header)
        assert fields[:3] == (b"EFI PART", 0x10000, 92)
        assert zlib.crc32(header[:16] + bytes(4) + header[20:]) == fields[3]
        assert fields[5:9] == (at, other, 34, last - 33)
        assert fields[11:13] == (128, 128)
        entries = data[512 * fields[10]:][:128 * 128]
        assert zlib.crc32(entries) == fields[13]
    assert data[510:512] == b"\x55\xaa" and data[446 + 4] == 0xEE


def test_ids_are_new_each_time(here):
    create(here, "--partition", "a:1M")
    create(here, "--partition", "a:1M", name="disk2")
    assert sfdisk(here)["id"] != sfdisk(here, "disk2")["id"]


def test_sectors_of_4096(here):
    data = create(here, "--partition", "a:3M", "--partition", "b::root", "--sector-size", "4096")
    assert data[4096:4104] == b"EFI PART" and data[-4096:-4088] == b"EFI PART"
    shown = duomo(here, "disk", "show", "disk").stdout
    assert "sectors of 4096 bytes" in shown
    assert [line.split()[:4] for line in shown.splitlines()[2:4]] == [
        ["1", "a", "256", "768"], ["2", "b", "1024", "768"]]
    done = subprocess.run(["/usr/sbin/fdisk", "-b", "4096", "-l", "disk"], cwd=here, text=True,
                          capture_output=True, check=True)
    assert "Disklabel type: gpt" in done.stdout and "1024" in done.stdout
    assert data[4 * MIB:7 * MIB - 5] == (here / "root").read_bytes()


def test_mbr(here):
    create(here, "--table", "mbr", "--partition", "a:1M", "--partition", "b::root")
    table = sfdisk(here)
    assert table["label"] == "dos" and table["id"] != "0x00000000"
    assert [(p["start"], p["size"], p["type"]) for p in table["partitions"]] == [
        (2048, 2048, "83"), (4096, 6144, "83")]
    shown = duomo(here, "disk", "show", "disk")
    assert shown.returncode == 0 and table["id"][2:] + "-02" in shown.stdout


def test_holes_stay_holes(here):
    with open(here / "sparse", "wb") as file:
        file.truncate(2 << 30)
        file.seek(1 << 30)
        file.write(b"in the middle")
        file.seek(1 << 20)
        file.write(bytes(1 << 20))
    assert duomo(here, "disk", "create", "disk", "--partition", "a:4G:sparse").returncode == 0
    assert (here / "disk").stat().st_blocks * 512 < MIB
    with open(here / "disk", "rb") as file:
        file.seek(MIB + (1 << 30))
        assert file.read(20) == b"in the middle" + bytes(7)


def test_an_old_image_is_replaced_only_by_force(here):
    create(here, "--partition", "a:1M")
    assert "it is there already; " in refusal(here, "disk", "create", "disk", "--partition", "b:1M")
    create(here, "--partition", "b:1M", "--force")
    assert sfdisk(here)["partitions"][0]["name"] == "b"


def test_most_partitions(here):
    rows = [word for i in range(64) for word in ("--partition", f"p{i}:1M")]
    create(here, *rows)
    assert [p["name"] for p in sfdisk(here)["partitions"]] == [f"p{i}" for i in range(64)]
    assert sgdisk_verifies(here)


@pytest.mark.parametrize("args, said", [
    ([], "disk: no partition is named; "),
    (["--partition", "a"], "--partition: 'a' has no size; "),
    (["--partition", "a:"], "--partition: 'a:' has no size; "),
    (["--partition", "a:0"], "--partition: 'a:0' has no size; "),
    (["--partition", "a:1x"], "--partition: 'a:1x' has no size; "),
    (["--partition", "a:9999T"], "--partition: 'a:9999T' is larger than any disk; "),
    (["--partition", ":1M"], "--partition: ':1M': a label of 0 characters; "),
    (["--partition", "#1:1M"], "--partition: a label in '#1:1M' has other characters; "),
    (["--partition", "x" * 37 + ":1M"], "--partition: '" + "x" * 37 + ":1M': a label of 37 characters; "),
    (["--partition", "a:1M", "--partition", "a:2M"], "--partition: two are called 'a'; "),
    (["--partition", "a:2M:root"], "root: it has 3.0 MiB, and partition 'a' has 2 MiB; "),
    (["--partition", "a:2M:nowhere"], "nowhere: No such file or directory; "),
    (["--partition", "a:2M:."], ".: not a file; "),
    (["--partition", "a:8M", "--size", "9M"], "--size: the partitions and their tables need 10 MiB; "),
    (["--partition", "a:1M", "--size", "1M"], "--size: 1M is out of range; 2M to 1024T would be right"),
    (["--partition", "a:1M", "--sector-size", "1024"], "--sector-size: 1024 is none; "),
    (["--partition", "a:1M", "--table", "mbr", "--sector-size", "4096"], "--table: an MBR does not say "),
    (["--partition", "a:3T", "--table", "mbr"], "--table: an MBR reaches 2 TiB far; "),
    (5 * ["--partition", "a:1M"] + ["--table", "mbr"], "--table: an MBR has room for 4 partitions; "),
    (["--partition", "a:1M", "--table", "bsd"], "--table: there is no table 'bsd'; "),
    (["--partition", "a::root", "--force", "more"], "disk: one word too many: 'more'; "),
], ids=itertools.count())
def test_create_refuses(here, args, said):
    assert refusal(here, "disk", "create", "disk", *args).startswith("duomo: " + said)


def test_an_image_cannot_go_into_itself(here):
    assert "an image that goes into it" in refusal(here, "disk", "create", "root", "--force",
                                                   "--partition", "a::root")
    assert "neither create nor show" in refusal(here, "disk", "make")
    assert "no image is named" in refusal(here, "disk", "create", "--partition", "a:1M")


# What is shown.

def test_show(here):
    create(here, "--partition", "a:1M", "--partition", "b:2M")
    result = duomo(here, "disk", "show", "disk")
    table = sfdisk(here)
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and result.stderr == ""
    assert lines[0] == f"GPT, 5 MiB, sectors of 512 bytes, id {table['id'].lower()}"
    assert [line.split() for line in lines[2:4]] == [
        ["1", "a", "2048", "2048", "1", "MiB", table["partitions"][0]["uuid"].lower()],
        ["2", "b", "4096", "4096", "2", "MiB", table["partitions"][1]["uuid"].lower()]]
    assert lines[4:] == ["primary header: whole", "backup header: whole"]


@pytest.mark.parametrize("at, name", [(512, "primary"), (610, None), (1024, "primary"), (-512, "backup"),
                                      (-300, None), (-33 * 512, "backup")], ids=itertools.count())
def test_show_says_what_is_damaged(here, at, name):
    data = bytearray(create(here, "--partition", "a:1M"))
    data[at] ^= 1
    (here / "disk").write_bytes(data)
    result = duomo(here, "disk", "show", "disk")
    if name is None:                        # behind the header: nothing is there
        assert result.returncode == 0
        return
    other = {"primary": "backup", "backup": "primary"}[name]
    assert result.returncode == 1 and "one copy of the table is damaged; " in result.stderr
    assert f"{name} header: damaged: " in result.stdout and f"{other} header: whole" in result.stdout
    assert " a " in result.stdout


def test_show_what_others_made(here):
    (here / "disk").write_bytes(bytes(16 * MIB))
    subprocess.run(["/usr/sbin/sgdisk", "-n", "3:4096:8191", "-c", "3:drei", "-n", "1:8192:+1M", "-c",
                    "1:\u00fcber", "disk"], cwd=here, check=True, capture_output=True)
    lines = duomo(here, "disk", "show", "disk").stdout.splitlines()
    assert [line.split()[:4] for line in lines[2:4]] == [["1", "?ber", "8192", "2048"],
                                                         ["3", "drei", "4096", "4096"]]


@pytest.mark.parametrize("data", [b"", bytes(511), bytes(512), bytes(MIB), b"\xff" * MIB,
                                  bytes(510) + b"\x55\xaa" + bytes(512)], ids=itertools.count())
def test_show_what_is_no_disk(here, data):
    (here / "disk").write_bytes(data)
    result = duomo(here, "disk", "show", "disk")
    assert result.returncode == 1 and "no partition table that is whole; " in result.stderr


def test_show_partitions_that_overlap(here):
    data = bytearray(create(here, "--table", "mbr", "--partition", "a:1M", "--partition", "b:1M"))
    data[446 + 16 + 8:446 + 16 + 12] = struct.pack("<I", 4095)
    (here / "disk").write_bytes(data)
    assert "partition 2 overlaps another " in duomo(here, "disk", "show", "disk").stderr
    data[446 + 16 + 8:446 + 16 + 12] = struct.pack("<I", 0xFFFFFFFF)
    (here / "disk").write_bytes(data)
    assert "partition 2 overlaps another or does not lie on the disk" in \
        duomo(here, "disk", "show", "disk").stderr


# What a configuration says of it.

def check(here, text):
    (here / "f.yaml").write_text(text)
    result = duomo(here, "check", "f.yaml")
    return result.stderr.splitlines() if result.returncode else result.stdout


def vms(*disks, disk="disk"):
    """Line 2 has the first machine."""
    names = iter("abcdef")
    return f"machine: {{disk: {disk}}}\n" + "vms:\n" + "".join(
        f"  - {{name: {next(names)}, {KERNEL}, disk: {value}}}\n" for value in disks)


def test_partitions_that_are_there(here):
    create(here, "--partition", "one:1M", "--partition", "two:1M")
    uuid = sfdisk(here)["partitions"][0]["uuid"]
    for disks in (["one", "two"], ["'#1'", "'#2'"], [uuid, "two"], [uuid.lower(), "'#2'"],
                  ["{partition: one, readonly: yes}", "{partition: one, readonly: yes}", "two"],
                  ["{partition: one, readonly: yes}", "{partition: '#1', readonly: yes}"]):
        assert "no mistakes" in check(here, vms(*disks))


@pytest.mark.parametrize("disks, said", [
    (["three"], ["f.yaml:3: disk: the disk has no partition 'three'; it has one, two"]),
    (["'#3'", "'#2'"], ["f.yaml:3: disk: the disk has no partition '#3'; it has one, two"]),
    (["one", "one"], ["f.yaml:4: disk: the machine of line 3 has partition 'one', too; give each its own, "
                      "or say 'readonly: yes' of both"]),
    (["one", "{partition: one, readonly: yes}"],
     ["f.yaml:4: disk: the machine of line 3 has partition 'one', too; give each its own, or say 'readonly: yes' of both"]),
    (["one", "'#1'"], ["f.yaml:4: disk: '#1' is the partition that the machine of line 3 has; give each its own, "
                       "or say 'readonly: yes' of both"]),
    (["{readonly: yes}"], ["f.yaml:3: disk: the map does not say which; 'partition: NAME' would be right"]),
    (["{partition: one, requests: 0}"], ["f.yaml:3: requests: 0 is out of range; 1 to 1000000 would be right"]),
    (["{partition: one, bytes: 1K}"], ["f.yaml:3: bytes: 1K is out of range; 64K to 1T a second would be right"]),
    (["{partition: one, readonly: perhaps}"],
     ["f.yaml:3: readonly: there is no readonly 'perhaps'; yes or no would be right"]),
    (["'#'"], ["f.yaml:3: disk: '#' is no number of a partition; '#1' would be right"]),
    (["x" * 37], ["f.yaml:3: disk: a partition's label of 37 characters; 1 to 36 would be right"]),
], ids=itertools.count())
def test_mistakes_about_partitions(here, disks, said):
    create(here, "--partition", "one:1M", "--partition", "two:1M")
    assert check(here, vms(*disks)) == said


@pytest.mark.parametrize("disk, said", [
    ("nowhere", "nowhere: No such file or directory; give an image of a disk, which 'duomo disk create' makes"),
    (".", ".: not a file; give an image of a disk, a regular file"),
    ("/dev/null", "/dev/null: not a file; give an image of a disk, a regular file"),
    ("root", "root: it has no partition table; make an image with 'duomo disk create'"),
])
def test_mistakes_about_the_disk(here, disk, said):
    assert check(here, vms("one", disk=disk)) == ["f.yaml:1: " + said]


def test_a_bundle_for_another_board_needs_no_disk_here(here):
    text = vms("one").partition("\n")[2]
    assert "no mistakes" in check(here, text)
    assert check(here, text + text.partition("\n")[2].replace("a,", "b,")) == [
        "f.yaml:3: disk: the machine of line 2 has partition 'one', too; give each its own, "
        "or say 'readonly: yes' of both"]
