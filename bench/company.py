# SPDX-License-Identifier: MIT
"""Several virtual machines on one board, and what they see of each other.

In:     build/duomo and build/duomo.elf; company.bin, the guest of bench/guest/company.c.
Out:    for each question below, numbers as the guests and the monitor's `stats` tell them.
Always: with icount, time is instructions: what is measured does not depend on this computer.
        Without, compare within one run.  No machine outlives its `with`.
"""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from measure import BUILD, QEMU, BenchError, last_lines, monitor_ask, say, tool_run

GUEST = BUILD / "hostile" / "company.bin"
# One instruction takes a nanosecond; or eight, which is a slow board's hart: 125 million a second.
ONE_NS, EIGHT_NS = ["-icount", "shift=0,sleep=off"], ["-icount", "shift=3,sleep=off"]
NS_PER_TICK = 100
LINE = re.compile(r"company: (\d+) (\w+)((?: \d+)*)\s*$")


class Plan(NamedTuple):
    """How much is done."""
    switches: int
    naps: int
    begin_ms: int           # when all VMs have been loaded, for sure
    window_ms: int
    turns: int
    timeout_s: int


FULL = Plan(200, 1000, 3000, 10000, 200_000_000, 300)
QUICK = Plan(15, 20, 1000, 500, 2_000_000, 60)


def vm(role, more="", **fields):
    """A machine whose guest has that role.  Its number is added when it gets its place."""
    return {"memory": "16M", "kernel": str(GUEST), "role": role, "cmdline": more, **fields}


class Console:
    """A started machine and what it prints.  It ends with its `with`."""

    PATIENCE_S = 10         # with one that is told to end

    def __init__(self, what, command, timeout_s, environment=None):
        self.what, self.deadline = what, time.monotonic() + timeout_s
        self.lines, self.news, self.ended = [], threading.Condition(), False
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.end()
            self.process.wait(self.PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join(self.PATIENCE_S)
        with contextlib.suppress(BrokenPipeError):      # what it did not read any more
            self.process.stdin.close()

    def end(self):
        self.process.terminate()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip())
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def said(self, what):
        """Number of a VM -> the numbers that it has told of that kind."""
        found = {}
        for line in self.lines:
            match = LINE.search(line)
            if match and match[2] == what:
                found.setdefault(int(match[1]), []).extend(map(int, match[3].split()))
        return found

    def wait_for(self, what, is_there):
        with self.news:
            while not is_there():
                if self.ended or time.monotonic() > self.deadline:
                    raise BenchError(f"{self.what}: '{what}' was not told" + last_lines(self.lines))
                self.news.wait(1)

    def wait(self, what, who):
        """Until all of those VMs have said it; returns what each has said."""
        self.wait_for(what, lambda: set(who) <= set(self.said(what)))
        return self.said(what)

    def samples(self, what, who):
        self.wait("told", who)
        return self.said(what)


class Bare(Console):
    """The board itself, with QEMU's firmware, and the same guest on it."""

    def __init__(self, what, role, more, timeout_s, harts=1, icount=()):
        super().__init__(what, [
            QEMU, "-M", "virt", "-cpu", "rv64,h=false", "-smp", harts, "-m", "64M", "-display",
            "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-kernel", GUEST,
            "-append", f"{role}=1 {more}", *icount], timeout_s)


class Company(Console):
    """Several VMs, as `duomo run` starts them from a file."""

    def __init__(self, what, vms, timeout_s, harts=1, icount=(), **machine):
        self.folder = tempfile.TemporaryDirectory(prefix="duomo-bench-")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder.name}
        file = Path(self.folder.name) / "company.yaml"      # JSON is YAML
        file.write_text(json.dumps({"machine": {"harts": harts, **machine},
                                    "vms": [self.describe(*v) for v in enumerate(vms)]}))
        command = [BUILD / "duomo", "run", file, "--qemu", QEMU]
        for word in icount:
            command += ["--qemu-option", word]
        super().__init__(what, command, timeout_s, self.environment)
        if len(vms) > 1:
            self.show_all()

    @staticmethod
    def describe(place, of):
        fields = {name: value for name, value in of.items() if name != "role"}
        return {"name": f"{of['role']}{place}", **fields,
                "cmdline": f"{of['role']}=1 me={place} {of['cmdline']}"}

    def show_all(self):
        """Each line behind its VM's name; what is typed before the monitor listens may be lost."""
        try:
            self.wait_for("keyboard", lambda: any("the keyboard is" in x for x in self.lines))
            self.type("\x1da")
        except (BenchError, OSError):
            self.__exit__()
            raise

    def __exit__(self, *_):
        super().__exit__()
        self.folder.cleanup()

    def end(self):
        self.type("\x1dx")

    def type(self, keys):
        self.process.stdin.write(keys.encode())
        self.process.stdin.flush()

    def ask(self, command):
        """What the monitor says to it."""
        return json.loads(monitor_ask(self.what, "company", command, "--json", environment=self.environment))


