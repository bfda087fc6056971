// SPDX-License-Identifier: MIT
// What a disk gives, measured from inside an operating system.
//
// In:     DEVICE FROM SIZE DIVISOR: the disk; the part of it, in MiB, that may be written to; every
//         case does a DIVISOR-th of its full work.  Then, on the standard input, lines "TURN NAME":
//         the case with that name is done, if TURN is larger than those before: who asks may do so
//         again when a line was lost.  TURN 0 is the end.
// Out:    "ready"; for each turn, after the work, "bench NAME turn TURN iterations N ns_total X".
// Always: requests go past the page cache (O_DIRECT), and a given number of them is under way at any
//         time (Linux's own asynchronous I/O).  Places are the same in every run.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum { DEPTH_MAX = 32 };

#define KIB  1024ul
#define MIB  (1024ul * KIB)
#define SEED 0x9e3779b97f4a7c15ul

struct place {
    int           fd;
    u64           from, size;   // in bytes
    char         *buffer;       // DEPTH_MAX of the largest block
    aio_context_t aio;
};

static const struct disk_case {
    const char *name;
    bool        write, at_random;
    u64         block;
    unsigned    depth;
    u64         requests;
} cases[] = {
    { "read_1m_1",    false, false, MIB,     1,  256  },
    { "read_1m_32",   false, false, MIB,     32, 512  },
    { "write_1m_1",   true,  false, MIB,     1,  256  },
    { "write_1m_32",  true,  false, MIB,     32, 512  },
    { "read_1m_r1",   false, true,  MIB,     1,  256  },
    { "read_1m_r32",  false, true,  MIB,     32, 512  },
    { "write_1m_r1",  true,  true,  MIB,     1,  256  },
    { "write_1m_r32", true,  true,  MIB,     32, 512  },
    { "read_4k_1",    false, false, 4 * KIB, 1,  600  },
    { "read_4k_32",   false, false, 4 * KIB, 32, 1000 },
    { "write_4k_1",   true,  false, 4 * KIB, 1,  600  },
    { "write_4k_32",  true,  false, 4 * KIB, 32, 1000 },
    { "read_4k_r1",   false, true,  4 * KIB, 1,  600  },
    { "read_4k_r32",  false, true,  4 * KIB, 32, 1000 },
    { "write_4k_r1",  true,  true,  4 * KIB, 1,  600  },
    { "write_4k_r32", true,  true,  4 * KIB, 32, 1000 },
};

static u64 random_next(u64 *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

// The n-th request of a case goes here.
static u64 offset_of(const struct place *p, const struct disk_case *c, u64 n, u64 *seed)
{
    u64 blocks = p->size / c->block;

    return p->from + (c->at_random ? random_next(seed) : n) % blocks * c->block;
}

static void submit(const struct place *p, const struct disk_case *c, unsigned slot, u64 offset)
{
    struct iocb  request = {
        .aio_data       = slot,
        .aio_lio_opcode = c->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
        .aio_fildes     = (uint32_t)p->fd,
        .aio_buf        = (u64)(p->buffer + slot * MIB),
        .aio_nbytes     = c->block,
        .aio_offset     = (int64_t)offset,
    };
    struct iocb *list = &request;

    if (syscall(SYS_io_submit, p->aio, 1, &list) != 1)
        fail("io_submit");
}

static void work(const struct place *p, const struct disk_case *c, u64 requests)
{
    struct io_event events[DEPTH_MAX];
    u64             seed = SEED, begun = 0, done = 0;

    for (; begun < c->depth && begun < requests; begun++)
        submit(p, c, (unsigned)begun, offset_of(p, c, begun, &seed));
    while (done < requests) {
        long n = syscall(SYS_io_getevents, p->aio, 1, DEPTH_MAX, events, NULL);

        if (n < 1)
            fail("io_getevents");
        for (long i = 0; i < n; i++, done++) {
            if (events[i].res != (int64_t)c->block)
                fail("request");
            if (begun < requests) {
                submit(p, c, (unsigned)events[i].data, offset_of(p, c, begun, &seed));
                begun++;
            }
        }
    }
}

static void case_run(const struct place *p, const struct disk_case *c, u64 divisor, u64 turn)
{
    u64 requests = c->requests / divisor > c->depth ? c->requests / divisor : c->depth;
    u64 start, took;

    start = now_ns();
    work(p, c, requests);
    took = now_ns() - start;
    printf("bench %s turn %lu iterations %lu ns_total %lu\n", c->name, turn, requests, took);
}

static const struct disk_case *case_named(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!strcmp(cases[i].name, name))
            return &cases[i];
    return NULL;
}

// What is no turn, or an old one, is what is left of a line or was asked twice.
static void turns_run(const struct place *p, u64 divisor)
{
    char line[64], name[32];
    u64  turn, done = 0;

    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "0\n"))
            return;
        if (sscanf(line, "%lu %31s", &turn, name) == 2 && turn > done && case_named(name)) {
            done = turn;
            case_run(p, case_named(name), divisor, turn);
        }
    }
    fail("console");
}

static struct place place_open(char **argv)
{
    struct place p = { .from = strtoul(argv[2], NULL, 10) * MIB,
                       .size = strtoul(argv[3], NULL, 10) * MIB };

    p.fd = open(argv[1], O_RDWR | O_DIRECT);
    if (p.fd < 0)
        fail(argv[1]);
    p.buffer = mmap(NULL, DEPTH_MAX * MIB, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p.buffer == MAP_FAILED)
        fail("memory");
    if (syscall(SYS_io_setup, DEPTH_MAX, &p.aio))
        fail("io_setup");
    return p;
}

int main(int argc, char **argv)
{
    struct place p;
    u64          divisor;

    if (argc != 5) {
        fprintf(stderr, "usage: diskbench DEVICE FROM SIZE DIVISOR\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    p       = place_open(argv);
    divisor = strtoul(argv[4], NULL, 10);
    puts("ready");
    turns_run(&p, divisor ? divisor : 1);
    return 0;
}
