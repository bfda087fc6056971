// SPDX-License-Identifier: MIT
// The command `duomo disk`.
//
// In:     sizes, labels and images of partitions; or an image of a disk.
// Out:    an image of a disk, as sparse as what is in it; or what its table says, and whether both
//         copies of it are whole.
// Always: the image is there complete or not at all. All that can be wrong with what was asked for
//         is told before a byte is written.

#define _GNU_SOURCE                 // SEEK_DATA

#include "commands.h"
#include "table.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB   (1ull << 20)
#define SIZE_LIMIT (1ull << 50)
#define ALIGN MIB               // where partitions begin and end, and what stands behind the last

struct disk {
    struct words partitions;
    const char  *table;
    uint64_t     sector_size;
    uint64_t     size;          // 0: what the partitions need
    uint64_t     force;
};

// One partition that is to be.
struct wanted {
    char        label[LABEL_MAX + 1];
    uint64_t    size;
    const char *image;          // or NULL
    int         fd;             // of the image, or -1
    uint64_t    image_size;
};

struct plan {
    struct wanted parts[PARTS_MAX];
    unsigned      n;
    struct table  table;
};

static const char *const tables[]  = { "gpt", "mbr", NULL };

// clang-format off
#define DISK(member) .offset = offsetof(struct disk, member)

const struct field disk_options[] = {
    { .name = "partition", .option = "--partition", .value = "NAME:SIZE[:IMAGE]", .kind = &words_kind, DISK(partitions),
      .help = "one partition, filled from an image; NAME::IMAGE: as large as that; may be given again" },
    { .name = "size", .option = "--size", .value = "SIZE", .kind = &amount_kind, DISK(size), .min = 2 * MIB, .max = SIZE_LIMIT,
      .otherwise = "what the partitions need", .help = "of the whole disk" },
    { .name = "sector size", .option = "--sector-size", .value = "BYTES", .kind = &number_kind, DISK(sector_size), .min = 512, .max = 4096,
      .otherwise = "512", .help = "512 or 4096" },
    { .name = "table", .option = "--table", .value = "WORD", .kind = &word_kind, DISK(table), .words = tables, .otherwise = "gpt",
      .help = "the kind of partition table; mbr has no labels" },
    { .name = "force", .option = "--force", .kind = &flag_kind, DISK(force), .help = "an image that is there already is replaced" },
    { 0 },
};
// clang-format on

