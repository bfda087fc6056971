// SPDX-License-Identifier: MIT
// In:     the first and the last sectors of a disk image; partitions.
// Out:    its partitions; a table.
// Always: nothing is believed before its CRC was compared. GPT stands twice: the copy at the end
//         counts where the first is damaged. All numbers are little-endian on disk.

#define _GNU_SOURCE                 // pread, getrandom

#include "table.h"

#include "crc32.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

enum { SECTOR_MAX = 4096, ENTRY_SIZE = 128, ENTRIES_SIZE = PARTS_MAX * ENTRY_SIZE, HEADER_SIZE = 92 };
enum { MBR_PARTS = 4, MBR_TYPE_LINUX = 0x83, MBR_TYPE_GPT = 0xee, MBR_SIGNATURE = 0xaa55 };

#define SIGNATURE "EFI PART"
#define REVISION  0x00010000u

struct gpt_header {
    char     signature[8];
    uint32_t revision, header_size, header_crc, reserved;
    uint64_t here, other, first_usable, last_usable;
    uint8_t  disk_guid[16];
    uint64_t entries_at;
    uint32_t n_entries, entry_size, entries_crc;
} __attribute__((packed));

struct gpt_entry {
    uint8_t  type[16], guid[16];
    uint64_t first, last, attributes;
    uint16_t label[LABEL_MAX];
} __attribute__((packed));

struct mbr_part {
    uint8_t  status, chs_first[3], type, chs_last[3];
    uint32_t first, count;
} __attribute__((packed));

struct mbr {
    uint8_t         code[440];
    uint32_t        id;
    uint16_t        zero;
    struct mbr_part parts[MBR_PARTS];
    uint16_t        signature;
} __attribute__((packed));

_Static_assert(sizeof(struct gpt_header) == HEADER_SIZE, "UEFI 2.10, table 5.5");
_Static_assert(sizeof(struct gpt_entry) == ENTRY_SIZE, "UEFI 2.10, table 5.6");
_Static_assert(sizeof(struct mbr) == 512, "UEFI 2.10, table 5.1");

