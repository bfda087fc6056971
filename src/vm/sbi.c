// SPDX-License-Identifier: MIT
// The supervisor binary interface: what a VM that starts in vS has instead of firmware.
// RISC-V SBI 2.0; chapter numbers stand at the functions.
//
// In:     ecall from vS: a7 extension, a6 function, a0 to a5 arguments.
// Out:    a0 error, a1 value; legacy calls a0 alone; all other registers as they were.
// Always: arguments are any 64 bits.  No call takes longer than some thousand instructions: a
//         console write is cut at CONSOLE_CHUNK bytes or CONSOLE_LINES lines, a range fence becomes
//         a whole one.
// Locks:  vm->lock, held by the caller.  A fence of another vCPU is asked for, and done before that
//         enters its guest again; until then that may use what it has translated.
#include "vm/sbi.h"

#include "lib/bits.h"
#include "vm/fetch.h"
#include "vm/gmem.h"
#include "vm/sched.h"

#include <string.h>

#define CONSOLE_CHUNK   256
#define CONSOLE_LINES   32 // where all VMs are shown each costs as much as 100 bytes
#define FENCE_PAGES_MAX 2  // each can mean a walk in every space and face

struct sbi_ret {
    s64  error;
    u64  value;
    bool again; // not done: the guest is to make the same call once more
};

static struct sbi_ret ok(u64 value)
{
    return (struct sbi_ret){ .error = SBI_SUCCESS, .value = value };
}

static struct sbi_ret error(enum sbi_error e)
{
    return (struct sbi_ret){ .error = e };
}

// Base extension (4)

static bool has_extension(u64 ext);

static struct sbi_ret base_spec_version(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(SBI_SPEC_2_0);
}
static struct sbi_ret base_impl_id(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(SBI_IMPL_ID);
}
static struct sbi_ret base_impl_version(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(SBI_IMPL_VER);
}
static struct sbi_ret base_probe(struct vcpu *v, const u64 *a)
{
    (void)v;
    return ok(has_extension(a[0]));
}
static struct sbi_ret base_vendor(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(hart_caps.vendor);
}
static struct sbi_ret base_arch(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(hart_caps.arch);
}
static struct sbi_ret base_impl(struct vcpu *v, const u64 *a)
{
    (void)v, (void)a;
    return ok(hart_caps.impl);
}

// Timer (6)

static struct sbi_ret time_set(struct vcpu *v, const u64 *a)
{
    timer_set(v, a[0]);
    return ok(0);
}

// Masks of harts (3.1): base ~0 means all.  Calls act for each; an unknown hart makes it an error.

typedef void hart_act(struct vcpu *from, struct vcpu *to, const u64 *a);

static struct sbi_ret each_hart(struct vcpu *v, u64 mask, u64 base, hart_act *act, const u64 *a)
{
    const struct vm *vm = v->vm;

    if (base == ~0ul)
        mask = BIT(vm->n_vcpus) - 1, base = 0;
    if (mask && (base >= vm->n_vcpus || mask >> (vm->n_vcpus - base)))
        return error(SBI_ERR_INVALID_PARAM);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (i >= base && mask & BIT(i - base))
            act(v, vm->vcpus[i], a);
    return ok(0);
}

// IPI (7): SSIP is stored in mip, where the guest can clear it.

static void ipi_act(struct vcpu *from, struct vcpu *to, const u64 *a)
{
    (void)from, (void)a;
    __atomic_fetch_or(&to->csr.mip, BIT(IRQ_SSI), __ATOMIC_RELEASE);
    pend(to, PEND_IRQ);
    sched_wake(to);
}

static struct sbi_ret ipi_send(struct vcpu *v, const u64 *a)
{
    return each_hart(v, a[0], a[1], ipi_act, a);
}

// Remote fences (8): a = { mask, base, start, size, asid }

static void fence_i_act(struct vcpu *from, struct vcpu *to, const u64 *a)
{
    (void)a;
    if (from == to) {
        hart_fence_code();
        return;
    }
    pend(to, PEND_FENCE_I);
    sched_wake(to);
}

