# SPDX-License-Identifier: MIT
"""How one mutant of the monitor is judged (tools/mutants.py has the mutants).

In:     a tree: a copy of the project in which one line is changed.
Out:    a verdict: killed, by which case; survived; or not counted, for it cannot be built or its machine
        code is that of the original.
Always: a case kills only if it fails twice, the second time alone, and passes alone, right afterwards,
        with the monitor as it is; how long a case may take is a multiple of what it takes there, at that
        time.  So neither a busy computer nor a test that fails now and then kills a mutant.
        What has not failed at any case of any suite has survived, and nothing else has.
        After a mutant, what was built is again, to the byte and the second, what was there before.

From the quickest to the slowest, and each ends at the first case that fails:

    unit    only those programs of the unit tests in which the change is; a limit of processor time
    quick   a few cases that are made for the file (FIRST), and those that killed others in it before
    all     what else there is of the suites, less what is long and adds little (LEFT_OUT)
"""

import hashlib
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
COPIED = ["Makefile", "src", "tests", "tools", "tool", "guests", "docs", "README.md"]
BUILT = ["obj", "unit", "guest", "hostile", "figura", "duomo.elf", "duomo.bin", "duomo.ld", "duomo", "figura.elf",
         "figura.bin", "initrd.gz", ".deps-build", ".deps-test", ".deps-run"]
KEPT = ["obj", "unit", "hole", "self_harm", "tsan", "duomo.elf", "duomo.bin", "duomo.ld"]     # what a mutant changes
UNITS = [f"build/unit/{path.stem}" for path in sorted((TOP / "tests/unit").glob("test_*.c"))]
SUITES = {                              # name: where; which other folders of tests it uses
    "guest": ("tests/guest", "guest"),
    "hostile": ("tests/hostile", "hostile guest"),
    "monitor": ("tests/monitor", "monitor hostile guest"),
    "figura": ("tests/figura", "figura hostile"),
    "system": ("tests/system/test_bad_input.py tests/system/test_linux.py", "system hostile"),
}
LEFT_OUT = re.compile(
    r"[\[-]bare\]|fuzz-[234]\]|-4-harts|words-[23]\]|thousand_starts\[1-|any_moment\[4|next\[4|sleepers-and-spin|many-dense|same_asids|"
    r"every_attacker|the_tool_refuses|test_linux.py::test_(?!sees|float|power_off|reboot|ctrl_c|large)")
