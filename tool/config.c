// SPDX-License-Identifier: MIT
// The configuration file: its fields, and what must hold between them.
//
// In:     a YAML file.
// Out:    a struct config; a line for every mistake in the file.
// Always: a field is one row below; reading, options, help and completion come from it. What a
//         row cannot say, because it concerns two fields, is a check at the end of this file.

#define _GNU_SOURCE                 // O_PATH

#include "config.h"

#include "crc32.h"
#include "document.h"
#include "file.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)

#define MEMORY_UNIT (2 * MIB)       // RAM is mapped in 2 MiB pages
#define MEMORY_MAX  (1024 * GIB)

// Far more than 64 machines with long command lines need; so few that no text takes long to read.
#define FILE_SIZE_MAX (256 * KIB)

// Per second.  Below the least a single request or packet would take long.
#define RATE_MIN (64 * KIB)
#define RATE_MAX (1024 * GIB)

// QEMU's own, and what is left to be chosen behind it.
#define MAC_PREFIX 0x525400000000ull
#define MAC_CHOICE 0xffffffull

const struct vm_desc vm_desc_defaults = {
    .name     = "vm",
    .bootargs = "",
    .engine   = "auto",
    .console  = "yes",
    .on_crash = "stop",
    .start    = "boot",
    .memory   = 256 * MIB,
    .vcpus    = 1,
    .weight   = 100,

    .disk_readonly  = "no",
    .network        = "no",
    .isolated       = "no",
    .virtio_console = "no",
};

static const char *const engines[]   = { "auto", "direct", "classic", NULL };
static const char *const consoles[]  = { "yes", "no", "keyboard", NULL };
static const char *const crashes[]   = { "stop", "restart", NULL };
static const char *const starts[]    = { "boot", "hand", NULL };
static const char *const all_offs[]  = { "power-off", "stay", NULL };
static const char *const yes_no[]    = { "yes", "no", NULL };

static void *machine_open(void *into, const struct place *at);
static void *vm_open(void *into, const struct place *at);
static void *crash_open(void *into, const struct place *at);
static void *disk_open(void *into, const struct place *at);
static void *network_open(void *into, const struct place *at);
static bool map_close(void *inner, const struct place *at, bool ok);
static bool vm_close(void *inner, const struct place *at, bool ok);
static bool crash_close(void *inner, const struct place *at, bool ok);
static bool disk_close(void *inner, const struct place *at, bool ok);

#define TEXT(type, member)   .offset = offsetof(type, member)
#define VM(member)           TEXT(struct vm_desc, member)
#define MACHINE(member)      TEXT(struct machine_desc, member)
#define BETWEEN(least, most) .min = (least), .max = (most)

// clang-format off
static const struct field crash_fields[] = {
    { .name = "restart-at-most", .value = "N", .kind = &number_kind, VM(restart_max), BETWEEN(1, 1000000),
      .help = "a crashed machine starts again so often, then it stops" },
    { 0 },
};

static const struct field_table crash_table = { crash_fields, offsetof(struct vm_desc, crash_lines) };

static const struct field disk_fields[] = {
    [DISK_PARTITION] = { .name = "partition", .value = "NAME", .kind = &partition_kind, VM(partition),
      .help = "of the board's disk" },
    [DISK_READONLY] = { .name = "readonly", .value = "WORD", .otherwise = "no", .kind = &word_kind, VM(disk_readonly), .words = yes_no,
      .help = "it can only be read; several machines may share a partition if all say so" },
    [DISK_REQUESTS] = { .name = "requests", .value = "N", .otherwise = "no limit", .kind = &number_kind, VM(disk_requests),
      BETWEEN(1, 1000000), .help = "at most so many requests a second" },
    [DISK_BYTES] = { .name = "bytes", .value = "SIZE", .otherwise = "no limit", .kind = &rate_kind, VM(disk_bytes),
      BETWEEN(RATE_MIN, RATE_MAX), .help = "at most so many bytes a second" },
    [DISK_FIELDS] = { 0 },
};

static const struct field_table disk_table = { disk_fields, offsetof(struct vm_desc, disk_lines) };

