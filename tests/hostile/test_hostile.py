# SPDX-License-Identifier: MIT
"""Guests that attack, beside a witness.

Every tests/hostile/<name>.c but the witness is an attacker; its first comment says what it does, and
which classes of threats it shows (`// Shows:`).  A case below is one machine with a witness and one or
more attackers in a bundle.  Whatever the attackers do, it must hold:

  O1  the monitor prints no panic, and traps nowhere in its own code;
  O2  the witness finishes: its memory and registers hold what it put there, time never goes back, its
      longest stall and its latest timer interrupt are below one slice per other VM plus a margin, and
      it has its share of the hart;
  O3  the monitor's text and constants are afterwards what the ELF file says, byte for byte;
  O4  the attackers have really attacked, and none saw what it must not see (a line with BAD in it);
  O5  the monitor's log has no lines but those of VMs that end.

Environment:
  DUOMO_HOSTILE_JOBS=n   so many machines at once (2), where time is instructions
  DUOMO_HOSTILE_SOAK=n   witnesses watch n times as long, and there are n times as many seeds (1)
  DUOMO_SHOW=1           the consoles are shown (pytest -s)
  QEMU                   another qemu-system-riscv64
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from fit import Vm, bundle
from hostile_case import (BUILD, GUESTS, ORACLES, SOAK, STAY, Case, o1_no_panic, o3_monitor_is_unchanged, play,
                          seeds_in_common, what_is_wrong)
from hostile_machine import Elf, Machine

JOBS = int(os.environ.get("DUOMO_HOSTILE_JOBS", "2"))
SHOW = os.environ.get("DUOMO_SHOW") == "1"


def seeds(n):
    return range(1, n * SOAK + 1)


def lives_are_level(shown):
    """The hundred lives of a VM that reboots: equally long, and nothing of the last one in the next."""
    lives = [tuple(map(int, life)) for life in
             re.findall(r"reboot: life at_us=(\d+) seed=\w+ marks=(\d+) dirt=(\d+) left=(\d+)", shown)]
    spans = [b[0] - a[0] for a, b in zip(lives, lives[1:])]
    if len(lives) < 100:
        yield f"only {len(lives)} lives"
        return
    if dirty := [life for life in lives if life[1:] != (0, 0, 0)]:
        yield f"{len(dirty)} lives found something of the one before: {dirty[0]}"
    if common := seeds_in_common(shown):
        yield f"{len(common)} lives had a seed that is none, or another's: {common[0]}"
    early, late = sorted(spans[5:30])[12], sorted(spans[-25:])[12]
    if late > early * 1.2 + 1000:
        yield f"lives grow longer: {early} us, then {late} us"


def all_have_ended(shown):
    for i in range(8):
        if not re.search(rf"duomo: off-{i}: its guest (powered off|reported a failure)", shown):
            yield f"off-{i} has not ended"


def those_that_loop_have_crashed(ways, others):
    """A loop of traps ends the VM that is in it, with one report; what else is lost is lost."""
    def check(shown):
        for i in range(8):
            told = len(re.findall(rf"duomo: jump-{i}: it crashed: its trap handler traps [^\n]* \(start 1\)\n", shown))
            if told != (i + ways not in others):
                yield f"jump-{i} has crashed {told} times"
        lines = len(re.findall(r"duomo:     ", shown[shown.find("=== "):]))
        if lines > 30 * (8 - len(others)):
            yield f"the reports have {lines} lines"
    return check


def two_witnesses(shown):
    if len(re.findall(r"witness: done ok", shown)) != 2:
        yield "there are not two witnesses that are content"


def hundred_thousand_a_second(shown):
    rates = [int(rate) for rate in re.findall(r"per_s=(\d+)", shown)]
    if not rates or max(rates) < 100000:
        yield f"only {max(rates, default=0)} a second"


def no_event_waits_for_a_poll(shown):
    """The monitor looks at the disks five times a second, whether they interrupt or not: an interrupt that is lost
    costs a request up to 200 ms."""
    ages = [int(age) for age in re.findall(r"slowest_us=(\d+)", shown)]
    if not ages or max(ages) > 50000:
        yield f"an event was {max(ages, default='never')} us old"


def on_harts(harts, *attackers, rounds=1, **wanted):
    """Several attackers on several harts, until each guest has done its rounds."""
    guests = {guest for guest, _ in attackers}
    until = [(f"{guest}: (?:round|life)", rounds * sum(guest == g for g, _ in attackers)) for guest in guests]
    return Case(*attackers, harts=harts, rounds=rounds, until=wanted.pop("until", until), **wanted)


# Two that exchange frames, and those who attack the network that they use.
PAIR = [("pair", "seed=5"), ("pair", "seed=5 plain=1")]
PAIR_SLOW = [(guest, f"{args} patience_ms=20000") for guest, args in PAIR]
FLOODER, SPOOFER, LIAR = (("net", f"role={role}") for role in range(3))
SPOOFED, LIED = ("spoofed", "tagged"), ("short", "long", "header")


def network(*attackers, rounds=1, **wanted):
    """The pair, three attackers at most, and the witness."""
    return Case(*PAIR, *attackers, net=True, until=[("net: round", rounds * len(attackers)), ("pair: round", 2)],
                lines=20, **wanted)


def cases_on(h):
    """The same attacks as on one hart, together."""
    return {
        f"paging-{h}-harts":    on_harts(h, ("tables", "seed=3"), ("many", "part=1"), ("vanish", ""),
                                         ("many", "part=2"), rounds=2, shadow_pages=64),
        f"traps-{h}-harts":     on_harts(h, ("ecalls", ""), ("sbi", "seed=3"), ("words", "seed=9"),
                                         ("jump", "way=3"), ("overflow", ""), lost=True,
                                         reports=True),
        f"interrupts-{h}-harts": on_harts(h, *[("storm", f"way={w}") for w in (0, 1, 2, 4, 7)]),
        f"sleep-{h}-harts":     on_harts(h, ("halt", "way=1"), ("halt", "way=5"), ("sleeper", "which=0"),
                                         ("sleeper", "burst_us=100"), ("spin", "")),
        f"steal-{h}-harts":     on_harts(h, *[("steal", "loose=1")] * 2, *[("spin", "")] * h),
        f"lives-{h}-harts":     on_harts(h, ("reboot", ""), ("reboot", ""), mib=16, rounds=40),
        f"ends-{h}-harts":      on_harts(h, *[("off", f"seed={s}") for s in range(1, 9)], mib=16, lines=20,
                                         until=[("its guest (powered|reported)", 8)], check=all_have_ended),
        f"flood-{h}-harts":     on_harts(h, *[("flood", f"way={w}") for w in range(6)]),
        f"disk-{h}-harts":      on_harts(h, ("disk", f"seed={h}1"), ("sectors", "seed=7 patience_ms=20000"),
                                         ("disk", f"seed={h}2"), ("sectors", "seed=8 patience_ms=20000"), disk=True),
        f"events-{h}-harts":    on_harts(h, *[("events", f"seed={s} patience_ms=20000") for s in range(3)], disk=True),
        f"net-{h}-harts":       on_harts(h, *PAIR_SLOW, *[(guest, f"{args} seed={h} patience_ms=20000")
                                                          for guest, args in (FLOODER, SPOOFER, LIAR)],
                                         net=True, until=[("net: round", 3), ("pair: round", 4)],
                                         dropped={"net-3": SPOOFED, "net-4": LIED}),
        f"lrsc-{h}-harts":      on_harts(h, ("lrsc", ""), ("lrsc", ""), ("lrsc", "way=1"), ("lrsc", "way=1")),
        f"fuzz-{h}-harts":      on_harts(h, *[("fuzz", f"seed={2000 * h + 100 * s} seeds=8") for s in range(5)],
                                         until=[("fuzz: all done", 5)]),
    }


# Attacks on what the engines do in different ways.
ENGINES_DIFFER = re.compile(
    "tables|many-spaces|ecalls|jump|overflow|storm-(timer|stimecmp|ipi|sip)|halt-[0246]|reboot$|lrsc|fp-(first|2)"
    "|vector-2|asid|narrow|super|vanish|words-1|fuzz-(1|few)|(paging|traps|interrupts|fuzz)-2")


def under_both_engines(cases):
    """Those attacks under the fastest engine beside a witness under the other one, and the other way
    round, so that nothing that one of them leaves in the hart can hide."""
    for name, case in cases.items():
        if ENGINES_DIFFER.match(name):
            yield name, case.under("auto", "classic")
            yield f"{name}-classic", case.under("classic", "auto")
        else:
            yield name, case


CASES = dict(under_both_engines({
    # Who waits for the disk gives up his turn, and is owed it.
    "disk":              Case(("disk", "seed=1"), ("sectors", "seed=5"), disk=True, rounds=2, slices=3,
                              until=[("disk: round", 2), ("sectors: round", 2)]),
    "disks":             Case(("disk", "seed=2"), ("sectors", "seed=6"), ("disk", "seed=3"), disk=True, slices=5,
                              until=[("disk: round", 2), ("sectors: round", 1)]),
    "events":            Case(("events", "seed=1"), ("events", "seed=2"), disk=True,
                              until=("events: round", 10 * SOAK), check=no_event_waits_for_a_poll),
    "net-flood":         network(FLOODER, FLOODER, dropped={"net-2": ("storm", "full"), "pair-0": ("full",)}),
    "net-spoof":         network(SPOOFER, SPOOFER, dropped={"net-2": SPOOFED, "net-3": SPOOFED}),
    "net-lies":          network(LIAR, LIAR, dropped={"net-2": LIED, "net-3": LIED}),
    "net-all":           network(FLOODER, SPOOFER, LIAR, dropped={"net-3": SPOOFED, "net-4": LIED}),
    "spin":              Case(("spin", "")),
    "spin-second":       Case(("spin", ""), first=False),
    "spin-three":        Case(("spin", ""), ("spin", ""), ("spin", "")),
    "no-stall-alone":    Case(share=95, slices=0),
    "two-witnesses":     Case(("witness", "lines=12 ms=20 seed=3"), rounds=0, lines=12, share=45,
                              until=("witness: done", 2), check=two_witnesses),
    **{f"sleeper-{w}":   Case(("sleeper", f"which={w}")) for w in (0, 2, 5, 7)},
    "sleeper-mixed":     Case(("sleeper", ""), lines=20),
    "sleeper-owed":      Case(("sleeper", "which=8 burst_us=14000"), lines=20),
    "sleeper-owed-more": Case(("sleeper", "which=9 burst_us=30000"), lines=20),
    "sleeper-short":     Case(("sleeper", "burst_us=100")),
    "sleepers-and-spin": Case(("sleeper", "which=0"), ("sleeper", "which=2"), ("spin", ""), slices=4,
                              lines=20),
    "jump-to-devices":   Case(*[("jump", f"way={w}") for w in range(8)], mib=16, lost=True,
                              check=those_that_loop_have_crashed(0, ()), reports=True),
    "jump-in-tables":    Case(*[("jump", f"way={w}") for w in range(8, 16)], mib=16, lost=True,
                              check=those_that_loop_have_crashed(8, (15,)), reports=True),
    # On one processor QEMU's threads stop in the midst of what they do, and then a deadline may ring when it is replaced.
    "flicker":           Case(("flicker", ""), icount=False, one_core=True, lines=400),
    "overflow":          Case(("overflow", ""), lost=True),
    "overflow-deep":     Case(("overflow", "from=1000"), lost=True, first=False),
    "tables":            Case(("tables", "seed=1"), lines=40, rounds=3),
    "tables-few-pages":  Case(("tables", "seed=2"), shadow_pages=16, lines=40, rounds=3),
    "many-dense":        Case(("many", "part=0"), lines=60),
    "many-sparse":       Case(("many", "part=1"), rounds=3),
    "many-spaces":       Case(("many", "part=2"), lines=40),
    "many-few-pages":    Case(("many", "part=1"), shadow_pages=16, lines=20),
    "ecalls":            Case(("ecalls", ""), lines=20),
    **{f"flood-{w}":     Case(("flood", f"way={w}"), lines=6) for w in range(6)},
    **{f"flood-{w}-slow": Case(("flood", f"way={w}"), lines=6, slow=True) for w in range(5)},
    "sbi":               Case(("sbi", "seed=1"), rounds=10),
    "sbi-second":        Case(("sbi", "seed=2"), rounds=10, first=False),
    "steal":             Case(("steal", ""), rounds=3, lines=20),
    "steal-three":       Case(("steal", ""), ("spin", ""), ("sleeper", "which=0"), lines=12, slices=4),
    "storm-timer":       Case(("storm", "way=0"), rounds=3, check=hundred_thousand_a_second),
    "storm-stimecmp":    Case(("storm", "way=1"), rounds=3, check=hundred_thousand_a_second),
    "storm-ipi":         Case(("storm", "way=2"), rounds=3, check=hundred_thousand_a_second),
    "storm-sip":         Case(("storm", "way=3"), rounds=3),
    "storm-rtc":         Case(("storm", "way=4"), rounds=2),
    "storm-uart":        Case(("storm", "way=5"), rounds=2),
    "storm-stuck":       Case(("storm", "way=6"), rounds=3),
    "storm-unending":    Case(("storm", "way=7")),
    **{f"halt-{w}":      Case(("halt", f"way={w}"), share=40 if w == 6 else 90) for w in range(7)},
    "reboot":            Case(("reboot", ""), mib=16, until=("reboot: life", 101), check=lives_are_level,
                              share=40),
    "reboot-second":     Case(("reboot", ""), mib=16, until=("reboot: life", 101), check=lives_are_level,
                              first=False, share=40),
    "reboot-large":      Case(("reboot", ""), mib=128, lines=20, rounds=0, share=40),
    "off":               Case(*[("off", f"seed={s}") for s in range(1, 9)], mib=16, lines=40,
                              check=all_have_ended, share=5),
    "lrsc":              Case(("lrsc", "")),
    "lrsc-stolen":       Case(("lrsc", ""), ("lrsc", "way=1"), lines=20, rounds=3,
                              until=("lrsc: round .*stolen", 3)),
    "fp-first":          Case(("fp", "seed=1")),
    "fp-second":         Case(("fp", "seed=1"), first=False),
    "fp-none":           Case(("fp", "seed=1"), ("fp", "seed=2"), cpu="rv64,h=false,f=false,d=false"),
    **{f"fp-{h}-harts":  Case(*[("fp", f"seed={s}") for s in range(1, 5)], harts=h, turns=300,
                              until=("fp: round", 24)) for h in (1, 2, 4)},
    **{f"vector-{h}-harts": Case(*[("vector", f"seed={s}") for s in range(1, 5)], harts=h, turns=300,
                              cpu="rv64,h=false,v=true", until=("vector: round", 16)) for h in (1, 2, 4)},
    # Vectors of a hart that does not say V.
    "vector-embedded":   Case(*[("vector", f"seed={s}") for s in range(1, 5)], turns=300,
                              cpu="rv64,h=false,Zve64f=true", until=("vector: round", 16)),
    "asid-2-harts":      Case(*[("asid", f"seed={s}") for s in range(1, 5)], harts=2, rounds=4,
                              until=("asid: round", 4)),
    "narrow":            Case(("narrow", ""), ("spin", ""), until=("narrow: round", 1)),
    **{f"super-{h}-harts": Case(*[("super", f"seed={s}") for s in range(1, 5)], harts=h,
                               until=("super: round", 32)) for h in (1, 2)},
    "vanish":            Case(("vanish", "")),
    **{f"words-{s}":     Case(("words", f"seed={s}"), until=(r"words: round \d+ steps=20000", 1), share=40)
       for s in seeds(3)},
    **{f"fuzz-{s}":      Case(("fuzz", f"seed={50 * s} seeds=50"), until=("fuzz: all done", 1), share=40)
       for s in seeds(4)},
    "fuzz-few-pages":    Case(("fuzz", "seed=1001 seeds=12"), until=("fuzz: all done", 1), shadow_pages=16),
    "fuzz-and-words":    Case(("fuzz", "seed=1101"), ("words", "seed=103"), slices=3, lines=30),
    "fuzz-real-time":    Case(("fuzz", "seed=1201 seeds=8"), icount=False, until=("fuzz: all done", 1)),
    **cases_on(2),
    **cases_on(4),
}))


@pytest.fixture(scope="session")
def outcomes(monitor, request, tmp_path_factory):
    """All machines that this session wants, begun at once: some at a time, and when those are over, the ones that
    the host's clock rules, one at a time.  Two of them, of several harts each, would keep each other waiting."""
    folder = tmp_path_factory.mktemp("hostile")
    wanted = [item.callspec.params["name"] for item in request.session.items
              if getattr(item, "originalname", "") == "test_witness_notices_nothing"]
    with ThreadPoolExecutor(max_workers=JOBS) as pool, ThreadPoolExecutor(max_workers=1) as alone:
        futures = {name: pool.submit(play, name, CASES[name], monitor, folder) for name in wanted if CASES[name].icount}
        alone.submit(wait, list(futures.values()))
        futures |= {name: alone.submit(play, name, CASES[name], monitor, folder) for name in wanted
                    if not CASES[name].icount}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("name", CASES)
