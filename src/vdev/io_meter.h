// SPDX-License-Identifier: MIT
// What a VM may do with its disk in a second, as the configuration says: requests, and bytes.
#pragma once

#include "dev/bucket.h"
#include "vm/vm.h"

// All with vm->lock held.
struct io_meter {
    struct bucket requests, bytes;
};

// From now on these hold; what was used so far still counts.
void io_meter_set(struct io_meter *m, const struct io_limits *limits);
// From when on, in ticks, there may be another request; 0: now.
u64 io_meter_closed_until(const struct io_meter *m);
// There were so many, and so many bytes.
void io_meter_charge(struct io_meter *m, u64 requests, u64 bytes);

// Is there any limit?
static inline bool io_meter_limits(const struct io_meter *m)
{
    return m->requests.per_s | m->bytes.per_s;
}
