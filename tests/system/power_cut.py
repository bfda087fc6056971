# SPDX-License-Identifier: MIT
#
# A disk with a volatile cache, and what is left of it when the power goes.
#
# In:     the log of QEMU's blklogwrites driver (block/blklogwrites.c; its format is that of Linux's
#         dm-log-writes, drivers/md/dm-log-writes.c): every write and every flush that reached the disk, in
#         the order of their completion.
# Out:    the disk's content after a power cut at any moment of it: what was written before the last flush
#         is there; of what was written since, any part may be.
# Always: nothing is believed of the log's own count of its entries, which a killed QEMU leaves behind.

import random
import struct
from pathlib import Path

SECTOR = 512
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4


class Write:
    """One entry: a write, a discard (data is None), or a flush (no sectors)."""

    def __init__(self, sector, sectors, flags, data):
        self.sector, self.sectors, self.flags, self.data = sector, sectors, flags, data


def log_read(path):
    """The entries, up to the first that is not whole."""
    log = Path(path).read_bytes()
    magic, version, _, sector_size = struct.unpack_from("<QQQI", log)
    assert (magic, version, sector_size) == (MAGIC, 1, SECTOR), "no log of writes"
    at, entries = SECTOR, []
    while at + SECTOR <= len(log):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", log, at)
        at += SECTOR
        size = 0 if flags & (FLUSH | DISCARD) and not sectors or flags & DISCARD else sectors * SECTOR
        if not (sectors or flags) or at + size > len(log):
            break
        entries.append(Write(sector, sectors, flags, log[at:at + size] if not flags & DISCARD else None))
        at += size
    return entries


def write_apply(image, entry):
    data = bytes(entry.sectors * SECTOR) if entry.data is None else entry.data
    image.seek(entry.sector * SECTOR)
    image.write(data)


def flushed(entries, moment):
    """How many of the entries before that moment are made durable by a flush among them."""
    return max((n + 1 for n, entry in enumerate(entries[:moment]) if entry.flags & FLUSH), default=0)


def cut(image_path, entries, moment, seed):
    """Makes the image, which is as before the first entry, what a cut at that moment leaves of it."""
    chance = random.Random(seed)
    durable = flushed(entries, moment)
    with open(image_path, "r+b") as image:
        for n, entry in enumerate(entries[:moment]):
            if entry.sectors and (n < durable or entry.flags & FUA or chance.random() < 0.5):
                write_apply(image, entry)