static void fence_range(struct vcpu *v, const u64 *a, bool has_asid)
{
    u64 start = a[2], size = a[3], asid = a[4];

    u64 first = align_down(start, PAGE_SIZE),
        reach = start - first + size; // may wrap, if size is huge

    if ((!start && !size) || size > FENCE_PAGES_MAX * PAGE_SIZE ||
        reach > FENCE_PAGES_MAX * PAGE_SIZE) {
        shadow_fence(v, false, gva(0), has_asid, asid);
        return;
    }
    for (u64 off = 0; off < reach; off += PAGE_SIZE)
        shadow_fence(v, true, gva(first + off), has_asid, asid);
}

// A vCPU on another hart leaves its guest; it flushes before it enters it again.
static void flush_ask(struct vcpu *to)
{
    pend(to, PEND_FLUSH);
    sched_wake(to);
}

static void sfence_act(struct vcpu *from, struct vcpu *to, const u64 *a)
{
    if (from == to)
        fence_range(to, a, false);
    else
        flush_ask(to);
}

static void sfence_asid_act(struct vcpu *from, struct vcpu *to, const u64 *a)
{
    if (from == to)
        fence_range(to, a, true);
    else
        flush_ask(to);
}

static struct sbi_ret rfence_i(struct vcpu *v, const u64 *a)
{
    return each_hart(v, a[0], a[1], fence_i_act, a);
}
static struct sbi_ret rfence_sfence(struct vcpu *v, const u64 *a)
{
    return each_hart(v, a[0], a[1], sfence_act, a);
}
static struct sbi_ret rfence_sfence_asid(struct vcpu *v, const u64 *a)
{
    return each_hart(v, a[0], a[1], sfence_asid_act, a);
}

// Hart state management (9)

static struct vcpu *hart_named(const struct vm *vm, u64 id)
{
    return id < vm->n_vcpus ? vm->vcpus[id] : NULL;
}

static struct sbi_ret hsm_start(struct vcpu *v, const u64 *a)
{
    struct vcpu *to = hart_named(v->vm, a[0]);
    u64          lines;

    if (!to)
        return error(SBI_ERR_INVALID_PARAM);
    if (!gmem_contains(v->vm, gpa(a[1]), 2))
        return error(SBI_ERR_INVALID_ADDRESS);
    if (to->hsm != HSM_STOPPED)
        return error(SBI_ERR_ALREADY_AVAILABLE);
    if (sched_is_on_hart(to)) // it has stopped, and is about to leave its hart
        return (struct sbi_ret){ .again = true };
    lines = lines_of(to) & (BIT(IRQ_SEI) | BIT(IRQ_MEI)); // a controller's, which goes on
    vcpu_reset(to);
    __atomic_store_n(&to->irq_lines, lines, __ATOMIC_RELEASE);
    vcpu_start(to, a[1], a[2]);
    sched_started(to);
    return ok(0);
}

static struct sbi_ret hsm_stop(struct vcpu *v, const u64 *a)
{
    (void)a;
    v->hsm = HSM_STOPPED;
    pend(v, PEND_RESCHED);
    return ok(0);
}

static struct sbi_ret hsm_status(struct vcpu *v, const u64 *a)
{
    const struct vcpu *to = hart_named(v->vm, a[0]);

    if (!to)
        return error(SBI_ERR_INVALID_PARAM);
    return ok(to->hsm == HSM_STOPPED && sched_is_on_hart(to) ? HSM_STOP_PENDING : to->hsm);
}

#define SUSPEND_RETENTIVE     0x00000000
#define SUSPEND_NON_RETENTIVE 0x80000000
#define SUSPEND_PLATFORM      0x10000000 // from here up to the next bit 31: the platform's

static struct sbi_ret hsm_suspend(struct vcpu *v, const u64 *a)
{
    u32 type = (u32)a[0];

    if (a[0] >> 32 || (type & 0x7fffffff && (type & 0x7fffffff) < SUSPEND_PLATFORM))
        return error(SBI_ERR_INVALID_PARAM);
    if (type != SUSPEND_RETENTIVE && type != SUSPEND_NON_RETENTIVE)
        return error(SBI_ERR_NOT_SUPPORTED);
    if (type == SUSPEND_NON_RETENTIVE && !gmem_contains(v->vm, gpa(a[1]), 2))
        return error(SBI_ERR_INVALID_ADDRESS);
    if (type == SUSPEND_NON_RETENTIVE) {
        v->hsm        = HSM_SUSPENDED;
        v->resume_pc  = a[1];
        v->resume_arg = a[2];
        v->waiting    = true;
        pend(v, PEND_RESCHED);
    } else
        (void)sched_wait(v);
    return ok(0);
}

