#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints which guest shows which class of threat, as a Markdown table.

It reads the line `// Shows: <ids>` of every guest, and fails on a guest without one.
"""

import collections
import pathlib
import re
import sys


def main():
    shown = collections.defaultdict(list)
    for path in sorted(pathlib.Path(__file__).parent.glob("*.c")):
        found = re.search(r"^// Shows:((?: [A-Z]\d+)+)$", path.read_text(), re.M)
        if not found:
            sys.exit(f"{path}: no line like `// Shows: P1 C2`")
        for threat in found.group(1).split():
            shown[threat].append(path.stem)

    print("| class | guests |")
    print("|---|---|")
    for threat in sorted(shown, key=lambda t: (t[0], int(t[1:]))):
        print(f"| {threat} | {', '.join(f'`{name}`' for name in shown[threat])} |")


if __name__ == "__main__":
    main()
