// SPDX-License-Identifier: MIT
// How virtual machines begin and end.
//
// In:     a VM that has ended, at each turn of the scheduler, until it is OFF or runs.
// Out:    a VM with RAM that holds its images and zeros, and its first vCPU at their entry; or one
//         that is OFF, without RAM.
// Always: a VM has RAM from its start to its end.  Every byte is written before a guest sees it, so
//         nothing of an earlier owner is left.  A step is short, so that others do not wait for it.
//         One that has crashed, or was stopped by a person, keeps its RAM until its next start, to
//         be looked at.
// Locks:  on_end() is called without one, by one hart at a time, with none of the VM's vCPUs on
//         another; vm->lock for its end and its state.
#include "mon/life.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "dev/net.h"
#include "lib/log.h"
#include "lib/words.h"
#include "mon/build.h"
#include "mon/guest_dt.h"
#include "vm/sched.h"

#define STEP     (16 * KIB) // of RAM per step: at most 16,000 instructions
#define RAM_STEP (2 * MIB)
#define REST_MS  1 // between two looks at what a device has still to do
#define SILENT_S 5 // so long it may have something to do before that is told

// Copies the part of an image that lies in [from, from + STEP) of the VM's RAM.
static void image_part_copy(struct built *b, const struct image *image, u64 image_at, u64 from)
{
    u64 begin = max_u64(image_at, from), end = min_u64(image_at + image->size, from + STEP);

    if (image->data && begin < end)
        words_copy((char *)b->vm.ram.a + begin, (const char *)image->data + (begin - image_at),
                   end - begin);
}

static void ram_part_fill(struct built *b, u64 from)
{
    words_clear((char *)b->vm.ram.a + from, STEP);
    image_part_copy(b, &b->config.kernel, b->layout.kernel, from);
    image_part_copy(b, &b->config.ramdisk, b->layout.ramdisk, from);
    image_part_copy(b, &b->dt, b->layout.dt, from);
}

static bool ram_get(struct vm *vm)
{
    if (!vm->ram.a)
        vm->ram = hpa(ram_take(vm->ram_size, RAM_STEP));
    vm->ram_window =
        (struct pmp_range){ vm->ram.a, vm->ram.a + vm->ram_size, PMP_R | PMP_W | PMP_X };
    return vm->ram.a;
}

// The lock is held.
static void off(struct vm *vm, bool keeps_ram)
{
    built_of(vm)->filled = 0; // of a start that was broken off
    if (vm->port)
        port_close(vm->port);
    if (vm->ram.a && !keeps_ram) {
        ram_release(vm->ram.a);
        vm->ram        = hpa(0);
        vm->ram_window = (struct pmp_range){ 0 };
    }
    vm_state_set(vm, VM_OFF);
}

// Unless somebody has stopped it while it was loaded.
static void run(struct built *b)
{
    struct vm     *vm = &b->vm;
    struct layout *l  = &b->layout;

    hart_fence_code();
    lock_take(&vm->lock);
    if (vm->end == VM_END_RESET) {
        vm_reset(vm);
        vm->starts++;
        vm->started_ticks = clock_now();
        vcpu_start(vm->vcpus[0], VM_RAM_BASE + l->entry, VM_RAM_BASE + l->dt);
        vm_state_set(vm, VM_RUNNING);
    }
    lock_drop(&vm->lock);
}

static void ram_lacks(struct vm *vm)
{
    log_line("%s: the machine has too little RAM for its %lu MiB; give it less, or the machine more"
             " (-m), or stop another VM",
             vm->name, (unsigned long)(vm->ram_size / MIB));
    lock_take(&vm->lock);
    vm->end = VM_END_FAIL;
    off(vm, false);
    lock_drop(&vm->lock);
}

// When all is filled, two more steps give it a seed and let it begin.
static void start_step(struct built *b)
{
    struct vm *vm = &b->vm;

    if (!b->filled && !ram_get(vm)) {
        ram_lacks(vm);
        return;
    }
    if (b->filled < vm->ram_size)
        ram_part_fill(b, b->filled);
    else if (b->filled == vm->ram_size)
        guest_dt_seed((char *)vm->ram.a + b->layout.dt + b->seed_offset);
    else
        run(b);
    b->filled = b->filled > vm->ram_size ? 0 : b->filled + STEP;
}

// A guest that resets or crashes again and again must not fill the log: told are its 1st, 2nd, 4th
// end, and so on.
static bool is_damped(const struct built *b)
{
    const struct vm *vm    = &b->vm;
    bool             often = vm->end == VM_END_RESET || b->config.on_crash == CRASH_RESTART;

    return often && vm->starts & (vm->starts - 1);
}

// What is told once of each end.  A guest that reported its failure itself has said more than its
// registers do.
static void tell(struct built *b, const char *why)
{
    struct vm *vm = &b->vm;

    if (vm->end == VM_END_FAIL)
        crash_take(b->vm.crash, vm);
    if (is_damped(b))
        return;
    log_line("%s: %s (start %lu)", vm->name, why, (unsigned long)vm->starts);
    b->telling = vm->end == VM_END_FAIL && vm->is_crash;
    b->line    = 0;
}

// A crash becomes a reset, if so configured.
static void crash_judge(struct built *b)
{
    if (b->vm.end == VM_END_FAIL && b->config.on_crash == CRASH_RESTART &&
        b->crashes < b->config.restart_max) {
        b->crashes++;
        b->vm.end = VM_END_RESET;
    }
}

// Another hart may want it stopped meanwhile: what it wants is looked at and done under the lock.
static bool starts_again(struct built *b)
{
    struct vm *vm = &b->vm;
    bool       starts;

    lock_take(&vm->lock);
    starts = vm->end == VM_END_RESET;
    if (!starts)
        off(vm, vm->end == VM_END_FAIL || vm->is_kept);
    lock_drop(&vm->lock);
    return starts;
}

static void judge(struct built *b)
{
    struct vm *vm = &b->vm;

    lock_take(&vm->lock);
    if (vm->why) {
        tell(b, vm->why);
        crash_judge(b);
        vm->why = NULL;
    }
    lock_drop(&vm->lock);
}

// A device may still write to its RAM: looked at before long, and told once if it takes its time.
static void rest(struct built *b)
{
    u64 now = clock_now(), silent = SILENT_S * machine.timebase_hz;

    __atomic_store_n(&b->vm.rests_until, now + machine.timebase_hz * REST_MS / 1000,
                     __ATOMIC_RELAXED);
    if (!b->rests_since)
        b->rests_since = now;
    if (now - b->rests_since < silent || b->rest_told)
        return;
    b->rest_told = true;
    if (!is_damped(b))
        log_line("%s: its disk has not done for %u s what was asked of it; it keeps its RAM until"
                 " that is done, or the machine is switched off",
                 b->vm.name, SILENT_S);
}

static void on_end(struct vm *vm)
{
    struct built *b = built_of(vm);

    judge(b);
    if (b->telling)
        b->telling = crash_log(b->vm.crash, vm, b->line++);
    else if (!bus_is_quiet(&vm->bus))
        rest(b);
    else {
        __atomic_store_n(&vm->rests_until, 0, __ATOMIC_RELAXED);
        b->rests_since = 0;
        b->rest_told   = false;
        if (starts_again(b))
            start_step(b);
    }
}

void life_adopt(struct vm *vm)
{
    vm->on_end = on_end;
}

bool life_failed(void)
{
    for (unsigned i = 0; i < n_vms; i++)
        if (vms[i]->end == VM_END_FAIL)
            return true;
    return false;
}
