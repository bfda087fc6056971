// SPDX-License-Identifier: MIT
// The reply.
//
// In:     text of a command.
// Out:    the same, in one piece.
// Always: what is too long is cut, and that is known.
// Locks:  none; boot hart only.
#include "mon/reply.h"

#include "lib/bits.h"

#include <string.h>

static void reply_write(struct out *o, const char *text, size_t len)
{
    struct reply *r = CONTAINER_OF(o, struct reply, o);
    size_t        n = min_u64(len, REPLY_SIZE - r->len);

    memcpy(r->text + r->len, text, n);
    r->len += n;
    r->is_cut |= n < len;
}

struct reply *reply_begin(void)
{
    static struct reply reply = { .o = { reply_write } };

    reply.len    = 0;
    reply.is_cut = false;
    return &reply;
}