static const struct field network_fields[] = {
    [NETWORK_MAC] = { .name = "mac", .value = "MAC", .otherwise = "made from its name", .kind = &mac_kind, VM(mac),
      .help = "its card's address; no two have the same" },
    [NETWORK_ISOLATED] = { .name = "isolated", .value = "WORD", .otherwise = "no", .kind = &word_kind, VM(isolated), .words = yes_no,
      .help = "it reaches the board's network card, and no other virtual machine" },
    [NETWORK_VLAN] = { .name = "vlan", .value = "N", .otherwise = "none", .kind = &number_kind, VM(vlan), BETWEEN(1, 4094),
      .help = "the virtual network that it is in" },
    [NETWORK_RATE] = { .name = "rate", .value = "SIZE", .otherwise = "no limit", .kind = &rate_kind, VM(rate),
      BETWEEN(RATE_MIN, RATE_MAX), .help = "at most so many bytes a second" },
    [NETWORK_FIELDS] = { 0 },
};

static const struct field_table network_table = { network_fields, offsetof(struct vm_desc, network_lines) };

const struct field vm_fields[] = {
    [VM_NAME] = { .name = "name", .option = "--name", .value = "NAME", .kind = &name_kind, VM(name),
      .help = "the machine's name; no two have the same" },
    [VM_MEMORY] = { .name = "memory", .option = "--memory", .value = "SIZE", .otherwise = "256M", .kind = &size_kind, VM(memory),
      BETWEEN(16 * MIB, MEMORY_MAX), .step = MEMORY_UNIT, .help = "its RAM" },
    [VM_VCPUS] = { .name = "vcpus", .option = "--vcpus", .value = "N", .otherwise = "1", .kind = &number_kind, VM(vcpus),
      BETWEEN(1, 1), .help = "its virtual harts" },
    [VM_KERNEL] = { .name = "kernel", .option = "--kernel", .value = "FILE", .kind = &path_kind, VM(kernel),
      .help = "what it boots: a RISC-V Linux Image, an ELF file or a raw program" },
    [VM_LOAD] = { .name = "load", .option = "--load", .value = "ADDRESS", .otherwise = "0x80200000", .kind = &number_kind, VM(load),
      BETWEEN(GUEST_RAM, GUEST_RAM + MEMORY_MAX), .step = 2, .help = "where a raw program goes and starts" },
    [VM_INITRD] = { .name = "initrd", .option = "--initrd", .value = "FILE", .otherwise = "none", .kind = &path_kind, VM(initrd),
      .help = "its initial RAM disk, as it is" },
    [VM_CMDLINE] = { .name = "cmdline", .option = "--cmdline", .value = "TEXT", .otherwise = "empty", .kind = &text_kind, VM(bootargs),
      BETWEEN(0, BOOTARGS_LENGTH_MAX), .help = "the kernel's command line" },
    [VM_ENGINE] = { .name = "engine", .option = "--engine", .value = "ENGINE", .otherwise = "auto", .kind = &word_kind, VM(engine),
      .words = engines, .help = "how it is run; auto: the fastest that hart and guest allow" },
    [VM_WEIGHT] = { .name = "weight", .option = "--weight", .value = "N", .otherwise = "100", .kind = &number_kind, VM(weight),
      BETWEEN(1, 1000), .help = "its share of the harts, and of the disk, against the others'" },
    [VM_CAP] = { .name = "cap", .option = "--cap", .value = "PERCENT", .otherwise = "none", .kind = &percent_kind, VM(cap),
      BETWEEN(1, 100), .help = "at most so many per cent of one hart" },
    [VM_WATCHDOG] = { .name = "watchdog", .option = "--watchdog", .value = "SECONDS", .otherwise = "none", .kind = &number_kind, VM(watchdog),
      BETWEEN(1, 3600), .help = "it has crashed when it leaves an interrupt pending for so long" },
    [VM_HARTS] = { .name = "harts", .value = "LIST", .otherwise = "all", .kind = &bit_kind, .shape = LIST, VM(harts),
      BETWEEN(0, HARTS_MAX - 1), .help = "the harts it may run on, as in [0, 1]" },
    [VM_CONSOLE] = { .name = "console", .option = "--console", .value = "WORD", .otherwise = "yes", .kind = &word_kind, VM(console),
      .words = consoles, .help = "whether it has one; at most one has the keyboard first, otherwise the first with a console" },
    [VM_ON_CRASH] = { .name = "on-crash", .option = "--on-crash", .value = "WORD", .otherwise = "stop", .kind = &word_kind, VM(on_crash),
      .words = crashes, .inner = &crash_table, .open = crash_open, .close = crash_close,
      .help = "what follows when its guest cannot go on; or a map:" },
    [VM_START] = { .name = "start", .option = "--start", .value = "WORD", .otherwise = "boot", .kind = &word_kind, VM(start),
      .words = starts, .help = "with the machine, or by hand at the monitor" },
    [VM_SHADOW_PAGES] = { .name = "shadow-pages", .option = "--shadow-pages", .value = "N", .kind = &number_kind, VM(shadow_pages),
      BETWEEN(16, 16384), .otherwise = "one for each 64 pages of RAM, at least 256", .help = "pages for its shadow tables" },
    [VM_DISK] = { .name = "disk", .option = "--partition", .value = "NAME", .otherwise = "none", .kind = &partition_kind, VM(partition),
      .inner = &disk_table, .open = disk_open, .close = disk_close, .help = "the partition of the board's disk that is its disk; or a map:" },
    [VM_NETWORK] = { .name = "network", .option = "--net", .value = "WORD", .otherwise = "no", .kind = &word_kind, VM(network), .words = yes_no,
      .inner = &network_table, .open = network_open, .close = map_close, .help = "whether it has a network card; or a map:" },
    [VM_VIRTIO_CONSOLE] = { .name = "virtio-console", .option = "--virtio-console", .value = "WORD", .otherwise = "no", .kind = &word_kind,
      VM(virtio_console), .words = yes_no, .help = "whether it has a virtio console beside the UART" },
    [VM_FIELDS] = { 0 },
};

