// SPDX-License-Identifier: MIT
// Reports of crashes, and the command `crash` that shows the last one.
//
// In:     a VM that has ended badly, before anything of it is used again.
// Out:    a copy of what it was like; lines of the log; the report.
// Always: a crash costs a bounded number of lines, and life.c decides whether they are told.
// Locks:  none; the copy is the boot hart's to read while its VM does not crash again.
#include "mon/crash.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "isa/insn_text.h"
#include "lib/log.h"
#include "mon/commands.h"
#include "mon/record_text.h"
#include "vm/backtrace.h"

#include <stdio.h>
#include <string.h>

#define LOG_EXITS  8
#define LINE_SIZE  160
#define LOG_FRAMES 6 // on a line

// The CSRs that tell most.
static const struct {
    const char *name;
    size_t      offset;
} csrs[] = {
    { "sepc", offsetof(struct csrs, sepc) },   { "scause", offsetof(struct csrs, scause) },
    { "stval", offsetof(struct csrs, stval) }, { "satp", offsetof(struct csrs, satp) },
    { "stvec", offsetof(struct csrs, stvec) }, { "sscratch", offsetof(struct csrs, sscratch) },
    { "mie", offsetof(struct csrs, mie) },     { "mip", offsetof(struct csrs, mip) },
};

static u64 csr_of(const struct crash *c, unsigned i)
{
    return *(const u64 *)(const void *)((const char *)&c->csr + csrs[i].offset);
}

void crash_take(struct crash *c, const struct vm *vm)
{
    const struct vcpu *v = vm->vcpus[vm->crashed_vcpu];
    const struct exit *e;

    *c = (struct crash){ .why      = vm->why,
                         .start    = vm->starts,
                         .at_ticks = clock_now(),
                         .vcpu     = v->id,
                         .mode     = v->mode,
                         .pc       = v->f.pc,
                         .csr      = v->csr };
    memcpy(c->x, v->f.x, sizeof c->x);
    c->csr.mip |= v->irq_lines;
    c->n_frames = backtrace_take(v, c->frames, CRASH_FRAMES);
    while ((e = trace_exit(v, c->n_exits)))
        c->exits[c->n_exits++] = *e;
}

// --- in the log ----------------------------------------------------------------------------------

static void log_csrs(const struct crash *c, unsigned i)
{
    log_line("    %-8s %16lx  %-8s %16lx  %-8s %16lx  %-8s %16lx", csrs[i].name,
             (unsigned long)csr_of(c, i), csrs[i + 1].name, (unsigned long)csr_of(c, i + 1),
             csrs[i + 2].name, (unsigned long)csr_of(c, i + 2), csrs[i + 3].name,
             (unsigned long)csr_of(c, i + 3));
}

static void log_registers(const struct crash *c, unsigned i)
{
    log_line("    %-4s %16lx  %-4s %16lx  %-4s %16lx  %-4s %16lx", reg_names[i],
             (unsigned long)c->x[i], reg_names[i + 1], (unsigned long)c->x[i + 1], reg_names[i + 2],
             (unsigned long)c->x[i + 2], reg_names[i + 3], (unsigned long)c->x[i + 3]);
}

static void log_frames(const struct crash *c, unsigned from)
{
    char     line[LINE_SIZE];
    size_t   len = 0;
    unsigned end = (unsigned)min_u64(c->n_frames, from + LOG_FRAMES);

    for (unsigned i = from; i < end; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, " %lx", (unsigned long)c->frames[i]);
    log_line("    from%s", line);
}

static void exit_text(const struct exit *e, char *to, size_t size)
{
    snprintf(to, size, "%s %16lx  %s %2lu, tval %lx", mode_name((enum mode)e->mode),
             (unsigned long)e->pc, e->cause & CAUSE_INTERRUPT ? "interrupt" : "cause",
             (unsigned long)(e->cause & ~CAUSE_INTERRUPT), (unsigned long)e->tval);
}

static void log_exit(const struct crash *c, unsigned i)
{
    char line[LINE_SIZE];

    exit_text(&c->exits[i], line, sizeof line);
    log_line("    exit %s", line);
}

