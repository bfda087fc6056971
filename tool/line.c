// SPDX-License-Identifier: MIT
// In:     keys from standard input, requests from the control socket, what the machine sends.
// Out:    keys and requests to the machine, what it sends to standard output.
// Always: Ctrl-] x ends the machine, and every other byte goes to it. A request never comes between
//         Ctrl-] and the key behind it. The end of standard input is not the end of the machine,
//         unless it is a terminal that is gone.

#define _POSIX_C_SOURCE 200809L

#include "line.h"

#include "control.h"
#include "frame.h"
#include "qemu.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ESCAPE    = 0x1d,               // Ctrl-]
    QUIT      = 'x',
    SEND_ROOM = 1 << 20,            // as long as anybody pastes
    REQUESTS_ROOM = 1 << 10,        // what of it keys do not use
    IDLE_MS   = 1000,
};

struct line {
    int            machine;
    bool           keys_open;       // standard input has not ended
    bool           keys_are_typed;  // it is a terminal, which has an end only when it is gone
    bool           escape;          // Ctrl-] was the last key, and has not gone to the machine
    bool           over;
    char           send[SEND_ROOM];
    size_t         n_send;
    struct frames  frames;
    struct control control;
};

static void stdout_write(void *context, const char *data, size_t size)
{
    struct line *l = context;

    while (size) {
        ssize_t n = write(STDOUT_FILENO, data, size);

        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            l->over = true;
            return;
        }
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd) { STDOUT_FILENO, POLLOUT, 0 }, 1, IDLE_MS);
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void reply_take(void *context, const char *nonce, bool ok, const char *payload, size_t size)
{
    control_reply(&((struct line *)context)->control, nonce, ok, payload, size);
}

static void line_send(void *context, const char *data, size_t size)
{
    struct line *l = context;

    if (size > sizeof l->send - l->n_send)
        return;
    memcpy(l->send + l->n_send, data, size);
    l->n_send += size;
}

static void key_take(struct line *l, char key)
{
    if (l->escape && key == QUIT) {
        l->over = true;
    } else if (!l->escape && key == ESCAPE) {
        l->escape = true;
    } else {
        line_send(l, "\035", l->escape);
        line_send(l, &key, 1);
        l->escape = false;
    }
}

static void keys_end(struct line *l)
{
    l->keys_open = false;
    line_send(l, "\035", l->escape);
    l->escape = false;
    l->over = l->over || l->keys_are_typed;
}

static void keys_read(struct line *l)
{
    char keys[1024];
    ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        keys_end(l);
    for (ssize_t i = 0; i < n && !l->over; i++)
        key_take(l, keys[i]);
}

static void machine_write(struct line *l)
{
    ssize_t n = send(l->machine, l->send, l->n_send, MSG_NOSIGNAL);

    if (n <= 0)
        return;
    l->n_send -= (size_t)n;
    memmove(l->send, l->send + n, l->n_send);
}

// False when there is nothing more.
static bool machine_read(struct line *l)
{
    char data[4096];
    ssize_t n = read(l->machine, data, sizeof data);

    if (n > 0) {
        frames_feed(&l->frames, data, (size_t)n);
        control_progress(&l->control);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        l->over = true;
    return n > 0 && !l->over;
}

enum { FD_KEYS, FD_MACHINE, FD_CONTROL, FDS = FD_CONTROL + CONTROL_FDS };

static void line_wait(struct line *l, struct pollfd *fds)
{
    bool room = l->n_send < SEND_ROOM - REQUESTS_ROOM - 1024;

    fds[FD_KEYS] = (struct pollfd) { l->keys_open && room ? STDIN_FILENO : -1, POLLIN, 0 };
    fds[FD_MACHINE] = (struct pollfd) { l->machine, POLLIN | (l->n_send ? POLLOUT : 0), 0 };
    control_fill(&l->control, fds + FD_CONTROL);
    if (poll(fds, FDS, IDLE_MS) == 0)
        frames_flush(&l->frames);
}

static void line_serve(struct line *l)
{
    struct pollfd fds[FDS];

    line_wait(l, fds);
    if (fds[FD_KEYS].revents)
        keys_read(l);
    if (fds[FD_MACHINE].revents & POLLOUT)
        machine_write(l);
    if (fds[FD_MACHINE].revents & (POLLIN | POLLHUP | POLLERR))
        machine_read(l);
    control_serve(&l->control, fds + FD_CONTROL);
}

void line_run(int fd, const char *name)
{
    static struct line l;

    l = (struct line) { .machine = fd, .keys_open = true,
                        .keys_are_typed = isatty(STDIN_FILENO) };
    l.frames = (struct frames) { .show = stdout_write, .reply = reply_take, .context = &l };
    l.control.frames = &l.frames;
    l.control.send = line_send;
    l.control.context = &l;
    control_open(&l.control, name);
    while (!l.over && !qemu_has_ended())
        line_serve(&l);
    for (bool more = qemu_has_ended(); more;)
        more = machine_read(&l);
    frames_abandon(&l.frames);
    control_close();
}