SPOILT = re.compile("mistake|pmp_stops")        # they want two monitors more
SMOKE = "boot_state|irq_timer-|notices_nothing.spin]|fuzz-few-pages"
FIRST = {
    "src/arch/riscv/ext_regs": "fp_state|vector-2-h|fp-first|fp_regs|fp_off|fp-none|test_nothing_is_left.*1-rv64",
    "src/arch/riscv/trap": "trap_registers|fp_regs|insn_mixed|csr_forms|ecalls|fp-2-h|traps-2|mistake_ends.*[1-6]]",
    "src/arch/riscv/start": "fp-2-h|traps-2|mistake|several_harts|ends_the_machine",
    "src/arch/riscv/hart": "csr_satp-virt|csr_envcfg|page_modes-v|refuses_a_machine|fp-none|fp-2-h|several|mistake_ends.*[16]]",
    "src/arch/riscv/pmp": "pmp_stops|mistake_ends.*[1-3]]|refuses_a_machine",
    "src/arch/": "fp-2-h|traps-2-h|interrupts-2-h|ends-2-h",
    "src/dev/machine": "refuses_a_m|does_not_fit|fp-2-h|test_every_c|sees",
    "src/isa/ext": "sees|fp-none|page_svinval|csr_envcfg",
    "src/isa/walk": "page_flags-v|page_superpage-v|page_high_bits-v|page_self-v|page_modes|page_ad-",
    "src/isa/insn_text": "test_every_command|violation|step_2|told_at",
    "src/isa/insn": "insn_mixed|insn_system_s|insn_compressed_s|trap_illegal",
    "src/lib/bits": "page_flags|plic_regs|uart_regs|sbi_ipi",
    "src/vm/shadow": "page_(ad|asid|flags|global|split|fence_model|self|spaces|sum_mxr|superpage)-v|asid-2|many-(few|sp)|"
                     "tables-few|no_request|pmp_stops",
    "src/vm/csr": "csr_|irq_masks|trap_sstatus|time_gating|fp_state|fp_off",
    "src/vm/sbi": "sbi_|halt-|test_what_the_guest|hundred|watchdog",
    "src/vm/inject": "trap_nested|irq_vectored|irq_masks|irq_priority|trap_registers|ecalls",
    "src/vm/trace": "test_step|violation|storm_keeps|hot_path|told_at|a_loop_of",
    "src/vm/backtrace": "test_a_loop|test_what_the_guest|restart_at",
    "src/vm/stuck": "jump-|a_loop|watchdog|no_crash|overflow",
    "src/vm/runq": "fp-2-h|sleeper-(0|owed)|spin|storm-timer|sleep-2|interrupts-2|lives_of|test_keys",
    "src/vm/share": "sleeper|spin|two-w|storm-timer|halt-1",
    "src/vm/sched": "sleep-2|lives_of|stopped_vms|test_off|ends-2|one_that_is_off|halt-",
    "src/vm/vm.": "lives_of|stopped_vms|reboot|ends-|restart_at|one_that_is_off",
    "src/vm/timer": "irq_|storm-timer|storm-stim|halt-1|time_",
    "src/vm/run.": "trap_fence_i|irq_wfi|trap_wfi|vanish|hot_path|storm-|sbi_rfence|lrsc",
    "src/vm/engine": "csr_envcfg|fp_|fp-first|fp-2|time_|irq_spin",
    "src/vm/gmem": "page_ad-|page_outside|tables|bulk|no_request|sbi",
    "src/vm/bus": "dev_|page_device|rtc_alarm|virtio",
    "src/vm/mmio": "dev_forms|dev_pages|page_device|vanish|trap_page_cross|uart_widths",
    "src/vm/emul": "trap_ecall|trap_illegal|insn_system|trap_sret|csr_forms",
    "src/vm/trap": "trap_|ecalls",
    "src/vdev/vuart": "uart_|irq_uart_rx|flood-|paste|sees|ctrl_c",
    "src/vdev/vplic": "plic_|irq_external|irq_uart_rx|virtio|dev_pages",
    "src/vdev/vclint": "clint|csr_machine|irq_ipi",
    "src/vdev/vrtc": "rtc_|storm-rtc|halt-5|sees",
    "src/vdev/vfinisher": "syscon|off|reboot|power_off",
    "src/vdev/vslots": "virtio|dev_",
    "src/vdev/board": "dev_|boot_state|sees|virtio",
    "src/mon/life": "lives|reboot|ends-|off|restart_at|ends_the_machine|stopped_vms|does_not_fit|initrd|watchdog",
    "src/mon/build": "refuses_a_b|refuses_an|does_not_fit|sees|lives|ends_at_any_moment.2",
    "src/mon/console": "flood|test_keys|test_all|paste|prompt|nothing_of_a_flood|does_not_read|ctrl_c",
}
OTHERS = re.compile(r"__pycache__|tools/mutant")         # what no suite hangs on
TSAN = re.compile(r"src/(vm/(runq|share|sched|vm|run|timer)|arch)")
RESULT = re.compile(r"^(tests/\S+::.+?) (PASSED|FAILED|ERROR|SKIPPED)\b")
BEGUN = re.compile(r"(?:^|\n)(tests/[^\n]+::[^\n]+?) ?\Z")
LIMIT, LIMIT_ALONE, LIMIT_UNIT = 15, 12, 2      # seconds that any case may take
UNIT_FILES = re.compile(r"src/(lib|isa|vm|vdev|mon|dev/machine|arch/\w+\.h)")

RUNNING = set()         # groups of processes that the trees have started


class Broken(Exception):
    """Nothing can be judged: a suite fails without a mutant."""


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


def environment():
    """This process's, less what the make above handed down.  A mutant's warnings are no findings."""
    own = {k: v for k, v in os.environ.items() if k not in ("MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")}
    return {**own, "MAKEFLAGS": " -- WARN=-w", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
            "ASAN_OPTIONS": "hard_rss_limit_mb=2000", "CMOCKA_MESSAGE_OUTPUT": "tap"}