def test_witness_notices_nothing(name, outcomes):
    case, outcome = CASES[name], outcomes[name].result()
    if SHOW:
        print(outcome.shown)
    if wrong := what_is_wrong(case, outcome):
        pytest.fail("\n".join(wrong[:12]) + "\nthe console's end:\n" + outcome.tail(), pytrace=False)


def test_every_attacker_is_used():
    here = Path(__file__).parent
    used = {guest for case in CASES.values() for guest, _ in case.attackers} | {"witness", "bulk", "hole", "mark"}
    neighbours = (here / "test_neighbours.py").read_text()
    stems = {path.stem for path in here.glob("*.c")}
    assert used <= stems
    assert {stem for stem in stems - used if f'"{stem}"' not in neighbours} == set()


# What one request may cost: the attacker measures it itself.

def test_no_request_takes_long(monitor, tmp_path):
    case = Case(("bulk", "touch=64"), witness=False, shadow_pages=16384, until=("bulk: round 1", 1))
    outcome = play("bulk", case, monitor, tmp_path)
    costs = {what: int(ns) for what, ns in re.findall(r"bulk: (\w+) ns=(\d+)", outcome.shown)}
    assert outcome.finished and len(costs) > 15, outcome.tail()
    assert not [*o1_no_panic(case, outcome), *o3_monitor_is_unchanged(case, outcome)], outcome.tail()
    assert not {what: ns for what, ns in costs.items() if ns > STAY}


