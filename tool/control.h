// SPDX-License-Identifier: MIT
// The control socket of a running machine: (XDG_RUNTIME_DIR or /tmp)/duomo-UID/NAME.sock.
//
// A request is a line, "text COMMAND\n" or "json COMMAND\n". The answer is a line "ok LENGTH\n" or
// "error LENGTH\n" and so many bytes.

#pragma once

#include "frame.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_MAX = 500, CLIENTS_MAX = 8, CONTROL_FDS = 1 + CLIENTS_MAX };

struct control_path {
    char s[256];
};

// The folder of the sockets, without looking whether it is there.
struct control_path control_folder(void);

// The socket of that name.
struct control_path control_socket(const char *name);

// Connects to that machine; -1: it does not run.
int control_connect(const char *name);

struct client {
    int    fd;              // -1: nobody
    char   line[REQUEST_MAX + 8];
    size_t n_line;
    char  *out;             // the answer, as far as it has not gone out
    size_t n_out, sent;
};

struct control {
    int            listener;
    struct client  clients[CLIENTS_MAX];
    struct client *asking;          // whose request the monitor has, or NULL
    char           nonce[NONCE_LENGTH + 1];
    int64_t        deadline_ms;
    struct frames *frames;
    void         (*send)(void *context, const char *data, size_t size);    // to the machine
    void          *context;
};

// Listens under that name, or, if a machine of that name runs, NAME-2 and so on. On false it has
// been told why nobody can ask, and the machine can run without.
bool control_open(struct control *c, const char *name);

// Takes the socket's name away. May be called from a signal handler, and without an open one.
void control_close(void);

void control_fill(const struct control *c, struct pollfd *fds);
void control_serve(struct control *c, const struct pollfd *fds);

// The monitor's reply; nothing is done with one that comes too late.
void control_reply(struct control *c, const char *nonce, bool ok, const char *payload, size_t size);

// The machine has sent part of a reply.
void control_progress(struct control *c);
