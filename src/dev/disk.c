// SPDX-License-Identifier: MIT
// The machine's disks: their partitions, and who has opened which.
//
// In:     disks that drivers have found; names of partitions.
// Out:    block devices for virtual machines; what the monitor shows of all that.
// Always: a partition that can be written has one user.  Tables are read at boot, before interrupts
//         are, by asking the driver again and again, for a bounded time.
// Locks:  lists change at boot only; numbers are read under each disk's lock.
#include "dev/disk.h"

#include "dev/clock.h"
#include "dev/disk_queue.h"
#include "dev/machine.h"
#include "lib/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLIENTS_MAX    64
#define WEIGHT_MAX     1000
#define ANSWER_SECONDS 5

static struct disk   list[DISKS_MAX];
static unsigned      n_disks;
static struct client clients[CLIENTS_MAX];
static unsigned      n_clients;

bool disk_add(struct disk_chip *c)
{
    if (n_disks == DISKS_MAX)
        return false;
    c->disk              = &list[n_disks];
    list[n_disks++].chip = c;
    return true;
}

static enum blk_status answer;
static bool            is_over;

static void block_done(struct blkreq *r, enum blk_status status)
{
    (void)r;
    answer  = status;
    is_over = true;
}

// Waits for the device as nobody does later.
static void wait_done(struct disk *d)
{
    u64 end = clock_now() + ANSWER_SECONDS * machine.timebase_hz;

    do
        disk_interrupt(d);
    while (!is_over && clock_now() < end);
    if (is_over)
        return;
    d->chip->ops->end(d->chip);
    disk_interrupt(d);
}

static bool block_read(void *disk, u64 number, const u8 **bytes)
{
    static struct seg    seg;
    static struct blkreq r;
    static struct client self;
    struct disk         *d         = disk;
    u32                  n_sectors = d->chip->shape.block_size / SECTOR_SIZE;

    if (d->chip->dead)
        return false;
    seg = (struct seg){ .at = hpa((u64)d->block), .len = d->chip->shape.block_size };
    r   = (struct blkreq){ .op        = BLK_READ,
                           .sector    = number * n_sectors,
                           .n_sectors = n_sectors,
                           .segs      = &seg,
                           .n_segs    = 1,
                           .done      = block_done };

    self    = (struct client){ .dev = d->chip->shape, .disk = d, .scale = 1 };
    answer  = BLK_IO_ERROR;
    is_over = false;
    if (disk_client_ops.submit(&self.dev, &r))
        return false;
    wait_done(d);
    *bytes = d->block;
    return answer == BLK_OK;
}

static void parts_report(const struct disk *d, say_line *say)
{
    const struct parts  *p = d->parts;
    const struct blkdev *s = &d->chip->shape;
    char                 text[200];

    snprintf(text, sizeof text, "%lu MiB in sectors of %u bytes, table %s, %u partition%s%s",
             (unsigned long)(s->n_sectors * SECTOR_SIZE / MIB), (unsigned)s->block_size, p->table,
             p->n, p->n == 1 ? "" : "s", s->read_only ? ", read-only" : "");
    say(d->chip->name, text);
    if (p->warning[0])
        say(d->chip->name, p->warning);
    for (const struct part *one = p->list; one < p->list + p->n; one++) {
        if (!one->refused)
            continue;
        snprintf(text, sizeof text, "partition %u (%s) %s; it is not used", (unsigned)one->number,
                 one->label, one->refused);
        say(d->chip->name, text);
    }
    if (p->n_more)
        say(d->chip->name, "it has more partitions than 64; the rest is not used");
}

static void disk_start(struct disk *d, say_line *say)
{
    struct blocks b = { block_read, d, 0, d->chip->shape.block_size };

    d->block = (u8 *)ram_alloc(PAGE_SIZE, PAGE_SIZE);
    d->parts = (struct parts *)ram_alloc(sizeof *d->parts, PAGE_SIZE);
    if (!d->block || !d->parts) {
        say(d->chip->name, "there is no memory for its partitions; give the machine more memory");
        return;
    }
    b.n_blocks = d->chip->shape.n_sectors / (b.block_size / SECTOR_SIZE);
    parts_read(&b, d->parts);
    parts_report(d, say);
    if (d->chip->dead)
        say(d->chip->name, "the disk does not answer; it is not used");
}

void disks_start(say_line *say)
{
    for (struct disk *d = list; d < list + n_disks; d++)
        disk_start(d, say);
}

void disks_look(void)
{
    for (struct disk *d = list; d < list + n_disks; d++)
        disk_interrupt(d);
}

// A number as in "#2": digits and nothing else, and not 0.  (The C library's strtoul() writes
// errno, which is thread-local there, and the monitor has no threads.)
static bool is_number(const char *text, u32 number)
{
    u64 value = 0;

    for (; *text >= '0' && *text <= '9' && value <= UINT32_MAX; text++)
        value = 10 * value + (u64)(*text - '0');
    return !*text && value && value == number;
}

static bool is_called(const struct part *p, const char *name)
{
    if (name[0] == '#')
        return is_number(name + 1, p->number);
    return !strcmp(p->label, name) || (p->id[0] && !strcasecmp(p->id, name));
}

