#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Mutants of the monitor: does the suite notice when a check, a flush or a saved register is gone?

In:     the sources under src/; how many mutants (--count), from which seed; or those named by --only.
Out:    build/mutants/results.jsonl, a line per mutant as it is judged; build/mutants/report.md: how many
        were killed, by what, and the survivors with their diffs; a last line "N killed, N survived".
Always: a mutant is one change of one line.  Its id is a hash of the file, the line's text and the change,
        so the same seed chooses the same mutants until that line changes; those already judged are not
        judged again.  Nothing is changed in this tree: each worker has a copy of it.

How one is judged says tools/mutant_judge.py.  One whose machine code is that of the original, or that
cannot be built, is not counted.  Before anything is judged, all suites must pass without a mutant.

    tools/mutants.py --count 200 --jobs 2       what `make mutants` does
    tools/mutants.py --quick                    only what is quick; without it, the rest is done afterwards
    tools/mutants.py --again                    those that have survived, when there are new tests
    tools/mutants.py --list                     which ones that would be
    tools/mutants.py --only 1a2b3c4d            one
"""

import argparse
import difflib
import hashlib
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from mutant_judge import TOP, Broken, Judge, give_up

OUT = TOP / "build/mutants"
SOURCES = ["src/isa/*.c", "src/vm/*.[ch]", "src/vdev/*.c", "src/arch/riscv/*.[cS]", "src/arch/*.h",
           "src/dev/machine.c", "src/lib/bits.h", "src/mon/life.c", "src/mon/build.c", "src/mon/console.c"]
REASONS = TOP / "tools/mutants.txt"
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


def changed(tree, mutant):
    """Its file with the mutant in it; returns what undoes that."""
    path = tree.at / mutant.path
    original, times = path.read_text(), path.stat()
    lines = original.split("\n")
    lines[mutant.number] = mutant.text
    path.write_text("\n".join(lines))

    def undo():
        path.write_text(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        tree.restore()
    return undo


def judged(judge, tree, mutant, quick):
    """A line of the results."""
    diff = mutant.diff((tree.at / mutant.path).read_text().split("\n"))
    begun, doubts = time.monotonic(), []
    undo = changed(tree, mutant)
    try:
        verdict, by, case = judge.verdict(tree, mutant.path, quick, doubts)
    finally:
        undo()
    return {"id": mutant.id, "file": mutant.path, "line": mutant.number + 1, "operator": mutant.operator,
            "verdict": verdict, "by": by, "case": case, "seconds": round(time.monotonic() - begun, 1),
            "doubts": doubts, "diff": diff, "end": tree.log[-600:] if verdict == "killed" else ""}


def results():
    path = OUT / "results.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {result["id"]: result for result in found}


def is_judged(result):
    return result["verdict"] in ("killed", "survived", "spared")


def reasons():
    """Why no test can notice some: a line each, beginning with the id."""
    return dict(line.split(" ", 1) for line in REASONS.read_text().splitlines() if re.match(r"[0-9a-f]{8} ", line))


def report(found):
    counted = [r for r in found if is_judged(r)]
    survivors = [r for r in counted if r["verdict"] != "killed"]
    killers = Counter(r["by"] for r in counted if r["by"])
    dropped = Counter(r["verdict"] for r in found if not is_judged(r))
    percent = 100 * (len(counted) - len(survivors)) / max(1, len(counted))
    text = ["# Mutants", "", f"{len(counted) - len(survivors)} of {len(counted)} were killed, {percent:.1f} %;"
            f" {dropped['same code']} more had the same machine code, {dropped['unbuilt']} could not be built.", "",
            "| suite | killed |", "|---|---|", *(f"| {by} | {n} |" for by, n in killers.most_common())]
    text += ["", "| operator | killed | of |", "|---|---|---|"]
    for name in OPERATORS:
        own = [r for r in counted if r["operator"] == name]
        text.append(f"| {name} | {sum(r['verdict'] == 'killed' for r in own)} | {len(own)} |")
    why = {**dict.fromkeys((r["id"] for r in survivors), "Nobody has said why."), **reasons()}
    text += ["", "| survivor | judged by | where | change | why |", "|---|---|---|---|---|"]
    for r in sorted(survivors, key=lambda r: (r["file"], r["line"])):
        by = "all" if r["verdict"] == "survived" else "some"
        text.append(f"| {r['id']} | {by} | `{r['file']}` | {r['operator']} | {why[r['id']]} |")
    for r in survivors:
        text += ["", f"## {r['id']}: {r['operator']} in {r['file']}:{r['line']}", "", "```diff", r["diff"], "```"]
    (OUT / "report.md").write_text("\n".join(text) + "\n")
    return len(counted) - len(survivors), len(survivors)


def known_of(mutants, count):
    """The results of those that have been judged, as many as are counted."""
    known, found = results(), []
    for mutant in mutants:
        if mutant.id in known and (not count or sum(map(is_judged, found)) < count):
            found.append(known[mutant.id])
    return found


def is_final(result, args):
    return result and not (result["verdict"] == "spared" and not args.quick) \
        and not (result["verdict"] in ("spared", "survived") and args.again)


def judge_all(mutants, args):
    """Until so many have been judged, those of earlier runs included."""
    known, trees, found = results(), Queue(), []
    judge = Judge(OUT, args.suites.split(","), args.cases, known.values())
    sound = OUT / "sound.json"
    judge.verify(json.loads(sound.read_text()) if sound.exists() else {}, lambda s: sound.write_text(json.dumps(s)),
                 args.quick)
    for n in range(args.jobs):
        trees.put(judge.tree(n))

    def one(mutant):
        tree = trees.get()
        try:
            if args.count and sum(map(is_judged, found)) >= args.count:
                return
            result = known.get(mutant.id)
            is_new = not is_final(result, args)
            if is_new:
                result = judged(judge, tree, mutant, args.quick)
                judge.learn(result)
        finally:
            trees.put(tree)
        found.append(result)
        if is_new:
            with open(OUT / "results.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            print(f"{sum(map(is_judged, found)):4} {result['id']} {result['verdict']:9} {result['by']:7} "
                  f"{result['seconds']:5} s  {result['operator']} {result['file']}:{result['line']} "
                  f"{result['case'].split('::')[-1]}", flush=True)

    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        list(pool.map(one, mutants))
    return found


def main():
    parser = argparse.ArgumentParser(description="mutants of the monitor")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--only", nargs="+", help="these, by id")
    parser.add_argument("--match", help="those whose `operator file: line` matches this pattern")
    parser.add_argument("--suites", default="unit,guest,hostile,monitor,figura,system,tsan")
    parser.add_argument("--cases", help="of the suites under pytest only the cases that match this pattern")
    parser.add_argument("--quick", action="store_true", help="units and quick cases only: the rest is for later")
    parser.add_argument("--again", action="store_true", help="judge survivors anew, for there are new tests")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report", action="store_true", help="only what is known so far, told again")
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
    if args.report:
        killed, survived = report(known_of(mutants, args.count))
        print(f"{killed} killed, {survived} survived")
        return 0
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, give_up)
    try:
        killed, survived = report(judge_all(mutants, args))
    except Broken as error:
        sys.exit(f"mutants: {error}")
    print(f"{killed} killed, {survived} survived")
    return 0


sys.exit(main())
