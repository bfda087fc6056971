#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The format of the C sources: clang-format's, and one-line cases in columns.

In:     .clang-format; files, or none for all that the project formats.
Out:    a line for each place that is formatted otherwise; --diff shows them, --write changes them.
Always: the same answer from clang-format 14 to 19.  Only the newer ones can align the statements
        of one-line cases, so that is done here:

            case TIME_HIGH:    return r->time_high;
            case ALARM_STATUS: return r->armed;
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
CLANG_FORMAT = os.environ.get("CLANG_FORMAT", "clang-format")
FOLDERS = ["src", "guests"]

CASE = re.compile(r"( *)((?:case\b[^;{]*?[^:]|default):) +([^\s/].*)")


def sources():
    return sorted(path for folder in FOLDERS for path in (TOP / folder).rglob("*.[ch]"))


def run_align(run):
    """Lines (indent, label, rest) of one switch, one after the other."""
    width = max(len(label) for _, label, _ in run)
    return [f"{indent}{label.ljust(width)} {rest}" for indent, label, rest in run]


def cases_align(lines):
    out, run, off = [], [], False
    for line in [*lines, ""]:
        if "clang-format off" in line or "clang-format on" in line:
            off = "clang-format off" in line
        case = None if off or line.endswith("\\") else CASE.fullmatch(line)
        if case and (not run or case[1] == run[0][0]):
            run.append(case.groups())
            continue
        out += run_align(run) if run else []
        run = [case.groups()] if case else []
        out += [] if case else [line]
    return out[:-1]


def clang_format(paths, folder):
    """Formats copies in `folder`: to start it once for all is much faster than once for each."""
    copies = [folder / str(number) / path.name for number, path in enumerate(paths)]
    for path, copy in zip(paths, copies):
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
    done = subprocess.run([CLANG_FORMAT, "-i", f"--style=file:{TOP / '.clang-format'}", *copies],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f".clang-format:1: {done.stderr.strip()}; correct it")
    return copies


def changes(paths):
    """For each file: its text, its new text, and the places where they differ."""
    with tempfile.TemporaryDirectory() as folder:
        copies = clang_format(paths, Path(folder)) if paths else []
        for path, copy in zip(paths, copies):
            text = path.read_text()
            new = "\n".join(cases_align(copy.read_text().splitlines())) + "\n"
            matcher = difflib.SequenceMatcher(None, text.splitlines(), new.splitlines(), False)
            yield path, text, new, [code for code in matcher.get_opcodes() if code[0] != "equal"]


def report(args, path, text, new, places):
    name = path.relative_to(TOP)
    if args.write and places:
        path.write_text(new)
    elif args.diff:
        sys.stdout.writelines(difflib.unified_diff(
            text.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}"))
    elif not args.write:
        for _, first, _, _, _ in places:
            print(f"{name}:{first + 1}: not formatted as .clang-format says;"
                  " run tools/check-format.py --write, or --diff to look at it")


def main():
    parser = argparse.ArgumentParser(description="Checks the format of the C sources.")
    parser.add_argument("--diff", action="store_true", help="show what would change")
    parser.add_argument("--write", action="store_true", help="change it")
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    files = [path.resolve() for path in args.files] or sources()

    broken = 0
    for path, text, new, places in changes(files):
        report(args, path, text, new, places)
        broken += len(places)
    return 0 if args.write else int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
