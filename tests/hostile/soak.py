#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fuzzing guest for hours: machine after machine, each with several of it, all with seeds of their own.

In:     --steps or --hours: how long; --harts; the seed that the last run has left in build/soak/state.json.
Out:    a line per machine: seeds, steps, steps per second; build/soak/<seed>/ with console and command
        line of each machine that has failed; a last line "N passed, N failed".
Always: what a machine is, follows from its first seed: --seed does one of them again.  Each has a witness,
        and must end as the oracles of hostile_case.py want it.  A stop loses one machine's steps.

    make soak                           10^8 steps, going on where the last run was
    make soak HOURS=8                   as many as eight hours allow
    make soak STEPS=1000000
    tests/hostile/soak.py --seed 1201   this machine again
"""

import argparse
import json
import random
import re
import shutil
import sys
import time

from hostile_case import BUILD, Case, play, what_is_wrong

OUT = BUILD / "soak"
SEEDS = 20              # of each guest
STEPS = 5000            # of each seed


def case_of(seed):
    """A machine: how many harts, how many guests, how many pages for tables, which extensions."""
    choice = random.Random(seed)
    harts, guests = choice.choice((1, 1, 2, 4)), choice.randint(1, 4)
    cpu = choice.choice(("rv64,h=false", "rv64,h=false", "rv64,h=false,v=true",
                         "rv64,h=false,svinval=on,svnapot=on,svpbmt=on"))
    return Case(*[("fuzz", f"seed={seed + i * SEEDS} seeds={SEEDS} steps={STEPS}") for i in range(guests)],
                harts=harts, cpu=cpu, shadow_pages=choice.choice((None, None, 16, 64)), lines=20,
                until=("fuzz: all done", guests))


def wrong_with(case, seed):
    outcome = play(str(seed), case, BUILD / "duomo.elf", OUT)
    wrong = what_is_wrong(case, outcome)
    if wrong:
        (OUT / str(seed) / "console.txt").write_text(outcome.shown)
        (OUT / str(seed) / "wrong.txt").write_text("\n".join(wrong) + "\n")
    else:
        shutil.rmtree(OUT / str(seed))
    return wrong, STEPS * len(re.findall(r"fuzz: round seed", outcome.shown))


def state_read():
    path = OUT / "state.json"
    return json.loads(path.read_text()) if path.exists() else {"seed": 10000, "steps": 0, "failed": []}


def main():
    parser = argparse.ArgumentParser(description="the fuzzing guest for hours")
    parser.add_argument("--steps", type=float, default=1e8)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--seed", type=int, help="only the machine that begins with this one")
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    state, begun, done, machines, failed = state_read(), time.monotonic(), 0, 0, 0
    while args.hours is None and done < args.steps or args.hours and time.monotonic() - begun < args.hours * 3600:
        seed = args.seed or state["seed"]
        case = case_of(seed)
        wrong, steps = wrong_with(case, seed)
        done, machines, failed = done + steps, machines + 1, failed + bool(wrong)
        print(f"{seed:8}: {case.harts} harts, {len(case.attackers)} guests, {case.cpu}: "
              f"{'; '.join(wrong) if wrong else 'well'}; {done:.3g} steps, "
              f"{done / (time.monotonic() - begun):.0f} a second", flush=True)
        if args.seed:
            break
        state["seed"] += SEEDS * len(case.attackers)
        state["steps"] += steps
        state["failed"] += [seed] if wrong else []
        (OUT / "state.json").write_text(json.dumps(state) + "\n")
    print(f"{state['steps']:.3g} steps in all; machines that failed, by seed: {state['failed'] or 'none'}")
    print(f"{machines - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
