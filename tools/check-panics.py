#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every place where the monitor gives up is listed in docs/panics.md, with why no guest reaches it.

In:     src/; the table rows of docs/panics.md: | `file` | `call(text)` | why |
Out:    a line for each place without a row, and for each row without a place.
Always: a place is known by its file and the text of its condition or message, not by its line.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
DOCUMENT = TOP / "docs/panics.md"
CALL = re.compile(r"^[ \t]+.*?\b(ASSERT|panic|vm_stop|vm_crash|stop|give_up|power_off)\(", re.M)
ASSEMBLY_CALL = re.compile(r"^\s+call\s+(own_trap)\b", re.M)
DEFINES_ASSERT = TOP / "src/lib/panic.h"


def comments_blanked(text):
    """A string may contain what looks like a comment, so strings are matched first and kept."""
    return re.sub(r"\"(?:\\.|[^\"\\\n])*\"|//[^\n]*",
                  lambda m: m[0] if m[0][0] == '"' else " " * len(m[0]), text)


def arguments(text, start):
    """What stands between the parenthesis before `start` and the one that closes it."""
    depth = 1
    for match in re.compile(r"\"(?:\\.|[^\"\\])*\"|[()]").finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return " ".join(text[start:match.start()].split())
    return ""


def site_text(name, args):
    """An assertion is known by its condition, the others by what they say, if they say it."""
    said = re.findall(r"\"((?:\\.|[^\"\\])*)\"", args)
    text = args if name == "ASSERT" or not said else " / ".join(said)
    return text.replace("`", "'")


def sites():
    found = {}
    for path in sorted(TOP.glob("src/**/*")):
        if "host" in path.parts or path == DEFINES_ASSERT or path.suffix not in (".c", ".h", ".S"):
            continue
        name, text = str(path.relative_to(TOP)), path.read_text()
        if path.suffix == ".S":
            calls = [(m[1], "", m.start(1)) for m in ASSEMBLY_CALL.finditer(text)]
        else:
            text = comments_blanked(text)
            calls = [(m[1], site_text(m[1], arguments(text, m.end())), m.start(1))
                     for m in CALL.finditer(text)]
        for call, args, at in calls:
            found[name, f"{call}({args})"] = text.count("\n", 0, at) + 1
    return found


def rows():
    found = {}
    for number, line in enumerate(DOCUMENT.read_text().splitlines(), 1):
        match = re.fullmatch(r"\| `(src/[^`]*)` \| `(.*?)` \| (.+) \|", line)
        if match:
            found[match[1], match[2].replace(r"\|", "|")] = number
    return found


def main():
    code, table = sites(), rows()
    document = DOCUMENT.relative_to(TOP)
    for place in sorted(code.keys() - table.keys()):
        text = place[1].replace("|", r"\|")
        print(f"{place[0]}:{code[place]}: not in {document}; add the row"
              f" | `{place[0]}` | `{text}` | why no guest reaches it |")
    for place in sorted(table.keys() - code.keys()):
        print(f"{document}:{table[place]}: no such place: {place[1]}; remove or correct the row")
    return int(code.keys() != table.keys())


if __name__ == "__main__":
    sys.exit(main())
