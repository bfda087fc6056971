#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Mutants of the monitor: does the suite notice when a check, a flush or a saved register is gone?

In:     the sources under src/; how many mutants (--count), from which seed; or those named by --only.
Out:    build/mutants/results.jsonl, a line per mutant as it is judged; build/mutants/report.md: how many
        were killed, by what, and the survivors with their diffs; a last line "N killed, N survived".
Always: a mutant is one change of one line.  Its id is a hash of the file, the line's text and the change,
        so the same seed chooses the same mutants until that line changes; those already judged are not
        judged again.  Nothing is changed in this tree: each worker has a copy of it.

A mutant is built, then judged by suites from the fastest to the slowest, until one fails or takes too
long.  One whose machine code is that of the original, or that cannot be built, is not counted.

    tools/mutants.py --count 200 --jobs 2       what `make mutants` does
    tools/mutants.py --list                     which ones that would be
    tools/mutants.py --only 1a2b3c4d            one
"""

import argparse
import difflib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

TOP = Path(__file__).resolve().parents[1]
OUT = TOP / "build/mutants"
SOURCES = ["src/isa/*.c", "src/vm/*.[ch]", "src/vdev/*.c", "src/arch/riscv/*.[cS]", "src/arch/*.h",
           "src/dev/machine.c", "src/lib/bits.h", "src/mon/life.c", "src/mon/build.c", "src/mon/console.c"]
COPIED = ["Makefile", "src", "tests", "tools", "tool", "guests"]
BUILT = ["obj", "unit", "guest", "hostile", "duomo.elf", "duomo.ld", "duomo", ".deps-build", ".deps-test"]
PYTEST = "/usr/bin/python3 -m pytest -q -x -p no:cacheprovider"
GUESTS = ("page_fence_model or page_flags or page_ad or page_sum_mxr or page_asid or page_split or page_self or "
          "csr_sstatus or csr_forms or csr_stvec or csr_sip or csr_satp or insn_mixed or trap_ or irq_ or plic_ or "
          "uart_ or rtc_ or clint or dev_forms or sbi_ or fp_ or atom_ or time_")
ATTACKS = ("fuzz-1 or fp-1 or lrsc or asid or reboot or spin or sleeper-owed or storm or halt or many-few or "
           "vanish or sbi or flood-1 or tables or neighbours or 2-harts or request or ends_the_machine")
# Name, command, seconds.  Each is given twice the time that it takes.
SUITES = [
    ("build", "make -s B=build WARN=-w build/duomo.elf", 120),
    ("unit", "make -s B=build WARN=-w unit", 180),
    ("hostile", f"{PYTEST} tests/hostile -k '{ATTACKS}'", 300),
    ("guest", f"{PYTEST} tests/guest -k '{GUESTS}'", 300),
    ("monitor", f"{PYTEST} tests/monitor", 240),
]
CALL = re.compile(r"\s+(\(void\))?[a-z_]\w*(->\w+)*\([^{}]*\);( //.*)?$")
ASSIGNMENT = re.compile(r"\s+[*\w\[\]>.()-]+(\s*[|&^+-])?=\s[^{}]*;( //.*)?$")
SAVED = re.compile(r"\s+(sd|ld|fsd|fld|csrw|csrr|sfence\.vma|fence\.i|sc\.\w|vs8r\.v|vl8re8\.v)\s")


def replaced(pattern, by):
    """An operator: each place in a condition or an assignment where the pattern occurs."""
    def change(line):
        if re.match(r"\s+(if|while|for|return|&&|\|\||.*=)", line):
            for found in re.finditer(pattern, line):
                yield line[:found.start()] + found.expand(by) + line[found.end():]
    return change


def negated(line):
    if found := re.match(r"(\s+(?:} else )?(?:if|while) \()(.*)(\)(?: \{)?)$", line):
        if balanced(found[2]):
            yield f"{found[1]}!({found[2]}){found[3]}"


def unchecked(line):
    if found := re.match(r"(\s+if \()(.*)(\)(?: \{)?)$", line):
        if balanced(found[2]):
            yield f"{found[1]}0 && ({found[2]}){found[3]}"


def balanced(text):
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def dropped(pattern):
    def change(line):
        if pattern.match(line) and not re.match(r"\s+(return|ASSERT|panic)\b", line):
            yield re.match(r"\s*", line)[0] + ";"
    return change


def forgotten(line):
    if SAVED.match(line):
        yield re.match(r"\s*", line)[0] + "nop"


# Name, what it does to a line, in which files.
OPERATORS = {
    "negate": (negated, ".c .h"),
    "drop-check": (unchecked, ".c .h"),
    "drop-call": (dropped(CALL), ".c .h"),
    "drop-assignment": (dropped(ASSIGNMENT), ".c .h"),
    "off-by-one": (replaced(r" (<|>)(=?) (?=[^=])", r" \1@\2 "), ".c .h"),
    "and-or": (replaced(r"&&|\|\|", "@"), ".c"),
    "keep-bits": (replaced(r"& ~", "| "), ".c"),
    "plus-one": (replaced(r" [+-] 1\b(?!\d)", ""), ".c"),
    "forget": (forgotten, ".S"),
}


def finished(text, line):
    """What a replacement could not say with a pattern."""
    text = re.sub(r" ([<>])@(=?) ", lambda m: f" {m[1]}{'' if m[2] else '='} ", text)
    if "@" in text and "@" not in line:
        at = text.index("@")
        text = text.replace("@", "||" if line[at:at + 2] == "&&" else "&&")
    return text


class Mutant:
    """One change of one line."""

    def __init__(self, path, number, line, text, operator, nth):
        self.path, self.number, self.line, self.text, self.operator = path, number, line, text, operator
        name = f"{path}\0{line}\0{text}\0{nth}"
        self.id = hashlib.sha256(name.encode()).hexdigest()[:8]

    def diff(self, original):
        changed = original[:]
        changed[self.number] = self.text
        return "\n".join(difflib.unified_diff(original, changed, self.path, self.path, n=2, lineterm=""))


def code_lines(path, lines):
    """Numbers of lines that may be changed: not of comments, tables of constants or directives."""
    block = False
    for number, line in enumerate(lines):
        block |= line.lstrip().startswith("/*")
        skip = block or not line.startswith((" ", "\t")) or re.match(r"\s*(//|#|static|case .*: *$)", line)
        block &= "*/" not in line
        if not skip and not re.search(r"\\$", line) and (path.suffix != ".S" or not line.strip().startswith(".")):
            yield number, line


def candidates():
    found = []
    for pattern in SOURCES:
        for path in sorted(TOP.glob(pattern)):
            lines, seen = path.read_text().split("\n"), {}
            for number, line in code_lines(path, lines):
                for operator, (change, suffixes) in OPERATORS.items():
                    if path.suffix not in suffixes.split():
                        continue
                    for text in change(line):
                        text = finished(text, line)
                        nth = seen[line, text] = seen.get((line, text), -1) + 1
                        found.append(Mutant(str(path.relative_to(TOP)), number, line, text, operator, nth))
    return found


def chosen(everything, seed):
    """All of them in an order of the seed's, each operator in its turn."""
    by_operator = {name: [m for m in everything if m.operator == name] for name in OPERATORS}
    for mutants in by_operator.values():
        mutants.sort(key=lambda m: hashlib.sha256(f"{seed} {m.id}".encode()).digest())
    order = []
    while any(by_operator.values()):
        order += [mutants.pop() for mutants in by_operator.values() if mutants]
    return order


