// SPDX-License-Identifier: MIT
// Fuzzes a whole vCPU: bytes -> what the hart reports, instructions in memory, registers; through
// the run loop, so that traps, emulation, CSRs, devices, injection, timers and the scheduler all
// take part.
#include "bytes.h"
#include "lib/panic.h"
#include "rig/rig.h"
#include "vdev/board.h"
#include "vm/sched.h"

static struct rig  *r;
static struct bytes input;

static const u32 privileged[] = { 0x10200073, 0x30200073, 0x10500073, 0x12000073, 0x12a50073,
                                  0x12050073, 0x12a00073, 0x16a50073, 0x18000073, 0x18100073,
                                  0x00000073, 0x00100073, 0x9002 };
static const u64 devices[]    = { VUART_BASE, VPLIC_BASE,  VPLIC_BASE + 0x200000,
                                  VRTC_BASE,  VCLINT_BASE, VSLOTS_BASE };

static u32 csr_insn(void)
{
    u32 number = csr_rows[bytes_below(&input, csr_n_rows)].number;

    return number << 20 | ((u32)bytes_take(&input, 2) & 0x1f7f) << 7 | 0x73;
}

static void memory_access(struct frame *f)
{
    u32 insn = (u32)bytes_take(&input, 2) << 16 | (bytes_below(&input, 2) ? 0x23 : 0x03) |
               (u32)bytes_below(&input, 8) << 12 | (u32)bytes_below(&input, 32) << 7;
    u64 at = devices[bytes_below(&input, ARRAY_LEN(devices))] + bytes_take(&input, 1);

    if (gmem_contains(&r->vm, gpa(f->pc), 4))
        ASSERT(gmem_write(&r->vm, gpa(f->pc), &insn, 4));
    f->x[(insn >> 15) & 31] = at - (u64)((s64)(s32)insn >> 20);
    f->x[0]                 = 0;
    f->cause                = insn & 0x20 ? EXC_STORE_PAGE_FAULT : EXC_LOAD_PAGE_FAULT;
    f->tval                 = bytes_below(&input, 4) ? at : bytes_odd(&input);
}

static void illegal(struct frame *f, u32 insn)
{
    f->cause = EXC_ILLEGAL_INSN;
    f->tval  = insn;
    for (unsigned i = 10; i < 12; i++)
        f->x[i] = bytes_odd(&input);

    struct vcpu *v = vcpu_of_frame(f);

    switch (trap_hot(f, insn)) {
    case HOT_NO: break;
    case HOT_PENDING:
        f->cause = TRAP_DONE;
        f->pc += 4;
        break;
    default:
        f->pc += 4;
        f->cause = CAUSE_INTERRUPT | IRQ_MTI;
        break;
    }
    ASSERT(!v->f.x[0]);
}

// The hart ran the guest; it says why it came back.
static void guest(struct frame *f)
{
    fake_hart.time += 1 + bytes_take(&input, 1);
    fake_hart.irq_pending = chips.armed <= fake_hart.time ? BIT(IRQ_MTI) : 0;
    f->pc &= ~1ul;
    if (!input.left) {
        vm_stop(&r->vm, VM_END_OFF, "the input is used up");
        f->cause = CAUSE_INTERRUPT | IRQ_MTI;
        return;
    }
    switch (bytes_below(&input, 8)) {
    case 0:
    case 1: illegal(f, csr_insn()); break;
    case 2: illegal(f, privileged[bytes_below(&input, ARRAY_LEN(privileged))]); break;
    case 3: illegal(f, (u32)bytes_take(&input, 4)); break;
    case 4:
    case 5: memory_access(f); break;
    case 6:
        f->cause = EXC_ECALL_U;
        for (unsigned i = 10; i < 18; i++)
            f->x[i] = bytes_odd(&input);
        break;
    default:
        f->cause = bytes_below(&input, 17) == 16 ? CAUSE_INTERRUPT | bytes_below(&input, 16)
                                                 : bytes_below(&input, 24);
        f->tval  = bytes_odd(&input);
        break;
    }
}

// No hart lives to see the end of time.
static void sleeps(void)
{
    fake_hart.time =
        chips.armed > BIT(62) || chips.armed < fake_hart.time ? fake_hart.time + 1 : chips.armed;
    fake_hart.irq_pending = BIT(IRQ_MTI);
    rig_type(r, "x");
    if (!bytes_below(&input, 4))
        vm_stop(&r->vm, VM_END_OFF, "it would sleep for ever");
    if (!input.left)
        vm_stop(&r->vm, VM_END_OFF, "the input is used up");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (!r) {
        bench_reset();
        r = rig_make(&(struct rig_options){ .n_vcpus = 2, .pool_pages = 32 });
    }
    input             = (struct bytes){ data, size };
    fake_hart.on_run  = guest;
    fake_hart.on_wait = sleeps;
    fake_hart.time    = 1000;
    r->n_in = r->in_at = r->n_out = r->n_overrun = 0;
    for (u64 n = 0; n < 4; n++) // page tables, of a kind
        for (u64 i = 0; i < 8; i++)
            rig_word_set(r, VM_RAM_BASE + 0x1000 * (n + 1) + 8 * i,
                         bytes_odd(&input) & 7 ? (VM_RAM_BASE + 0x1000 * (n + 2)) >> 2 | PTE_V |
                                                     (i & 1 ? PTE_R | PTE_W | PTE_X : 0)
                                               : bytes_odd(&input));
    vm_reset(&r->vm);
    vcpu_start(r->v, VM_RAM_BASE, 0);
    r->vm.state = VM_RUNNING;
    sched_run(false);
    ASSERT(!r->n_overrun);
    return 0;
}