// System reset (10)

static struct sbi_ret srst_reset(struct vcpu *v, const u64 *a)
{
    if (a[0] > 2 || a[1] > 1)
        return error(SBI_ERR_INVALID_PARAM);
    if (a[0])
        vm_stop(v->vm, VM_END_RESET, "its guest asked for a reset");
    else
        vm_stop(v->vm, a[1] ? VM_END_FAIL : VM_END_OFF,
                a[1] ? "its guest reported a failure" : "its guest powered off");
    return ok(0);
}

// Debug console (12)

static bool dbcn_range(const struct vm *vm, const u64 *a, u64 *len)
{
    *len = min_u64(a[0], CONSOLE_CHUNK);
    return !a[2] && gmem_contains(vm, gpa(a[1]), a[0]);
}

static u64 lines_cut(const char *text, u64 len)
{
    u64 n = 0;

    for (unsigned lines = 0; n < len && lines < CONSOLE_LINES; n++)
        lines += text[n] == '\n';
    return n;
}

static struct sbi_ret dbcn_write(struct vcpu *v, const u64 *a)
{
    char text[CONSOLE_CHUNK];
    u64  len;

    if (!dbcn_range(v->vm, a, &len) || !gmem_read(v->vm, gpa(a[1]), text, len))
        return error(SBI_ERR_INVALID_PARAM);
    if (!v->vm->console_room(v->vm))
        return ok(0);
    len = lines_cut(text, len);
    v->vm->console_write(v->vm, text, len);
    return ok(len);
}

static struct sbi_ret dbcn_read(struct vcpu *v, const u64 *a)
{
    u64 len, n = 0;
    int byte;

    if (!dbcn_range(v->vm, a, &len))
        return error(SBI_ERR_INVALID_PARAM);
    for (; n < len && (byte = v->vm->console_read(v->vm)) >= 0; n++) {
        u8 b = (u8)byte;

        if (!gmem_write(v->vm, gpa(a[1] + n), &b, 1))
            return error(SBI_ERR_INVALID_PARAM);
    }
    return ok(n);
}

static struct sbi_ret dbcn_write_byte(struct vcpu *v, const u64 *a)
{
    char byte = (char)a[0];

    if (!v->vm->console_room(v->vm)) // a blocking call: the guest waits, the monitor does not
        return (struct sbi_ret){ .again = true };
    v->vm->console_write(v->vm, &byte, 1);
    return ok(0);
}

// Steal-time accounting (16)

static struct sbi_ret sta_place(struct vcpu *v, const u64 *a)
{
    return error(steal_place(v, a[0], a[1], a[2]));
}

// Legacy (5): the value is all there is, and comes back as `error`; masks of harts are in memory.

static struct sbi_ret legacy_getchar(struct vcpu *v, const u64 *a)
{
    (void)a;
    return (struct sbi_ret){ .error = v->vm->console_read(v->vm) };
}

static struct sbi_ret legacy_clear_ipi(struct vcpu *v, const u64 *a)
{
    (void)a;
    __atomic_fetch_and(&v->csr.mip, ~BIT(IRQ_SSI), __ATOMIC_ACQ_REL);
    return ok(0);
}

// A null pointer means all harts; one that does not lead to RAM does nothing.
static u64 legacy_mask(struct vcpu *v, u64 at)
{
    u64 mask = 0;

    if (!at)
        return BIT(v->vm->n_vcpus) - 1;
    if (!fetch_bytes(v, gva(at), ACCESS_READ, &mask, sizeof mask))
        return 0;
    return mask & (BIT(v->vm->n_vcpus) - 1);
}

// a = { &mask, start, size, asid } becomes { mask, base, start, size, asid }
static struct sbi_ret legacy_each(struct vcpu *v, const u64 *a, hart_act *act)
{
    u64 b[5] = { legacy_mask(v, a[0]), 0, a[1], a[2], a[3] };

