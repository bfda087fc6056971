// SPDX-License-Identifier: MIT
// In:     a configuration, whose disk is an image.
// Out:    a line for every virtual machine that cannot have the partition it names; QEMU's options.
// Always: the image is only looked at. Paths and ports reach QEMU's option parser with its commas
//         doubled, so they are only that.

#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include "file.h"
#include "table.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct place disk_place(const struct config *c, const struct vm_desc *vm)
{
    return vm_place(c, vm, VM_DISK, c->path ? "disk" : "--partition");
}

static bool labels_list(const struct table *t, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < t->n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                 *t->parts[i].label ? t->parts[i].label : t->parts[i].id);
    return t->n;
}

static bool partition_is_there(const struct config *c, const struct vm_desc *vm,
                               const struct table *t)
{
    struct place at = disk_place(c, vm);
    char labels[200];

    if (table_find(t, vm->partition))
        return true;
    if (!labels_list(t, labels, sizeof labels))
        return wrong_at(&at, "the disk has no partition '%s', and no other; make one with "
                        "'duomo disk create'", vm->partition);
    return wrong_at(&at, "the disk has no partition '%s'; it has %s", vm->partition, labels);
}

// Two names for one partition.
static bool partition_is_alone(const struct config *c, const struct vm_desc *vm,
                               const struct table *t)
{
    const struct part *part = table_find(t, vm->partition);
    struct place at = disk_place(c, vm);

    for (const struct vm_desc *other = c->vms; part && other < vm; other++)
        if (other->partition && table_find(t, other->partition) == part
            && strcmp(other->partition, vm->partition) != 0
            && !(disk_is_readonly(vm) && disk_is_readonly(other)))
            return wrong_at(&at, "'%s' is the partition that the machine of line %u has; give each "
                            "its own, or say 'readonly: yes' of both", vm->partition,
                            other->lines[VM_DISK]);
    return true;
}

static bool parts_check(const struct config *c, const struct table *t, const struct place *at)
{
    const struct part *misfit = table_misfit(t);
    bool ok = true;

    if (t->kind == TABLE_NONE)
        return wrong_at(at, "it has no partition table; make an image with 'duomo disk create'");
    if (misfit)
        return wrong_at(at, "its partition %u overlaps another or does not lie on the disk; "
                        "partition it anew", misfit->number);
    for (const struct vm_desc *vm = c->vms; vm < c->vms + c->n; vm++)
        if (vm->partition)
            ok = partition_is_there(c, vm, t) && partition_is_alone(c, vm, t) && ok;
    return ok;
}

static bool disk_read(const struct config *c, struct table *t)
{
    struct place at = { c->path, c->machine.lines[MACHINE_DISK], c->machine.disk };
    uint64_t size;
    int fd;
    bool ok;

    if (c->machine.disk_is_option)
        at = (struct place) { .subject = c->machine.disk };
    fd = disk_image_open(c->machine.disk_is_option ? AT_FDCWD : c->dir, c->machine.disk, &at, &size);
    if (fd < 0)
        return false;
    ok = table_read(t, fd, size, &at) && parts_check(c, t, &at);
    close(fd);
    return ok;
}

bool board_check(const struct config *c, bool needed)
{
    struct table *t;
    bool ok = true;

    if (c->machine.disk) {
        t = calloc(1, sizeof *t);
        ok = t && disk_read(c, t);
        free(t);
        return ok;
    }
    for (const struct vm_desc *vm = c->vms; needed && vm < c->vms + c->n; vm++)
        if (vm->partition) {
            struct place at = disk_place(c, vm);

            ok = wrong_at(&at, "the board has no disk; add --disk FILE, or 'disk: FILE' to "
                          "'machine:'");
        }
    return ok;
}

// --- QEMU's words --------------------------------------------------------------------------------

static void word_add(struct board_words *w, const char *word)
{
    w->s[w->n++] = word;
}

// A word of several pieces: text_begin(), text_add() as often as needed, word_add().
static const char *text_begin(struct board_words *w)
{
    if (w->used)
        w->used++;
    return w->text + w->used;
}

__attribute__((format(printf, 2, 3)))
static void text_add(struct board_words *w, const char *format, ...)
{
    va_list args;
    size_t room = w->used < sizeof w->text ? sizeof w->text - w->used : 0;

    va_start(args, format);
    w->used += (size_t)vsnprintf(w->text + (room ? w->used : 0), room, format, args);
    va_end(args);
}

// A comma within a value is doubled (QEMU, docs/interop/qemu-qmp-ref, "keyval").
static void text_add_escaped(struct board_words *w, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text_add(w, text[i] == ',' ? ",," : "%c", text[i]);
}

// A path that begins at the folder of the file.
static void text_add_path(struct board_words *w, const struct config *c)
{
    const char *slash = c->path ? strrchr(c->path, '/') : NULL;

    if (slash && !c->machine.disk_is_option && c->machine.disk[0] != '/')
        text_add_escaped(w, c->path, (size_t)(slash + 1 - c->path));
    text_add_escaped(w, c->machine.disk, strlen(c->machine.disk));
}

static unsigned sector_size_of(const struct config *c)
{
    struct table *t = calloc(1, sizeof *t);
    unsigned size = t && disk_read(c, t) ? t->sector_size : 512;

    free(t);
    return size;
}

// An error is the VM's whose request it is: by itself QEMU pauses the whole machine when the image's
// own disk is full.
static void disk_words(const struct config *c, struct board_words *w)
{
    const char *drive = text_begin(w), *device;
    unsigned size = sector_size_of(c);

    text_add(w, "if=none,id=disk,format=raw,discard=unmap,rerror=report,werror=report,file=");
    text_add_path(w, c);
    device = text_begin(w);
    text_add(w, "virtio-blk-device,drive=disk,queue-size=512");
    if (size != 512)
        text_add(w, ",logical_block_size=%u,physical_block_size=%u", size, size);
    word_add(w, "-drive");
    word_add(w, drive);
    word_add(w, "-device");
    word_add(w, device);
}

static void network_words(const struct config *c, struct board_words *w)
{
    const char *net = text_begin(w);

    text_add(w, "user,id=net");
    for (unsigned i = 0; i < c->machine.forward.n; i++) {
        const char *s = c->machine.forward.s[i];
        int port = (int)strcspn(s, ":");

        text_add(w, ",hostfwd=tcp:127.0.0.1:%.*s-%s", port, s, s + port + 1);
    }
    word_add(w, "-netdev");
    word_add(w, net);
    word_add(w, "-device");
    word_add(w, "virtio-net-device,netdev=net");
}

bool board_words(const struct config *c, struct board_words *w)
{
    *w = (struct board_words) { .n = 0 };
    word_add(w, "-global");
    word_add(w, "virtio-mmio.force-legacy=false");
    word_add(w, "-device");
    word_add(w, "virtio-rng-device");
    if (c->machine.disk)
        disk_words(c, w);
    if (strcmp(c->machine.network, "yes") == 0)
        network_words(c, w);
    return w->used < sizeof w->text
        || wrong("run", "the disk's path and the forwarded ports are too long; shorten them");
}
