# SPDX-License-Identifier: MIT
#
# The machine's disks, as the monitor finds them: modern and legacy devices, tables whole and damaged.
#
# In:     build/duomo.elf, a small guest, images of disks that a test makes with `duomo disk create`.
# Out:    what the monitor says of each disk, and that the guest ran.
# Always: a disk that cannot be used keeps nobody from starting, and no line is without its remedy.

import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QEMU = ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,h=false", "-m", "256M", "-nographic", "-no-reboot",
        "-bios", str(ROOT / "build/duomo.elf")]
SECONDS = 60


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "figura.itb"
    subprocess.run([ROOT / "build/duomo", "pack", "--kernel", ROOT / "build/figura.elf", "--memory", "16M",
                    "--cmdline", "run=hello;off", "-o", path], check=True)
    return path


@pytest.fixture
def image(tmp_path):
    def make(*options):
        path = tmp_path / "disk.img"
        subprocess.run([ROOT / "build/duomo", "disk", "create", path, "--partition", "alpha:8M",
                        "--partition", "beta:4M", *options], check=True, capture_output=True)
        return path
    return make


def boot(bundle, *options):
    """What the monitor says of its virtio devices."""
    done = subprocess.run([*QEMU, "-kernel", str(bundle), *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "hello from process" in done.stdout
    return [line.removeprefix("duomo: ") for line in done.stdout.splitlines() if "virtio_mmio" in line]


def of_guests(shown):
    """What is not the monitor's, whose lines may come within one of a guest's: there may be fewer line ends."""
    return re.sub(r"\n?duomo: [^\n]*\n", "", shown)


def disk(path, number=0, device=""):
    return ["-drive", f"if=none,id=d{number},file={path},format=raw", "-device",
            f"virtio-blk-device,drive=d{number}{device}"]


def legacy(yes):
    return ["-global", f"virtio-mmio.force-legacy={'true' if yes else 'false'}"]


SAYS = "virtio_mmio@10008000: "


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("sector", [512, 4096])
def test_gpt(bundle, image, old, sector):
    path = image("--sector-size", str(sector))
    blocks = f",logical_block_size={sector},physical_block_size={sector}"
    lines = boot(bundle, *legacy(old), *disk(path, device=blocks))
    assert lines[0] == "  disk (virtio)                virtio_mmio@10008000"
    size = path.stat().st_size >> 20
    assert lines[1:] == [f"{SAYS}{size} MiB in sectors of {sector} bytes, table GPT, 2 partitions"]


@pytest.mark.parametrize("old", [True, False])
def test_mbr_read_only(bundle, image, old):
    path = image("--table", "mbr")
    lines = boot(bundle, *legacy(old), "-drive", f"if=none,id=d,file={path},format=raw,readonly=on",
                 "-device", "virtio-blk-device,drive=d")
    assert re.fullmatch(SAYS + r"\d+ MiB in sectors of 512 bytes, table MBR, 2 partitions, read-only", lines[1])


def damage(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_damaged_gpt(bundle, image):
    path = image()
    damage(path, 512 + 72, b"\xff")
    lines = boot(bundle, *disk(path))
    assert "table GPT (backup), 2 partitions" in lines[1]
    assert lines[2] == SAYS + "its GPT is damaged: its checksum is wrong; its copy at the end is used; mend it (sgdisk)"


def test_both_damaged(bundle, image):
    path = image()
    damage(path, 512, b"\0" * 512)
    damage(path, path.stat().st_size - 512, b"\0" * 512)
    lines = boot(bundle, *disk(path))
    assert "table none, 0 partitions" in lines[1] and "make it anew" in lines[2]


def test_partition_that_is_not_on_the_disk(bundle, image):
    path = image()
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 1024 + 128 + 40, len(content))
    n, size = struct.unpack_from("<II", content, 512 + 80)
    struct.pack_into("<I", content, 512 + 88, zlib.crc32(content[1024:1024 + n * size]))
    struct.pack_into("<I", content, 512 + 16, 0)
    struct.pack_into("<I", content, 512 + 16, zlib.crc32(content[512:512 + 92]))
    path.write_bytes(content)
    lines = boot(bundle, *disk(path))
    assert lines[2] == SAYS + "partition 2 (beta) is not wholly on the disk; it is not used"


def test_disks_and_entropy_in_all_slots(bundle, image, tmp_path):
    """The board has eight slots."""
    devices = disk(image())
    for n in range(1, 7):
        empty = tmp_path / f"empty{n}.img"
        empty.write_bytes(b"\0" * 65536)
        devices += disk(empty, n)
    lines = boot(bundle, *legacy(False), *devices, "-device", "virtio-rng-device")
    assert sum("disk (virtio)" in line for line in lines) == 7
    assert sum("entropy (virtio)" in line for line in lines) == 1
    assert sum("table none, 0 partitions" in line for line in lines) == 6


def test_device_that_cannot_be_driven(bundle, image):
    lines = boot(bundle, *legacy(False), *disk(image(), device=",iommu_platform=on"))
    assert lines[1].startswith(SAYS) and "iommu_platform=on" in lines[1] and len(lines) == 2


def test_disk_that_fails(bundle, image, tmp_path):
    """Reads of its first sector are errors (QEMU's blkdebug)."""
    rules = tmp_path / "rules"
    rules.write_text('[inject-error]\nevent = "read_aio"\nsector = "0"\nerrno = "5"\n')
    lines = boot(bundle, "-drive", f"if=none,id=d,file=blkdebug:{rules}:{image()},format=raw,rerror=report",
                 "-device", "virtio-blk-device,drive=d")
    assert lines[2] == SAYS + "it cannot be read; it is not used"


@pytest.mark.parametrize("failing, shown", [("alpha", "disk: block 0 cannot be read"), ("beta", "block 0: ")])
def test_errors_of_a_read_reach_who_asked(image, tmp_path, failing, shown):
    """A machine each on alpha, which is shown, and on beta; the first block of one cannot be read."""
    path, rules, bundle, config = image(), tmp_path / "rules", tmp_path / "two.itb", tmp_path / "two.yaml"
    config.write_text("vms:\n" + "".join(
        f"  - {{name: on-{part}, kernel: {ROOT / 'build/figura.elf'}, memory: 16M, disk: {part},\n"
        "     cmdline: 'run=disk read 0;disk read 1;off'}\n" for part in ("alpha", "beta")))
    subprocess.run([ROOT / "build/duomo", "pack", config, "-o", bundle], check=True)
    sector = {"alpha": 2048, "beta": 2048 + (8 << 11)}[failing]
    rules.write_text(f'[inject-error]\nevent = "read_aio"\nsector = "{sector}"\nerrno = "5"\n')
    done = subprocess.run([*QEMU, "-kernel", bundle, "-drive",
                           f"if=none,id=d,file=blkdebug:{rules}:{path},format=raw,rerror=report", "-device",
                           "virtio-blk-device,drive=d"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    answers = re.findall(r"disk: block \d cannot be read|block \d: ", of_guests(done.stdout))
    assert answers == [shown, "block 1: "], done.stdout
    assert all(f"on-{part}: its guest powered off" in done.stdout for part in ("alpha", "beta"))


@pytest.mark.parametrize("errno", [28, 5])
def test_errors_of_a_write_reach_who_asked(image, tmp_path, errno):
    """The first block of alpha cannot be written, once because this computer's disk is full (ENOSPC).  The
    options are those of `duomo run`: without werror QEMU would pause the machine."""
    path, rules, bundle, config = image(), tmp_path / "rules", tmp_path / "two.itb", tmp_path / "two.yaml"
    config.write_text("vms:\n" + "".join(
        f"  - {{name: on-{part}, kernel: {ROOT / 'build/figura.elf'}, memory: 16M, disk: {part},\n"
        "     cmdline: 'run=disk write 0 first;disk write 1 second;disk read 1;off'}\n" for part in ("alpha", "beta")))
    subprocess.run([ROOT / "build/duomo", "pack", config, "-o", bundle], check=True)
    rules.write_text(f'[inject-error]\nevent = "write_aio"\nsector = "2048"\nerrno = "{errno}"\n')
    done = subprocess.run([*QEMU, "-kernel", bundle, "-drive",
                           f"if=none,id=d,file=blkdebug:{rules}:{path},format=raw,rerror=report,werror=report",
                           "-device", "virtio-blk-device,drive=d"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert of_guests(done.stdout).count("block 0 cannot be written") == 1, done.stdout
    assert all(f"on-{part}: its guest powered off" in done.stdout for part in ("alpha", "beta"))
    content = path.read_bytes()
    assert content[2048 * 512:][:5] == bytes(5)
    assert content[(2048 + (8 << 11)) * 512:][:5] == b"first"
    assert all(content[at * 512 + 512:][:6] == b"second" for at in (2048, 2048 + (8 << 11)))
