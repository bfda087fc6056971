// SPDX-License-Identifier: MIT
// The programs, one row each, and those that do what they should.
//
// In:     a command line.
// Out:    what the program prints.
// Always: all programs are one image, of which each process has its own copy of the data; the first
//         word of its line says which of them it is.  What the shell does itself works even when
//         there is no room for another process.
#include "user.h"

static void hello(const char *args)
{
    (void)args;
    printf("hello from process %ld in user mode\n", call0(getpid));
}

static void ps(const char *args)
{
    static const char *const calls[] = {
#define CALL(name) [CALL_##name] = "waits in " #name,
#include "../call.def"
#undef CALL
        [CALLS] = "ready",
    };
    struct info info;
    long        found;

    (void)args;
    for (u64 i = 0; (found = call2(list, i, &info)) >= 0; i++)
        if (found)
            printf("%3lu  %-16s %s\n", info.pid, info.name, calls[info.waits_in]);
}

static void time(const char *args)
{
    u64 ms = (u64)call0(time);

    (void)args;
    printf("up %lu.%03lu s\n", ms / 1000, ms % 1000);
}

static void count(const char *args)
{
    u64 last = number(args, 10);

    for (u64 i = 1; i <= last; i++) {
        printf("%lu\n", i);
        sleep_ms(100);
    }
}

// FNV-1a over the numbers below three million.
static void sum(const char *args)
{
    u64 hash = 0xcbf29ce484222325;

    (void)args;
    for (u64 i = 0; i < 3000000; i++)
        hash = (hash ^ i) * 0x100000001b3;
    printf("sum: %016lx\n", hash);
}

static void kill(const char *args)
{
    if (call1(kill, number(args, 0)) < 0)
        printf("kill: no process that can be killed has that number; see ps\n");
}

static void help(const char *args)
{
    (void)args;
    for (const struct program *p = programs; p->name; p++)
        printf("  %-12s %-25s %s\n", p->name, p->args, p->help);
    printf("A line that ends with & runs in the background.  Ctrl-C ends what runs in front.\n");
}

static void leave(const char *args)
{
    (void)args;
    call0(exit);
}

static void off(const char *args)
{
    (void)args;
    call1(power, 0);
}

static void reboot(const char *args)
{
    (void)args;
    call1(power, 1);
}

// clang-format off
const struct program programs[] = {
    // name            arguments               what it does                          function       in shell
    { "help",          "",                     "this list",                          help,          false },
    { "hello",         "",                     "one line",                           hello,         false },
    { "ps",            "",                     "the processes",                      ps,            false },
    { "time",          "",                     "since the kernel started",           time,          false },
    { "count",         "N",                    "count to N, ten a second",           count,         false },
    { "sum",           "",                     "compute for a moment",               sum,           false },
    { "kill",          "PROCESS",              "end a process",                      kill,          true  },
    { "shell",         "",                     "a shell in the shell",               shell,         false },
    { "exit",          "",                     "leave the shell",                    leave,         true  },
    { "privileged",    "sret|wfi|sfence|satp", "a process as if it were the kernel", privileged,    false },
    { "touch-device",  "store",                "a process at the UART's registers",  touch_device,  false },
    { "null",          "",                     "a process loads from address 0",     null,          false },
    { "spin",          "off",                  "for ever; off: the kernel does",     spin,          false },
    { "crash",         "trap|fail|hang",       "the kernel breaks",                  crash,         false },
    { "storm",         "SECONDS",              "calls, flushes, timers in a flood",  storm,         false },
    { "off",           "",                     "power off",                          off,           true  },
    { "reboot",        "",                     "start again",                        reboot,        true  },
    { 0 },
};
// clang-format on

const struct program *program_find(const char *line)
{
    size_t bytes = strcspn(line, " ");

    for (const struct program *p = programs; p->name; p++)
        if (strlen(p->name) == bytes && strncmp(p->name, line, bytes) == 0)
            return p;
    return NULL;
}

const char *program_args(const char *line)
{
    line += strcspn(line, " ");
    return line + strspn(line, " ");
}

_Noreturn void program_run(const char *line)
{
    program_find(line)->run(program_args(line));
    flush();
    for (;;)
        call0(exit);
}