RUNNING = set()         # groups of processes that the trees have started


def group_end(group):
    RUNNING.discard(group)
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def give_up(*_):
    """Whoever ends this tool ends what it has started."""
    for group in list(RUNNING):
        group_end(group)
    os._exit(1)


class Tree:
    """A copy of this tree, in which one mutant after the other lives."""

    def __init__(self, n):
        self.at = OUT / f"tree-{n}"
        shutil.rmtree(self.at, ignore_errors=True)
        self.at.mkdir(parents=True)
        (self.at / "build").mkdir()
        for name in COPIED:
            subprocess.run(["cp", "-a", TOP / name, self.at / name], check=True)
        for name in BUILT:
            if (TOP / "build" / name).exists():
                subprocess.run(["cp", "-a", TOP / "build" / name, self.at / "build" / name], check=True)
        self.run("make -s B=build WARN=-w build/duomo.elf", 300)
        self.original = self.code()

    def code(self):
        """The machine code, without what line numbers leave in it."""
        subprocess.run(["riscv64-linux-gnu-objcopy", "-O", "binary", self.at / "build/duomo.elf",
                        self.at / "build/code"], check=True)
        return (self.at / "build/code").read_bytes()

    def run(self, command, seconds):
        """0 if it went well; None if it took too long.  Whatever it has started ends with it."""
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")}
        with open(self.at / "log", "w", encoding="utf-8") as log, \
                subprocess.Popen(["sh", "-c", command], cwd=self.at, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, start_new_session=True, env=environment) as process:
            RUNNING.add(process.pid)
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                group_end(process.pid)

    def judge(self, mutant, suites, attacks):
        path = self.at / mutant.path
        original = path.read_text()
        lines = original.split("\n")
        diff = mutant.diff(lines)
        lines[mutant.number] = mutant.text
        path.write_text("\n".join(lines))
        begun, verdict, by = time.monotonic(), "survived", ""
        try:
            for name, command, seconds in SUITES:
                if name not in ("build", *suites):
                    continue
                status = self.run(command.replace(ATTACKS, attacks), seconds)
                if name == "build" and status != 0:
                    verdict = "unbuilt"
                elif name == "build" and self.code() == self.original:
                    verdict = "same code"
                elif status != 0:
                    verdict, by = "killed", name + (" (timeout)" if status is None else "")
                if verdict != "survived":
                    break
        finally:
            path.write_text(original)
        return {"id": mutant.id, "file": mutant.path, "line": mutant.number + 1, "operator": mutant.operator,
                "verdict": verdict, "by": by, "seconds": round(time.monotonic() - begun), "diff": diff,
                "end": (self.at / "log").read_text(errors="replace")[-400:] if verdict == "killed" else ""}


