#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Runs everything that can be tested.
#
# In:     names of suites, or none for all.
# Out:    each suite's output, whole; a table with the time each took; and, as the last line,
#         "N passed, N failed", summed up over all suites.
# Always: a suite that ends without such a count, or with a failing exit code, counts as a failure.
#         What needs one processor and no quiet runs in lanes, side by side, and is shown when it is
#         over.  What measures time or shares is alone on the computer, and is shown as it comes.
#         Whoever ends this ends all that it has started.
import os
import re
import signal
import subprocess
import sys
import threading
import time

PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
MAKE = ["make", "--no-print-directory"]
# A test that looks at the clock has the mark "quiet" (tests/system/conftest.py).
SUITES = {
    "check": MAKE + ["check"],
    "unit": MAKE + ["unit"],
    "tsan": MAKE + ["tsan"],
    "cbmc": MAKE + ["cbmc"],
    "fuzz": MAKE + ["fuzz"],
    "tool": PYTEST + ["tests/tool"],
    "system": PYTEST + ["-m", "not quiet", "tests/system"],
    "quiet": PYTEST + ["-m", "quiet", "tests/system"],
    "figura": PYTEST + ["tests/figura"],
    "guest": PYTEST + ["tests/guest"],
    "hostile": PYTEST + ["tests/hostile"],
    "monitor": PYTEST + ["tests/monitor"],
}
# Each lane's suites run one after the other, beside the other lane's.  The long ones begin.
LANES = [["system", "tool"], ["fuzz", "unit", "cbmc", "tsan", "check"]]
END_SECONDS = 30            # for a suite that is interrupted to end what it has started


class Interrupted(BaseException):
    """Somebody wants all this to end."""


class Runner:
    """The suites that run, and what those that are over have left."""

    def __init__(self):
        self.lock = threading.Lock()            # of what follows, and of the output
        self.running, self.results, self.ending = set(), {}, False

    def say(self, text):
        print(text, end="", flush=True)

    def begin(self, name, lanes):
        """Starts a suite in a session of its own: a key pressed here is for this program alone."""
        with self.lock:
            if self.ending:
                return None
            process = subprocess.Popen(SUITES[name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, errors="replace",
                                       start_new_session=True, env=environment(lanes))
            self.running.add(process)
            if lanes > 1:
                self.say(f"--- {name} begins\n")
            return process

    def run(self, name, lanes=1):
        """Runs a suite; its output is shown as it comes if it is alone, and at its end if it is not."""
        begun, output = time.monotonic(), []
        header = f"=== {name}: {' '.join(SUITES[name])}\n"
        if lanes == 1:
            self.say(header)
        process = self.begin(name, lanes)
        if not process:
            return
        with process:
            for line in process.stdout:
                output.append(line)
                if lanes == 1:
                    self.say(line)
        with self.lock:
            self.running.discard(process)
            if lanes > 1:
                self.say("".join([header, *output]))
            passed, failed = counts("".join(output)) or (0, 1)
            if process.returncode and not failed:
                failed = 1
            self.results[name] = passed, failed, time.monotonic() - begun

    def side_by_side(self, lanes):
        threads = [threading.Thread(target=lambda lane=lane: [self.run(name, len(lanes)) for name in lane])
                   for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def end(self):
        """Ends what runs: first as a key would, so that it can end what it has started itself."""
        with self.lock:
            self.ending, running = True, set(self.running)
        for how in (signal.SIGINT, signal.SIGKILL):
            for process in running:
                try:
                    os.killpg(process.pid, how)
                except ProcessLookupError:
                    pass
            until = time.monotonic() + END_SECONDS
            while any(process.poll() is None for process in running) and time.monotonic() < until:
                time.sleep(0.1)


def counts(output):
    """Passed and failed of the last line that has such counts; errors count as failures."""
    for line in reversed(output.splitlines()):
        found = dict((word, int(number)) for number, word in
                     re.findall(r"\b(\d+) (passed|failed|errors?)\b", line))
        if found:
            return found.get("passed", 0), sum(n for word, n in found.items() if word != "passed")
    return None


def environment(lanes):
    """This process's, less what the make above handed down: a suite's make is one of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in
            ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")}
    # A processor is left to each other lane.
    return kept | {"FUZZ_JOBS": str(max(1, len(os.sched_getaffinity(0)) - lanes + 1))}


def interrupt(number, _):
    raise Interrupted(number)


def hear_signals():
    """Also what a shell has us ignore: a suite starts as at a terminal, for some tests send signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        ignored = signal.getsignal(number) == signal.SIG_IGN
        signal.signal(number, (lambda *_: None) if ignored else interrupt)


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        sys.exit(f"test: no suite {unknown[0]}; there are: {', '.join(SUITES)}")
    hear_signals()
    wanted, runner, begun = names or list(SUITES), Runner(), time.monotonic()
    lanes = [chosen for lane in LANES if (chosen := [name for name in lane if name in wanted])]
    try:
        runner.side_by_side(lanes)
        for name in wanted:
            if not any(name in lane for lane in lanes):
                runner.run(name)
    except Interrupted as why:
        runner.end()
        return 128 + why.args[0]
    print("=== suite      passed  failed  seconds")
    for name in SUITES:
        if name in wanted:
            passed, failed, seconds = runner.results[name]
            print(f"    {name:10} {passed:6}  {failed:6}  {seconds:7.0f}")
    print(f"    {'together':26} {time.monotonic() - begun:7.0f}")
    failed = sum(result[1] for result in runner.results.values())
    print(f"{sum(result[0] for result in runner.results.values())} passed, {failed} failed", flush=True)
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