# The end of all VMs is the end of the machine.

@pytest.mark.parametrize("failing, code", [(False, 0), (True, 1)])
def test_the_last_that_ends_ends_the_machine(monitor, tmp_path, failing, code):
    ends = (5, 8, 13) if failing else (5, 7, 10)        # seed % 5 is the way that `off` takes
    guests = [Vm(f"off-{s}", (GUESTS / "off.bin").read_bytes(), f"seed={s}", 16) for s in ends]
    machine = Machine(monitor, bundle(guests), tmp_path)
    try:
        assert machine.wait_end(60) == code, machine.shown()[-2000:]
    finally:
        machine.stop()


# The second wall: a monitor whose shadow pager has a hole.

@pytest.mark.parametrize("engine", ["direct", "classic"])
def test_pmp_stops_what_the_shadow_lets_through(spoilt, tmp_path, engine):
    borders = [at + (len(content) + 4095) // 4096 * 4096 for at, content in Elf(spoilt["hole"]).constant()]
    case = Case(("hole", f"text_end={borders[0]:#x} rodata_end={borders[1]:#x}"),
                until=("hole: round done", 1), lines=60).under(engine, engine)
    outcome = play("hole", case, spoilt["hole"], tmp_path)
    wrong = [what for oracle in ORACLES for what in oracle(case, outcome)]
    seen = {(what, mode): dict(r=int(r), w=int(w), x=int(x), n=int(n)) for what, mode, n, r, w, x in re.findall(
        r"hole: (\w+) ([SU]): pages=(\d+) readable=(\d+) writable=(\d+) executable=(\d+)", outcome.shown)}
    pools = int(re.search(r"hole-0: .*?(\d+) shadow pages", outcome.shown).group(1))

    assert not wrong, "\n".join(wrong) + outcome.tail()
    assert "own RAM found" in outcome.shown and len(seen) == 6, outcome.tail()
    assert all(rights["n"] > 3 and not rights["w"] for rights in seen.values()), seen
    for mode in "SU":
        assert not seen["rodata", mode]["x"], seen          # and text is open to reading: the known limit
        assert seen["foreign", mode]["r"] <= pools and not seen["foreign", mode]["x"], seen


# The monitor's own mistakes.

HARMS = {
    "1": r"cause 7, .*tval {text}\b",
    "2": r"cause 7, .*tval {constants}\b",
    "3": r"cause 7, .*tval {guard}",
    "4": r"cause 1, pc 0 .*tval 0\b",
    "5": r"cause 1, pc {constants}\b",
    "6": r"a buffer on the stack has overflowed",
    "7": r"not so: ",
    "8": r"cause 5, .*tval 30000000000\b",
    "9": r"cause [23], ",
}


def guard_pages(path):
    """Address of the guard under the first stack, as a pattern for any address in it."""
    names = subprocess.run(["riscv64-linux-gnu-nm", path], capture_output=True, text=True, check=True)
    at = re.search(r"^([0-9a-f]+) . _stacks$", names.stdout, re.M).group(1)
    return at.lstrip("0")[:-3] + "[0-9a-f]{3}"


@pytest.mark.parametrize("harm", HARMS)
def test_own_mistake_ends_in_a_report(spoilt, tmp_path, harm):
    kernel = (GUESTS / "witness.bin").read_bytes()
    machine = Machine(spoilt["self_harm"], bundle([Vm(f"harm-{harm}", kernel, "lines=1")]), tmp_path)
    try:
        code = machine.wait_end(30)
    finally:
        machine.stop()
    (text, _), (constants, _) = machine.elf.constant()
    wanted = HARMS[harm].replace("{text}", f"{text:x}").replace("{constants}", f"{constants:x}")
    wanted = wanted.replace("{guard}", guard_pages(spoilt["self_harm"]))
    shown = machine.shown()

    assert code == 3, f"QEMU's exit code is {code}\n{shown[-1500:]}"
    assert re.search("PANIC: .*" + wanted, shown), shown[-1500:]
    assert len(re.findall(r"^duomo:     from [0-9a-f]+$", shown, re.M)) > 0, shown[-1500:]
    if "cause" in wanted:
        assert len(re.findall(r"^duomo:     x\d+ +[0-9a-f]{16}", shown, re.M)) == 8, shown[-1500:]
    assert "duomo: halted" in shown, shown[-1500:]


# Three harts of four fail at the same moment while the other runs a guest: one tells, and all stop.
@pytest.mark.parametrize("harm, wanted", [("a", "not so: "), ("b", "cause [23], "), ("c", "cause 7, .*tval {guards}")])
def test_mistakes_of_several_harts_end_in_one_report(spoilt, tmp_path, harm, wanted):
    kernel = (GUESTS / "witness.bin").read_bytes()
    machine = Machine(spoilt["self_harm"], bundle([Vm(f"harm-{harm}", kernel, "lines=100000")]), tmp_path,
                      icount=False, harts=4)
    try:
        code = machine.wait_end(30)
    finally:
        machine.stop()
    shown = machine.shown()

    assert code == 3, f"QEMU's exit code is {code}\n{shown[-1500:]}"
    assert len(re.findall("PANIC: ", shown)) == 1, shown
    assert re.search("PANIC: .*" + wanted.replace("{guards}", "[0-9a-f]{8}"), shown), shown[-1500:]
    assert shown.endswith("addr2line -e build/duomo.elf\n"), shown[-1500:]