def results():
    path = OUT / "results.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {result["id"]: result for result in found}


def is_judged(result):
    return result["verdict"] in ("killed", "survived")


def report(found):
    judged = [r for r in found if is_judged(r)]
    survivors = [r for r in judged if r["verdict"] == "survived"]
    killers = sorted({r["by"] for r in judged if r["by"]})
    text = ["# Mutants", "", f"{len(judged) - len(survivors)} of {len(judged)} were killed;"
            f" {len(found) - len(judged)} more could not be built or had the same machine code.", ""]
    text += [f"- by {by}: {sum(r['by'] == by for r in judged)}" for by in killers]
    for r in survivors:
        text += ["", f"## {r['id']}: {r['operator']} in {r['file']}:{r['line']}", "", "```diff", r["diff"], "```"]
    (OUT / "report.md").write_text("\n".join(text) + "\n")
    return len(judged) - len(survivors), len(survivors)


def judge_all(mutants, count, jobs, suites, attacks):
    """Until so many have been judged, those of earlier runs included."""
    known, trees, found = results(), Queue(), []
    for n in range(jobs):
        trees.put(Tree(n))

    def judge(mutant):
        tree = trees.get()
        try:
            if count and sum(map(is_judged, found)) >= count:
                return
            result = known.get(mutant.id) or tree.judge(mutant, suites, attacks)
        finally:
            trees.put(tree)
        found.append(result)
        if mutant.id not in known:
            with open(OUT / "results.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            print(f"{sum(map(is_judged, found)):4} {result['id']} {result['verdict']:9} {result['by']:10} "
                  f"{result['seconds']:4} s  {result['operator']} {result['file']}:{result['line']}", flush=True)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        list(pool.map(judge, mutants))
    return found


def main():
    parser = argparse.ArgumentParser(description="mutants of the monitor")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--only", nargs="+", help="these, by id")
    parser.add_argument("--match", help="those whose `operator file: line` matches this pattern")
    parser.add_argument("--suites", default="unit,hostile,guest,monitor")
    parser.add_argument("--attacks", default=ATTACKS, help="which of the hostile suite, as for pytest -k")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out", type=Path, help="another folder than build/mutants")
    args = parser.parse_args()
    globals()["OUT"] = (args.out or OUT).resolve()

    mutants = chosen(candidates(), args.seed)
    if args.only:
        mutants, args.count = [m for m in mutants if m.id in args.only], 0
        if len(mutants) != len(args.only):
            sys.exit("mutants: there are none with some of these ids; --list shows them")
    if args.match:
        mutants = [m for m in mutants if re.search(args.match, f"{m.operator} {m.path}: {m.line.strip()}")]
    if args.list:
        for m in mutants[:args.count or None]:
            print(f"{m.id} {m.operator:15} {m.path}:{m.number + 1}: {m.line.strip()}   =>   {m.text.strip()}")
        return 0
    OUT.mkdir(parents=True, exist_ok=True)
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, give_up)
    killed, survived = report(judge_all(mutants, args.count, args.jobs, args.suites.split(","), args.attacks))
    print(f"{killed} killed, {survived} survived")
    return 0


sys.exit(main())