// "Linux filesystem data", 0fc63daf-8483-4772-8e79-3d69d8477de4, as it stands on disk.
static const uint8_t type_linux[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
                                        0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
    return at <= INT64_MAX && pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

static bool write_at(int fd, const void *from, size_t size, uint64_t at)
{
    return pwrite(fd, from, size, (off_t)at) == (ssize_t)size;
}

// The first three fields of a GUID are numbers, the others bytes (UEFI 2.10, appendix A).
static void guid_text(const uint8_t g[16], char text[ID_SIZE])
{
    snprintf(text, ID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
             g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
             g[15]);
}

// UTF-16.
static void label_text(const struct gpt_entry *e, char text[LABEL_MAX + 1])
{
    int i;

    for (i = 0; i < LABEL_MAX && e->label[i]; i++) {
        uint16_t c = le16toh(e->label[i]);

        text[i] = c >= ' ' && c <= '~' ? (char)c : '?';
    }
    text[i] = '\0';
}

// --- reading GPT ---------------------------------------------------------------------------------

static const char *header_check(const struct table *t, const uint8_t *sector, uint64_t at,
                                struct gpt_header *h)
{
    uint8_t copy[SECTOR_MAX];
    uint32_t size;

    memcpy(h, sector, sizeof *h);
    size = le32toh(h->header_size);
    if (memcmp(h->signature, SIGNATURE, sizeof h->signature) != 0)
        return "it is not there";
    if (size < HEADER_SIZE || size > t->sector_size)
        return "its size is impossible";
    memcpy(copy, sector, size);
    memset(copy + offsetof(struct gpt_header, header_crc), 0, sizeof h->header_crc);
    if (crc32_of(copy, size) != le32toh(h->header_crc))
        return "its CRC is wrong";
    if (le64toh(h->here) != at)
        return "it says that it stands elsewhere";
    if (le32toh(h->entry_size) != ENTRY_SIZE || le32toh(h->n_entries) > PARTS_MAX)
        return "its entries are of another kind than 128 of 128 bytes";
    return NULL;
}

static void entry_take(struct table *t, unsigned number, const struct gpt_entry *e)
{
    static const uint8_t unused[16];
    struct part *p = &t->parts[t->n];

    if (memcmp(e->type, unused, sizeof unused) == 0)
        return;
    *p = (struct part) { .number = number, .first = le64toh(e->first) };
    p->count = le64toh(e->last) >= p->first ? le64toh(e->last) - p->first + 1 : 0;
    memcpy(p->guid, e->guid, sizeof p->guid);
    guid_text(e->guid, p->id);
    label_text(e, p->label);
    t->n++;
}

// One of the two copies, whose header is at that sector.
static const char *copy_read(struct table *t, int fd, uint64_t at)
{
    uint8_t sector[SECTOR_MAX];
    struct gpt_entry entries[PARTS_MAX];
    struct gpt_header h;
    size_t size;
    const char *why;

    if (!read_at(fd, sector, t->sector_size, at * t->sector_size))
        return "it is not there";
    why = header_check(t, sector, at, &h);
    if (why)
        return why;
    size = le32toh(h.n_entries) * (size_t)ENTRY_SIZE;
    if (le64toh(h.entries_at) > t->sectors
        || !read_at(fd, entries, size, le64toh(h.entries_at) * t->sector_size))
        return "its entries are not on the disk";
    if (crc32_of(entries, size) != le32toh(h.entries_crc))
        return "the CRC of its entries is wrong";
    t->kind = TABLE_GPT;
    t->n = 0;
    guid_text(h.disk_guid, t->id);
    for (unsigned i = 0; i < le32toh(h.n_entries); i++)
        entry_take(t, i + 1, &entries[i]);
    return NULL;
}

// The backup first: where the primary is whole, it counts.
static bool gpt_read(struct table *t, int fd, uint64_t size, unsigned sector_size)
{
    t->sector_size = sector_size;
    t->sectors = size / sector_size;
    t->kind = TABLE_NONE;
    if (t->sectors < 2)
        return false;
    t->backup = copy_read(t, fd, t->sectors - 1);
    t->primary = copy_read(t, fd, 1);
    return t->kind == TABLE_GPT;
}

// --- reading MBR ---------------------------------------------------------------------------------

// A file system's first sector has the signature, too, and no such bytes.
static bool mbr_is_there(const struct mbr *m)
{
    for (unsigned i = 0; i < MBR_PARTS; i++)
        if (m->parts[i].status & 0x7f)
            return false;
    return le16toh(m->signature) == MBR_SIGNATURE;
}

// Extended partitions hold others, and these are not looked for.
static bool is_partition(const struct mbr_part *e)
{
    static const uint8_t others[] = { 0, 0x05, 0x0f, 0x85, MBR_TYPE_GPT };

    return e->count && !memchr(others, e->type, sizeof others);
}

static bool mbr_read(struct table *t, const struct mbr *m, uint64_t size)
{
    if (!mbr_is_there(m))
        return false;
    *t = (struct table) { .kind = TABLE_MBR, .sector_size = 512, .sectors = size / 512,
                          .signature = le32toh(m->id) };
    snprintf(t->id, sizeof t->id, "%08x", t->signature);
    for (unsigned i = 0; i < MBR_PARTS; i++) {
        const struct mbr_part *e = &m->parts[i];
        struct part *p = &t->parts[t->n];

        if (!is_partition(e))
            continue;
        *p = (struct part) { .number = i + 1, .first = le32toh(e->first),
                             .count = le32toh(e->count) };
        snprintf(p->id, sizeof p->id, "%08x-%02x", t->signature, p->number);
        t->n++;
    }
    return t->n;
}

bool table_read(struct table *t, int fd, uint64_t size, const struct place *at)
{
    struct mbr m;

    *t = (struct table) { .kind = TABLE_NONE, .sector_size = 512, .sectors = size / 512 };
    if (size < sizeof m)
        return true;
    if (!read_at(fd, &m, sizeof m, 0))
        return wrong_at(at, "cannot be read (%s); check the disk it lies on", strerror(errno));
    if (!gpt_read(t, fd, size, 512) && !gpt_read(t, fd, size, 4096) && !mbr_read(t, &m, size))
        *t = (struct table) { .kind = TABLE_NONE, .sector_size = 512, .sectors = size / 512 };
    return true;
}

// --- what it says --------------------------------------------------------------------------------

const char *table_name(const struct table *t)
{
    static const char *const names[] = { [TABLE_NONE] = "none", [TABLE_GPT] = "GPT",
                                         [TABLE_MBR] = "MBR" };

    return names[t->kind];
}

static bool part_is(const struct part *p, const char *name)
{
    if (name[0] == '#')
        return p->number == strtoul(name + 1, NULL, 10);
    return strcmp(p->label, name) == 0 || strcasecmp(p->id, name) == 0;
}

const struct part *table_find(const struct table *t, const char *name)
{
    for (unsigned i = 0; i < t->n; i++)
        if (part_is(&t->parts[i], name))
            return &t->parts[i];
    return NULL;
}

const struct part *table_misfit(const struct table *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        const struct part *p = &t->parts[i];

        if (!p->count || p->count > t->sectors || p->first > t->sectors - p->count)
            return p;
        for (unsigned j = 0; j < i; j++)
            if (p->first < t->parts[j].first + t->parts[j].count
                && t->parts[j].first < p->first + p->count)
                return p;
    }
    return NULL;
}

