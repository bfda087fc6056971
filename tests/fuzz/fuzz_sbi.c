// SPDX-License-Identifier: MIT
// Fuzzes the SBI: bytes -> calls, by any of a VM's harts.
#include "bytes.h"
#include "lib/panic.h"
#include "rig/rig.h"

static struct rig *r;

static const u64 exts[] = { 0,
                            1,
                            2,
                            3,
                            4,
                            5,
                            6,
                            7,
                            8,
                            9,
                            SBI_EXT_BASE,
                            SBI_EXT_TIME,
                            SBI_EXT_IPI,
                            SBI_EXT_RFENCE,
                            SBI_EXT_HSM,
                            SBI_EXT_SRST,
                            SBI_EXT_DBCN,
                            SBI_EXT_STA };

static void call(struct bytes *b)
{
    struct vcpu *v   = r->list[bytes_below(b, 4)];
    u64          ext = exts[bytes_below(b, ARRAY_LEN(exts))];

    v->f.x[REG_A7] = ext;
    v->f.x[REG_A6] = bytes_below(b, 8);
    for (unsigned i = 0; i < 5; i++)
        v->f.x[REG_A0 + i] = bytes_odd(b);

    enum outcome o = sbi_call(v);

    ASSERT(o == NEXT || (o == RESUME && r->full));
    v->sched.stolen += 3;
    steal_tell(v);
    steal_tell_preempted(v);
    if (v->pending & PEND_FOLLOW && v->hsm == HSM_STARTED)
        shadow_follow(v);
    ASSERT(!r->n_overrun);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };

    if (!r) {
        bench_reset();
        r = rig_make(&(struct rig_options){ .n_vcpus = 4, .pool_pages = 32 });
    }
    fake_hart.time = 1000;
    r->n_in = r->in_at = 0;
    vm_reset(&r->vm);
    vcpu_start(r->v, VM_RAM_BASE, 0);
    rig_type(r, "typed text");
    while (b.left) {
        r->full     = bytes_below(&b, 8) == 0;
        r->n_out    = 0;
        r->vm.state = VM_RUNNING;
        r->v->csr.satp =
            bytes_below(&b, 4) ? 0 : field_set((VM_RAM_BASE + 0x1000) >> 12, SATP_MODE, SATP_SV39);
        call(&b);
    }
    return 0;
}
