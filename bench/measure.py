# SPDX-License-Identifier: MIT
"""What all benchmarks share: where things are, how a mistake is told, how a table looks.

In:     rows of texts.
Out:    Markdown tables.
Always: what cannot be measured is an error, never a gap in a table.
"""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build"
OUT = BUILD / "bench"
ANSWER_S = 60
QEMU = os.environ.get("QEMU", "qemu-system-riscv64")


class BenchError(Exception):
    """Why there is no result, in one line or with the last lines of a console."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def tool_run(command):
    done = subprocess.run([str(word) for word in command], cwd=TOP, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise BenchError(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def monitor_ask(what, machine, command, *options, environment=None):
    """What the monitor of the machine of this name answers; an error if it says nothing for a minute."""
    try:
        done = subprocess.run([str(BUILD / "duomo"), "monitor", "--to", machine, *options, "-c", command],
                              env=environment, capture_output=True, text=True, errors="replace",
                              timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{what}: {command}: no answer after {ANSWER_S} s") from None
    if done.returncode:
        raise BenchError(f"{what}: {command}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def last_lines(lines):
    return "; its console's last lines:\n" + "\n".join(lines[-15:])


def number(value):
    """Three digits, or as many as there are before the point."""
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def table(head, rows):
    """Markdown whose columns also stand in line as plain text: words left, numbers right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
    return "\n".join(line(row) for row in [head, rule, *rows])


def goal(what, reached, bound, form, at_least=False):
    """A row of the table of goals, in a list."""
    met = reached >= bound if at_least else abs(reached) <= bound
    return [[what, form.format(reached), ("at least " if at_least else "at most ") + form.format(bound),
             "yes" if met else "**no**"]]
