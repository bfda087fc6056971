// SPDX-License-Identifier: MIT
// The command `duomo run`.
//
// In:     virtual machines, described by a file, or one by options.
// Out:    a machine of QEMU's with the monitor and those machines on it, and the user's terminal in
//         front of it; QEMU's exit code.
// Always: whichever way this ends, the terminal is as it was, QEMU has ended, and the control
//         socket is gone. The bundle is in memory alone and goes with the process.

#define _GNU_SOURCE                 // memfd_create

#include "board.h"
#include "bundle.h"
#include "commands.h"
#include "control.h"
#include "line.h"
#include "qemu.h"
#include "say.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ull << 20)

// The monitor itself, its tables, and what QEMU puts into RAM beside it.
#define MONITOR_ROOM (64 * MIB)

// Above so much RAM, QEMU's device tree lies somewhere in it and not at its end, so that the piece
// behind it may be too small for a machine.
#define RAM_IN_ONE_PIECE (1024 * MIB)

struct run {
    uint64_t     harts;
    uint64_t     memory;
    const char  *monitor;
    const char  *qemu;
    struct words qemu_options;

    struct board_options board;
};

// clang-format off
#define RUN(member) .offset = offsetof(struct run, member)

const struct field run_options[] = {
    { .name = "harts", .option = "--harts", .value = "N", .kind = &number_kind, RUN(harts), .min = 1, .max = HARTS_MAX,
      .otherwise = "as the file says, or up to the highest that a machine names", .help = "harts of the board" },
    { .name = "machine-memory", .option = "--machine-memory", .value = "SIZE", .kind = &size_kind, RUN(memory), .min = 32 * MIB, .max = 1ull << 41, .step = 2 * MIB,
      .otherwise = "as the file says, or what the machines need and a margin", .help = "RAM of the board" },
    { .name = "disk", .option = "--disk", .value = "FILE", .kind = &path_kind, RUN(board.disk),
      .otherwise = "as the file says", .help = "the image that is the board's disk" },
    { .name = "network", .option = "--network", .kind = &flag_kind, RUN(board.network),
      .help = "the board has a network card; without a file, the machine has one, too" },
    { .name = "forward", .option = "--forward", .value = "PORT:ADDRESS:PORT", .kind = &forward_kind, RUN(board.forward),
      .help = "a port of this computer that leads into that network; may be given again" },
    { .name = "monitor", .option = "--monitor", .value = "FILE", .kind = &path_kind, RUN(monitor),
      .otherwise = "duomo.elf beside this command", .help = "the monitor" },
    { .name = "qemu", .option = "--qemu", .value = "PROGRAM", .kind = &path_kind, RUN(qemu),
      .otherwise = "qemu-system-riscv64", .help = "the emulator" },
    { .name = "qemu-option", .option = "--qemu-option", .value = "WORD", .kind = &words_kind, RUN(qemu_options),
      .help = "one more word for its command line; may be given again" },
    { 0 },
};
// clang-format on

static void board_end(void)
{
    terminal_restore();
    qemu_end();
    control_close();
}

// Everything called is safe in a handler, so that nothing, not even output that nobody takes, can
// keep us from ending.
static void on_signal(int signal_number)
{
    board_end();
    raise(signal_number);           // the handler was for once: this ends us
}

// What was ignored stays ignored: nohup means what it says.
static void signals_catch(void)
{
    static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_NODEFER };
    struct sigaction before;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ends[i], &action, NULL);
    signal(SIGCHLD, SIG_DFL);
}

// duomo.elf beside this program.
static bool monitor_find(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - sizeof "duomo.elf");
    char *slash;

    if (n < 0)
        return wrong("run", "cannot tell where this program is; add --monitor FILE");
    path[n] = '\0';
    slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "duomo.elf");
    return true;
}

static bool monitor_check(const char *path)
{
    return access(path, R_OK) == 0
        || wrong(path, "%s; build it with make, or name the monitor with --monitor FILE",
                 strerror(errno));
}

// Harts up to the highest that a machine names.
static uint64_t harts_needed(const struct config *c)
{
    uint64_t named = 1;

    for (unsigned i = 0; i < c->n; i++)
        named |= c->vms[i].harts;
    return 64 - (uint64_t)__builtin_clzll(named);
}

static bool harts_check(const struct config *c, uint64_t harts)
{
    return harts_needed(c) <= harts
        || wrong("--harts", "a machine names hart %u; give at least %u",
                 (unsigned)harts_needed(c) - 1, (unsigned)harts_needed(c));
}

static bool starts_by_hand(const struct vm_desc *vm)
{
    return strcmp(vm->start, "hand") == 0;
}

// What the machines that start with the board, and the bundle, take.
static uint64_t memory_needed(const struct config *c, uint64_t bundle)
{
    uint64_t need = bundle;

    for (unsigned i = 0; i < c->n; i++)
        if (!starts_by_hand(&c->vms[i]))
            need += c->vms[i].memory;
    return need;
}

