// SPDX-License-Identifier: MIT
// The hostile guests' console, command line and choices.
#include "hostile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void say(const char *format, ...)
{
    static char text[200];
    int         head = snprintf(text, sizeof text, "\n%s: ", guest_name), len;
    va_list     args;

    va_start(args, format);
    len = head + vsnprintf(text + head, sizeof text - (size_t)head - 1, format, args);
    va_end(args);
    text[len++] = '\n';
    for (int done = 0; done < len;) {
        struct sbi_ret r = sbi_call(SBI_DBCN, 0, (u64)(len - done), (u64)(text + done), 0);

        if (r.error)
            return;
        done += (int)r.value;
    }
}

// The device tree's numbers are big-endian.
static u32 cell(const u8 *at)
{
    return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
}

static size_t padded(size_t len)
{
    return (len + 3) & ~3ul;
}

static const char no_value[8];

// The property's value; no_value if there is none.  (Devicetree Specification 0.4, 5.4.)
static const char *fdt_value(const char *name)
{
    const u8   *fdt = (const u8 *)boot_state.fdt, *at = fdt + cell(fdt + 8);
    const char *strings = (const char *)fdt + cell(fdt + 12);

    for (;;) {
        u32 token = cell(at);

        at += 4;
        switch (token) {
        case 1: at += padded(strlen((const char *)at) + 1); break;
        case 3:
            if (!strcmp(strings + cell(at + 4), name))
                return (const char *)at + 8;
            at += 8 + padded(cell(at));
            break;
        case 2:
        case 4:  break;
        default: return no_value;
        }
    }
}

u64 arg(const char *name, u64 otherwise)
{
    size_t len = strlen(name);

    for (const char *at = fdt_value("bootargs"); *at; at++)
        if (!strncmp(at, name, len) && at[len] == '=')
            return strtoul(at + len + 1, NULL, 0);
    return otherwise;
}

u64 boot_seed(void)
{
    const u8 *seed = (const u8 *)fdt_value("rng-seed");

    return (u64)cell(seed) << 32 | cell(seed + 4);
}

u64 ram_end(void)
{
    return (boot_state.fdt + 2 * MIB - 1) & ~(2 * MIB - 1);
}

u64 edge_number(u64 *seed)
{
    static const u64 edges[] = {
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 0xfff, 0x1000, 0x1001, 0xffff,
        0x10000, 0x3ffff, 0x40000, 0x40001, SYSCON, RTC, CLINT, CLINT + 0x4000, CLINT + 0xbff8,
        PLIC,
        PLIC + 0x200004, UART, UART + 7, VIRTIO, 0x40000000, 0x7fffffff, 0x7fffffffffff, 1ul << 31,
        0xffffffff, 1ul << 32, (1ul << 32) - 8, 1ul << 38, (1ul << 39) - 1, 1ul << 47, 1ul << 55,
        1ul << 56, 1ul << 62, (1ul << 63) - 1, 1ul << 63, (1ul << 63) + 1, ~0ul << 38, ~0ul << 12,
        ~0ul - 0xffe, ~0ul - 8, ~0ul - 7, ~0ul - 3, ~0ul - 1, ~0ul, RAM - 8, RAM - 1, RAM, RAM + 1,
    };
    u64 n = any_below(ARRAY_LEN(edges) + 12, seed);

    if (n < ARRAY_LEN(edges))
        return edges[n];
    if (n < ARRAY_LEN(edges) + 6)
        return ram_end() + any_below(17, seed) - 8;
    return random_next(seed) >> any_below(64, seed);
}

void rest(void)
{
    csr_write(CSR_SIE, 0);
    for (;;)
        __asm__ volatile("wfi");
}