def digest(*paths):
    """Of all the files there."""
    sum_ = hashlib.sha256()
    for top in paths:
        for path in sorted(p for p in [top, *top.rglob("*")] if p.is_file() and not OTHERS.search(str(p))):
            sum_.update(f"{path.relative_to(TOP)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return sum_.hexdigest()


def stamp(path):
    return path.stat().st_mtime_ns, path.stat().st_size


class Tree:
    """A copy of this tree, in which one mutant after the other lives."""

    def __init__(self, at, targets, model=None):
        self.at, self.log = at, ""
        self.what = digest(*(TOP / name for name in COPIED)) + f" {targets}"
        if model or not (at / "complete").exists() or (at / "complete").read_text() != self.what:
            shutil.rmtree(at, ignore_errors=True)
            at.mkdir(parents=True)
            if model:
                subprocess.run(["cp", "-a", f"{model.at}/.", at], check=True)
            else:
                self.begin(targets)
        self.code = self.machine_code()
        self.units = {unit: self.bytes_of(unit) for unit in UNITS if (at / unit).exists()}

    def begin(self, targets):
        """What is there, copied; what is not yet, made."""
        (self.at / "build").mkdir()
        for name in COPIED:
            subprocess.run(["cp", "-a", TOP / name, self.at / name], check=True)
        for name in BUILT:
            if (TOP / "build" / name).exists():
                subprocess.run(["cp", "-a", TOP / "build" / name, self.at / "build" / name], check=True)
        if not self.make(*targets, seconds=900):
            raise Broken(f"this tree cannot be built:\n{self.log[-2000:]}")

    def keep(self):
        """What was built, by the suites too, is what restore() brings back; the next run need not make it again."""
        if not (self.at / "complete").exists():
            (self.at / "kept").mkdir()
            kept = [self.at / "build" / name for name in KEPT if (self.at / "build" / name).exists()]
            subprocess.run(["cp", "-a", *kept, self.at / "kept"], check=True)
            (self.at / "complete").write_text(self.what)

    def bytes_of(self, unit):
        return hashlib.sha256((self.at / unit).read_bytes()).digest()

    def machine_code(self):
        """Without what line numbers leave in it."""
        subprocess.run(["riscv64-linux-gnu-objcopy", "-O", "binary", self.at / "build/duomo.elf", self.at / "code"],
                       check=True)
        return (self.at / "code").read_bytes()

    def restore(self):
        """What was built: each file that is no longer what it was."""
        for kept in (self.at / "kept").rglob("*"):
            now = self.at / "build" / kept.relative_to(self.at / "kept")
            if kept.is_file() and (not now.exists() or stamp(now) != stamp(kept)):
                now.unlink(missing_ok=True)
                shutil.copy2(kept, now)

    def start(self, command, **how):
        process = subprocess.Popen(command, cwd=self.at, stdin=subprocess.DEVNULL, start_new_session=True,
                                   env=environment(), **how)
        RUNNING.add(process.pid)
        return process

    def run(self, command, seconds):
        """Whether it went well, and in time.  Whatever it has started ends with it."""
        with open(self.at / "log", "w+", errors="replace", encoding="utf-8") as log:
            process = self.start(command, stdout=log, stderr=log)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                group_end(process.pid)
                process.wait()
            log.seek(0)
            self.log = log.read()[-4000:]
        return status == 0

    def make(self, *targets, seconds=180):
        return self.run(["make", "-s", "B=build", *targets], seconds)


# Unit tests.

def unit_command(unit, seconds):
    """A limit of processor time, which no other process takes part in."""
    return ["sh", "-c", f"ulimit -t {int(seconds) + 1}; ulimit -f 200000; exec {unit}"]


def unit_passes(tree, unit, cost):
    return tree.run(unit_command(unit, LIMIT_UNIT + 5 * cost), 60 + 100 * cost)


def processor_time():
    """That all processes have taken which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# Suites under pytest.

class Session:
    """Cases in one run of pytest, until one fails or takes too long."""

    def __init__(self, tree, cases, limit):
        self.seconds, self.failed, self.error, self.text = {}, "", False, ""
        if cases:
            self.play(tree, cases, limit)

    def play(self, tree, cases, limit):
        command = ["/usr/bin/python3", "-m", "pytest", "-v", "-x", "--tb=short", "-p", "no:cacheprovider", *cases]
        process = tree.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        begun, open_ = time.monotonic(), True
        try:
            while open_ and not self.failed:
                now = BEGUN.search(self.text[-1000:])
                left = begun + limit(now[1] if now else cases[0]) - time.monotonic()
                if select.select([process.stdout], [], [], max(0, left))[0]:
                    chunk = os.read(process.stdout.fileno(), 65536)
                    begun, open_ = self.heard(chunk.decode(errors="replace"), begun), bool(chunk)
                elif left <= 0:
                    self.failed = now[1] if now else cases[0]
            if not self.failed and process.wait(60) != 0:
                raise Broken(f"pytest: {self.text[-3000:]}")
        finally:
            group_end(process.pid)
            process.wait()
            process.stdout.close()

    def heard(self, chunk, begun):
        """When the case began that now runs."""
        known = len(self.seconds)
        self.text += chunk
        for line in self.text.split("\n"):
            found = RESULT.match(line)
            if found and found[1] not in self.seconds:
                self.seconds[found[1]] = time.monotonic() - begun
                if found[2] in ("FAILED", "ERROR") and not self.failed:
                    self.failed, self.error = found[1], found[2] == "ERROR"
        return time.monotonic() if len(self.seconds) > known else begun


def alone(tree, case, limit):
    """Seconds, if it passes."""
    session = Session(tree, [case], lambda _: limit)
    return None if session.failed else sum(session.seconds.values()), session


def suite_of(case):
    return case.split("/")[1]


class Judge:
    """What is to be run on whom, and what it takes where nothing is wrong."""

    def __init__(self, out, suites, only, known):
        self.suites, self.only, self.out = suites, re.compile(only or "."), out
        self.targets = ["all", "hostile-guests", "build/initrd.gz", *(UNITS if "unit" in suites else [])]
        self.sound = Tree(out / "sound", self.targets)
        self.cases = self.collected()
        self.seconds, self.unit_seconds = {}, {}
        self.one_at_a_time = threading.Lock()               # in the sound tree
        self.here, self.anywhere = Counter(), Counter()
        for result in known:
            self.learn(result)

    def learn(self, result):
        """Who kills one in a file may well kill the next."""
        if result.get("case"):
            self.here[result["file"], result["case"]] += 1
            self.anywhere[result["case"]] += 1

    def collected(self):
        where = [at for suite in self.suites if suite in SUITES for at in SUITES[suite][0].split()]
        if not where:
            return []
        done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
                               *where], cwd=self.sound.at, capture_output=True, text=True, check=False)
        return [line for line in done.stdout.splitlines()
                if "::" in line and not LEFT_OUT.search(line) and self.only.search(line)]

    def limit(self, case):
        return max(LIMIT, 5 * self.seconds.get(case, 0))

    def verify(self, known, save, quick):
        """All that is to judge passes where nothing is wrong.  Known: what did so before, by what it hung on.
        What is quick asks each case that kills, afterwards."""
        for unit in self.sound.units if "unit" in self.suites else ():
            begun = processor_time()
            if not unit_passes(self.sound, unit, 10):
                raise Broken(f"{unit} fails without a mutant:\n{self.sound.log[-2000:]}")
            self.unit_seconds[unit] = processor_time() - begun
        base = digest(*(TOP / name for name in COPIED if name not in ("tests", "tools", "docs")))
        for suite in SUITES if not quick else ():
            cases = [case for case in self.cases if suite_of(case) == suite]
            key = f"{base} {digest(*(TOP / 'tests' / name for name in SUITES[suite][1].split()))} {len(cases)}"
            if cases and known.get(suite, {}).get("key") != key:
                known[suite] = {"key": key, "seconds": self.sound_seconds(cases)}
                save(known)
            self.seconds.update(known.get(suite, {}).get("seconds", {}) if cases else {})
        if "tsan" in self.suites and not any(self.tsan_passes(self.sound) for _ in "12"):
            raise Broken(f"tsan fails without a mutant:\n{self.sound.log[-2000:]}")
        self.sound.keep()

    def tree(self, n):
        return Tree(self.out / f"tree-{n}", self.targets, self.sound)

    def sound_seconds(self, cases):
        """How long each takes; one that fails gets a second chance alone."""
        seconds, left = {}, cases
        while left:
            session = Session(self.sound, left, lambda _: 120)
            seconds.update(session.seconds)
            if session.failed:
                seconds[session.failed], again = alone(self.sound, session.failed, 120)
                if again.failed:
                    raise Broken(f"{session.failed} fails without a mutant:\n{again.text[-3000:]}")
            left = [case for case in left if case not in seconds]
        return seconds

    def tsan_passes(self, tree):
        return tree.make("tsan", "TSAN_SECONDS=4", seconds=240)

    def ordered(self, path, cases):
        """The likeliest to kill first."""
        return sorted(cases, key=lambda case: (-self.here[path, case], -self.anywhere[case],
                                               self.seconds.get(case) or self.unit_seconds.get(case, 0)))

    def quick(self, path):
        pattern = next((cases for begin, cases in FIRST.items() if path.startswith(begin)), "fuzz-and|traps-2|paging-2")
        smoke = [case for case in self.cases if re.search(SMOKE, case)]
        learnt = [case for case in self.cases if self.here[path, case]]
        made = [case for case in self.cases if re.search(pattern, case)]
        return list(dict.fromkeys(smoke[:1] + self.ordered(path, learnt)[:8] + made + smoke[1:]))

    def by_units(self, tree, path):
        """The first that kills; False: there is none, None: they cannot be built."""
        units = self.ordered(path, tree.units)
        named = [unit for unit in units if unit.endswith("_" + Path(path).stem) or self.here[path, unit]][:3]
        for some in [*([unit] for unit in named), [unit for unit in units if unit not in named]]:
            if not tree.make(*some):
                return None
            for unit in some:
                if tree.bytes_of(unit) != tree.units[unit] and \
                        not any(unit_passes(tree, unit, self.unit_seconds.get(unit, 1)) for _ in "12"):
                    return unit
        return False

    def by_cases(self, tree, cases, doubts):
        """The first that kills."""
        if any(SPOILT.search(case) for case in cases) and not tree.make("hostile-builds", seconds=900):
            cases = [case for case in cases if not SPOILT.search(case)]
        while cases:
            session = Session(tree, cases, self.limit)
            if not (case := session.failed):
                return None
            with self.one_at_a_time:
                took, _ = alone(self.sound, case, 60)
            if took is not None:
                again, session = alone(tree, case, max(LIMIT_ALONE, 4 * took))
                if again is None and not session.error:     # an error is the tests' own: nothing was judged
                    tree.log = session.text[-1500:]
                    return case
            doubts.append(case)
            done = {*session.seconds, case}
            cases = [c for c in cases if c not in done]
        return None

    def not_counted(self, tree):
        """Why not; of a header, before its host's half is tested."""
        if not tree.make("build/duomo.elf", "build/duomo.bin"):
            return "unbuilt"
        return "same code" if tree.machine_code() == tree.code else ""

    def verdict(self, tree, path, quick, doubts):
        """In a tree with a mutant: a word, by which suite, by which case."""
        only_units = quick and not self.cases               # whose the code is, is asked later
        if path.endswith((".h", ".S")) and not only_units and (word := self.not_counted(tree)):
            return word, "", ""
        if UNIT_FILES.match(path) and "unit" in self.suites:
            unit = self.by_units(tree, path)
            if unit is not False:
                return ("killed", "unit", unit) if unit else ("unbuilt", "", "")
        if only_units:
            return "spared", "", ""
        if word := self.not_counted(tree):
            return word, "", ""
        first = self.quick(path)
        for cases in [first] if quick else [first, self.ordered(path, set(self.cases) - set(first))]:
            if case := self.by_cases(tree, cases, doubts):
                return "killed", suite_of(case), case
        if quick:
            return "spared", "", ""
        if "tsan" in self.suites and TSAN.match(path) and not any(self.tsan_passes(tree) for _ in "12"):
            return "killed", "tsan", "tsan"
        return "survived", "", ""