static uint64_t align_up(uint64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

// --- what is asked for ---------------------------------------------------------------------------

static bool label_take(const char *text, size_t length, struct wanted *w)
{
    if (length == 0 || length > LABEL_MAX)
        return wrong("--partition", "'%.*s': a label of %zu characters; 1 to %d would be right",
                     CLIP(text), length, LABEL_MAX);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return wrong("--partition", "a label in '%.*s' has other characters; use letters, digits, '-', '_', '.'",
                         CLIP(text));
    memcpy(w->label, text, length);
    return true;
}

static bool image_open(struct wanted *w)
{
    struct stat st;

    w->fd = open(w->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (w->fd < 0 || fstat(w->fd, &st))
        return wrong(w->image, "%s; give the path of a readable file", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return wrong(w->image, "not a file; give a regular file");
    w->image_size = (uint64_t)st.st_size;
    if (!w->size)
        w->size = w->image_size;
    return w->image_size <= w->size
        || wrong(w->image, "it has %s, and partition '%s' has %s; give it more, or leave its size "
                 "out", size_text(w->image_size).s, w->label, size_text(w->size).s);
}

// NAME:SIZE, NAME:SIZE:IMAGE or NAME::IMAGE.
static bool wanted_take(const char *text, struct wanted *w)
{
    size_t label = strcspn(text, ":"), size = text[label] ? strcspn(text + label + 1, ":") : 0;
    const char *rest = text + label + (text[label] != '\0') + size;
    char number[32];

    if (!label_take(text, label, w))
        return false;
    snprintf(number, sizeof number, "%.*s", (int)size, text + label + (text[label] != '\0'));
    w->image = *rest ? rest + 1 : NULL;
    if ((size || !w->image) && (size >= sizeof number || !size_parse(number, &w->size) || !w->size))
        return wrong("--partition", "'%.*s' has no size; NAME:512M or NAME::IMAGE would be right",
                     CLIP(text));
    if (w->size > SIZE_LIMIT)
        return wrong("--partition", "'%.*s' is larger than any disk; at most 1024T would be right",
                     CLIP(text));
    if (w->image && !image_open(w))
        return false;
    w->size = align_up(w->size);
    return w->size || wrong(w->image, "the file is empty; give the partition a size");
}

static bool label_is_new(const struct plan *p, const struct wanted *w)
{
    for (const struct wanted *other = p->parts; other < w; other++)
        if (strcmp(other->label, w->label) == 0)
            return wrong("--partition", "two are called '%s'; give each its own label", w->label);
    return true;
}

static bool parts_take(const struct disk *d, struct plan *p)
{
    if (!d->partitions.n)
        return wrong("disk", "no partition is named; add --partition NAME:SIZE");
    for (unsigned i = 0; i < d->partitions.n; i++) {
        struct wanted *w = &p->parts[p->n++];

        w->fd = -1;
        if (!wanted_take(d->partitions.s[i], w) || !label_is_new(p, w))
            return false;
    }
    return true;
}

// Where each goes.
static bool table_plan(const struct disk *d, struct plan *p)
{
    struct table *t = &p->table;
    uint64_t at = ALIGN, size;

    t->kind = strcmp(d->table, "mbr") == 0 ? TABLE_MBR : TABLE_GPT;
    t->sector_size = (unsigned)d->sector_size;
    for (unsigned i = 0; i < p->n; i++) {
        struct part *part = &t->parts[t->n++];

        *part = (struct part) { .number = i + 1, .first = at / t->sector_size,
                                .count = p->parts[i].size / t->sector_size };
        memcpy(part->label, p->parts[i].label, sizeof part->label);
        at += p->parts[i].size;
    }
    size = d->size ? align_up(d->size) : at + ALIGN;
    t->sectors = size / t->sector_size;
    return size >= at + ALIGN
        || wrong("--size", "the partitions and their tables need %s; leave it out, or give at "
                 "least %lluM", size_text(at + ALIGN).s, (unsigned long long)((at + ALIGN) / MIB));
}

static bool kind_check(const struct disk *d)
{
    if (d->sector_size != 512 && d->sector_size != 4096)
        return wrong("--sector-size", "%" PRIu64 " is none; 512 or 4096 would be right",
                     d->sector_size);
    if (strcmp(d->table, "mbr") != 0)
        return true;
    if (d->sector_size != 512)
        return wrong("--table", "an MBR does not say how large its sectors are; leave "
                     "--sector-size out, or use gpt");
    return d->partitions.n <= 4
        || wrong("--table", "an MBR has room for 4 partitions; use gpt for %u", d->partitions.n);
}

static bool mbr_reaches(const struct table *t)
{
    return t->kind != TABLE_MBR || t->sectors <= UINT32_MAX
        || wrong("--table", "an MBR reaches 2 TiB far; use gpt for more");
}

static bool out_is_free(const struct disk *d, const struct plan *p, const char *path)
{
    struct stat st;

    for (unsigned i = 0; i < p->n; i++)
        if (p->parts[i].image && path_is_same(path, AT_FDCWD, p->parts[i].image))
            return wrong(path, "this is an image that goes into it; name another file");
    if (stat(path, &st))
        return true;
    if (!S_ISREG(st.st_mode))
        return wrong(path, "cannot be replaced by an image; name a regular file");
    return d->force || wrong(path, "it is there already; name another file, or replace it with "
                             "--force");
}

// --- making it -----------------------------------------------------------------------------------

static bool is_zero(const char *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

// Zeros are there already.
static bool extent_copy(int from, int to, off_t at, off_t end, off_t shift)
{
    static char block[64 << 10];

    while (at < end) {
        size_t want = (size_t)(end - at) < sizeof block ? (size_t)(end - at) : sizeof block;
        ssize_t n = pread(from, block, want, at);

        if (n <= 0)
            return n == 0;
        if (!is_zero(block, (size_t)n) && pwrite(to, block, (size_t)n, at + shift) != n)
            return false;
        at += n;
    }
    return true;
}

// The holes of the image stay holes.
static bool image_copy(const struct wanted *w, int to, uint64_t where)
{
    off_t size = (off_t)w->image_size, end;

    for (off_t at = lseek(w->fd, 0, SEEK_DATA); at >= 0 && at < size;
         at = lseek(w->fd, end, SEEK_DATA)) {
        end = lseek(w->fd, at, SEEK_HOLE);
        if (end < 0 || end > size)
            end = size;
        if (!extent_copy(w->fd, to, at, end, (off_t)where))
            return false;
    }
    return true;
}

static bool disk_fill(struct plan *p, int fd)
{
    if (ftruncate(fd, (off_t)(p->table.sectors * p->table.sector_size)))
        return false;
    for (unsigned i = 0; i < p->n; i++)
        if (p->parts[i].image
            && !image_copy(&p->parts[i], fd, p->table.parts[i].first * p->table.sector_size))
            return false;
    return table_write(&p->table, fd);
}

static bool disk_write(struct plan *p, const char *path)
{
    char temp[TEMP_SIZE];
    int fd;

    fd = sibling_open(path, temp);
    if (fd < 0)
        return false;
    if (disk_fill(p, fd) && close(fd) == 0 && rename(temp, path) == 0)
        return true;
    wrong(path, "%s; the image was not made", strerror(errno));
    unlink(temp);
    return false;
}

static bool disk_create(const struct disk *d, const char *path)
{
    struct plan *p = calloc(1, sizeof *p);
    bool ok = p;

    ok = ok && kind_check(d) && parts_take(d, p) && table_plan(d, p) && mbr_reaches(&p->table)
        && out_is_free(d, p, path) && disk_write(p, path);
    for (unsigned i = 0; p && i < p->n; i++)
        if (p->parts[i].fd >= 0)
            close(p->parts[i].fd);
    free(p);
    return ok;
}

// --- showing one ---------------------------------------------------------------------------------

static void copy_show(const char *name, const char *why)
{
    printf("%s header: %s%s\n", name, why ? "damaged: " : "whole", why ? why : "");
}

static void table_show(const struct table *t)
{
    printf("%s, %s, sectors of %u bytes%s%s\n", table_name(t),
           size_text(t->sectors * t->sector_size).s, t->sector_size, *t->id ? ", id " : "", t->id);
    if (t->n)
        printf("%3s  %-16s  %12s  %12s  %10s  %s\n", "#", "label", "first", "sectors", "size", "id");
    for (unsigned i = 0; i < t->n; i++) {
        const struct part *p = &t->parts[i];

        printf("%3u  %-16s  %12" PRIu64 "  %12" PRIu64 "  %10s  %s\n", p->number,
               *p->label ? p->label : "-", p->first, p->count,
               size_text(p->count * t->sector_size).s, p->id);
    }
    if (t->kind == TABLE_GPT) {
        copy_show("primary", t->primary);
        copy_show("backup", t->backup);
    }
}

static bool table_judge(const struct table *t, const char *path)
{
    const struct part *misfit = table_misfit(t);

    if (t->kind == TABLE_NONE)
        return wrong(path, "no partition table that is whole; make an image with 'duomo disk create'");
    if (t->primary || t->backup)
        return wrong(path, "one copy of the table is damaged; mend it with 'sgdisk -e' or gdisk");
    return !misfit || wrong(path, "partition %u overlaps another or does not lie on the disk; "
                            "partition it anew", misfit->number);
}

static bool disk_show(const char *path)
{
    struct place at = { .subject = path };
    struct table *t = calloc(1, sizeof *t);
    uint64_t size;
    int fd = t ? disk_image_open(AT_FDCWD, path, &at, &size) : -1;
    bool ok = fd >= 0 && table_read(t, fd, size, &at);

    if (ok) {
        table_show(t);
        ok = table_judge(t, path);
    }
    if (fd >= 0)
        close(fd);
    free(t);
    return ok;
}

bool disk_run(const struct command *c, char **args)
{
    struct disk d = { .table = "gpt", .sector_size = 512 };
    struct taken t = { .own = &d };
    bool creates = *args && strcmp(*args, "create") == 0;

    if (!*args || (!creates && strcmp(*args, "show") != 0))
        return wrong(c->name, "neither create nor show; 'duomo help disk' shows what it takes");
    if (!options_take(c, args + 1, &t))
        return false;
    if (!t.operand)
        return wrong(c->name, "no image is named; write duomo disk %s FILE", args[0]);
    return creates ? disk_create(&d, t.operand) : disk_show(t.operand);
}