// The parts of the report, in lines; what is left of n belongs to the next part.
bool crash_log(const struct crash *c, const struct vm *vm, unsigned n)
{
    unsigned csr_lines   = ARRAY_LEN(csrs) / 4,
             frame_lines = (c->n_frames + LOG_FRAMES - 1) / LOG_FRAMES;
    unsigned exit_lines  = (unsigned)min_u64(c->n_exits, LOG_EXITS);

    if (!n)
        log_line("    %s, pc %lx, sstatus %lx", mode_name(c->mode), (unsigned long)c->pc,
                 (unsigned long)c->csr.mstatus);
    else if ((n -= 1) < csr_lines)
        log_csrs(c, 4 * n);
    else if ((n -= csr_lines) < 8)
        log_registers(c, 4 * n);
    else if ((n -= 8) < frame_lines)
        log_frames(c, LOG_FRAMES * n);
    else if ((n -= frame_lines) < exit_lines)
        log_exit(c, c->n_exits - exit_lines + n);
    else {
        log_line("    `crash %s` tells it again, with its last %u exits", vm->name, c->n_exits);
        return false;
    }
    return true;
}

// --- the command ---------------------------------------------------------------------------------

#define REGISTERS 8 // in one part

static void registers_tell(struct report *r, const struct crash *c, unsigned from)
{
    if (!from) {
        report_group(r, "registers", NULL);
        report_item_hex(r, "pc", c->pc);
    }
    for (unsigned i = from; i < from + REGISTERS; i++)
        if (i)
            report_item_hex(r, reg_names[i], c->x[i]);
    if (from + REGISTERS == 32)
        report_end(r);
}

static void csrs_tell(struct report *r, const struct crash *c)
{
    report_group(r, "csrs", NULL);
    report_item_hex(r, "sstatus", c->csr.mstatus);
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        report_item_hex(r, csrs[i].name, csr_of(c, i));
    report_end(r);
}

static void frames_tell(struct report *r, const struct crash *c)
{
    report_array(r, "backtrace");
    for (unsigned i = 0; i < c->n_frames; i++)
        if (r->form == REPORT_JSON)
            json_hex(&r->j, NULL, c->frames[i]);
        else
            out_printf(r->o, "  from %lx\n", (unsigned long)c->frames[i]);
    report_array_end(r);
    report_array(r, "exits");
}

static void exit_tell(struct report *r, const struct exit *e)
{
    char line[LINE_SIZE];

    if (r->form != REPORT_JSON) {
        exit_text(e, line, sizeof line);
        out_printf(r->o, "  exit %s\n", line);
        return;
    }
    json_object(&r->j, NULL);
    json_text(&r->j, "mode", mode_name((enum mode)e->mode));
    json_hex(&r->j, "pc", e->pc);
    json_number(&r->j, "cause", e->cause & ~CAUSE_INTERRUPT);
    json_flag(&r->j, "interrupt", e->cause & CAUSE_INTERRUPT);
    json_hex(&r->j, "tval", e->tval);
    json_end(&r->j);
}

static void head_tell(struct report *r, const struct crash *c, const struct vm *vm)
{
    u64 ago = (clock_now() - c->at_ticks) / machine.timebase_hz;

    if (r->form != REPORT_JSON) {
        out_printf(r->o, "%s: %s (start %lu), %lu s ago; vCPU %u was in %s\n", vm->name, c->why,
                   (unsigned long)c->start, (unsigned long)ago, (unsigned)c->vcpu,
                   mode_name(c->mode));
        return;
    }
    json_text(&r->j, "vm", vm->name);
    json_text(&r->j, "why", c->why);
    json_number(&r->j, "start", c->start);
    json_number(&r->j, "seconds_ago", ago);
    json_number(&r->j, "vcpu", c->vcpu);
    json_text(&r->j, "mode", mode_name(c->mode));
}

// The parts; what is left of n belongs to the next.
static void part_tell(struct report *r, const struct crash *c, const struct vm *vm, unsigned n)
{
    if (!n)
        head_tell(r, c, vm);
    else if ((n -= 1) < 32 / REGISTERS)
        registers_tell(r, c, n * REGISTERS);
    else if (!(n -= 32 / REGISTERS))
        csrs_tell(r, c);
    else if (!(n -= 1))
        frames_tell(r, c);
    else if ((n -= 1) < c->n_exits)
        exit_tell(r, &c->exits[n]);
}

static enum told cmd_crash(struct call *call)
{
    struct vm          *vm = call->args[0].vm;
    const struct crash *c  = vm->crash;

    if (!c || !c->why)
        return call_fail(call, "%s has not crashed", vm->name);
    vm_hold(vm);
    part_tell(&call->r, c, vm, call->part);
    vm_release(vm);
    if (call->part < 2 + 32 / REGISTERS + c->n_exits)
        return TOLD_PART;
    report_array_end(&call->r);
    return TOLD_ALL;
}

// clang-format off
static const struct command rows[] = {
    { "crash", { { "vm", ARG_VM, false } }, "what it was like when it crashed last", cmd_crash, true },
};
// clang-format on
const struct command_group crash_commands = { COMMAND_ROWS(rows) };
