// SPDX-License-Identifier: MIT
// The sender: a long reply waits here while the line is slow, and nobody waits for it.
//
// In:     bytes, in the order in which they are to be seen.
// Out:    the same, to the serial line as it has room.
// Always: who writes past what waits here would be seen too early, so nobody does.
// Locks:  the view's, held by the caller.
#include "mon/sender.h"

#include "dev/serial.h"
#include "lib/ring.h"

#include <string.h>

#define CHUNK      256
#define PUMP       1024 // in one stay
#define LATER_SIZE 4096

static char waiting[SENDER_SIZE];
static u32  head, tail; // free-running; head - tail bytes wait
static u64  lost;
static bool is_open;           // a piece is being made
static char later[LATER_SIZE]; // what comes after it
static u32  n_later;

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
    tail    = head;
    is_open = false;
    n_later = 0;
}

bool sender_pump(void)
{
    for (size_t n, sent = 0; head != tail; sent += n) {
        n = min_u64(min_u64(head - tail, CHUNK), SENDER_SIZE - tail % SENDER_SIZE);
        if (sent >= PUMP)
            return true;
        if (!serial_has_room(n))
            return false;
        serial_write(waiting + tail % SENDER_SIZE, n);
        tail += (u32)n;
    }
    return false;
}

static void put(const char *text, size_t len)
{
    size_t n = min_u64(len, SENDER_SIZE - (head - tail));

    if (head == tail && serial_has_room(len)) {
        serial_write(text, len);
        return;
    }
    head = ring_put(waiting, SENDER_SIZE, head, text, n);
    lost += len - n;
    (void)sender_pump();
}

static void later_put(const char *text, size_t len)
{
    size_t n = min_u64(len, LATER_SIZE - n_later);

    memcpy(later + n_later, text, n);
    n_later += (u32)n;
    lost += len - n;
}

void sender_put(const char *text, size_t len)
{
    if (is_open)
        later_put(text, len);
    else
        put(text, len);
}

void sender_open(void)
{
    is_open = true;
}

void sender_close(void)
{
    is_open = false;
    put(later, n_later);
    n_later = 0;
}

bool sender_is_open(void)
{
    return is_open;
}

// A terminal's lines.
static void lines_put(void (*to)(const char *text, size_t len), const char *text, size_t len)
{
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t      n   = end ? (size_t)(end - text) : len;

        to(text, n);
        if (end)
            to("\r\n", 2);
        n += !!end;
        text += n;
        len -= n;
    }
}

static void raw_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    sender_put(text, len);
}

static void text_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    lines_put(sender_put, text, len);
}

static void piece_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    lines_put(put, text, len);
}

struct out sender_raw = { raw_write }, sender_text = { text_write }, sender_piece = { piece_write };
