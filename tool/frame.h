// SPDX-License-Identifier: MIT
// Replies of the monitor in the stream from the machine, between marks that carry the request's
// nonce:
//
//     ESC _ duomo;NONCE;begin ESC \  payload  ESC _ duomo;NONCE;end;STATUS ESC \      STATUS: ok, error

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    NONCE_LENGTH   = 16,
    NONCES_AWAITED = 8,
    MARK_MAX       = 48,
    PAYLOAD_MAX    = 1 << 20,
};

struct frames {
    // What is no frame, and what one had in it.
    void (*show)(void *context, const char *data, size_t size);
    void (*reply)(void *context, const char *nonce, bool ok, const char *payload, size_t size);
    void  *context;

    char   awaited[NONCES_AWAITED][NONCE_LENGTH + 1];   // "" where there is none
    char   inside[NONCE_LENGTH + 1];                    // the frame's that is being read, or ""
    char   held[MARK_MAX];                              // what may become a mark
    size_t n_held;
    char  *payload;
    size_t n_payload, room;
};

// From here a frame with that nonce is taken out of the stream. With too many, the oldest goes.
void frames_await(struct frames *f, const char *nonce);

void frames_feed(struct frames *f, const char *data, size_t size);

// Nothing has come for long: what was held was no mark.
void frames_flush(struct frames *f);

// The frame that is being read will have no end.
void frames_abandon(struct frames *f);
