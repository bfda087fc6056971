// SPDX-License-Identifier: MIT
// Partition tables of disk images: GPT (UEFI specification 2.10, chapter 5.3) and MBR (5.2.1).

#pragma once

#include "say.h"

#include <stdbool.h>
#include <stdint.h>

enum { PARTS_MAX = 128, LABEL_MAX = 36, ID_SIZE = 37 };

enum table_kind { TABLE_NONE, TABLE_GPT, TABLE_MBR };

struct part {
    char     label[LABEL_MAX + 1];  // what is not printable ASCII is '?'
    char     id[ID_SIZE];           // unique: a GUID, or what Linux makes of an MBR's signature
    uint8_t  guid[16];
    unsigned number;                // from 1
    uint64_t first, count;          // in sectors of the table
};

struct table {
    enum table_kind kind;
    unsigned        sector_size;
    uint64_t        sectors;        // of the disk
    char            id[ID_SIZE];
    uint8_t         guid[16];
    uint32_t        signature;      // of an MBR
    struct part     parts[PARTS_MAX];
    unsigned        n;
    const char     *primary;        // NULL, or what is wrong with GPT's primary or backup header
    const char     *backup;
};

// Reads the table of an image of so many bytes. TABLE_NONE: there is none that could be used. On
// false it could not be read, and that has been told.
bool table_read(struct table *t, int fd, uint64_t size, const struct place *at);

// Gives a new table its unique ids, and writes it.
bool table_write(struct table *t, int fd);

// A partition by its label, its unique id, or its number behind a '#'; NULL: there is none.
const struct part *table_find(const struct table *t, const char *name);

// NULL, or a partition that overlaps another or lies beyond the disk.
const struct part *table_misfit(const struct table *t);

const char *table_name(const struct table *t);