static const struct field_table vm_table = { vm_fields, offsetof(struct vm_desc, lines) };

static const struct field machine_fields[] = {
    [MACHINE_HARTS] = { .name = "harts", .value = "N", .kind = &number_kind, MACHINE(harts), BETWEEN(1, HARTS_MAX),
      .otherwise = "up to the highest that a machine names", .help = "harts of the board" },
    [MACHINE_MEMORY] = { .name = "memory", .value = "SIZE", .kind = &size_kind, MACHINE(memory), BETWEEN(32 * MIB, 2 * MEMORY_MAX), .step = MEMORY_UNIT,
      .otherwise = "what the machines need and a margin", .help = "RAM of the board" },
    [MACHINE_WHEN_ALL_OFF] = { .name = "when-all-off", .value = "WORD", .kind = &word_kind, MACHINE(when_all_off), .words = all_offs,
      .otherwise = "power-off", .help = "what follows when the last virtual machine is off; stay: the monitor does" },
    [MACHINE_DISK] = { .name = "disk", .value = "FILE", .kind = &path_kind, MACHINE(disk), .otherwise = "none",
      .help = "the image that is the board's disk; 'duomo disk create' makes one" },
    [MACHINE_NETWORK] = { .name = "network", .value = "WORD", .kind = &word_kind, MACHINE(network), .words = yes_no, .otherwise = "no",
      .help = "whether the board has a network card, which QEMU's user network is behind" },
    [MACHINE_FORWARD] = { .name = "forward", .value = "LIST", .kind = &forward_kind, .shape = LIST, MACHINE(forward), .otherwise = "none",
      .help = "ports of this computer that lead into that network, as in [2222:10.0.2.15:22]" },
    [MACHINE_FIELDS] = { 0 },
};

static const struct field_table machine_table = { machine_fields, offsetof(struct machine_desc, lines) };

static const struct field top_fields[] = {
    { .name = "machine", .shape = MAP, .inner = &machine_table, .open = machine_open, .close = map_close,
      .help = "the board that 'duomo run' makes, and what holds for all" },
    { .name = "vms", .shape = MAPS, .inner = &vm_table, .open = vm_open, .close = vm_close,
      .help = "the virtual machines, 1 to 64, each begun by '- '" },
    { 0 },
};

const struct field_table config_table = { top_fields, offsetof(struct config, top_lines) };
// clang-format on

