// SPDX-License-Identifier: MIT
// Backtraces of guests.
//
// In:     s0 of a vCPU: the frame pointer, if its program keeps one (RISC-V psABI, "Frame Pointer
//         Convention": the return address at fp - 8, the caller's frame pointer at fp - 16).
// Out:    return addresses.
// Always: a guest's stack may hold anything: every word is read through its own translation and the
//         one door to its memory, a frame must lie above the one before, and their number is
//         bounded.  Nothing is written, no A or D is set, no device is read.
// Locks:  none; the vCPU stands still.
#include "vm/backtrace.h"

#include "lib/bits.h"
#include "vm/fetch.h"

#define REG_RA    1
#define REG_S0    8
#define FRAME_FAR 65536 // no frame is larger

struct link {
    u64 caller_fp, ra;
};

static bool is_next(u64 fp, u64 at)
{
    return at > fp && at - fp <= FRAME_FAR && is_aligned(at, 8);
}

static bool link_read(const struct vcpu *v, u64 fp, struct link *link)
{
    return fp >= sizeof *link && is_aligned(fp, 8) &&
           fetch_bytes(v, gva(fp - sizeof *link), ACCESS_READ, link, sizeof *link);
}

// A function that calls nobody has not saved ra; where it would be stands the caller's frame
// pointer.
static void leaf_fix(const struct vcpu *v, u64 fp, struct link *link)
{
    if (is_next(fp, link->ra))
        *link = (struct link){ link->ra, reg_get(v, REG_RA) };
}

unsigned backtrace_take(const struct vcpu *v, u64 *to, unsigned room)
{
    u64         fp = reg_get(v, REG_S0);
    struct link link;
    unsigned    n = 0;

    while (n < room && link_read(v, fp, &link)) {
        if (!n)
            leaf_fix(v, fp, &link);
        if (!link.ra)
            break;
        to[n++] = link.ra;
        if (!is_next(fp, link.caller_fp))
            break;
        fp = link.caller_fp;
    }
    return n;
}