    return each_hart(v, b[0], 0, act, b);
}
static struct sbi_ret legacy_send_ipi(struct vcpu *v, const u64 *a)
{
    return legacy_each(v, a, ipi_act);
}
static struct sbi_ret legacy_fence_i(struct vcpu *v, const u64 *a)
{
    return legacy_each(v, a, fence_i_act);
}
static struct sbi_ret legacy_sfence(struct vcpu *v, const u64 *a)
{
    return legacy_each(v, a, sfence_act);
}
static struct sbi_ret legacy_sfence_asid(struct vcpu *v, const u64 *a)
{
    return legacy_each(v, a, sfence_asid_act);
}
static struct sbi_ret legacy_shutdown(struct vcpu *v, const u64 *a)
{
    (void)a;
    vm_stop(v->vm, VM_END_OFF, "its guest powered off");
    return ok(0);
}

#define LEGACY (~0u) // any function number

struct sbi_row {
    u32 ext, function;
    struct sbi_ret (*call)(struct vcpu *v, const u64 *a);
};

// clang-format off
static const struct sbi_row rows[] = {
    { SBI_EXT_TIME,   0,      time_set           },     // the frequent ones first
    { SBI_EXT_IPI,    0,      ipi_send           },
    { SBI_EXT_RFENCE, 1,      rfence_sfence      },
    { SBI_EXT_RFENCE, 2,      rfence_sfence_asid },
    { SBI_EXT_RFENCE, 0,      rfence_i           },
    { SBI_EXT_DBCN,   0,      dbcn_write         },
    { SBI_EXT_DBCN,   1,      dbcn_read          },
    { SBI_EXT_DBCN,   2,      dbcn_write_byte    },
    { 1,              LEGACY, dbcn_write_byte    },     // console_putchar
    { 2,              LEGACY, legacy_getchar     },
    { SBI_EXT_BASE,   0,      base_spec_version  },
    { SBI_EXT_BASE,   1,      base_impl_id       },
    { SBI_EXT_BASE,   2,      base_impl_version  },
    { SBI_EXT_BASE,   3,      base_probe         },
    { SBI_EXT_BASE,   4,      base_vendor        },
    { SBI_EXT_BASE,   5,      base_arch          },
    { SBI_EXT_BASE,   6,      base_impl          },
    { SBI_EXT_HSM,    0,      hsm_start          },
    { SBI_EXT_HSM,    1,      hsm_stop           },
    { SBI_EXT_HSM,    2,      hsm_status         },
    { SBI_EXT_HSM,    3,      hsm_suspend        },
    { SBI_EXT_SRST,   0,      srst_reset         },
    { SBI_EXT_STA,    0,      sta_place          },
    { 0,              LEGACY, time_set           },
    { 3,              LEGACY, legacy_clear_ipi   },
    { 4,              LEGACY, legacy_send_ipi    },
    { 5,              LEGACY, legacy_fence_i     },
    { 6,              LEGACY, legacy_sfence      },
    { 7,              LEGACY, legacy_sfence_asid },
    { 8,              LEGACY, legacy_shutdown    },
};
// clang-format on

static bool has_extension(u64 ext)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].ext == ext)
            return true;
    return false;
}

static const struct sbi_row *row_find(u64 ext, u64 function)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].ext == ext && (rows[i].function == LEGACY || rows[i].function == function))
            return &rows[i];
    return NULL;
}

enum outcome sbi_call(struct vcpu *v)
{
    u64                   a[6];
    const struct sbi_row *row = row_find(v->f.x[REG_A7], v->f.x[REG_A6]);
    struct sbi_ret        r   = error(SBI_ERR_NOT_SUPPORTED);

    v->step = 4;
    memcpy(a, &v->f.x[REG_A0], sizeof a);
    if (row)
        r = row->call(v, a);
    if (r.again) {
        v->gave_up = true;
        pend(v, PEND_RESCHED);
        return RESUME;
    }
    if (v->hsm == HSM_STOPPED)
        return NEXT;
    v->f.x[REG_A0] = (u64)r.error;
    if (!row || row->function != LEGACY)
        v->f.x[REG_A1] = r.value;
    return NEXT;
}
