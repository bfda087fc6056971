// SPDX-License-Identifier: MIT
// The sender: a long reply waits here while the line is slow, and nobody waits for it.
//
// In:     bytes, in the order in which they are to be seen.
// Out:    the same, to the serial line as it has room.
// Always: who writes past what waits here would be seen too early, so nobody does.
// Locks:  the view's, held by the caller.
#include "mon/sender.h"

#include "dev/serial.h"
#include "lib/bits.h"

#include <string.h>

#define CHUNK 256

static char waiting[SENDER_SIZE];
static u32  head, tail; // free-running; head - tail bytes wait
static u64  lost;

u32 sender_waiting(void)
{
    return head - tail;
}

u64 sender_lost(void)
{
    return lost;
}

void sender_forget(void)
{
    tail = head;
}

void sender_pump(void)
{
    while (head != tail) {
        size_t n = min_u64(min_u64(head - tail, CHUNK), SENDER_SIZE - tail % SENDER_SIZE);

        if (!serial_has_room(n))
            return;
        serial_write(waiting + tail % SENDER_SIZE, n);
        tail += (u32)n;
    }
}

void sender_put(const char *text, size_t len)
{
    if (head == tail && serial_has_room(len)) {
        serial_write(text, len);
        return;
    }
    for (; len && head - tail < SENDER_SIZE; len--)
        waiting[head++ % SENDER_SIZE] = *text++;
    lost += len;
    sender_pump();
}

static void raw_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    sender_put(text, len);
}

static void text_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t      n   = end ? (size_t)(end - text) : len;

        sender_put(text, n);
        if (end)
            sender_put("\r\n", 2);
        n += !!end;
        text += n;
        len -= n;
    }
}

struct out sender_raw = { raw_write }, sender_text = { text_write };
