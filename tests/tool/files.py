# SPDX-License-Identifier: MIT
"""Files that the tool's tests give to `duomo`, and a way to start it.

In:     build/duomo, or the one that the environment variable DUOMO names.
Out:    kernels of each kind, as bytes; the tree in a bundle.
Always: made from the formats' specifications, not from the code under test.
"""

import os
import struct
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DUOMO = os.environ.get("DUOMO", str(TOP / "build" / "duomo"))
MIB = 1 << 20
RAM = 0x80000000


def duomo(here, *args, **how):
    return subprocess.run([DUOMO, *map(str, args)], cwd=here, capture_output=True, text=True,
                          timeout=60, check=False, **how)


def image(file_size=64 << 10, text_offset=2 * MIB, image_size=3 * MIB, flags=0):
    """A file with the header of a RISC-V Linux Image."""
    header = struct.pack("<IIQQQIIQ8s4sI", 0x5A4D, 0, text_offset, image_size, flags, 2, 0, 0,
                         b"RISCV\0\0\0", b"RSC\x05", 0)
    return header + bytes(i & 0xFF for i in range(file_size - len(header)))


def elf(segments, entry=RAM, machine=243, kind=2, bits=2, order=1):
    """An ELF file; a segment is (physical address, bytes, size in memory), perhaps with "virtual"
    and others that are to be wrong."""
    header = struct.pack("<16sHHIQQQIHHHHHH", bytes([127, 69, 76, 70, bits, order, 1]), kind, machine,
                         1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    headers, data, at = b"", b"", 64 + 56 * len(segments)
    for address, content, size, *more in segments:
        how = {"virtual": address, "offset": at + len(data), "file_size": len(content),
               **(more[0] if more else {})}
        headers += struct.pack("<IIQQQQQQ", 1, 7, how["offset"], how["virtual"], address,
                               how["file_size"], size, 4096)
        data += content
    return header + headers + data


def tree(blob):
    """A reader of flattened device trees, independent of the one under test."""
    magic, total, struct_at, strings_at = struct.unpack_from(">IIII", blob)
    assert magic == 0xD00DFEED and total == len(blob)
    root, path, pos = {}, [], struct_at
    while True:
        token, = struct.unpack_from(">I", blob, pos)
        pos += 4
        if token == 1:                                      # a node begins
            end = blob.index(b"\0", pos)
            node = {}
            (path[-1] if path else root)[blob[pos:end].decode()] = node
            path.append(node)
            pos = (end + 4) & ~3
        elif token == 2:                                    # a node ends
            path.pop()
        elif token == 3:                                    # a property
            length, name = struct.unpack_from(">II", blob, pos)
            name_at = strings_at + name
            key = blob[name_at:blob.index(b"\0", name_at)].decode()
            path[-1][key] = blob[pos + 8:pos + 8 + length]
            pos = (pos + 8 + length + 3) & ~3
        elif token == 9:
            return root[""]
