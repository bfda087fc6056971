// SPDX-License-Identifier: MIT
// In:     requests of other processes of the same user, on a Unix socket.
// Out:    requests to the monitor on the serial line, with a nonce each; the replies, to who asked.
// Always: the folder of the sockets is its owner's alone. One request is under way at a time. A
//         client that is slow, silent or gone keeps nobody waiting; a monitor that does not answer
//         keeps a client waiting for ten seconds.

#define _GNU_SOURCE                 // accept4

#include "control.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, NAMESAKES_MAX = 9 };

static struct control_path open_path;      // "": none

struct control_path control_folder(void)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    struct control_path p;

    snprintf(p.s, sizeof p.s, "%s/duomo-%u", run && *run ? run : "/tmp", (unsigned)getuid());
    return p;
}

struct control_path control_socket(const char *name)
{
    struct control_path folder = control_folder(), p;

    if (snprintf(p.s, sizeof p.s, "%s/%s.sock", folder.s, name) >= (int)sizeof p.s)
        p.s[0] = '\0';
    return p;
}

static bool address_make(struct sockaddr_un *a, const struct control_path *p)
{
    *a = (struct sockaddr_un) { .sun_family = AF_UNIX };
    return *p->s && snprintf(a->sun_path, sizeof a->sun_path, "%s", p->s) < (int)sizeof a->sun_path;
}

int control_connect(const char *name)
{
    struct control_path p = control_socket(name);
    struct sockaddr_un a;
    int fd;

    if (!address_make(&a, &p))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    return fd;
}

// The folder, as a descriptor; -1: it cannot be trusted, or not be made.
static int folder_open(void)
{
    struct control_path p = control_folder();
    struct stat st;
    int fd;

    mkdir(p.s, 0700);
    fd = open(p.s, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) || st.st_uid != getuid() || (st.st_mode & 077))) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

// A socket that nobody listens on any more makes room.
static int name_listen(const char *name)
{
    struct control_path p = control_socket(name);
    struct sockaddr_un a;
    int fd = control_connect(name);

    if (fd >= 0) {
        close(fd);
        errno = EADDRINUSE;
        return -1;
    }
    if (!address_make(&a, &p)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    unlink(p.s);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, CLIENTS_MAX)) {
        close(fd);
        return -1;
    }
    open_path = p;
    return fd;
}

static int namesake_listen(const char *name)
{
    char other[64];
    int fd = name_listen(name);

    for (int i = 2; fd < 0 && errno == EADDRINUSE && i <= NAMESAKES_MAX; i++) {
        snprintf(other, sizeof other, "%.40s-%d", name, i);
        fd = name_listen(other);
    }
    return fd;
}

bool control_open(struct control *c, const char *name)
{
    int folder = folder_open();

    c->listener = -1;
    for (int i = 0; i < CLIENTS_MAX; i++)
        c->clients[i].fd = -1;
    if (folder >= 0) {
        flock(folder, LOCK_EX);         // two that start at once see each other
        c->listener = namesake_listen(name);
        close(folder);
    }
    return c->listener >= 0
        || wrong(control_folder().s, "%s, so 'duomo monitor' will not reach this machine; set "
                 "XDG_RUNTIME_DIR to a folder of your own", strerror(errno));
}

