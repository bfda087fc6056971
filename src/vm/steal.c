// SPDX-License-Identifier: MIT
// Steal time.
//
// In:     the place that a guest has named; what the scheduler has counted as stolen.
// Out:    the shared memory of SBI 2.0, 16.1: sequence at 0, flags at 4, steal in nanoseconds at 8,
//         preempted at 16.
// Always: written only for a vCPU whose VM runs, and only when something has changed.  Nothing is
//         read back: what the guest writes there confuses itself.  `preempted` is 0 before the
//         guest runs.
// Locks:  vm->lock, held by the caller, then the scheduler's.
#include "vm/steal.h"

#include "dev/machine.h"
#include "vm/gmem.h"
#include "vm/sched.h"

#define SHARED_SIZE  64
#define SEQUENCE     0
#define STEAL        8
#define PREEMPTED    16
#define NS_PER_S     1000000000ul
#define ADDRESS_NONE (~0ul)

static u64 ns_of_ticks(u64 ticks)
{
    u64 hz = machine.timebase_hz;

    return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

// The place was checked, and a VM's RAM stays where it is while it runs.
static void put(const struct vcpu *v, u64 offset, const void *from, size_t size)
{
    (void)!gmem_write(v->vm, gpa(v->steal.at + offset), from, size);
}

void steal_reset(struct vcpu *v)
{
    v->steal = (struct steal){ 0 };
}

enum sbi_error steal_place(struct vcpu *v, u64 low, u64 high, u64 flags)
{
    static const u8 zeros[SHARED_SIZE];

    if (flags)
        return SBI_ERR_INVALID_PARAM;
    if (low == ADDRESS_NONE && high == ADDRESS_NONE) {
        steal_reset(v);
        return SBI_SUCCESS;
    }
    if (!is_aligned(low, SHARED_SIZE))
        return SBI_ERR_INVALID_PARAM;
    if (high || !gmem_write(v->vm, gpa(low), zeros, SHARED_SIZE))
        return SBI_ERR_INVALID_ADDRESS;

    v->steal = (struct steal){ .is_on = true, .at = low, .before = sched_stolen(v) };
    return SBI_SUCCESS;
}

static void preempted_set(struct vcpu *v, bool is)
{
    u8 byte = is;

    if (v->steal.preempted == is)
        return;
    v->steal.preempted = is;
    put(v, PREEMPTED, &byte, sizeof byte);
}

// Another of the guest's vCPUs may be reading.
static void steal_put(struct vcpu *v, u64 stolen)
{
    u64 ns = ns_of_ticks(stolen);

    v->steal.told = stolen;
    v->steal.sequence++;
    put(v, SEQUENCE, &v->steal.sequence, sizeof v->steal.sequence);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    put(v, STEAL, &ns, sizeof ns);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    v->steal.sequence++;
    put(v, SEQUENCE, &v->steal.sequence, sizeof v->steal.sequence);
}

void steal_tell(struct vcpu *v)
{
    u64 stolen;

    if (LIKELY(!v->steal.is_on))
        return;
    stolen = sched_stolen(v) - v->steal.before;
    if (stolen != v->steal.told)
        steal_put(v, stolen);
    preempted_set(v, false);
}

void steal_tell_preempted(struct vcpu *v)
{
    if (UNLIKELY(v->steal.is_on))
        preempted_set(v, true);
}
