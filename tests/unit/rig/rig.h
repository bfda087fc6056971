// SPDX-License-Identifier: MIT
// The rig: a virtual machine on the desk.  A VM with RAM, shadow pools and the board's devices over
// the fake hart, and stand-ins for the machine's chips that say what the monitor did to them.
#pragma once

#include "arch/host/fake.h"
#include "vm/csr.h"
#include "vm/engine.h"
#include "vm/gmem.h"
#include "vm/sbi.h"
#include "vm/vm.h"

#include <setjmp.h>
#include <stdarg.h>

#define RIG_VCPUS_MAX 8
#define RIG_TEXT      65536

struct rig_options {
    u64  ram_size;   // 0: 16 MiB
    u64  ram_skew;   // RAM begins so far behind a 1 GiB border; a multiple of 4 KiB
    u32  n_vcpus;    // 0: 1
    u32  pool_pages; // 0: 256
    bool no_pbmt_napot;
    bool has_vcons;
    struct blkdev  *disk; // NULL: none
    struct io_limits disk_limits;
    struct net_port *port; // NULL: none
};

struct rig {
    struct vm    vm; // must be first
    struct vcpu *list[RIG_VCPUS_MAX];
    struct vcpu *v; // the first of them
    void        *area;
    u64          area_size;

    // The console
    char     out[RIG_TEXT];
    size_t   n_out;
    u8       in[RIG_TEXT];
    size_t   n_in, in_at;
    bool     full;      // it has no room
    unsigned n_overrun; // bytes that came while it was full
};

// A running VM: its first vCPU is started at the begin of RAM in vS.  Listed in vms[].
struct rig *rig_make(const struct rig_options *o);
void        rig_free(struct rig *r);
// One more device on its bus, of so many bytes, all 0 but its `struct vdev`, which comes first; the
// rig frees it.
void *rig_device(struct rig *r, const struct vdev_ops *ops, size_t size);

struct rig *rig_of(struct vm *vm);

// One access to a device by the first vCPU.  rig_read() fails the test if the bus refuses.
bool rig_access(struct rig *r, u64 at, unsigned size, bool write, u64 *value);
u64  rig_read(struct rig *r, u64 at, unsigned size);
void rig_write(struct rig *r, u64 at, unsigned size, u64 value);
void rig_type(struct rig *r, const char *text); // at the keyboard

// A guest's 8-byte word at an address of its RAM.
u64  rig_word(const struct rig *r, u64 at);
void rig_word_set(struct rig *r, u64 at, u64 value);

// What the chips saw.
struct chips {
    u64      armed; // the timer's deadline
    u64      armed_on[MAX_HARTS]; // each hart's, by index
    bool     poked[MAX_HARTS];    // has an IPI, by number
    unsigned n_armed;
    u64      wallclock_ns; // a test sets it
    u64      clock_step;   // ticks that pass at each look at the clock
    unsigned n_ipi, n_ipi_clear, n_irq;
    char     serial[RIG_TEXT];
    size_t   n_serial;
    size_t   serial_room; // a test sets it
    void (*serial_input)(void *arg, u8 byte);
    void (*serial_ready)(void *arg);
    void   *serial_arg;
    bool    is_held;       // serial_hold()
    bool    may_power_off; // the test expects it and has set `powered_off`
    jmp_buf powered_off;
    bool    may_panic; // the test expects it and has set `panicked`
    jmp_buf panicked;
    char    panic_text[256];
};
extern struct chips chips;

// Chips and hart as after power-on; no VM.
void bench_reset(void);

// A stream of numbers that is the same at each run (xorshift64*).
u64 dice(u64 *state);
u64 dice_below(u64 *state, u64 n);
