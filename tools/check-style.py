#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house rules that a machine can check (CONTRIBUTING.md says why they are).

In:     the project's sources.
Out:    a line for each place that breaks a rule: `file:line: what; remedy`.
Always: comments and strings are blanked before code is looked at, so prose may name anything.
"""

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]

# What the rules below concern.
MONITOR = ["src"]                               # the trusted base
PROGRAMS = ["src", "tool", "guests"]                # what is compiled to be used
EVERYTHING = ["src", "tool", "tools", "tests", "bench", "guests", "fuzz", ".ci"]
C_NAMES = {".c", ".h"}
SOURCE_NAMES = C_NAMES | {".S", ".def", ".ld", ".py", ".sh", ".mk"}

# Lines of code: neither blank nor only a comment.
MONITOR_LINES_MAX = 18000
CODE_LINE = re.compile(r"\s*(?!//|# |#$|/\*|\*)\S")
FILE_LINES_MAX = 499
FUNCTION_LINES_MAX, FUNCTION_LINES_P95, FUNCTION_LINES_MEDIAN = 60, 45, 12
NESTING_MAX = 3
COLUMNS_MAX = 100

# Who may look inside an address (`.a`).  All others pass it on, so that no guest's number becomes
# a host's by mistake.
ADDRESS_OPENERS = {
    "src/lib/types.h",          # defines them
    "src/lib/seg.c",            # reads and writes checked pieces of memory
    "src/isa/walk.c",           # takes a virtual address apart, as the hart does
    "src/isa/walk.h",
    "src/arch/riscv/hart.c",    # hands it to an instruction
    "src/arch/host/hart.c",
    "src/vm/memo.c",            # keeps where an instruction stands, as a hart's TLB does
    "src/dev/vring.c",          # writes it into a device's ring
    "src/vm/gmem.c",            # the one door to guest memory
    "src/vm/gmem.h",
    "src/lib/bits.h",           # makes one of two halves
    "src/vdev/virtq.c",         # finds a queue's parts in it
    "src/vm/shadow.c",          # makes entries of the tables that the hart walks
    "src/vm/mmio.c",            # makes two of an access across a page's end
    "src/vm/bus.c",             # finds the device that owns it
    "src/mon/cmd_mem.c",        # shows it to people
    "src/mon/build.c",          # lays out a machine's memory
    "src/mon/life.c",           # fills it
    "src/mon/guest_dt.c",       # writes it into a device tree
}
PC_WRITERS = {"src/vm/run.c", "src/vm/inject.c"}      # and trap.S, on the hot path


def files(folders, names):
    found = (path for folder in folders for path in (TOP / folder).rglob("*"))
    return sorted(path for path in found if path.suffix in names and path.is_file())


def name_of(path):
    return str(path.relative_to(TOP))


def code_of(text):
    """The text with comments and strings blanked; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text,
                  flags=re.S)


