// SPDX-License-Identifier: MIT
// What a VM may do with its disk in a second.
//
// In:     limits; requests that were taken.
// Out:    when the next one may be.
// Always: a limit holds over each second, but for what may be used in advance; one large request
//         may be more than that, and then there is a long pause.
// Locks:  vm->lock, held by the caller.
#include "vdev/io_meter.h"

#include "dev/clock.h"
#include "dev/machine.h"

#define BURST_HZ 50 // so much of a second may be used in advance

static void limit_set(struct bucket *b, u64 per_s)
{
    b->per_s = per_s;
    b->burst = machine.timebase_hz / BURST_HZ;
}

void io_meter_set(struct io_meter *m, const struct io_limits *limits)
{
    limit_set(&m->requests, limits->requests_per_s);
    limit_set(&m->bytes, limits->bytes_per_s);
}

u64 io_meter_closed_until(const struct io_meter *m)
{
    u64 now = clock_now();

    return max_u64(bucket_closed_until(&m->requests, now), bucket_closed_until(&m->bytes, now));
}

void io_meter_charge(struct io_meter *m, u64 requests, u64 bytes)
{
    u64 now = clock_now();

    bucket_use(&m->requests, requests, now, machine.timebase_hz);
    bucket_use(&m->bytes, bytes, now, machine.timebase_hz);
}