# From the last instruction of one VM to the first of the next.

def switches_of(gaps):
    """(from, to) -> how long each switch took.  Each VM has told the gaps in its own time, as pairs
    (last moment before, first after): B took over from A if it came back after A had gone.
    """
    found = {}
    for (a, of_a), (b, of_b) in itertools.permutations(gaps.items(), 2):
        found[a, b] = [first_b - last_a for last_a, first_a in of_a for last_b, first_b in of_b
                       if last_b < last_a < first_b < first_a]
    return found


def gaps_measure(what, plan, vms, exact):
    with Company(f"switch, {what}", vms, plan.timeout_s, icount=ONE_NS if exact else ()) as company:
        said = company.samples("gaps", {0, 1})
    found = switches_of({who: list(zip(s[::2], s[1::2])) for who, s in said.items()})
    if not all(found.values()):
        raise BenchError(f"switch, {what}: no switch was seen; the guests told {said}")
    scale = 1 if exact else NS_PER_TICK
    return {way: [scale * sample for sample in samples] for way, samples in found.items()}


SWITCHES = [
    ("slice",    "at the end of a slice"),
    ("slice_16", "... with 14 more VMs, asleep"),
    ("sleep",    "from a VM that goes to sleep (wfi)"),
    ("wake",     "to a VM whose timer wakes it"),
]


def switch_kinds(plan, exact):
    """What runs for each kind.  Where time is this computer's, there are gaps of its own making:
    those of slices are told apart by their length, those beside a sleeper make up for it by number.
    """
    more = f"exact={exact} from=1000"
    spinner = vm("gaps", f"{more} samples={plan.switches} least={200 if exact else 3000}")
    watcher = vm("gaps", f"{more} samples={plan.switches * 2 if exact else 2000}")
    sleeper = vm("gaps", f"{more} samples={plan.switches} nap=3000")
    return {("slice", "slice"): 2 * [spinner],
            ("slice_16", "slice_16"): 2 * [spinner] + 14 * [vm("idle")],
            ("sleep", "wake"): [sleeper, watcher]}


def switch_measure(plan):
    """Instructions, and nanoseconds of this computer."""
    result = {name: {} for name, _ in SWITCHES}
    for unit, exact in (("insns", 1), ("ns", 0)):
        for (there, back), vms in switch_kinds(plan, exact).items():
            say(f"switch: {there}, {unit}")
            both = gaps_measure(there, plan, vms, exact)
            for name, way in ((there, (0, 1)), (back, (1, 0))):
                result[name].setdefault(unit, []).extend(both[way])
    return result


# How late it is when one that waited goes on.

# Name, what it is, the guest's role, harts, how many spin beside it (None: on the bare board).
LATENCIES = [
    ("wake_bare",   "timer, bare machine",                     "wake", 1, None),
    ("wake_alone",  "timer, alone",                            "wake", 1, 0),
    ("wake_beside", "timer, beside one that spins",            "wake", 1, 1),
    ("ipi_bare",    "IPI to itself, bare machine",             "ipi",  1, None),
    ("ipi_alone",   "IPI to itself, alone",                    "ipi",  1, 0),
    ("ipi_beside",  "IPI to itself, beside one that spins",    "ipi",  1, 1),
    ("wake_two",    "timer, bare machine",                     "wake", 2, None),
    ("wake_two_0",  "timer, alone",                            "wake", 2, 0),
    ("wake_two_1",  "timer, beside one that spins",            "wake", 2, 1),
    ("wake_two_2",  "timer, beside two that spin",             "wake", 2, 2),
    ("ipi_two",     "IPI to itself, bare machine",             "ipi",  2, None),
    ("ipi_two_0",   "IPI to itself, alone",                    "ipi",  2, 0),
    ("ipi_two_2",   "IPI to itself, beside two that spin",     "ipi",  2, 2),
]


def latency_run(plan, what, role, harts, spinners):
    what = f"latency, {what}"
    more = f"exact={2 - harts} from=500 samples={plan.naps}"
    icount = ONE_NS if harts == 1 else ()
    if spinners is None:
        machine = Bare(what, role, more, plan.timeout_s, harts, icount)
    else:
        machine = Company(what, [vm(role, more)] + spinners * [vm("spin")], plan.timeout_s, harts,
                          icount)
    with machine:
        return machine.samples("late", {0})[0]