void control_close(void)
{
    if (open_path.s[0])
        unlink(open_path.s);
    open_path.s[0] = '\0';
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void client_drop(struct control *c, struct client *k)
{
    if (c->asking == k)
        c->asking = NULL;
    close(k->fd);
    free(k->out);
    *k = (struct client) { .fd = -1 };
}

static void client_answer(struct client *k, bool ok, const char *payload, size_t size)
{
    char head[32];
    int n = snprintf(head, sizeof head, "%s %zu\n", ok ? "ok" : "error", size);

    free(k->out);
    k->out = malloc((size_t)n + size);
    k->n_out = k->sent = 0;
    if (!k->out)
        return;
    memcpy(k->out, head, (size_t)n);
    if (size)
        memcpy(k->out + n, payload, size);
    k->n_out = (size_t)n + size;
}

static void client_refuse(struct client *k, const char *why)
{
    client_answer(k, false, why, strlen(why));
}

static bool request_is_sound(const char *line)
{
    if (strncmp(line, "text ", 5) != 0 && strncmp(line, "json ", 5) != 0)
        return false;
    for (const char *c = line; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return line[5];
}

// No guest can guess it, so none can forge a reply.
static bool nonce_make(char *nonce)
{
    unsigned char bytes[NONCE_LENGTH / 2];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static void request_send(struct control *c, struct client *k, const char *line)
{
    char request[REQUEST_MAX + 64];
    int n;

    if (!request_is_sound(line)) {
        client_refuse(k, "this is no command; write one in printable ASCII\n");
        return;
    }
    if (!nonce_make(c->nonce)) {
        client_refuse(k, "the system has no random numbers; try again\n");
        return;
    }
    n = snprintf(request, sizeof request, "\035:%s %s\r", c->nonce, line);
    frames_await(c->frames, c->nonce);
    c->asking = k;
    c->deadline_ms = now_ms() + ANSWER_MS;
    c->send(c->context, request, (size_t)n);
}

// The first of the clients with a whole line that waits for its turn.
static void request_next(struct control *c)
{
    for (struct client *k = c->clients; !c->asking && k < c->clients + CLIENTS_MAX; k++) {
        char *end = k->fd < 0 || k->out ? NULL : memchr(k->line, '\n', k->n_line);
        char line[sizeof k->line];
        size_t n;

        if (!end)
            continue;
        n = (size_t)(end - k->line);
        memcpy(line, k->line, n);
        line[n] = '\0';
        k->n_line -= n + 1;
        memmove(k->line, end + 1, k->n_line);
        request_send(c, k, line);
    }
}

static void client_read(struct control *c, struct client *k)
{
    ssize_t n = recv(k->fd, k->line + k->n_line, sizeof k->line - k->n_line, MSG_DONTWAIT);

    if (n > 0)
        k->n_line += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        client_drop(c, k);
    else
        return;
    if (k->n_line == sizeof k->line && !memchr(k->line, '\n', k->n_line)) {
        client_refuse(k, "the command is too long; shorten it\n");
        k->n_line = 0;
    }
}

static void client_write(struct control *c, struct client *k)
{
    ssize_t n = send(k->fd, k->out + k->sent, k->n_out - k->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        client_drop(c, k);
        return;
    }
    k->sent += (size_t)n;
    if (k->sent == k->n_out) {
        free(k->out);
        k->out = NULL;
    }
}

static void client_accept(struct control *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    for (struct client *k = c->clients; fd >= 0 && k < c->clients + CLIENTS_MAX; k++)
        if (k->fd < 0) {
            k->fd = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

// A client whose line is full, or that has not taken its answer, is not listened to.
void control_fill(const struct control *c, struct pollfd *fds)
{
    fds[0] = (struct pollfd) { c->listener, POLLIN, 0 };
    for (int i = 0; i < CLIENTS_MAX; i++) {
        const struct client *k = &c->clients[i];
        bool room = k->n_line < sizeof k->line && k != c->asking;

        fds[1 + i] = (struct pollfd) { k->fd, k->out ? POLLOUT : room ? POLLIN : 0, 0 };
    }
}

void control_serve(struct control *c, const struct pollfd *fds)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *k = &c->clients[i];
        short events = fds[1 + i].revents;

        if (k->fd < 0 || !events)
            continue;
        if (k->out && (events & POLLOUT))
            client_write(c, k);
        else if (events & POLLIN)
            client_read(c, k);
        else if (events & (POLLHUP | POLLERR))
            client_drop(c, k);
    }
    if (fds[0].revents & POLLIN)
        client_accept(c);
    if (c->asking && now_ms() > c->deadline_ms) {
        client_refuse(c->asking, "the monitor does not answer; is the machine stopped?\n");
        c->asking = NULL;
        frames_abandon(c->frames);
    }
    request_next(c);
}

void control_reply(struct control *c, const char *nonce, bool ok, const char *payload, size_t size)
{
    if (c->asking && strcmp(nonce, c->nonce) == 0) {
        client_answer(c->asking, ok, payload, size);
        c->asking = NULL;
    }
}

void control_progress(struct control *c)
{
    if (c->asking && c->frames->inside[0])
        c->deadline_ms = now_ms() + ANSWER_MS;
}