// How many are called so; the first of them.
static unsigned part_find(const char *name, struct disk **disk, struct part **part)
{
    unsigned n = 0;

    for (struct disk *d = list; d < list + n_disks; d++)
        for (unsigned i = 0; d->parts && i < d->parts->n; i++)
            if (is_called(&d->parts->list[i], name) && !n++) {
                *disk = d;
                *part = &d->parts->list[i];
            }
    return n;
}

static bool is_in_use(const struct disk *d, const struct part *p, bool read_only)
{
    for (const struct client *c = d->clients; c; c = c->next)
        if (c->part == p && !(c->dev.read_only && read_only))
            return true;
    return false;
}

static const char *open_check(const char *name, bool read_only, struct disk **d, struct part **p)
{
    unsigned n = *name ? part_find(name, d, p) : 0;

    if (!n_disks)
        return "it has a disk, but the machine has none; QEMU: -drive if=none,id=d,file=FILE,"
               "format=raw -device virtio-blk-device,drive=d";
    if (!n)
        return "no disk has the partition that it names; make one (duomo disk create)";
    if (n > 1)
        return "several partitions are called as the one that it names; name it by its unique id";
    if ((*p)->refused)
        return "the partition that it names cannot be used; see the disk's lines above";
    if ((*d)->chip->dead)
        return "the disk of its partition does not answer; look after the disk";
    if ((*d)->chip->shape.read_only && !read_only)
        return "the disk of its partition cannot be written; make its disk readonly: yes";
    if (is_in_use(*d, *p, read_only))
        return "its partition is another VM's, too; make both readonly: yes, or give it another";
    if (n_clients == CLIENTS_MAX)
        return "there are too many users of disks; this version has 64";
    return NULL;
}

const char *disk_open(const char *partition, bool read_only, u32 weight, struct blkdev **dev)
{
    struct disk   *d   = NULL;
    struct part   *p   = NULL;
    struct client *c   = &clients[n_clients];
    const char    *why = open_check(partition, read_only, &d, &p);

    if (why)
        return why;
    *c = (struct client){ .dev    = d->chip->shape,
                          .disk   = d,
                          .next   = d->clients,
                          .part   = p,
                          .number = n_clients,
                          .weight = (u32)max_u64(1, min_u64(weight, WEIGHT_MAX)) };

    c->scale         = DISK_SCALE / c->weight;
    c->dev.ops       = &disk_client_ops;
    c->dev.first     = p->first;
    c->dev.n_sectors = p->n_sectors;
    c->dev.read_only |= read_only;
    c->dev.has_flush &= !c->dev.read_only; // there is nothing to be flushed
    memcpy(c->dev.id, p->label[0] ? p->label : p->id, sizeof c->dev.id);
    d->clients = c;
    n_clients++;
    *dev = &c->dev;
    return NULL;
}

bool disk_info(unsigned n, struct disk_info *i)
{
    struct disk *d = n < n_disks ? &list[n] : NULL;

    if (!d)
        return false;
    lock_take(&d->lock);
    *i = (struct disk_info){ .name       = d->chip->name,
                             .n_sectors  = d->chip->shape.n_sectors,
                             .block_size = d->chip->shape.block_size,
                             .read_only  = d->chip->shape.read_only,
                             .dead       = d->chip->dead,
                             .table      = d->parts ? d->parts->table : "none",
                             .depth      = d->n_flying,
                             .depth_max  = d->chip->depth };
    for (const struct client *c = d->clients; c; c = c->next) {
        i->requests += c->n_requests;
        i->bytes += c->n_bytes;
        i->errors += c->n_errors;
    }
    lock_drop(&d->lock);
    return true;
}

bool disk_part(unsigned n, struct part_info *i)
{
    for (unsigned disk = 0; disk < n_disks; disk++) {
        const struct parts *p = list[disk].parts;

        if (p && n < p->n) {
            *i = (struct part_info){ disk, p->list[n] };
            return true;
        }
        n -= p ? p->n : 0;
    }
    return false;
}

bool disk_user(unsigned n, struct disk_user *u)
{
    struct client *c = n < n_clients ? &clients[n] : NULL;

    if (!c)
        return false;
    lock_take(&c->disk->lock);
    *u = (struct disk_user){ .d         = &c->dev,
                             .disk      = (unsigned)(c->disk - list),
                             .part      = c->part->number,
                             .read_only = c->dev.read_only,
                             .weight    = c->weight,
                             .depth     = c->n_queued + c->n_flying,
                             .requests  = c->n_requests,
                             .bytes     = c->n_bytes,
                             .errors    = c->n_errors };
    lock_drop(&c->disk->lock);
    return true;
}

unsigned disk_count(void)
{
    return n_disks;
}

unsigned disk_part_count(void)
{
    unsigned n = 0;

    for (unsigned disk = 0; disk < n_disks; disk++)
        n += list[disk].parts ? list[disk].parts->n : 0;
    return n;
}

unsigned disk_user_count(void)
{
    return n_clients;
}