// --- writing -------------------------------------------------------------------------------------

// A random GUID (RFC 4122, 4.4).
static bool guid_make(uint8_t guid[16], char text[ID_SIZE])
{
    if (getrandom(guid, 16, 0) != 16)
        return false;
    guid[7] = (guid[7] & 0x0f) | 0x40;
    guid[8] = (guid[8] & 0x3f) | 0x80;
    guid_text(guid, text);
    return true;
}

static bool ids_make(struct table *t)
{
    if (!guid_make(t->guid, t->id) || getrandom(&t->signature, sizeof t->signature, 0) < 0)
        return false;
    for (unsigned i = 0; i < t->n; i++)
        if (!guid_make(t->parts[i].guid, t->parts[i].id))
            return false;
    return true;
}

static void entries_fill(const struct table *t, struct gpt_entry entries[PARTS_MAX])
{
    memset(entries, 0, ENTRIES_SIZE);
    for (unsigned i = 0; i < t->n; i++) {
        const struct part *p = &t->parts[i];
        struct gpt_entry *e = &entries[p->number - 1];

        memcpy(e->type, type_linux, sizeof e->type);
        memcpy(e->guid, p->guid, sizeof e->guid);
        e->first = htole64(p->first);
        e->last = htole64(p->first + p->count - 1);
        for (int c = 0; p->label[c]; c++)
            e->label[c] = htole16((uint16_t)p->label[c]);
    }
}

// A header at sector `here`, whose twin is at `other`.
static bool header_write(const struct table *t, int fd, uint64_t here, uint64_t other,
                         uint64_t entries_at, uint32_t entries_crc)
{
    uint64_t entry_sectors = ENTRIES_SIZE / t->sector_size;
    uint8_t sector[SECTOR_MAX] = { 0 };
    struct gpt_header h = {
        .revision = htole32(REVISION), .header_size = htole32(HEADER_SIZE), .here = htole64(here),
        .other = htole64(other), .first_usable = htole64(2 + entry_sectors),
        .last_usable = htole64(t->sectors - 2 - entry_sectors), .entries_at = htole64(entries_at),
        .n_entries = htole32(PARTS_MAX), .entry_size = htole32(ENTRY_SIZE),
        .entries_crc = htole32(entries_crc),
    };

    memcpy(h.signature, SIGNATURE, sizeof h.signature);
    memcpy(h.disk_guid, t->guid, sizeof h.disk_guid);
    h.header_crc = htole32(crc32_of(&h, sizeof h));
    memcpy(sector, &h, sizeof h);
    return write_at(fd, sector, t->sector_size, here * t->sector_size);
}

static struct mbr_part mbr_part(uint8_t type, uint64_t first, uint64_t count)
{
    struct mbr_part p = { .type = type, .chs_first = { 0xfe, 0xff, 0xff },
                          .chs_last = { 0xfe, 0xff, 0xff } };

    p.first = htole32((uint32_t)first);
    p.count = htole32((uint32_t)(count > UINT32_MAX ? UINT32_MAX : count));
    return p;
}

// Protective: tells those who know but MBR that all of the disk is in use (UEFI 2.10, 5.2.3).
static bool gpt_write(const struct table *t, int fd)
{
    struct mbr m = { .signature = htole16(MBR_SIGNATURE) };
    struct gpt_entry entries[PARTS_MAX];
    uint64_t last = t->sectors - 1, backup = last - ENTRIES_SIZE / t->sector_size;
    uint32_t crc;

    m.parts[0] = mbr_part(MBR_TYPE_GPT, 1, last);
    memcpy(m.parts[0].chs_first, "\0\2\0", sizeof m.parts[0].chs_first);
    entries_fill(t, entries);
    crc = crc32_of(entries, sizeof entries);
    return write_at(fd, &m, sizeof m, 0)
        && write_at(fd, entries, sizeof entries, 2ull * t->sector_size)
        && write_at(fd, entries, sizeof entries, backup * t->sector_size)
        && header_write(t, fd, 1, last, 2, crc) && header_write(t, fd, last, 1, backup, crc);
}

static bool mbr_write(const struct table *t, int fd)
{
    struct mbr m = { .signature = htole16(MBR_SIGNATURE), .id = htole32(t->signature) };

    for (unsigned i = 0; i < t->n; i++)
        m.parts[i] = mbr_part(MBR_TYPE_LINUX, t->parts[i].first, t->parts[i].count);
    return write_at(fd, &m, sizeof m, 0);
}

bool table_write(struct table *t, int fd)
{
    return ids_make(t) && (t->kind == TABLE_MBR ? mbr_write : gpt_write)(t, fd);
}
