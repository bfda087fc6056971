// SPDX-License-Identifier: MIT
// Every CSR number through every CSR instruction, from one mode.
#include "csr_sweep.h"

#include "insn.h"

// What runs by itself: mcycle.., cycle.., stimecmp, scountovf, and the seed.
static bool csr_is_live(u32 csr)
{
    return (csr & 0xf60) == 0xb00 || (csr & 0xf60) == 0xc00 || csr == CSR_STIMECMP || csr == 0x15d
        || csr == 0xda0 || csr == 0x015;
}

#define CSR_HTIMEDELTA 0x605

static u64 run_hash(u64 h, enum mode mode, u64 base, u32 csr, u32 form, u64 ones)
{
    struct cpu c;

    cpu_init(&c, mode, base);
    c.x[A1] = ones;
    cpu_run(&c);
    h = hash_add(h, c.cause);
    h = hash_add(h, c.pc - base);
    h = hash_add(h, c.tval);
    if (!csr_is_live(csr)) {
        h = hash_add(h, c.x[A0]);
        h = hash_add(h, c.x[A2]);
    }
    detail("csr %03x form %u: cause %lu pc +%lu tval %lx", csr, form, c.cause, c.pc - base, c.tval);
    if (!csr_is_live(csr))
        detail(" a0 %lx a2 %lx", c.x[A0], c.x[A2]);
    detail("\n");
    return h;
}

static u64 reads_hash(u64 h, enum mode mode, u32 csr)
{
    static const u32 forms[] = { CSRRS, CSRRC, CSRRSI, CSRRCI };

    for (size_t i = 0; i < 4; i++) {
        u64 base = CODE(insn_csr(forms[i], A0, csr, 0), INSN_EBREAK);

        h = run_hash(h, mode, base, csr, 8 + forms[i], 0);
    }
    return h;
}

// The ones that are tried: not those that would turn on translation or change UXL, and not those
// whose fate README.md lists.
static u64 ones_of(u32 csr, u32 form)
{
    switch (csr) {
    case CSR_SATP:          return 0;
    case CSR_SEPC:          return ~1ul;
    case CSR_SCOUNTEREN:    return ~0u;
    case CSR_SSTATUS:       return form == CSRRW ? ~(1ul << 32) : ~SSTATUS_UXL;
    default:                return ~0ul;
    }
}

static u64 writes_hash(u64 h, enum mode mode, u32 csr)
{
    for (u32 form = CSRRW; form <= CSRRCI; form++) {
        u32 source = form < 4 ? A1 : csr == CSR_SEPC ? 30 : 31;
        u64 base;

        if (form == 4 || (csr == CSR_SSTATUS && form == CSRRWI))
            continue;
        base = CODE(insn_csr(CSRRS, S2, csr, ZERO), insn_csr(form, A0, csr, source),
                    insn_csr(CSRRS, A2, csr, ZERO), insn_csr(CSRRW, ZERO, csr, S2), INSN_EBREAK);
        h = run_hash(h, mode, base, csr, form, ones_of(csr, form));
    }
    return h;
}

void csr_sweep(enum mode mode)
{
    csr_write(CSR_SCOUNTEREN, 7);
    csr_write(CSR_SSTATUS, (csr_read(CSR_SSTATUS) & ~SSTATUS_FS) | FS_CLEAN);
    timer_set(~0ul);
    for (u32 block = 0; block < 4096; block += 64) {
        u64 h = HASH_START;

        for (u32 csr = block; csr < block + 64; csr++) {
            if (csr == CSR_HTIMEDELTA)          // see README.md
                continue;
            h = reads_hash(h, mode, csr);
            h = writes_hash(h, mode, csr);
        }
        printf("%03x %016lx\n", block, h);
    }
}
