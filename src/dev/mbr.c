// SPDX-License-Identifier: MIT
// A master boot record, or one of those that chain logical partitions (UEFI 2.10, 5.2.1).
//
// In:     a block of a disk, any bytes.
// Out:    its four entries.
// Always: a block with the signature whose entries cannot be such, as a FAT file system's first, is
//         none.
// Locks:  none; a pure function.
#include "dev/part.h"

#include <string.h>

enum mbr_at { SIGNATURE = 440, ENTRIES = 446, MAGIC = 510 };
enum entry_at { BOOT = 0, TYPE = 4, FIRST = 8, COUNT = 12, ENTRY = 16 };
#define TYPE_PROTECTIVE 0xee

static u32 u32_at(const u8 *p)
{
    u32 value;

    memcpy(&value, p, sizeof value);
    return value;
}

static bool is_extended(u8 type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

void mbr_parse(const u8 *b, struct mbr *m)
{
    *m = (struct mbr){ .valid     = b[MAGIC] == 0x55 && b[MAGIC + 1] == 0xaa,
                       .signature = u32_at(b + SIGNATURE) };
    for (int i = 0; i < 4 && m->valid; i++) {
        const u8         *e = b + ENTRIES + i * ENTRY;
        struct mbr_entry *t = &m->entries[i];

        m->valid = !(e[BOOT] & 0x7f);
        t->first = u32_at(e + FIRST);
        t->n     = u32_at(e + COUNT);
        t->used  = e[TYPE] && t->n;

        t->extended = is_extended(e[TYPE]);
        m->protective |= e[TYPE] == TYPE_PROTECTIVE;
    }
}