static bool map_close(void *inner, const struct place *at, bool ok)
{
    (void)inner, (void)at;
    return ok;
}

static void *machine_open(void *into, const struct place *at)
{
    (void)at;
    return &((struct config *)into)->machine;
}

static void *vm_open(void *into, const struct place *at)
{
    struct config *c = into;
    struct vm_desc *vm = &c->vms[c->n];

    if (c->n == VMS_MAX) {
        if (!c->too_many)
            wrong_at(at, "more than %d virtual machines; leave the others out", VMS_MAX);
        c->too_many = true;
        return NULL;
    }
    c->n++;
    *vm = vm_desc_defaults;
    vm->name = NULL;
    vm->line = at->line;
    return vm;
}

static bool vm_close(void *inner, const struct place *at, bool ok)
{
    struct vm_desc *vm = inner;

    vm->broken = !ok;
    if (!vm->lines[VM_NAME])
        ok = wrong_at(at, "this machine has no name; add 'name: NAME'");
    if (!vm->lines[VM_KERNEL])
        ok = wrong_at(at, "this machine has no kernel; add 'kernel: FILE'");
    return ok;
}

static void *crash_open(void *into, const struct place *at)
{
    struct vm_desc *vm = into;

    (void)at;
    vm->on_crash = "restart";
    return vm;
}

static bool crash_close(void *inner, const struct place *at, bool ok)
{
    const struct vm_desc *vm = inner;

    return !ok || vm->restart_max
        || wrong_at(at, "the map is empty; 'restart-at-most: 3' would be right");
}

static void *disk_open(void *into, const struct place *at)
{
    (void)at;
    return into;
}

static bool disk_close(void *inner, const struct place *at, bool ok)
{
    const struct vm_desc *vm = inner;

    return !ok || vm->partition
        || wrong_at(at, "the map does not say which; 'partition: NAME' would be right");
}

bool disk_is_readonly(const struct vm_desc *vm)
{
    return strcmp(vm->disk_readonly, "yes") == 0;
}

static void *network_open(void *into, const struct place *at)
{
    struct vm_desc *vm = into;

    (void)at;
    vm->network = "yes";
    return vm;
}

bool vm_has_network(const struct vm_desc *vm)
{
    return strcmp(vm->network, "yes") == 0;
}

// The same name has the same address tomorrow, in another file, too.
uint64_t vm_mac(const struct vm_desc *vm)
{
    return vm->mac ? vm->mac : MAC_PREFIX | (crc32_of(vm->name, strlen(vm->name)) & MAC_CHOICE);
}

struct place vm_place(const struct config *c, const struct vm_desc *vm, enum vm_field f,
                      const char *subject)
{
    return (struct place) { c->path, vm->lines[f] ? vm->lines[f] : vm->line, subject };
}

static bool name_is_free(const struct config *c, const struct vm_desc *vm)
{
    struct place at = vm_place(c, vm, VM_NAME, "name");

    for (const struct vm_desc *other = c->vms; vm->name && other < vm; other++)
        if (other->name && strcmp(other->name, vm->name) == 0)
            return wrong_at(&at, "a machine in line %u is called '%s', too; give each its own name",
                            other->lines[VM_NAME], vm->name);
    return true;
}

static bool keyboard_is_free(const struct config *c, const struct vm_desc *vm)
{
    struct place at = vm_place(c, vm, VM_CONSOLE, "console");

    if (strcmp(vm->console, "keyboard") != 0)
        return true;
    for (const struct vm_desc *other = c->vms; other < vm; other++)
        if (strcmp(other->console, "keyboard") == 0)
            return wrong_at(&at, "the machine of line %u has the keyboard; only one can",
                            other->lines[VM_CONSOLE]);
    return true;
}

// By the words that name it; whether two mean the same, the disk must say: disks_check().
static bool partition_is_free(const struct config *c, const struct vm_desc *vm)
{
    struct place at = vm_place(c, vm, VM_DISK, "disk");

    for (const struct vm_desc *other = c->vms; vm->partition && other < vm; other++)
        if (other->partition && strcasecmp(other->partition, vm->partition) == 0
            && !(disk_is_readonly(vm) && disk_is_readonly(other)))
            return wrong_at(&at, "the machine of line %u has partition '%s', too; give each its "
                            "own, or say 'readonly: yes' of both", other->lines[VM_DISK],
                            vm->partition);
    return true;
}

