#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The monitor contains no floating-point and no vector instruction, but for the functions that keep
a guest's registers for it, and those only load and store.

In:     an ELF file (build/duomo.elf).
Out:    a line for each instruction that uses, or might use, the registers that belong to guests.
Always: every executable section is read whole, and what the disassembler does not know counts as
        an offence.  Before it believes itself the check must find such instructions in an object
        that has them.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = os.environ.get("BINUTILS", "riscv64-linux-gnu-")

# With -M no-aliases: all of F, D, Q, Zfh and Zfa begin with f, compressed ones with c.f, all of V
# with v.  Those of the base that do so too are the fences.
OFFENCE = re.compile(r"(?:c\.)?f(?!ence)\w|v\w")
UNKNOWN = re.compile(r"\.(?:\d?byte|half|short|word|long|quad|insn)|unimp|unknown|0x")
# CSRs of F and V: to read or write them needs, or changes, mstatus.FS and VS.
STATE = re.compile(r"\b(?:fflags|frm|fcsr|vstart|vxsat|vxrm|vcsr|vl|vtype|vlenb)\b")

# What each in src/arch/riscv may do beside ordinary instructions: ext_regs.S, and the probe in hart.c.
KEEPERS = {
    "fp_save": re.compile(r"(?:c\.)?fsd|csrrs .*fcsr"),
    "fp_load": re.compile(r"(?:c\.)?fld|csrrw .*fcsr"),
    "vector_save": re.compile(r"vs8r\.v|csrrs .*(?:vstart|vcsr|vl|vtype)|csrrw zero,vstart,(?:zero|t2)"),
    "vector_load": re.compile(r"vl8re8\.v|vl8r\.v|vsetvl |csrrw zero,(?:vstart|vcsr)"),
    "vector_bytes": re.compile(r"csrrs .*vlenb"),
    "has_finx": re.compile(r"csrrs .*fcsr"),
}

SELF_TEST = """
        fadd.d  fa0, fa1, fa2
        fld     fa0, 0(sp)
        fcvt.d.w fa0, a0
        fmv.x.d a0, fa0
        frcsr   a0
        vsetvli a0, a1, e8, m1
        vadd.vv v1, v2, v3
        vle8.v  v1, (a0)
        csrr    a0, vlenb
        .word   0xffffffff
"""
SELF_TEST_OFFENCES = 10


def run(*command, text=None):
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[-1]}:1: {command[0]} failed ({done.stderr.strip()}); run make")
    return done.stdout


def offences(path):
    """(where, what) for each, and how many instructions were looked at."""
    found, count, function = [], 0, "?"
    for line in run(PREFIX + "objdump", "-d", "-M", "no-aliases", path).splitlines():
        label = re.fullmatch(r"[0-9a-f]+ <(.*)>:", line)
        function = label[1] if label else function
        columns = line.split("\t")
        if len(columns) < 3:
            continue
        count += 1
        mnemonic, operands = columns[2].strip(), " ".join(columns[3:])
        csr = mnemonic.startswith("csr") and STATE.search(operands.partition("#")[0])
        if function in KEEPERS and KEEPERS[function].match(f"{mnemonic} {operands}"):
            continue
        if OFFENCE.match(mnemonic) or UNKNOWN.match(mnemonic) or csr:
            found.append((f"{columns[0].strip(' :')} in {function}()", f"{mnemonic} {operands}"))
    return found, count


def self_test(option):
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder) / "test.o"
        run(PREFIX + "as", "-march=rv64gcv", option, "-o", test, "-", text=SELF_TEST)
        found, _ = offences(test)
    if len(found) != SELF_TEST_OFFENCES:
        sys.exit(f"tools/check-no-fp.py:1: finds {len(found)} of {SELF_TEST_OFFENCES} offences in"
                 f" its own test with {option}; repair it for this {PREFIX}objdump")


def main():
    path = Path(sys.argv[1])
    self_test("-march-attr")
    self_test("-mno-arch-attr")         # as the monitor is linked: the disassembler has to guess
    found, count = offences(path)
    for where, what in found:
        print(f"{path}:1: {where}: {what}: not the monitor's to use; find out where it comes from")
    if count < 1000:
        sys.exit(f"{path}:1: only {count} instructions; give the monitor")
    if "soft-float ABI" not in run(PREFIX + "readelf", "-h", path):
        print(f"{path}:1: not for the soft-float ABI; build with -mabi=lp64")
        return 1
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
