# SPDX-License-Identifier: MIT
"""What the measurements of several virtual machines look like: tables, goals, figures.

In:     what company.measure() has found.
Out:    Markdown; rows of the table of goals; SVG files.
Always: a goal is judged by what the same run has measured.
"""

import statistics

import figure
from company import FAIR, IDLE, IDLE_COUNTS, LATENCIES, MEMORY_MIB, SWITCHES
from measure import goal, number, table

SHARE_GOAL, CAP_GOAL, IDLE_GOAL = 2, 2, 1          # per cent, points, per cent
INSNS_PER_S = 125e6                                 # of a hart under -icount shift=3
KIB = 1024


def percentile(samples, part):
    return sorted(samples)[round(part * (len(samples) - 1))]


def signed(value):
    return f"{value:+.2f}"


# Tables.

def switch_table(found):
    rows = [[what, f"{statistics.median(found[name]['insns']):,.0f}",
             number(min(found[name]["ns"]) / 1e3),
             number(statistics.median(found[name]["ns"]) / 1e3)] for name, what in SWITCHES]
    return table(["switch between two VMs", "instructions", "us, least", "us, median"], rows)


def latency_table(found, harts, unit, ns):
    rows = [[what] + [number(value / ns) for value in
                      (percentile(found[name], 0.5), percentile(found[name], 0.99),
                       max(found[name]))]
            for name, what, _, on, _ in LATENCIES if on == harts]
    return table([unit, "median", "99 %", "most"], rows)


def deviations(values, weights):
    """How much more, in per cent of its share, each has had than its weight says."""
    there = [(v, w) for v, w in zip(values, weights) if v is not None]
    per_weight = sum(v for v, _ in there) / sum(w for _, w in there) or 1
    return [100 * (v / w / per_weight - 1) for v, w in there]


def worst(values):
    return max(values, key=abs)


def cap_points(run):
    """By how many points of a hart the capped VM, the first, missed its cap.  Its time is compared
    with that of all, who leave no hart idle; alone, its progress with that of a whole hart.
    """
    if "of_progress" in run:
        return 100 * run["progress"][0] / run["of_progress"] - run["cap"]
    return 100 * run["ran_ms"][0] * run["harts"] / sum(run["ran_ms"]) - run["cap"]


def fair_row(what, run):
    if run["cap"]:
        return [what, f"{cap_points(run):+.2f} points", "-"]
    return [what] + [f"{worst(deviations(run[by], run['weights'])):+.2f} %"
                     for by in ("ran_ms", "progress")]


def fair_table(found):
    return table(["farthest from its share or cap", "time on a hart", "own progress"],
                 [fair_row(what, found[name]) for name, what, *_ in FAIR])


def idle_table(found):
    rows = [[what] + [signed(100 * found[name][str(n)]) + " %" for n in IDLE_COUNTS]
            + [f"{found[name][str(IDLE_COUNTS[-1])] * INSNS_PER_S / IDLE_COUNTS[-1]:,.0f}"]
            for name, what in IDLE]
    return table(["a busy VM beside others"] + [str(n) for n in IDLE_COUNTS]
                 + ["instructions/s for each"], rows)


def memory_table(found):
    rows = [[f"{mib} MiB", number(found[str(mib)]["control"] / KIB),
             number(found[str(mib)]["shadow tables"] / KIB),
             f"{100 * sum(found[str(mib)].values()) / mib / KIB / KIB:.2f} %"]
            for mib in MEMORY_MIB]
    return table(["RAM of the VM", "control block, KiB", "shadow tables, KiB", "of its RAM"], rows)


def parts(found):
    return [
        "From the last instruction of one VM to the first of the next; time is this computer's:",
        switch_table(found["switch"]),
        "How late one that waited goes on, on one hart, in instructions (of 1 ns each):",
        latency_table(found["latency"], 1, "instructions", 1),
        "The same on two harts, where time is this computer's:",
        latency_table(found["latency"], 2, "us", 1e3),
        "Shares of the harts (one hart: exact; two: this computer, whose noise is in the progress):",
        fair_table(found["fair"]),
        "What others cost a busy VM that have nothing to do, on a hart of 125 million instructions"
        " a second:",
        idle_table(found["idle"]),
        f"Memory (the monitor itself: {found['memory']['monitor'] / KIB:,.0f} KiB):",
        memory_table(found["memory"]),
    ]


# Goals.



def fair_worst(found, harts, by):
    return worst([worst(deviations(found[name][by], found[name]["weights"]))
                  for name, _, on, _ in FAIR if on == harts and not found[name]["cap"]])


def goals(found):
    fair = found["fair"]
    caps = [cap_points(run) for run in fair.values() if run["cap"]]
    return (goal("shares by weight, one hart, by time: % of the share", fair_worst(fair, 1, "ran_ms"),
                 SHARE_GOAL, "{:.2f}")
            + goal("... by progress", fair_worst(fair, 1, "progress"), SHARE_GOAL, "{:.2f}")
            + goal("shares by weight, two harts, by time: % of the share",
                   fair_worst(fair, 2, "ran_ms"), SHARE_GOAL, "{:.2f}")
            + goal("a cap: points of a hart", worst(caps), CAP_GOAL, "{:.2f}")
            + goal("16 idle VMs beside a busy one: %", 100 * found["idle"]["idle"]["16"], IDLE_GOAL,
                   "{:.3f}"))


# Figures.

def fair_figure(found):
    groups = []
    for run in found.values():
        if not run["cap"] and run["harts"] == 1:
            wanted = [w / sum(run["weights"]) for w in run["weights"]]
            had = [r / sum(run["ran_ms"]) for r in run["ran_ms"]]
            company = run["roles"][3:]
            groups.append((f"and: {company[0]}" if company else "only these", list(zip(had, wanted))))
    return figure.bars("Shares of one hart: weights 1, 2, 4, and one of weight 1 that does its worst",
                       "share of the hart; the line is what the weight says", groups)


def latency_figure(found):
    shown = ("wake_bare", "wake_alone", "wake_beside", "ipi_alone")
    series = [(what, sorted(found[name])) for name, what, *_ in LATENCIES if name in shown]
    return figure.distribution("How late one that waited goes on, on one hart",
                               "instructions, of 1 ns each", series)


def idle_figure(found):
    series = [(what, [(n, 100 * found[name][str(n)]) for n in IDLE_COUNTS]) for name, what in IDLE]
    return figure.lines("What VMs with nothing to do cost a busy one",
                        "VMs with nothing to do", "% of a hart of 125 MIPS", series)


def figures_write(found, folder):
    for name, svg in (("fairness", fair_figure(found["fair"])),
                      ("latency", latency_figure(found["latency"])),
                      ("idle", idle_figure(found["idle"]))):
        (folder / f"{name}.svg").write_text(svg)