static bool mac_is_free(const struct config *c, const struct vm_desc *vm)
{
    struct place at = vm_place(c, vm, VM_NETWORK, "network");

    if (!vm->name || !vm_has_network(vm))
        return true;
    for (const struct vm_desc *other = c->vms; other < vm; other++)
        if (other->name && vm_has_network(other) && vm_mac(other) == vm_mac(vm))
            return wrong_at(&at, "the machine of line %u has the same MAC address; give this one "
                            "another 'mac:'", other->lines[VM_NETWORK]);
    return true;
}

static bool harts_are_there(const struct config *c, const struct vm_desc *vm)
{
    struct place at = vm_place(c, vm, VM_HARTS, "harts");

    if (!c->machine.harts || c->machine.harts == HARTS_MAX || !(vm->harts >> c->machine.harts))
        return true;
    return wrong_at(&at, "hart %d is named, and the machine has %llu; %s would be right",
                    63 - __builtin_clzll(vm->harts), (unsigned long long)c->machine.harts,
                    c->machine.harts == 1 ? "[0]" : "numbers below that");
}

// Those that start with the machine; others have RAM from their start to their end, and it may be
// somebody else's meanwhile.  What is wrong elsewhere has been told; it is not known how much memory
// is meant.
static bool board_holds_all(const struct config *c, bool ok)
{
    struct place at = { c->path, c->machine.lines[MACHINE_MEMORY], "memory" };
    uint64_t need = 0;

    for (unsigned i = 0; i < c->n; i++)
        if (strcmp(c->vms[i].start, "hand") != 0)
            need += c->vms[i].memory;
    if (!ok || !c->machine.memory || c->machine.memory > need)
        return true;
    return wrong_at(&at, "the virtual machines have %s together; leave it out, or give more",
                    size_text(need).s);
}

static bool board_forwards(const struct config *c)
{
    struct place at = { c->path, c->machine.lines[MACHINE_FORWARD], "forward" };

    return !c->machine.forward.n || strcmp(c->machine.network, "yes") == 0
        || wrong_at(&at, "the board has no network; add 'network: yes' beside it");
}

static bool config_check(const struct config *c, bool ok)
{
    if (ok && !c->n)
        return wrong_at(&(struct place) { c->path, 1, NULL },
                        "no virtual machines; add 'vms:' and below it '- name: NAME' and so on");
    for (unsigned i = 0; i < c->n; i++) {
        ok = name_is_free(c, &c->vms[i]) && ok;
        ok = keyboard_is_free(c, &c->vms[i]) && ok;
        ok = harts_are_there(c, &c->vms[i]) && ok;
        ok = partition_is_free(c, &c->vms[i]) && ok;
        ok = mac_is_free(c, &c->vms[i]) && ok;
    }
    ok = board_forwards(c) && ok;
    return board_holds_all(c, ok) && ok;
}

void config_begin(struct config *c)
{
    *c = (struct config) {
        .dir     = AT_FDCWD,
        .machine = { .when_all_off = "power-off", .network = "no" },
        .vms     = { vm_desc_defaults },
        .n       = 1,
    };
}

bool config_parse(struct config *c, const void *data, size_t size, const char *path)
{
    bool ok;

    config_begin(c);
    c->path = path;
    c->n = 0;
    ok = document_read(data, size, path, &config_table, c, &c->document);
    return c->document ? config_check(c, ok) : ok;
}

// The folder that the file is in, as a descriptor, or -1.
static int folder_open(const char *path)
{
    char copy[PATH_MAX];

    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return -1;
    return open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool config_read(struct config *c, const char *path)
{
    struct place at = { .subject = path };
    struct blob b;
    bool ok;

    config_begin(c);
    c->n = 0;
    if (!blob_read(&b, AT_FDCWD, path, &at, FILE_SIZE_MAX))
        return false;
    ok = config_parse(c, b.data, b.size, path);
    blob_free(&b);
    c->dir = folder_open(path);
    return ok;
}

void config_free(struct config *c)
{
    document_free(c->document);
    if (c->dir >= 0)
        close(c->dir);
    c->document = NULL;
}
