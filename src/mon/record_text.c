// SPDX-License-Identifier: MIT
// Records of traps, in words.
//
// In:     a record.
// Out:    text or JSON.
// Always: both forms tell the same; addresses and values are hexadecimal.
// Locks:  none; boot hart only.
#include "mon/record_text.h"

#include "dev/machine.h"
#include "isa/insn_text.h"
#include "vm/csr.h"

#include <stdio.h>

static const char *const cause_names[EXC_COUNT] = {
    [EXC_FETCH_MISALIGNED] = "instruction address misaligned",
    [EXC_FETCH_ACCESS]     = "instruction access fault",
    [EXC_ILLEGAL_INSN]     = "illegal instruction",
    [EXC_BREAKPOINT]       = "breakpoint",
    [EXC_LOAD_MISALIGNED]  = "load address misaligned",
    [EXC_LOAD_ACCESS]      = "load access fault",
    [EXC_STORE_MISALIGNED] = "store address misaligned",
    [EXC_STORE_ACCESS]     = "store access fault",
    [EXC_ECALL_U]          = "environment call from U-mode",
    [EXC_FETCH_PAGE_FAULT] = "instruction page fault",
    [EXC_LOAD_PAGE_FAULT]  = "load page fault",
    [EXC_STORE_PAGE_FAULT] = "store page fault",
};

const char *mode_name(enum mode mode)
{
    return mode == MODE_U ? "vU" : mode == MODE_S ? "vS" : "vM";
}

const char *cause_name(const struct record *r)
{
    if (r->is_interrupt)
        return r->kind == TRACE_MACHINE ? "interrupt of the machine" : "interrupt";
    return r->cause < EXC_COUNT && cause_names[r->cause] ? cause_names[r->cause] : "reserved";
}

const char *device_name(const struct vm *vm, const struct record *r)
{
    return r->device && r->device <= vm->bus.n ? vm->bus.devices[r->device - 1]->ops->name : NULL;
}

static const char *csr_name(unsigned number)
{
    const struct csr_row *row = csr_find(number);

    return row ? row->name : NULL;
}

const char *insn_name(const struct record *r)
{
    static char text[INSN_TEXT_SIZE];

    return r->insn ? insn_text(r->insn, csr_name, text) : "";
}

static const char *csr_of(const struct record *r)
{
    const char *name = csr_name(r->insn >> 20);

    return name ? name : "?";
}

// csrrs and csrrc from x0 write nothing.
static void deed_csr(struct out *o, const struct record *r)
{
    bool writes = (insn_funct3(r->insn) & 3) == CSR_OP_WRITE || insn_rs1(r->insn);

    if (writes)
        out_printf(o, "%s %lx -> %lx", csr_of(r), (unsigned long)r->value[0],
                   (unsigned long)r->value[1]);
    else
        out_printf(o, "%s read, %lx", csr_of(r), (unsigned long)r->value[0]);
}

// In decimal, as people count sectors.
static void deed_sector(struct out *o, const struct record *r)
{
    out_printf(o, "; sector %lu asked for, ", (unsigned long)r->value[2]);
    if (r->is_refused)
        out_printf(o, "which its partition has not: refused");
    else
        out_printf(o, "its partition begins at %lu: sector %lu of the disk",
                   (unsigned long)r->value[3], (unsigned long)r->value[4]);
}

static void deed_mmio(struct out *o, const struct vm *vm, const struct record *r)
{
    struct insn i = insn_decode(r->insn);

    out_printf(o, "%s: %s%lx%s%u byte%s at %lx", device_name(vm, r),
               i.op == OP_STORE ? "" : "read ", (unsigned long)r->value[1],
               i.op == OP_STORE ? " written, " : ", ", i.width, i.width == 1 ? "" : "s",
               (unsigned long)r->value[0]);
    if (r->has_sector)
        deed_sector(o, r);
}

static void deed_reflect(struct out *o, const struct vm *vm, const struct record *r)
{
    const char *device = device_name(vm, r);

    if (r->kind == TRACE_VIOLATION)
        out_printf(o, "violation%s%s: ", device ? " of the " : "", device ? device : "");
    out_printf(o, "its kernel gets scause %lx, stval %lx", (unsigned long)r->value[0],
               (unsigned long)r->value[1]);
}

