// SPDX-License-Identifier: MIT
// The commands `regs` and `csr`: the registers of vCPUs.
//
// In:     a VM; the name of a CSR.
// Out:    values.
// Always: they stand still while they are read.
// Locks:  vm_hold().
#include "isa/insn_text.h"
#include "mon/commands.h"
#include "mon/record_text.h"

#include <stdio.h>
#include <string.h>

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

static bool cmd_regs(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    vm_hold(vm);
    report_array(&c->r, "vcpus");
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        const struct vcpu *v = vm->vcpus[i];

        group_of(&c->r, v);
        report_item_hex(&c->r, "pc", v->f.pc);
        for (unsigned n = 1; n < 32; n++)
            report_item_hex(&c->r, reg_names[n], v->f.x[n]);
        report_end(&c->r);
    }
    report_array_end(&c->r);
    vm_release(vm);
    return true;
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

static bool cmd_csr(struct call *c)
{
    struct vm            *vm   = c->args[0].vm;
    const struct csr_row *only = c->args[1].csr;

    if (only && !has_row(vm->vcpus[0], only))
        return call_fail(c, "%s has no %s: its hart lacks the extension", vm->name, only->name);
    vm_hold(vm);
    report_array(&c->r, "vcpus");
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        group_of(&c->r, vm->vcpus[i]);
        for (const struct csr_row *row = csr_rows; row < csr_rows + csr_n_rows; row++)
            if ((!only || row == only) && has_row(vm->vcpus[i], row))
                report_item_hex(&c->r, row->name, value_of(vm->vcpus[i], row));
        report_end(&c->r);
    }
    report_array_end(&c->r);
    vm_release(vm);
    return true;
}

// clang-format off
static const struct command rows[] = {
    { "regs", { { "vm", ARG_VM, false } },                            "its vCPUs' registers",     cmd_regs, true },
    { "csr",  { { "vm", ARG_VM, false }, { "name", ARG_CSR, true } }, "its vCPUs' CSRs, or one",  cmd_csr,  true },
};
// clang-format on
const struct command_group regs_commands = { COMMAND_ROWS(rows) };
