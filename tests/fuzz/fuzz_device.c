// SPDX-License-Identifier: MIT
// Fuzzes the virtual devices: bytes -> register accesses, typing, time, a console with and without
// room.
#include "bytes.h"
#include "lib/panic.h"
#include "rig/rig.h"
#include "vdev/board.h"

static struct rig *r;
static unsigned    n_full; // how often the console became full

static void access_make(struct bytes *b)
{
    const struct vdev_ops *ops  = board_devices[bytes_below(b, board_n_devices)];
    unsigned               size = 1u << bytes_below(b, 4), how = (unsigned)bytes_take(b, 1);
    u64                    off   = how & 1   ? bytes_take(b, 1)
                                   : how & 2 ? 0x2000 * bytes_take(b, 1) + bytes_take(b, 1)
                                             : bytes_take(b, 3);
    u64                    value = how & 4 ? bytes_take(b, 1) : bytes_take(b, 8);

    r->v->mode = how & 8 ? MODE_M : MODE_S;
    (void)rig_access(r, ops->base + (how & 16 ? off : off & ~(u64)(size - 1)), size, how & 32,
                     &value);
}

static void time_pass(struct bytes *b)
{
    u64 ticks = bytes_take(b, 4);

    fake_hart.time += ticks;
    chips.wallclock_ns += 100 * ticks;
    timer_check(r->v);
    ASSERT(r->vm.bus.deadline > fake_hart.time);
}

static void step(struct bytes *b)
{
    switch (bytes_below(b, 8)) {
    case 0: time_pass(b); break;
    case 1: rig_type(r, "ab"); break;
    case 2:
        r->full = bytes_below(b, 2);
        n_full += r->full;
        r->vm.console_ready(&r->vm);
        break;
    case 3:  r->vm.irq_set(&r->vm, (u32)bytes_take(b, 1), bytes_below(b, 2)); break;
    default: access_make(b); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };

    if (!r) {
        bench_reset();
        r = rig_make(&(struct rig_options){ .n_vcpus = 2 });
    }
    fake_hart.time     = 1000;
    chips.wallclock_ns = 1700000000000000000ul;
    r->n_in = r->in_at = r->n_out = r->n_overrun = 0;
    r->full                                      = false;
    n_full                                       = 0;
    vm_reset(&r->vm);
    r->vm.state = VM_RUNNING;
    while (b.left) {
        step(&b);
        r->vm.state = VM_RUNNING;
    }
    ASSERT(r->n_overrun <= n_full); // the byte that was on its way
    return 0;
}