// Enough for all of them at once, with their shadow tables, which are to lie naturally aligned.
static uint64_t memory_choose(const struct config *c, uint64_t bundle)
{
    uint64_t need = memory_needed(c, bundle) + MONITOR_ROOM, largest = 0;

    for (unsigned i = 0; i < c->n; i++) {
        const struct vm_desc *vm = &c->vms[i];

        largest = vm->memory > largest ? vm->memory : largest;
        need += starts_by_hand(vm) ? vm->memory : 0;
        need += 4 * MIB + 2 * (vm->shadow_pages ? vm->shadow_pages * 4096 : vm->memory / 64);
    }
    if (need > RAM_IN_ONE_PIECE)
        need += largest;
    return (need + MONITOR_ROOM - 1) / MONITOR_ROOM * MONITOR_ROOM;
}

static bool memory_check(const struct config *c, const struct run *r, uint64_t bundle)
{
    struct place at = { c->path, c->machine.lines[MACHINE_MEMORY], "memory" };
    uint64_t given = r->memory ? r->memory : c->machine.memory;

    if (r->memory)
        at = (struct place) { .subject = "--machine-memory" };
    if (!given || given >= memory_needed(c, bundle) + 2 * MIB)
        return true;
    return wrong_at(&at, "the virtual machines and what they boot take %s; leave it out, or give "
                    "at least %lluM", size_text(memory_needed(c, bundle)).s,
                    (unsigned long long)(memory_choose(c, bundle) / MIB));
}

// A bundle without a name, which QEMU can open all the same.
static int bundle_expose(const struct blob *b)
{
    int fd = memfd_create("bundle", 0);

    for (size_t done = 0; fd >= 0 && done < b->size;) {
        ssize_t n = write(fd, b->data + done, b->size - done);

        if (n < 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    return fd;
}

// The machine's name at the control socket: its only VM's, or that of the file without its ending.
static void machine_name(const struct config *c, char *name, size_t size)
{
    const char *base = c->path ? strrchr(c->path, '/') : NULL;

    base = base ? base + 1 : c->path ? c->path : c->vms[0].name;
    snprintf(name, size, "%.*s", (int)strcspn(base, "."), base);
    for (char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
            *p = '-';
    if (!*name)
        snprintf(name, size, "vm");
}

static void board_run(const char *name, int line)
{
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "duomo: %s: Ctrl-] x ends QEMU at once, all else goes to the machine\n",
                name);
    terminal_raw();
    line_run(line, name);
    board_end();
}

static bool qemu_run(const struct config *c, const struct run *r, uint64_t memory, int bundle)
{
    char harts[16], size[32], kernel[32], name[NAME_LENGTH_MAX + 1];
    static struct board_words board;
    const char *argv[32 + BOARD_WORDS_MAX + WORDS_MAX] = {
        r->qemu, "-M", "virt", "-cpu", "rv64,h=false", "-smp", harts, "-m", size, "-display",
        "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-bios", r->monitor,
        "-kernel", kernel,
    };
    int n = 20, line;

    snprintf(harts, sizeof harts, "%u", (unsigned)r->harts);
    snprintf(size, sizeof size, "%lluM", (unsigned long long)(memory / MIB));
    snprintf(kernel, sizeof kernel, "/proc/self/fd/%d", bundle);
    if (!board_words(c, &board))
        return false;
    for (unsigned i = 0; i < board.n; i++)
        argv[n++] = board.s[i];
    for (unsigned i = 0; i < r->qemu_options.n; i++)
        argv[n++] = r->qemu_options.s[i];

    signals_catch();
    if (!qemu_start((char *const *)argv, &line))
        return false;
    close(bundle);
    machine_name(c, name, sizeof name);
    board_run(name, line);
    exit_code = qemu_exit_code();
    return exit_code == 0;
}

static bool run_check(const struct config *c, struct run *r, uint64_t bundle)
{
    if (!r->harts)
        r->harts = c->machine.harts ? c->machine.harts : harts_needed(c);
    return monitor_check(r->monitor) && harts_check(c, r->harts) && memory_check(c, r, bundle);
}

static bool run(const struct command *c, const struct taken *t, struct config *config)
{
    struct run *r = t->own;
    struct blob bundle;
    uint64_t memory;
    int fd;

    if (!t->operand && r->board.network)
        config->vms[0].network = "yes";
    if (!bundle_take(c, t, config, &r->board, NULL, &bundle))
        return false;
    memory = r->memory               ? r->memory
             : config->machine.memory ? config->machine.memory
                                      : memory_choose(config, bundle.size);
    if (!run_check(config, r, bundle.size)) {
        blob_free(&bundle);
        return false;
    }
    fd = bundle_expose(&bundle);
    blob_free(&bundle);
    if (fd < 0)
        return wrong("bundle", "%s; free some memory", strerror(errno));
    return qemu_run(config, r, memory, fd);
}

bool run_run(const struct command *c, char **args)
{
    char beside[4096];
    struct run r = { .qemu = "qemu-system-riscv64" };
    struct config config;
    struct taken t = { .own = &r, .vm = config.vms };
    bool ok;

    config_begin(&config);
    ok = options_take(c, args, &t);
    if (ok && !r.monitor) {
        ok = monitor_find(beside, sizeof beside);
        r.monitor = beside;
    }
    ok = ok && run(c, &t, &config);
    config_free(&config);
    return ok;
}
