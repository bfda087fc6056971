// SPDX-License-Identifier: MIT
// Samples of counters.
//
// In:     ticks; the VMs' counters.
// Out:    rates.
// Always: the sample that is compared with is one to two seconds old, but for the first second.
// Locks:  none; boot hart only.  Counters of a vCPU that runs elsewhere are read as they are.
#include "mon/sample.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "vm/sched.h"

struct sample {
    u64 at_ticks, ran_ticks, exits;
};

static struct sample older[VM_MAX], newer[VM_MAX];

// Without those that the hot path has done: it counts nothing.
u64 sample_exits(const struct vm *vm)
{
    u64 sum = 0;

    for (u32 i = 0; i < vm->n_vcpus; i++) {
        const struct vcpu_stats *s = &vm->vcpus[i]->stats;

        sum += s->irqs;
        for (unsigned cause = 0; cause < EXC_COUNT; cause++)
            sum += s->traps[cause];
    }
    return sum;
}

static struct sample now_of(const struct vm *vm)
{
    struct sample s = { clock_now(), 0, sample_exits(vm) };

    for (u32 i = 0; i < vm->n_vcpus; i++)
        s.ran_ticks += sched_ran(vm->vcpus[i]);
    return s;
}

void sample_tick(void)
{
    for (unsigned i = 0; i < n_vms; i++)
        if (clock_now() - newer[i].at_ticks >= machine.timebase_hz) {
            older[i] = newer[i];
            newer[i] = now_of(vms[i]);
        }
}

static const struct sample *sample_of(const struct vm *vm)
{
    unsigned i = 0;

    while (i < n_vms && vms[i] != vm)
        i++;
    return &older[i % VM_MAX];
}

u64 sample_cpu_permille(const struct vm *vm)
{
    const struct sample *then = sample_of(vm), now = now_of(vm);
    u64                  span = now.at_ticks - then->at_ticks;

    return span ? 1000 * (now.ran_ticks - then->ran_ticks) / span : 0;
}

u64 sample_exits_per_s(const struct vm *vm)
{
    const struct sample *then = sample_of(vm), now = now_of(vm);
    u64                  span = now.at_ticks - then->at_ticks;

    return span ? machine.timebase_hz * (now.exits - then->exits) / span : 0;
}
