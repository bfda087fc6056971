#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents speak of what is there.

In:     the Markdown files; the sources, folders and make targets that they name in `backticks`.
Out:    a line for each path, function, make target or link that leads nowhere; for each line with
        two sentences; for each glossary entry that is there twice or that no source uses; for a
        table of coverage that is not what tests/guest/coverage.py prints (--write replaces it).
Always: what stands in fenced blocks is not looked at.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
FOLDERS = "src|tool|tools|tests|bench|docs|fuzz|guests|\\.ci"
SOURCES = ["src", "tool", "tests", "bench", "tools", "guests"]
NAMES = {".c", ".h", ".S", ".def", ".ld", ".py", ".sh", ".mk"}
# What ends like a sentence and does not end one.
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|vs|etc|Priv|Unpriv|cf|no)|\b\d+)\.$", re.I)


def documents():
    skip = {"build", ".git"}
    return sorted(path for path in TOP.rglob("*.md") if not skip & set(path.relative_to(TOP).parts))


def sources_text():
    files = (path for folder in SOURCES for path in (TOP / folder).rglob("*"))
    return "\n".join(path.read_text() for path in files if path.suffix in NAMES)


def make_targets():
    found = set()
    for path in [TOP / "Makefile", *TOP.glob("*/*.mk"), *TOP.glob("*/*/*.mk")]:
        for line in path.read_text().splitlines():
            match = re.match(r"([a-z][\w -]*):(?!=)", line)
            found |= set(match[1].split()) if match else set()
    return found


def prose(text):
    """(number, line) outside fenced blocks and comments."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"\s*(```|~~~)", line)
        fenced ^= bool(fence)
        if not fenced and not fence and not line.startswith(("    ", "<!--")):
            yield number, line


def paths_wrong(line):
    for word in re.findall(rf"`(\.?/?(?:{FOLDERS})/[^`\s]*)`", line):
        if not any(TOP.glob(re.sub(r"<\w+>", "*", word).split(":")[0].rstrip("/"))):
            yield f"there is no {word}; name what is meant"


def names_wrong(line, text, targets):
    for name in re.findall(r"`(\w+)\(\)`", line):
        if not re.search(rf"\b{name}\b", text):
            yield f"no source has {name}(); name what is meant"
    for name in re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", line):
        if not re.search(rf"\b{name}\b", text):
            yield f"no source has {name}; name what is meant"
    for target in re.findall(r"`make ([a-z][\w-]*)`", line):
        if target not in targets:
            yield f"make has no target {target}; name one that `make help` lists"


def links_wrong(path, line):
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        file = target.partition("#")[0]
        if file and "://" not in target and not (path.parent / file).exists():
            yield f"the link leads nowhere: {target}; correct it"


def sentences_wrong(line):
    if line.startswith(("|", "#")):
        return
    plain = re.sub(r"`[^`]*`", "`x`", line)
    for match in re.finditer(r"[.!?][)\"*_]* +(?=[A-Z`\"(*])", plain):
        if not ABBREVIATION.search(plain[:match.start() + 1]):
            yield "two sentences on a line; one line each"
            return


def glossary_wrong(path, text):
    """Rows are: | term | meaning |; a term is one word or more, and some source uses it."""
    seen = set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r"\| \*\*(.+?)\*\* \|", line)
        if not match:
            continue
        term = match[1]
        if term in seen:
            yield number, f"{term} is explained twice; one thing, one name"
        if not re.search(rf"\b{re.escape(term)}", text, re.I):
            yield number, f"no source speaks of {term}; use the name that the code has"
        seen.add(term)


def coverage_wrong(path, write):
    begin, end = "<!-- coverage: begin -->\n", "<!-- coverage: end -->"
    text = path.read_text()
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    done = subprocess.run([sys.executable, TOP / "tests/guest/coverage.py"], capture_output=True,
                          text=True, check=False)
    new = f"{before}{begin}\n{done.stdout}\n{end}{after}"
    if done.returncode or not rest:
        yield 1, f"no table of coverage ({done.stderr.strip()}); correct that first"
    elif new != text and write:
        path.write_text(new)
    elif new != text:
        yield before.count("\n") + 1, "the table is old; run tools/check-docs.py --write"


def main():
    text, targets, broken = sources_text(), make_targets(), 0
    for path in documents():
        found = []
        for number, line in prose(path.read_text()):
            for wrong in [*paths_wrong(line), *names_wrong(line, text, targets),
                          *links_wrong(path, line), *sentences_wrong(line)]:
                found.append((number, wrong))
        if path == TOP / "docs/glossary.md":
            found += glossary_wrong(path, text)
        if path == TOP / "docs/tests.md":
            found += coverage_wrong(path, "--write" in sys.argv[1:])
        for number, wrong in found:
            print(f"{path.relative_to(TOP)}:{number}: {wrong}")
        broken += len(found)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