def latency_measure(plan):
    """Nanoseconds: on one hart those of -icount, where each is an instruction."""
    result = {}
    for name, what, *how in LATENCIES:
        say(f"latency: {what}, {how[1]} hart(s)")
        result[name] = latency_run(plan, what, *how)
    return result


# Who gets how much: on one hart of 125 million instructions a second, exactly; on two harts, in this
# computer's time.

def weighted(times=1):
    return [vm("count", weight=weight) for _ in range(times) for weight in (100, 200, 400)]


HOSTILE = [("spin", "one that spins"), ("calls", "one that floods SBI calls"),
           ("timers", "one that floods timers"), ("traps", "one that floods traps")]
FAIR = [("one", "one hart, weights 1:2:4", 1, weighted())] + [
    (f"one_{role}", f"... and {what}, of weight 1", 1, weighted() + [vm(role)])
    for role, what in HOSTILE] + [
    ("one_cap", "one hart, a cap of 30 %, and one that spins", 1, [vm("count", cap=30), vm("spin")]),
    ("one_cap_alone", "one hart, a cap of 30 %, alone", 1, [vm("count", cap=30)]),
    ("two", "two harts, weights 1:2:4, twice", 2, weighted(2)),
    ("two_all", "... and the four floods, of weight 1 each", 2,
     weighted(2) + [vm(role) for role, _ in HOSTILE]),
    ("two_cap", "two harts, a cap of 30 %, and two that spin", 2,
     [vm("count", cap=30), vm("spin"), vm("spin")]),
]


def ran_between(before, after):
    """Each VM's time on a hart, by the monitor's own account."""
    return [b["ran_ms"] - a["ran_ms"] for a, b in zip(before["vcpus"], after["vcpus"])]


def fair_run(what, harts, vms, plan):
    window = f"from={plan.begin_ms} until={plan.begin_ms + plan.window_ms}"
    vms = [{**v, "cmdline": window} if v["role"] == "count" else v for v in vms]
    who = {i for i, v in enumerate(vms) if v["role"] == "count"}
    with Company(f"fairness, {what}", vms, plan.timeout_s, harts,
                 EIGHT_NS if harts == 1 else ()) as company:
        company.wait("begins", who)
        before = company.ask("stats")
        turns = company.wait("turns", who)
        after = company.ask("stats")
        while sum(ran_between(before, after)) < plan.window_ms / 4:
            after = company.ask("stats")        # they still want their harts as they did
    return {"weights": [v.get("weight", 100) for v in vms], "cap": vms[0].get("cap"),
            "roles": [v["role"] for v in vms], "harts": harts,
            "progress": [turns[i][0] if i in who else None for i in range(len(vms))],
            "ran_ms": ran_between(before, after)}


def fair_measure(plan):
    result = {}
    for name, what, harts, vms in FAIR:
        say(f"fairness: {what}")
        result[name] = fair_run(what, harts, vms, plan)
    result["one_cap_alone"]["of_progress"] = sum(result["one"]["progress"])
    return result


# What others cost that have nothing to do.

IDLE_COUNTS = [1, 4, 16]
IDLE = [("idle", "asleep (wfi), no timer"), ("tick", "asleep, a tick of 250 Hz")]


def work_ticks(plan, others):
    vms = [vm("work", f"from={plan.begin_ms} turns={plan.turns}")] + others
    with Company(f"idle, {len(others)} others", vms, plan.timeout_s, icount=EIGHT_NS) as company:
        return company.wait("ticks", {0})[0][0]


def idle_measure(plan):
    """Time of a piece of work beside so many that are idle, over that alone; less 1."""
    alone = work_ticks(plan, [])
    result = {}
    for role, what in IDLE:
        result[role] = {}
        for count in IDLE_COUNTS:
            say(f"idle: {count} {what}")
            result[role][str(count)] = work_ticks(plan, count * [vm(role)]) / alone - 1
    return result


# What a VM takes of the machine's memory beside its own.

MEMORY_MIB = [16, 64, 256, 1024]


def memory_measure(plan):
    vms = [vm("idle", memory=f"{mib}M", start="hand") for mib in MEMORY_MIB]
    machine = {"when-all-off": "stay", "memory": "2G"}
    with Company("memory", vms, plan.timeout_s, **machine) as company:
        ranges = company.ask("memory")["ranges"]
    sizes = {r["owner"]: r["size"] for r in ranges}
    result = {"monitor": sizes["the monitor"]}
    for i, mib in enumerate(MEMORY_MIB):
        result[str(mib)] = {part: sizes[f"idle{i}: {part}"] for part in ("control", "shadow tables")}
    return result


def measure(plan):
    return {"switch": switch_measure(plan), "latency": latency_measure(plan),
            "fair": fair_measure(plan), "idle": idle_measure(plan), "memory": memory_measure(plan)}
