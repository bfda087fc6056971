// SPDX-License-Identifier: MIT
// How fast TCP is between two machines, measured from inside them.
//
// In:     tcpbench serve PORT
//         tcpbench send ADDRESS PORT SECONDS: one stream, until so much time is over
//         tcpbench turns ADDRESS PORT COUNT: one byte there and one back, so often
// Out:    serve: nothing; it goes on until it is killed.
//         send: "net send bytes N ns X": until the other side has said that it has all.
//         turns: "net turns count N ns X".
// Always: what a byte says is checked at the other side: the n-th byte of a stream is n * 7 + n / 256,
//         cut to eight bits.  A mistake ends with a word and exit code 1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum { PIECE = 65536, CONNECT_TRIES = 100, CONNECT_PAUSE_US = 100000 };

static unsigned char piece[2 * PIECE], in[PIECE];

// The pattern repeats after PIECE bytes.
static void piece_make(void)
{
    for (unsigned n = 0; n < sizeof piece; n++)
        piece[n] = (unsigned char)(n * 7 + n / 256);
}

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

    if (!inet_aton(host, &a.sin_addr)) {
        errno = EINVAL;
        fail(host);
    }
    return a;
}

static void quick_set(int s)
{
    int one = 1;

    if (setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        fail("TCP_NODELAY");
}

// The other machine may still be booting.
static int connect_to(const char *host, const char *port)
{
    struct sockaddr_in a = address_of(host, port);

    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);

        if (s < 0)
            fail("socket");
        if (!connect(s, (struct sockaddr *)&a, sizeof a)) {
            quick_set(s);
            return s;
        }
        close(s);
        usleep(CONNECT_PAUSE_US);
    }
    fail("connect");
    return -1;
}

static void write_all(int s, const void *from, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(s, (const char *)from + done, len - done);

        if (n <= 0)
            fail("write");
        done += (size_t)n;
    }
}

static void read_all(int s, void *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(s, (char *)to + done, len - done);

        if (n <= 0)
            fail("read");
        done += (size_t)n;
    }
}

// Every 16th piece is looked at byte by byte; of the others, the ends.
static void stream_take(int s)
{
    u64     total = 0, reads = 0;
    ssize_t n;

    while ((n = read(s, in, sizeof in)) > 0) {
        const unsigned char *want = piece + total % PIECE;

        if (reads++ % 16 ? in[0] != want[0] || in[n - 1] != want[n - 1]
                         : memcmp(in, want, (size_t)n) != 0) {
            errno = EILSEQ;
            fail("stream");
        }
        total += (u64)n;
    }
    write_all(s, &total, sizeof total);
}

static void turns_answer(int s)
{
    char byte;

    while (read(s, &byte, 1) == 1)
        write_all(s, &byte, 1);
}

static int serve(const char *port)
{
    struct sockaddr_in a   = address_of("0.0.0.0", port);
    int                one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGCHLD, SIG_IGN);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 8))
        fail("listen");
    for (;;) {
        int  c = accept(s, NULL, NULL);
        char what;

        if (c < 0)
            fail("accept");
        if (!fork()) {
            quick_set(c);
            read_all(c, &what, 1);
            (what == 's' ? stream_take : turns_answer)(c);
            exit(0);
        }
        close(c);
    }
}

static int stream_send(const char *host, const char *port, double seconds)
{
    int s     = connect_to(host, port);
    u64 begin = now_ns(), total = 0, got;

    write_all(s, "s", 1);
    for (; (double)(now_ns() - begin) < seconds * 1e9; total += PIECE)
        write_all(s, piece, PIECE);
    shutdown(s, SHUT_WR);
    read_all(s, &got, sizeof got);
    if (got != total) {
        errno = EPROTO;
        fail("bytes were lost");
    }
    printf("net send bytes %lu ns %lu\n", (unsigned long)total, (unsigned long)(now_ns() - begin));
    return 0;
}

static int turns_take(const char *host, const char *port, u64 count)
{
    int  s = connect_to(host, port);
    char byte;
    u64  begin;

    write_all(s, "t", 1);
    begin = now_ns();
    for (u64 i = 0; i < count; i++) {
        write_all(s, "x", 1);
        read_all(s, &byte, 1);
    }
    printf("net turns count %lu ns %lu\n", (unsigned long)count, (unsigned long)(now_ns() - begin));
    return 0;
}

int main(int argc, char **argv)
{
    piece_make();
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return serve(argv[2]);
    if (argc == 5 && !strcmp(argv[1], "send"))
        return stream_send(argv[2], argv[3], atof(argv[4]));
    if (argc == 5 && !strcmp(argv[1], "turns"))
        return turns_take(argv[2], argv[3], strtoul(argv[4], NULL, 10));
    fprintf(stderr, "usage: tcpbench serve PORT | send ADDRESS PORT SECONDS | turns ADDRESS PORT COUNT\n");
    return 1;
}
