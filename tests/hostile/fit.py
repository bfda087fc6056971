# SPDX-License-Identifier: MIT
#
# A bundle with any number of virtual machines, for tests.
#
# In:     for each VM a name, its kernel's bytes, memory, command line, who starts it; which consoles are
#         shown.
# Out:    the bytes of a FIT image as `duomo pack` makes it (tool/bundle.c).
# Always: nothing is checked: that is the monitor's duty.  (Devicetree Specification 0.4, chapter 5.)

import struct
import zlib

BEGIN, END, PROP, FINISH = 1, 2, 3, 9
VERSION, COMPATIBLE_WITH, HEADER = 17, 16, 40


class Tree:
    """A flattened device tree in the making."""

    def __init__(self):
        self.blocks, self.names = b"", {}

    def begin(self, name):
        self.blocks += struct.pack(">I", BEGIN) + pad(name.encode() + b"\0")

    def end(self):
        self.blocks += struct.pack(">I", END)

    def put(self, name, value):
        if isinstance(value, str):
            value = value.encode() + b"\0"
        offset = self.names.setdefault(name, sum(len(n) + 1 for n in self.names))
        self.blocks += struct.pack(">III", PROP, len(value), offset) + pad(value)

    def bytes(self):
        structure = self.blocks + struct.pack(">I", FINISH)
        strings = b"".join(name.encode() + b"\0" for name in self.names)
        reserved = bytes(16)
        where = HEADER + len(reserved)
        return struct.pack(">10I", 0xd00dfeed, where + len(structure) + len(strings), where,
                           where + len(structure), HEADER, VERSION, COMPATIBLE_WITH, 0, len(strings),
                           len(structure)) + reserved + structure + strings


def pad(data):
    return data + bytes(-len(data) % 4)


class Vm:
    """One virtual machine of the bundle."""

    def __init__(self, name, kernel, cmdline="", mib=64, shadow_pages=None, start="boot", more=None):
        self.name, self.kernel, self.cmdline, self.start = name, kernel, cmdline, start
        self.memory, self.shadow_pages = mib << 20, shadow_pages
        self.more = more or {}                  # other properties: numbers, texts and bytes


def bundle(vms, console_show="all"):
    t = Tree()
    t.begin("")
    t.put("description", "Duomo bundle")
    t.put("#address-cells", struct.pack(">I", 1))
    t.begin("images")
    for vm in vms:
        t.begin(f"kernel-{vm.name}")
        t.put("type", "kernel")
        t.put("data", vm.kernel)
        t.begin("hash-1")
        t.put("algo", "crc32")
        t.put("value", struct.pack(">I", zlib.crc32(vm.kernel)))
        t.end()
        t.end()
    t.end()
    t.begin("vms")
    t.put("compatible", "duomo,vms-1")
    if console_show and len(vms) > 1:
        t.put("console-show", console_show)
    for vm in vms:
        t.begin(vm.name)
        t.put("memory", struct.pack(">Q", vm.memory))
        t.put("vcpus", struct.pack(">I", 1))
        t.put("kernel", f"kernel-{vm.name}")
        t.put("bootargs", vm.cmdline)
        t.put("start", vm.start)
        if vm.shadow_pages:
            t.put("shadow-pages", struct.pack(">I", vm.shadow_pages))
        for name, value in ({"engine": "auto"} | vm.more).items():
            t.put(name, struct.pack(">I", value) if isinstance(value, int) else value)
        t.end()
    t.end()
    t.end()
    return t.bytes()
