// SPDX-License-Identifier: MIT
// Reading the partition table of a disk.
//
// In:     blocks of a disk, any bytes.
// Out:    its partitions, in sectors of 512 bytes.
// Always: a partition that may be used lies wholly on the disk, overlaps no other, and holds no
//         block of the table.  All loops have bounds that no table can lengthen.
// Locks:  none; boot only.
#include "dev/part.h"

#include "dev/blk.h"
#include "lib/bits.h"
#include "lib/crc32.h"

#include <stdarg.h>
#include <stdio.h>

#define LOGICAL_MAX PARTS_MAX

// Blocks that chain logical partitions.
static u64      chain[LOGICAL_MAX];
static unsigned n_chain;

static struct part *part_new(struct parts *p)
{
    if (p->n < PARTS_MAX)
        return &p->list[p->n++];
    p->n_more++;
    return NULL;
}

// The whole array, whose checksum decides at the end.
static const char *gpt_entries(const struct blocks *b, const struct gpt *g, struct parts *p)
{
    u32         total = g->n_entries * g->entry_size, crc = 0, n;
    struct part found;

    for (u32 off = 0; off < total; off += n) {
        const u8 *bytes;

        n = (u32)min_u64(b->block_size, total - off);
        if (!b->read(b->arg, g->entries_at + off / b->block_size, &bytes))
            return "its entries cannot be read";
        crc = crc32_more(crc, bytes, n);
        for (u64 at = align_up(off, g->entry_size); at < off + n; at += g->entry_size) {
            if (!gpt_entry(bytes + (at - off), g, (u32)(at / g->entry_size) + 1, &found))
                continue;

            struct part *to = part_new(p);

            if (to)
                *to = found;
        }
    }
    return crc == g->entries_crc ? NULL : "the checksum of its entries is wrong";
}

static const char *gpt_at(const struct blocks *b, u64 at, struct parts *p, struct gpt *g)
{
    const u8   *bytes;
    const char *why;

    p->n = p->n_more = 0;
    if (b->n_blocks < 4 || at >= b->n_blocks || !b->read(b->arg, at, &bytes))
        return "it cannot be read";
    why = gpt_header(bytes, b->block_size, at, b->n_blocks, g);
    return why ? why : gpt_entries(b, g, p);
}

PRINTF(2, 3) static void warn(struct parts *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->warning, sizeof p->warning, format, args);
    va_end(args);
}

// The copy is looked at even when it is not needed: it may be, next time.
static void copy_check(const struct blocks *b, const struct gpt *first, struct parts *p)
{
    const u8  *bytes;
    struct gpt copy;

    if (first->alternate >= b->n_blocks || !b->read(b->arg, first->alternate, &bytes) ||
        gpt_header(bytes, b->block_size, first->alternate, b->n_blocks, &copy))
        warn(p, "the copy of its GPT is damaged; mend it (sgdisk -e) before it is needed");
}

// A GPT that is damaged is one only if the MBR says that there was one: else its copy may be of
// another time.
static void gpt_read(const struct blocks *b, bool expected, struct parts *p)
{
    struct gpt  g;
    const char *why = gpt_at(b, 1, p, &g);

    if (!why) {
        p->table = "GPT";
        copy_check(b, &g, p);
    } else if (expected && !gpt_at(b, b->n_blocks - 1, p, &g)) {
        p->table = "GPT (backup)";
        warn(p, "its GPT is damaged: %s; its copy at the end is used; mend it (sgdisk)", why);
    } else {
        p->n = p->n_more = 0;
        if (expected)
            warn(p, "its GPT and the copy of it are damaged: %s; make it anew", why);
    }
}

// It must end before block number `end`.
static void mbr_part(struct parts *p, u64 end, const struct mbr *m, u32 number, u64 first, u64 n)
{
    struct part *to = part_new(p);

    if (!to)
        return;
    *to = (struct part){ .number = number, .first = first, .n_sectors = n };
    if (!first || !part_holds(end, first, n))
        to->refused = "is not wholly on the disk";
    if (m->signature)
        snprintf(to->id, sizeof to->id, "%08x-%02x", (unsigned)m->signature, (unsigned)number);
}

static bool is_chained(u64 at)
{
    for (unsigned i = 0; i < n_chain; i++)
        if (chain[i] == at)
            return true;
    return false;
}

// Each block of the chain has one partition, and where the next such block is, as seen from the
// extended partition's begin.
static void mbr_logical(const struct blocks *b, const struct mbr *m, const struct mbr_entry *within,
                        struct parts *p)
{
    u64 off = 0, end = min_u64(b->n_blocks, (u64)within->first + within->n);

    for (u32 i = 0; i < LOGICAL_MAX; i++) {
        const u8  *bytes;
        struct mbr here;
        u64        at = within->first + off;

        if (at >= end || is_chained(at) || !b->read(b->arg, at, &bytes))
            break;
        mbr_parse(bytes, &here);
        if (!here.valid)
            break;
        chain[n_chain++] = at;
        if (here.entries[0].used && !here.entries[0].extended)
            mbr_part(p, end, m, 5 + i, at + here.entries[0].first, here.entries[0].n);
        off = here.entries[1].first;
        if (!here.entries[1].used || !here.entries[1].extended || !off)
            return;
    }
    warn(p, "the chain of its logical partitions is broken; mend it (fdisk)");
}

static void mbr_read(const struct blocks *b, const struct mbr *m, struct parts *p)
{
    const struct mbr_entry *extended = NULL;

    for (u32 i = 0; i < 4; i++) {
        const struct mbr_entry *e = &m->entries[i];

        if (e->used && e->extended)
            extended = extended ? extended : e;
        else if (e->used)
            mbr_part(p, b->n_blocks, m, i + 1, e->first, e->n);
    }
    p->table = "MBR";
    if (extended)
        mbr_logical(b, m, extended, p);
}

static bool overlap(const struct part *a, const struct part *b)
{
    return a->first < b->first ? b->first - a->first < a->n_sectors
                               : a->first - b->first < b->n_sectors;
}

// Of two that overlap it is not known which is right.
static void part_check(const struct blocks *b, struct parts *p, struct part *one)
{
    for (struct part *other = p->list; other < p->list + p->n; other++)
        if (other != one && part_holds(b->n_blocks, other->first, other->n_sectors) &&
            overlap(one, other))
            one->refused = "overlaps another";
    for (unsigned i = 0; i < n_chain; i++)
        if (chain[i] >= one->first && chain[i] - one->first < one->n_sectors)
            one->refused = "holds a part of the table";
}

// What was found in blocks is told in sectors.
static void parts_finish(const struct blocks *b, struct parts *p)
{
    u32 per_block = b->block_size / SECTOR_SIZE;

    for (struct part *one = p->list; one < p->list + p->n; one++)
        part_check(b, p, one);
    for (struct part *one = p->list; one < p->list + p->n; one++) {
        one->first *= per_block;
        one->n_sectors *= per_block;
    }
}

void parts_read(const struct blocks *b, struct parts *p)
{
    struct mbr m = { 0 };
    const u8  *bytes;

    *p      = (struct parts){ .table = "none" };
    n_chain = 0;
    if (!b->n_blocks || !b->read(b->arg, 0, &bytes)) {
        warn(p, "it cannot be read; it is not used");
        return;
    }
    mbr_parse(bytes, &m);
    if (m.valid && !m.protective &&
        (m.entries[0].used || m.entries[1].used || m.entries[2].used || m.entries[3].used))
        mbr_read(b, &m, p);
    else
        gpt_read(b, m.valid && m.protective, p);
    parts_finish(b, p);
}
