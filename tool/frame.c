// SPDX-License-Identifier: MIT
// In:     what the machine sends: guests' output, and replies of the monitor in frames.
// Out:    the same without the frames; each frame's payload.
// Always: a frame is taken only with a nonce that is awaited, which no guest can know; all else
//         goes on as it came, forged frames too. While nothing is awaited, nothing is held back.

#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Each '#' stands for a digit of a nonce.
static const char begin_mark[] = "\033_duomo;################;begin\033\\";

enum { NONCE_AT = sizeof "\033_duomo;" - 1 };

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Whether the bytes are the first of the mark.
static bool mark_begins(const char *mark, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!mark[i] || (mark[i] == '#' ? !is_hex(bytes[i]) : mark[i] != bytes[i]))
            return false;
    return true;
}

static char *awaited_find(struct frames *f, const char *nonce)
{
    for (int i = 0; i < NONCES_AWAITED; i++)
        if (strncmp(f->awaited[i], nonce, NONCE_LENGTH) == 0)
            return f->awaited[i];
    return NULL;
}

void frames_await(struct frames *f, const char *nonce)
{
    memmove(f->awaited[1], f->awaited[0], sizeof f->awaited - sizeof f->awaited[0]);
    memcpy(f->awaited[0], nonce, NONCE_LENGTH);
}

static bool is_awaiting(const struct frames *f)
{
    for (int i = 0; i < NONCES_AWAITED; i++)
        if (f->awaited[i][0])
            return true;
    return false;
}

// The first byte that is held was no part of a mark.
static char held_take(struct frames *f)
{
    char c = f->held[0];

    memmove(f->held, f->held + 1, --f->n_held);
    return c;
}

// Makes room for more of the payload; what has none is left out.
static void payload_grow(struct frames *f)
{
    size_t room = f->room ? 2 * f->room : 4096;
    char *payload = room <= PAYLOAD_MAX ? realloc(f->payload, room) : NULL;

    if (payload) {
        f->payload = payload;
        f->room = room;
    }
}

static void payload_add(struct frames *f, char c)
{
    if (f->n_payload == f->room)
        payload_grow(f);
    if (f->n_payload < f->room)
        f->payload[f->n_payload++] = c;
}

// Outside a frame: true when one begins.
static bool begin_feed(struct frames *f, char *out, size_t *n_out)
{
    while (f->n_held) {
        if (!mark_begins(begin_mark, f->held, f->n_held)) {
            out[(*n_out)++] = held_take(f);
            continue;
        }
        if (f->n_held < sizeof begin_mark - 1)
            return false;
        if (awaited_find(f, f->held + NONCE_AT))
            return true;
        out[(*n_out)++] = held_take(f);
    }
    return false;
}

static void frame_begin(struct frames *f)
{
    memcpy(f->inside, f->held + NONCE_AT, NONCE_LENGTH);
    f->n_held = 0;
    f->n_payload = 0;
}

// Inside a frame: true when it ends.
static bool end_feed(struct frames *f, bool *ok)
{
    char ends[2][MARK_MAX];

    snprintf(ends[0], MARK_MAX, "\033_duomo;%s;end;error\033\\", f->inside);
    snprintf(ends[1], MARK_MAX, "\033_duomo;%s;end;ok\033\\", f->inside);
    while (f->n_held) {
        for (int i = 0; i < 2; i++)
            if (f->n_held == strlen(ends[i]) && mark_begins(ends[i], f->held, f->n_held)) {
                *ok = i;
                return true;
            }
        if (mark_begins(ends[0], f->held, f->n_held) || mark_begins(ends[1], f->held, f->n_held))
            return false;
        payload_add(f, held_take(f));
    }
    return false;
}

static void frame_end(struct frames *f, bool ok)
{
    char nonce[NONCE_LENGTH + 1];

    memcpy(nonce, f->inside, sizeof nonce);
    memset(awaited_find(f, nonce), 0, NONCE_LENGTH);
    f->inside[0] = '\0';
    f->n_held = 0;
    f->reply(f->context, nonce, ok, f->payload, f->n_payload);
    frames_abandon(f);
}

static void byte_feed(struct frames *f, char c, char *out, size_t *n_out)
{
    bool ok;

    f->held[f->n_held++] = c;
    if (f->inside[0]) {
        if (end_feed(f, &ok))
            frame_end(f, ok);
    } else if (begin_feed(f, out, n_out)) {
        frame_begin(f);
    }
}

void frames_feed(struct frames *f, const char *data, size_t size)
{
    char out[4096 + MARK_MAX];
    size_t n_out = 0;

    if (!is_awaiting(f)) {
        f->show(f->context, data, size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        byte_feed(f, data[i], out, &n_out);
        if (n_out >= sizeof out - MARK_MAX) {
            f->show(f->context, out, n_out);
            n_out = 0;
        }
    }
    if (n_out)
        f->show(f->context, out, n_out);
}

void frames_flush(struct frames *f)
{
    if (f->inside[0] || !f->n_held)
        return;
    f->show(f->context, f->held, f->n_held);
    f->n_held = 0;
}

void frames_abandon(struct frames *f)
{
    f->inside[0] = '\0';
    free(f->payload);
    f->payload = NULL;
    f->n_payload = f->room = 0;
}
