// SPDX-License-Identifier: MIT
// The command `stats`: the counters of vCPUs.
//
// In:     a VM, or none for all.
// Out:    what it trapped for, what its shadow tables did, how it was scheduled.
// Always: counters are since the machine's start.
// Locks:  none; counters are read as they are.
#include "dev/machine.h"
#include "mon/commands.h"
#include "mon/sample.h"
#include "vm/sched.h"

#include <stdio.h>

static const char *const cause_names[EXC_COUNT] = {
    [EXC_FETCH_MISALIGNED] = "fetch-align",
    [EXC_FETCH_ACCESS]     = "fetch-access",
    [EXC_ILLEGAL_INSN]     = "privileged",
    [EXC_BREAKPOINT]       = "breakpoint",
    [EXC_LOAD_MISALIGNED]  = "load-align",
    [EXC_LOAD_ACCESS]      = "load-access",
    [EXC_STORE_MISALIGNED] = "store-align",
    [EXC_STORE_ACCESS]     = "store-access",
    [EXC_ECALL_U]          = "ecall",
    [EXC_ECALL_S]          = "sbi-call",
    [EXC_FETCH_PAGE_FAULT] = "fetch-fault",
    [EXC_LOAD_PAGE_FAULT]  = "load-fault",
    [EXC_STORE_PAGE_FAULT] = "store-fault",
};

static u64 ms_of_ticks(u64 ticks)
{
    return ticks / (machine.timebase_hz / 1000);
}

// The rare ones only if there were any.
static void causes_tell(struct report *r, const struct vcpu_stats *s)
{
    for (unsigned i = 0; i < EXC_COUNT; i++)
        if (cause_names[i] && (s->traps[i] || r->form == REPORT_JSON))
            report_item_number(r, cause_names[i], s->traps[i]);
}

static void head_tell(struct report *r, const struct vcpu *v)
{
    char title[64];

    snprintf(title, sizeof title, "%s, vCPU %u", v->vm->name, (unsigned)v->id);
    report_group(r, NULL, title);
    if (r->form == REPORT_JSON) {
        json_text(&r->j, "vm", v->vm->name);
        json_number(&r->j, "vcpu", v->id);
    }
    causes_tell(r, &v->stats);
}

static void traps_tell(struct report *r, const struct vcpu *v)
{
    const struct vcpu_stats *s = &v->stats;

    report_item_number(r, "interrupts", s->irqs);
    report_item_number(r, "devices", s->mmio);
    report_item_number(r, "recalled", s->recalled);
    report_item_number(r, "reflected", s->reflected);
    report_item_number(r, "injected", s->injected);
    report_item_number(r, "fills", s->fills);
    report_item_number(r, "flushes", s->flushes);
    report_item_number(r, "switches", s->switches);
}

static void times_tell(struct report *r, const struct vcpu *v)
{
    report_item_number(r, "turns", v->sched.turns);
    report_item_number(r, "waits", v->stats.waits);
    report_item_number(r, "ran_ms", ms_of_ticks(sched_ran(v)));
    report_item_number(r, "stolen_ms", ms_of_ticks(sched_stolen(v)));
    report_item_number(r, "longest_stay", v->stats.longest);
    report_item_number(r, "insns_devices", v->stats.spent[SPENT_DEVICES]);
    report_item_number(r, "insns_interrupts", v->stats.spent[SPENT_INTERRUPTS]);
    report_item_number(r, "insns_other", v->stats.spent[SPENT_OTHER]);
    report_end(r);
}

// The n-th vCPU of the VM, or of all; NULL: there are no more.
static const struct vcpu *nth(const struct vm *vm, unsigned n)
{
    for (unsigned i = 0; i < n_vms; i++) {
        if (vm && vm != vms[i])
            continue;
        if (n < vms[i]->n_vcpus)
            return vms[i]->vcpus[n];
        n -= vms[i]->n_vcpus;
    }
    return NULL;
}

static enum told cmd_stats(struct call *c)
{
    static void (*const parts[])(struct report * r, const struct vcpu *v) = { head_tell, traps_tell,
                                                                              times_tell };
    unsigned next = (unsigned)(c->part % ARRAY_LEN(parts));

    if (!c->part)
        report_array(&c->r, "vcpus");
    parts[next](&c->r, nth(c->args[0].vm, c->vcpu));
    c->vcpu += next + 1 == ARRAY_LEN(parts);
    if (nth(c->args[0].vm, c->vcpu))
        return TOLD_PART;
    report_array_end(&c->r);
    return TOLD_ALL;
}

// clang-format off
static const struct command rows[] = {
    { "stats", { { "vm", ARG_VM, true } }, "exits by kind, shadow tables, scheduling", cmd_stats, true },
};
// clang-format on
const struct command_group stats_commands = { COMMAND_ROWS(rows) };