class Rules:
    def __init__(self):
        self.broken = 0

    def wrong(self, path, line, what):
        print(f"{name_of(path)}:{line}: {what}")
        self.broken += 1

    def each_match(self, path, text, pattern, what):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line):
                self.wrong(path, number, what)

    # Every source.

    def header(self, path, lines):
        lines = [line for line in lines if line not in ("#", "//")]
        first = 1 if lines and lines[0].startswith("#!") else 0
        if "SPDX-License-Identifier: MIT" not in "".join(lines[first:first + 1]):
            self.wrong(path, first + 1, "no licence line; begin with SPDX-License-Identifier: MIT")
        elif not re.match(r"(?://|#|/\*| \*|\"\"\") ?[\w`]", "".join(lines[first + 1:first + 2])):
            self.wrong(path, first + 2, "no paragraph that says what the file is for; write one")

    def words(self, path, text):
        self.each_match(path, text, r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b",
                        "a thing undone; do it, or file an issue with a test that shows it")

    def dead_code(self, path, text):
        statement = r"(?:if|for|while|switch) \(|return\b.*;$|#(?:if|define|include)|\w+\(.*\);$"
        assignment = r"[\w.\->\[\]]+ [-+|&^]?= .*;$"
        self.each_match(path, text, rf"^\s*// ?(?:{statement}|{assignment}|[{{}}]$)",
                        "code in a comment; delete it, the history has it")

    # Programs in C.

    def columns(self, path, lines):
        off = False
        for number, line in enumerate(lines, 1):
            off = "clang-format off" in line or off and "clang-format on" not in line
            if len(line) > COLUMNS_MAX and not off and not re.search(r"\"[^\"]{60,}\"", line):
                self.wrong(path, number, f"{len(line)} columns; break the line at {COLUMNS_MAX}")

    def length(self, path, lines):
        if len(lines) > FILE_LINES_MAX:
            self.wrong(path, 1, f"{len(lines)} lines; split the file below {FILE_LINES_MAX + 1}")

    def nesting(self, path, code):
        for number, line in enumerate(code.splitlines(), 1):
            match = re.match(r"( +)(?:\} )?(?:if|for|while|switch|do|else|fdt_for_each\w*)\b", line)
            depth = len(match[1]) // 4 if match else 0
            if depth > NESTING_MAX:
                self.wrong(path, number, f"nested {depth} deep; leave early, or make a function")

    # The monitor.

    def owners(self, path, code):
        name = name_of(path)
        if not name.startswith("src/arch/"):
            self.each_match(path, code, r"\b(?:csr_(?:read|write|set|clear|try)|__asm__|asm)\b",
                            "looks at the hart; ask src/arch for a value")
        if name not in ADDRESS_OPENERS:
            self.each_match(path, code, r"[\w)\]]\.a\b",
                            "looks inside an address; pass it on as it is")
        if name not in PC_WRITERS:
            self.each_match(path, code, r"\bf(?:\.|->)pc\s*(?:=(?!=)|[-+|&]=)",
                            "moves the guest's pc; return an outcome, run.c acts on it")
        if not name.startswith(("src/mon/", "src/lib/log.")):
            self.each_match(path, code, r"\blog_line\(",
                            "prints; no guest may make the log grow: increment a counter")

    def one_caller(self, function, caller, codes):
        calls = [(path, number) for path, code in codes if path.suffix == ".c"
                 for number, line in enumerate(code.splitlines(), 1)
                 if re.search(rf"^ .*\b{function}\(", line)]
        calls.sort(key=lambda call: name_of(call[0]) != caller)
        for path, number in calls[1:]:
            self.wrong(path, number, f"another caller of {function}(); the one is in {caller}")

    def size(self):
        names = SOURCE_NAMES - {".py", ".sh", ".mk"}
        lines = sum(bool(CODE_LINE.match(line)) for path in files(MONITOR, names)
                    if "host" not in path.parts for line in path.read_text().splitlines())
        if lines > MONITOR_LINES_MAX:
            self.wrong(TOP / "src", 1, f"the monitor has {lines} lines of code;"
                       f" it is the trusted base: at most {MONITOR_LINES_MAX}")

    def functions(self, folder):
        """Their lengths, by universal-ctags."""
        done = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f",
                               "--languages=C", "-R", "-o", "-", folder],
                              cwd=TOP, capture_output=True, text=True, check=True)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        lengths = sorted(f["end"] - f["line"] + 1 for f in found if "end" in f)
        for f in found:
            lines = f.get("end", f["line"]) - f["line"] + 1
            if lines > FUNCTION_LINES_MAX:
                self.wrong(TOP / f["path"], f["line"], f"{f['name']}() has {lines} lines;"
                           f" make two of it, at most {FUNCTION_LINES_MAX}")
        if len(lengths) < 20:
            sys.exit(f"{folder}:1: ctags found {len(lengths)} functions; install universal-ctags")
        limits = [("median", statistics.median(lengths), FUNCTION_LINES_MEDIAN),
                  ("95th percentile", lengths[int(0.95 * len(lengths))], FUNCTION_LINES_P95)]
        for what, lines, most in limits:
            if lines > most:
                self.wrong(TOP / folder, 1, f"the {what} of function lengths is {lines:.0f};"
                           f" shorten the long ones, at most {most}")


def main():
    rules = Rules()
    for path in files(EVERYTHING, SOURCE_NAMES) + [TOP / "Makefile"]:
        text = path.read_text()
        rules.header(path, text.splitlines())
        rules.words(path, text)
        if path.suffix in C_NAMES:
            rules.dead_code(path, text)
    for path in files(PROGRAMS, C_NAMES):
        text = path.read_text()
        rules.length(path, text.splitlines())
        rules.nesting(path, code_of(text))
    codes = [(path, code_of(path.read_text())) for path in files(MONITOR, C_NAMES | {".def"})]
    for path, code in codes:
        rules.columns(path, path.read_text().splitlines())
        rules.owners(path, code)
    rules.one_caller("guest_run", "src/vm/run.c", codes)
    rules.size()
    for folder in PROGRAMS:
        rules.functions(folder)
    return int(rules.broken > 0)


if __name__ == "__main__":
    sys.exit(main())
