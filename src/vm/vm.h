// SPDX-License-Identifier: MIT
// A virtual machine: its memory, its vCPUs, its devices, its state.
#pragma once

#include "arch/hart.h"
#include "arch/lock.h"
#include "isa/ext.h"
#include "vm/bus.h"
#include "vm/vcpu.h"

#define VM_RAM_BASE 0x80000000ul // as on the `virt` board
#define VM_MAX      64
#define VM_NAME_MAX 32

// STOPPED: it has ended, and on_end() decides what becomes of it.
enum vm_state { VM_OFF, VM_RUNNING, VM_STOPPED, VM_PAUSED };

// What a VM asks of the world when it ends.
enum vm_end { VM_END_OFF, VM_END_RESET, VM_END_FAIL };

struct console;
struct crash;
struct blkdev;
struct net_port;

// How much of a device a VM may use; 0: no limit.
struct io_limits {
    u64 requests_per_s, bytes_per_s;
};

struct vm {
    // Fixed after creation:
    char              name[VM_NAME_MAX];
    struct pmp_range  ram_window, table_window;
    hpa_t             ram;      // where VM_RAM_BASE lies in the machine
    u64               ram_size; // a multiple of 2 MiB
    const struct isa *isa;
    u64               ext_bits;       // of mstatus.FS and VS: those that it has
    u32               weight;         // its share of a hart, against others'
    u32               cap;            // per cent of one hart at most; 0: no limit
    u64               watchdog_ticks; // an interrupt may be left pending so long; 0: for ever
    u64               harts;          // bit n: may run on the hart whose number (mhartid) is n
    u16               satp_modes;     // bit n: satp mode n
    struct walk_rules walk_base;      // what the hart's page tables may contain
    struct vcpu     **vcpus;
    u32               n_vcpus;
    struct bus        bus;
    struct blkdev    *disk; // NULL: it has none
    struct net_port  *port; // its place at the switch; NULL: it has no network
    struct io_limits  disk_limits;
    bool              has_vcons; // a virtio console, which then has the keyboard

    // Under the scheduler's lock:
    u32 held; // 0, or it is kept off the harts: vm_hold()

    // Under `lock`, which the hart takes that handles a trap of this VM, and whoever comes from
    // outside:
    struct lock    lock;
    enum vm_state  state;
    enum vm_end    end;
    const char    *why;          // a constant sentence: why it stopped
    bool           is_crash;     // it did not ask for its end: vm_crash()
    u32            crashed_vcpu; // whose report it is
    u64            starts;
    u64            started_ticks; // when it was last
    bool           is_kept;       // off by a person's wish, to be looked at: the machine stays on
    struct vdev   *keyboard;      // whose typed bytes are; NULL: the vUART's
    struct record *record;        // of the trap that is being handled, if it is recorded

    // Laid by the layers above:
    struct console *console;
    struct crash   *crash; // its last one; NULL: nobody keeps it
    // The VM has ended.  Called at each turn of the scheduler until it is VM_OFF or runs again; but
    // not before rests_until (ticks), which it sets while something must be waited for, and else
    // to 0.
    void (*on_end)(struct vm *vm);
    u64 rests_until;
    void (*irq_set)(struct vm *vm, u32 source,
                    bool up);            // a line of the virtual interrupt controller
    struct vdev *irq_device;             // which is this
    bool (*console_room)(struct vm *vm); // can it take a byte now?
    void (*console_write)(struct vm *vm, const char *text, size_t len);
    int (*console_read)(struct vm *vm);   // the next byte typed; -1: none
    void (*console_ready)(struct vm *vm); // for its devices: room again, or a byte to read
};

// Its state, for who does not hold vm->lock; it may be another one a moment later.
static inline enum vm_state vm_state(const struct vm *vm)
{
    return __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
}

// Has the VM nothing to do until an interrupt comes?  With vm->lock held.
static inline bool vm_is_idle(const struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (!vm->vcpus[i]->waiting && vm->vcpus[i]->hsm == HSM_STARTED)
            return false;
    return true;
}

// Has it ended, and waits for something?  0: no; otherwise until then.
static inline u64 vm_rests_until(const struct vm *vm)
{
    return __atomic_load_n(&vm->rests_until, __ATOMIC_RELAXED);
}

static inline bool vm_is_held(const struct vm *vm)
{
    return __atomic_load_n(&vm->held, __ATOMIC_ACQUIRE);
}

// Every VM there is, for the scheduler and the monitor.
extern struct vm *vms[VM_MAX];
extern unsigned   n_vms;

// With vm->lock held.
static inline void vm_state_set(struct vm *vm, enum vm_state state)
{
    __atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
}

// The VM ends at the next opportunity of its vCPUs; `why` is a constant string.  vm->lock is held.
void vm_stop(struct vm *vm, enum vm_end end, const char *why);

// The same, as VM_END_FAIL, for a VM whose vCPU cannot go on.
void vm_crash(struct vcpu *v, const char *why);

// For handlers: vm_crash(), said to run.c.
enum outcome stop(struct vcpu *v, const char *why);

// From outside, without a lock held; void if the VM's state does not allow it.  vm_start(): one
// that is OFF begins to start, in steps of on_end(), as after a reset.  vm_put_off(): it ends at
// once, whatever it does; kept, its registers and memory stay as they are and the machine stays on
// for them.  A paused VM's time goes on, and its vCPUs do not.
void vm_end(struct vm *vm, enum vm_end end, const char *why); // vm_stop()
void vm_start(struct vm *vm);
void vm_put_off(struct vm *vm, bool keep, const char *why);
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
// Between the two none of its vCPUs runs, except one in whose trap the caller is: registers stand
// still.  Waits for other harts, a bounded time; one hart alone may call this.
void vm_hold(struct vm *vm);
void vm_release(struct vm *vm);

// All vCPUs and devices as after power-on; RAM is the caller's affair.
void vm_reset(struct vm *vm);
