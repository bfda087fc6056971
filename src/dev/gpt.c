// SPDX-License-Identifier: MIT
// GUID partition tables: header and entries (UEFI 2.10, 5.3.2 and 5.3.3).
//
// In:     blocks of a disk, any bytes.
// Out:    a header of which every number has been checked; a partition inside its usable blocks.
// Always: usable blocks hold neither headers nor entries, so nobody who may write to a partition
//         can write to the table.
// Locks:  none; pure functions.
#include "dev/part.h"
#include "lib/bits.h"
#include "lib/crc32.h"

#include <stdio.h>
#include <string.h>

#define HEADER_MIN        92
#define ENTRY_MAX         4096u
#define ENTRIES_BYTES_MAX MIB

enum header {
    REVISION     = 8,
    HEADER_SIZE  = 12,
    HEADER_CRC   = 16,
    MY_LBA       = 24,
    ALTERNATE    = 32,
    FIRST_USABLE = 40,
    LAST_USABLE  = 48,
    ENTRIES_AT   = 72,
    N_ENTRIES    = 80,
    ENTRY_SIZE   = 84,
    ENTRIES_CRC  = 88,
};

enum entry { UNIQUE = 16, STARTING = 32, ENDING = 40, NAME = 56 };

static u32 u32_at(const u8 *p)
{
    u32 value;

    memcpy(&value, p, sizeof value);
    return value;
}

static u64 u64_at(const u8 *p)
{
    u64 value;

    memcpy(&value, p, sizeof value);
    return value;
}

// Its own field counts as 0.
static u32 header_crc(const u8 *b, u32 size)
{
    u32 crc = crc32(b, HEADER_CRC);

    crc = crc32_more(crc, "\0\0\0", 4);
    return crc32_more(crc, b + HEADER_CRC + 4, size - HEADER_CRC - 4);
}

static const char *entries_check(const struct gpt *g, u32 block_size, u64 n_blocks)
{
    u64 bytes = (u64)g->n_entries * g->entry_size, n;

    if (!is_power_of_two(g->entry_size) || g->entry_size < GPT_ENTRY || g->entry_size > ENTRY_MAX)
        return "its entries have an impossible size";
    if (!bytes || bytes > ENTRIES_BYTES_MAX)
        return "it has no entries, or too many";
    n = (bytes + block_size - 1) / block_size;
    if (g->entries_at < 2 || g->entries_at >= n_blocks || n > n_blocks - g->entries_at)
        return "its entries are not on the disk";
    if (g->entries_at + n > g->first_usable && g->entries_at <= g->last_usable)
        return "its entries lie where partitions may be";
    return NULL;
}

const char *gpt_header(const u8 *b, u32 block_size, u64 at, u64 n_blocks, struct gpt *g)
{
    u32 size = u32_at(b + HEADER_SIZE);

    if (memcmp(b, "EFI PART", 8))
        return "it is not there";
    if (u32_at(b + REVISION) >> 16 != 1)
        return "it is of an unknown revision";
    if (size < HEADER_MIN || size > block_size)
        return "it has an impossible size";
    if (header_crc(b, size) != u32_at(b + HEADER_CRC))
        return "its checksum is wrong";
    if (u64_at(b + MY_LBA) != at)
        return "it belongs elsewhere";

    *g = (struct gpt){ .alternate    = u64_at(b + ALTERNATE),
                       .first_usable = u64_at(b + FIRST_USABLE),
                       .last_usable  = u64_at(b + LAST_USABLE),
                       .entries_at   = u64_at(b + ENTRIES_AT),
                       .n_entries    = u32_at(b + N_ENTRIES),
                       .entry_size   = u32_at(b + ENTRY_SIZE),
                       .entries_crc  = u32_at(b + ENTRIES_CRC) };
    if (g->first_usable < 2 || g->first_usable > g->last_usable || g->last_usable >= n_blocks - 1)
        return "its usable blocks are not on the disk";
    return entries_check(g, block_size, n_blocks);
}

// The first three fields of a GUID are little-endian (UEFI 2.10, appendix A).
static void guid_text(const u8 *g, char to[PART_ID])
{
    snprintf(to, PART_ID, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13],
             g[14], g[15]);
}

// One character as UTF-8; what moves a terminal's cursor is shown as '?'.
static char *utf8_put(char *to, u32 c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        c = '?';
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c >= 0x10000)
        *to++ = (char)(0xf0 | c >> 18);
    if (c >= 0x800)
        *to++ = (char)((c >= 0x10000 ? 0x80 : 0xe0) | (c >> 12 & (c >= 0x10000 ? 0x3f : 0xf)));
    *to++ = (char)((c >= 0x800 ? 0x80 : 0xc0) | (c >> 6 & (c >= 0x800 ? 0x3f : 0x1f)));
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

static bool is_surrogate(u32 unit, u32 kind)
{
    return (unit & 0xfc00) == kind;
}

static void label_read(const u8 *name, char to[LABEL_SIZE])
{
    for (int i = 0; i < 36; i++) {
        u32 unit = name[2 * i] | (u32)name[2 * i + 1] << 8;
        u32 low  = i < 35 ? name[2 * i + 2] | (u32)name[2 * i + 3] << 8 : 0;

        if (!unit)
            break;
        if (is_surrogate(unit, 0xd800) && is_surrogate(low, 0xdc00)) {
            unit = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
            i++;
        } else if ((unit & 0xf800) == 0xd800) {
            unit = '?'; // half of a pair
        }
        to = utf8_put(to, unit);
    }
    *to = 0;
}

bool gpt_entry(const u8 e[GPT_ENTRY], const struct gpt *g, u32 number, struct part *p)
{
    static const u8 unused[16];
    u64             first = u64_at(e + STARTING), last = u64_at(e + ENDING);

    if (!memcmp(e, unused, sizeof unused))
        return false;
    *p = (struct part){ .number = number, .first = first, .n_sectors = last - first + 1 };
    if (first > last || first < g->first_usable || last > g->last_usable)
        p->refused = "is not wholly on the disk";
    guid_text(e + UNIQUE, p->id);
    label_read(e + NAME, p->label);
    return true;
}
