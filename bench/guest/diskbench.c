// SPDX-License-Identifier: MIT
// What a disk gives, measured from inside an operating system.
//
// In:     DEVICE FROM SIZE DIVISOR REPEATS [step]: the disk; the part of it, in MiB, that may be
//         written to; every case does a DIVISOR-th of its full work, REPEATS times over.  With `step`
//         each waits for a line with its name first, for somebody who looks at the machine meanwhile.
// Out:    for each repeat of each case a line "begin NAME", and then, after the work, "bench NAME
//         iterations N ns_total X".
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
    { "read_1m_1",   false, false, MIB,     1,  128   },
    { "read_1m_32",  false, false, MIB,     32, 256   },
    { "write_1m_1",  true,  false, MIB,     1,  128   },
    { "write_1m_32", true,  false, MIB,     32, 256   },
    { "read_4k_1",   false, true,  4 * KIB, 1,  2000  },
    { "read_4k_32",  false, true,  4 * KIB, 32, 16000 },
    { "write_4k_1",  true,  true,  4 * KIB, 1,  2000  },
    { "write_4k_32", true,  true,  4 * KIB, 32, 16000 },
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

static void name_wait(const char *name)
{
    char   line[32];
    size_t len = strlen(name);

    do
        if (!fgets(line, sizeof line, stdin))
            fail("console");
    while (strncmp(line, name, len) || line[len] != '\n');
}

static void case_run(const struct place *p, const struct disk_case *c, u64 divisor, bool step)
{
    u64 requests = c->requests / divisor > c->depth ? c->requests / divisor : c->depth;
    u64 start, took;

    printf("begin %s\n", c->name);
    if (step)
        name_wait(c->name);
    start = now_ns();
    work(p, c, requests);
    took = now_ns() - start;
    printf("bench %s iterations %lu ns_total %lu\n", c->name, requests, took);
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
    u64          divisor, repeats;
    bool         step = argc == 7;

    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: diskbench DEVICE FROM SIZE DIVISOR REPEATS [step]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    p       = place_open(argv);
    divisor = strtoul(argv[4], NULL, 10);
    repeats = strtoul(argv[5], NULL, 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (u64 n = 0; n < repeats; n++)
            case_run(&p, &cases[i], divisor ? divisor : 1, step);
    return 0;
}
