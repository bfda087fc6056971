// SPDX-License-Identifier: MIT
// The commands `regs` and `csr`: the registers of vCPUs.
//
// In:     a VM; the name of a CSR.
// Out:    values.
// Always: they stand still while they are read: all of a vCPU's are, at once, and told bit by bit.
// Locks:  vm_hold().
#include "isa/insn_text.h"
#include "mon/commands.h"
#include "mon/record_text.h"

#include <stdio.h>
#include <string.h>

#define VALUES_MAX 128
#define VALUES     8 // in one part

static u64 seen[VALUES_MAX];

static void group_of(struct report *r, const struct vcpu *v)
{
    char title[96];

    snprintf(title, sizeof title, "%s, vCPU %u: %s%s", v->vm->name, (unsigned)v->id,
             mode_name(v->mode), v->waiting ? ", waits for an interrupt" : "");
    report_group(r, NULL, title);
    if (r->form != REPORT_JSON)
        return;
    json_number(&r->j, "vcpu", v->id);
    json_text(&r->j, "mode", mode_name(v->mode));
    json_flag(&r->j, "waiting", v->waiting);
}

// After a vCPU's last part: is there another one?
static enum told vcpu_over(struct call *c)
{
    report_end(&c->r);
    c->at = 0;
    if (++c->vcpu < c->args[0].vm->n_vcpus)
        return TOLD_PART;
    report_array_end(&c->r);
    return TOLD_ALL;
}

static void regs_see(struct report *r, const struct vcpu *v)
{
    vm_hold(v->vm);
    seen[0] = v->f.pc;
    for (unsigned n = 1; n < 32; n++)
        seen[n] = v->f.x[n];
    group_of(r, v);
    vm_release(v->vm);
}

static enum told cmd_regs(struct call *c)
{
    if (!c->part)
        report_array(&c->r, "vcpus");
    if (!c->at)
        regs_see(&c->r, c->args[0].vm->vcpus[c->vcpu]);
    for (unsigned n = 0; n < VALUES; n++, c->at++)
        report_item_hex(&c->r, c->at ? reg_names[c->at] : "pc", seen[c->at]);
    return c->at < 32 ? TOLD_PART : vcpu_over(c);
}

// FS, VS and SD are in the hart that the vCPU is on, and with the vCPU otherwise.
static u64 value_of(const struct vcpu *v, const struct csr_row *row)
{
    const u64 live = STATUS_FS | STATUS_VS | STATUS_SD;
    u64       ext = v->ext_status, value = csr_get(v, row);

    if (row->offset != offsetof(struct csrs, mstatus) || vcpu_is_loaded(v))
        return value;
    if ((ext & STATUS_FS) == STATUS_FS || (ext & STATUS_VS) == STATUS_VS)
        ext |= STATUS_SD;
    return bits_merge(value, ext, live & row->visible);
}

static bool has_row(const struct vcpu *v, const struct csr_row *row)
{
    return !row->needs || v->vm->isa->has & row->needs;
}

static bool is_told(const struct call *c, const struct vcpu *v, const struct csr_row *row)
{
    const struct csr_row *only = c->args[1].csr;

    return (!only || row == only) && has_row(v, row);
}

static void csrs_see(struct call *c, const struct vcpu *v)
{
    vm_hold(v->vm);
    group_of(&c->r, v);
    for (size_t n = 0; n < csr_n_rows; n++)
        if (is_told(c, v, &csr_rows[n]))
            seen[n] = value_of(v, &csr_rows[n]);
    vm_release(v->vm);
}

static enum told cmd_csr(struct call *c)
{
    const struct vcpu    *v    = c->args[0].vm->vcpus[c->vcpu];
    const struct csr_row *only = c->args[1].csr;

    if (!c->part && only && !has_row(v, only))
        return call_fail(c, "%s has no %s: its hart lacks the extension", v->vm->name, only->name);
    if (!c->part)
        report_array(&c->r, "vcpus");
    if (!c->at)
        csrs_see(c, v);
    for (unsigned n = 0; n < VALUES && c->at < csr_n_rows; n++, c->at++)
        if (is_told(c, v, &csr_rows[c->at]))
            report_item_hex(&c->r, csr_rows[c->at].name, seen[c->at]);
    return c->at < csr_n_rows ? TOLD_PART : vcpu_over(c);
}

// clang-format off
static const struct command rows[] = {
    { "regs", { { "vm", ARG_VM, false } },                            "its vCPUs' registers",     cmd_regs, true },
    { "csr",  { { "vm", ARG_VM, false }, { "name", ARG_CSR, true } }, "its vCPUs' CSRs, or one",  cmd_csr,  true },
};
// clang-format on
const struct command_group regs_commands = { COMMAND_ROWS(rows) };
