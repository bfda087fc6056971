// SPDX-License-Identifier: MIT
// What an operating system's everyday operations cost, measured from inside it.
//
// In:     DIVISOR REPEATS: every benchmark does a DIVISOR-th of its full work, REPEATS times over.
// Out:    a line "bench NAME iterations N ns_total X" for each benchmark and repeat. The first,
//         "boot", is the time since the machine was switched on.
// Always: the work is the same in every run and on every machine; only the time differs. What a
//         benchmark needs beforehand is not timed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

enum {
    PAGE         = 4096,
    MEMORY_WORDS = 1 << 20,         // 8 MiB: more than a TLB reaches
    GZIP_UNIT    = 1024,
    NS_PER_TICK  = 100,             // the board's clock has 10 MHz
};

#define PROGRAM   "/proc/self/exe"
#define DATA_FILE "/tmp/duobench.data"
#define SEED      0x9e3779b97f4a7c15ul

static char *pages;
static u64 *words;
static volatile u64 sink;           // results go here, so that they are computed

static u64 random_next(u64 x)
{
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static void child_wait(pid_t child)
{
    int status;

    if (child < 0)
        fail("fork");
    if (waitpid(child, &status, 0) != child || status)
        fail("child");
}

static void run_null_call(u64 n)
{
    while (n--)
        syscall(SYS_getppid);
}

static void byte_pass(int from, int to)
{
    char c;

    if (read(from, &c, 1) != 1 || write(to, &c, 1) != 1)
        _exit(1);
}

// A byte goes to another process and comes back.
static void run_pipe(u64 n)
{
    int there[2], back[2];
    pid_t child;
    char c = 0;

    if (pipe(there) || pipe(back))
        fail("pipe");
    child = fork();
    if (child == 0) {
        for (u64 i = 0; i < n; i++)
            byte_pass(there[0], back[1]);
        _exit(0);
    }
    if (write(there[1], &c, 1) != 1)
        fail("write");
    for (u64 i = 1; i < n; i++)
        byte_pass(back[0], there[1]);
    child_wait(child);
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static void run_fork_exit(u64 n)
{
    while (n--) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        child_wait(child);
    }
}

static void run_fork_exec(u64 n)
{
    while (n--) {
        pid_t child = fork();

        if (child == 0) {
            execl(PROGRAM, PROGRAM, "exit", (char *)NULL);
            _exit(1);
        }
        child_wait(child);
    }
}

static char *pages_map(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        fail("mmap");
    return p;
}

static void prepare_pages(u64 n)
{
    pages = pages_map(n * PAGE);
    madvise(pages, n * PAGE, MADV_NOHUGEPAGE);
}

static void run_page_fault(u64 n)
{
    for (u64 i = 0; i < n; i++)
        pages[i * PAGE] = 1;
}

static void finish_pages(u64 n)
{
    munmap(pages, n * PAGE);
}

static void run_mmap(u64 n)
{
    while (n--) {
        char *p = pages_map(4 * PAGE);

        *p = 1;
        munmap(p, 4 * PAGE);
    }
}

static void run_cpu_integer(u64 n)
{
    u64 x = SEED;

    while (n--)
        x = random_next(x) * SEED + x / ((n & 15) + 3);
    sink = x;
}

static void prepare_words(u64 n)
{
    (void)n;
    words = (u64 *)pages_map(MEMORY_WORDS * sizeof *words);
    for (u64 i = 0; i < MEMORY_WORDS; i++)
        words[i] = i;
}

// Each turn reads and writes a word anywhere in 8 MiB.
static void run_cpu_memory(u64 n)
{
    u64 x = SEED;

    while (n--) {
        x = random_next(x);
        words[x % MEMORY_WORDS] += x;
    }
    sink = words[0];
}

static void finish_words(u64 n)
{
    (void)n;
    munmap(words, MEMORY_WORDS * sizeof *words);
}

// Text of which gzip takes away about half: words of a small vocabulary and some noise.
static void unit_fill(char unit[GZIP_UNIT], u64 *seed)
{
    static const char *const vocabulary[] = {
        "two ", "modes ", "trap ", "and ", "emulate ", "shadow ", "page\n", "the ",
    };
    size_t at = 0;

    while (at < GZIP_UNIT - 16) {
        u64 x = *seed = random_next(*seed);

        at += (size_t)snprintf(unit + at, GZIP_UNIT - at, "%s%02x", vocabulary[x & 7],
                               (unsigned)(x >> 8 & 255));
    }
    memset(unit + at, '.', GZIP_UNIT - at);
}

static void prepare_data(u64 n)
{
    FILE *f = fopen(DATA_FILE, "w");
    u64 seed = SEED;
    char unit[GZIP_UNIT];

    if (!f)
        fail(DATA_FILE);
    while (n--) {
        unit_fill(unit, &seed);
        fwrite(unit, 1, sizeof unit, f);
    }
    if (fclose(f))
        fail(DATA_FILE);
}

static void run_gzip(u64 n)
{
    pid_t child = fork();

    (void)n;
    if (child == 0) {
        if (dup2(open(DATA_FILE, O_RDONLY), 0) < 0 || dup2(open("/dev/null", O_WRONLY), 1) < 0)
            _exit(1);
        execlp("busybox", "busybox", "gzip", "-c", (char *)NULL);
        _exit(1);
    }
    child_wait(child);
}

static void finish_data(u64 n)
{
    (void)n;
    unlink(DATA_FILE);
}

static const struct bench {
    const char *name;
    u64         iterations;
    void      (*run)(u64 n);
    void      (*prepare)(u64 n);    // or NULL
    void      (*finish)(u64 n);     // or NULL
} benches[] = {
    { "null_call",   50000,    run_null_call,   NULL,          NULL         },
    { "pipe",        2000,     run_pipe,        NULL,          NULL         },
    { "fork_exit",   200,      run_fork_exit,   NULL,          NULL         },
    { "fork_exec",   60,       run_fork_exec,   NULL,          NULL         },
    { "page_fault",  4000,     run_page_fault,  prepare_pages, finish_pages },
    { "mmap",        2000,     run_mmap,        NULL,          NULL         },
    { "cpu_integer", 20000000, run_cpu_integer, NULL,          NULL         },
    { "cpu_memory",  1000000,  run_cpu_memory,  prepare_words, finish_words },
    { "gzip_kib",    1024,     run_gzip,        prepare_data,  finish_data  },
};

static void bench_once(const struct bench *b, u64 divisor)
{
    u64 n = b->iterations > divisor ? b->iterations / divisor : 1;
    u64 start, took;

    if (b->prepare)
        b->prepare(n);
    start = now_ns();
    b->run(n);
    took = now_ns() - start;
    if (b->finish)
        b->finish(n);
    printf("bench %s iterations %lu ns_total %lu\n", b->name, n, took);
}

static void boot_print(void)
{
    u64 ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    printf("bench boot iterations 1 ns_total %lu\n", ticks * NS_PER_TICK);
}

// The argument, from 1 up; or 1 where it is absent.
static u64 argument(const char *text)
{
    u64 value = text ? strtoul(text, NULL, 10) : 1;

    return value ? value : 1;
}

int main(int argc, char **argv)
{
    u64 divisor = argument(argc > 1 ? argv[1] : NULL);
    u64 repeats = argument(argc > 2 ? argv[2] : NULL);

    if (argc > 1 && strcmp(argv[1], "exit") == 0)
        return 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    boot_print();
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        for (u64 repeat = 0; repeat < repeats; repeat++)
            bench_once(&benches[i], divisor);
    return 0;
}