void record_deed(struct out *o, const struct vm *vm, const struct record *r)
{
    switch ((enum trace_kind)r->kind) {
    case TRACE_CSR: deed_csr(o, r); break;
    case TRACE_SRET:
        out_printf(o, "%s, sstatus %lx", mode_name(r->to_mode), (unsigned long)r->value[0]);
        break;
    case TRACE_WFI:   out_printf(o, "waits until an interrupt pends"); break;
    case TRACE_FENCE: out_printf(o, "translations forgotten"); break;
    case TRACE_ECALL:
        out_printf(o, "a7 %lx, a0 %lx, a1 %lx, a2 %lx", (unsigned long)r->value[0],
                   (unsigned long)r->value[1], (unsigned long)r->value[2],
                   (unsigned long)r->value[3]);
        break;
    case TRACE_SBI:
        out_printf(o, "SBI %lx.%lx(%lx): error %ld, %lx", (unsigned long)r->value[0],
                   (unsigned long)r->value[1], (unsigned long)r->value[2], (long)r->value[3],
                   (unsigned long)r->value[4]);
        break;
    case TRACE_PAGE: out_printf(o, "translation of %lx filled in", (unsigned long)r->tval); break;
    case TRACE_MMIO: deed_mmio(o, vm, r); break;
    case TRACE_EXCEPTION:
    case TRACE_VIOLATION: deed_reflect(o, vm, r); break;
    case TRACE_INTERRUPT: out_printf(o, "interrupt %u given", r->cause); break;
    case TRACE_MACHINE:   out_printf(o, "interrupt %u of the machine", r->cause); break;
    case TRACE_KINDS:     break;
    }
}

void record_line(struct out *o, const struct vm *vm, const struct record *r)
{
    u64 us = r->at_ticks * 1000 / (machine.timebase_hz / 1000);

    out_printf(o, "%6lu.%06lu  %-9s  %s %16lx  %-26s  ", (unsigned long)(us / 1000000),
               (unsigned long)(us % 1000000), trace_rows[r->kind].name, mode_name(r->mode),
               (unsigned long)r->pc, insn_name(r));
    record_deed(o, vm, r);
    out_printf(o, "  -> %s %lx\n", mode_name(r->to_mode), (unsigned long)r->to);
}

// An access to a device has two, and three more if it led to a disk's sector.
static unsigned n_values(const struct record *r)
{
    return r->kind == TRACE_MMIO && !r->has_sector ? 2 : TRACE_VALUES;
}

static void json_mmio(struct json *j, const struct record *r)
{
    struct insn i = insn_decode(r->insn);

    json_number(j, "width", i.width);
    json_text(j, "direction", i.op == OP_STORE ? "write" : "read");
    if (r->has_sector)
        json_flag(j, "refused", r->is_refused);
}

void record_json(struct json *j, const struct vm *vm, const struct record *r)
{
    const char *const *names = trace_rows[r->kind].values;

    json_text(j, "kind", trace_rows[r->kind].name);
    json_number(j, "at_us", r->at_ticks * 1000 / (machine.timebase_hz / 1000));
    json_hex(j, "pc", r->pc);
    json_hex(j, "to_pc", r->to);
    json_text(j, "mode", mode_name(r->mode));
    json_text(j, "to_mode", mode_name(r->to_mode));
    json_number(j, "cause", r->cause);
    json_flag(j, "interrupt", r->is_interrupt);
    json_hex(j, "tval", r->tval);
    json_hex(j, "insn", r->insn);
    json_text(j, "asm", insn_name(r));
    if (r->kind == TRACE_CSR)
        json_text(j, "csr", csr_of(r));
    if (r->device)
        json_text(j, "device", device_name(vm, r));
    if (r->kind == TRACE_MMIO)
        json_mmio(j, r);
    for (unsigned i = 0; i < n_values(r) && names[i]; i++)
        json_hex(j, names[i], r->value[i]);
}
