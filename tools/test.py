#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Runs everything that can be tested, one suite after the other.
#
# In:     names of suites, or none for all.
# Out:    each suite's output as it comes; a table with the time each took; and, as the last line,
#         "N passed, N failed", summed up over all suites.
# Always: a suite that ends without such a count, or with a failing exit code, counts as a failure.
import os
import re
import subprocess
import sys
import time

PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
MAKE = ["make", "--no-print-directory"]
SUITES = {
    "check": MAKE + ["check"],
    "unit": MAKE + ["unit"],
    "tsan": MAKE + ["tsan"],
    "cbmc": MAKE + ["cbmc"],
    "fuzz": MAKE + ["fuzz"],
    "tool": PYTEST + ["tests/tool"],
    "figura": PYTEST + ["tests/figura"],
    "guest": PYTEST + ["tests/guest"],
    "hostile": PYTEST + ["tests/hostile"],
    "monitor": PYTEST + ["tests/monitor"],
    "system": PYTEST + ["tests/system"],
}


def counts(output):
    """Passed and failed of the last line that has such counts; errors count as failures."""
    for line in reversed(output.splitlines()):
        found = dict((word, int(number)) for number, word in
                     re.findall(r"\b(\d+) (passed|failed|errors?)\b", line))
        if found:
            return found.get("passed", 0), sum(n for word, n in found.items() if word != "passed")
    return None


def environment():
    """This process's, less what the make above handed down: a suite's make is one of its own."""
    return {name: value for name, value in os.environ.items() if name not in
            ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")}


def run(name, command):
    print(f"=== {name}: {' '.join(command)}", flush=True)
    begun = time.monotonic()
    output = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=environment()) as process:
        for line in process.stdout:
            output.append(line)
            print(line, end="", flush=True)
    passed, failed = counts("".join(output)) or (0, 1)
    if process.returncode and not failed:
        failed = 1
    return passed, failed, time.monotonic() - begun


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        sys.exit(f"test: no suite {unknown[0]}; there are: {', '.join(SUITES)}")
    results = {name: run(name, SUITES[name]) for name in names or SUITES}
    print("=== suite      passed  failed  seconds")
    for name, (passed, failed, seconds) in results.items():
        print(f"    {name:10} {passed:6}  {failed:6}  {seconds:7.0f}")
    failed = sum(result[1] for result in results.values())
    print(f"{sum(result[0] for result in results.values())} passed, {failed} failed", flush=True)
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
