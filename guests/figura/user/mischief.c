// SPDX-License-Identifier: MIT
// Programs that do something wrong on purpose: first those that harm only themselves, then those
// that have the kernel do it (kernel/mischief.c).
//
// In:     which wrong.
// Out:    the end of the process, or of the machine; a line that says so if nothing happened.
#include "user.h"

#define UART_THR 0x10000000ul

static void do_csrr(void)
{
    __asm__ volatile("csrr t0, sstatus" ::: "t0");
}

static void do_sret(void)
{
    __asm__ volatile("sret");
}

static void do_wfi(void)
{
    __asm__ volatile("wfi");
}

static void do_sfence(void)
{
    __asm__ volatile("sfence.vma");
}

static void do_satp(void)
{
    __asm__ volatile("csrw satp, zero");
}

struct choice {
    const char *word; // the first one's may be left out
    void (*act)(void);
    u64 mischief;
};

static const struct choice *choose(const struct choice *rows, const char *word)
{
    if (!*word)
        return rows;
    for (const struct choice *row = rows; row->word; row++)
        if (strcmp(row->word, word) == 0)
            return row;
    printf("there is no %s; help lists what there is\n", word);
    return NULL;
}

void privileged(const char *args)
{
    static const struct choice rows[] = {
        { "csrr", do_csrr, 0 },     { "sret", do_sret, 0 }, { "wfi", do_wfi, 0 },
        { "sfence", do_sfence, 0 }, { "satp", do_satp, 0 }, { 0 },
    };
    const struct choice *row = choose(rows, args);

    if (!row)
        return;
    row->act();
    printf("%s: this hart lets a process do that\n", row->word);
}

void touch_device(const char *args)
{
    volatile u8 *thr = (volatile u8 *)UART_THR;

    if (strcmp(args, "store") == 0)
        *thr = '!';
    else
        (void)*thr;
    printf("touch-device: the kernel has left the UART open\n");
}

void null(const char *args)
{
    volatile u64 *nowhere = NULL;

    (void)args;
    __asm__("" : "+r"(nowhere));
    printf("null: %lu\n", *nowhere);
}

void spin(const char *args)
{
    if (strcmp(args, "off") == 0)
        call1(mischief, MISCHIEF_SPIN);
    for (;;)
        ;
}

void crash(const char *args)
{
    static const struct choice rows[] = {
        { "fail", NULL, MISCHIEF_FAIL },
        { "trap", NULL, MISCHIEF_TRAP },
        { "hang", NULL, MISCHIEF_HANG },
        { 0 },
    };
    const struct choice *row = choose(rows, args);

    if (row)
        call1(mischief, row->mischief);
}

void storm(const char *args)
{
    u64 end = (u64)call0(time) + 1000 * number(args, 3);

    while ((u64)call0(time) < end) {
        call1(mischief, MISCHIEF_STORM);
        call0(yield);
    }
    printf("storm: over\n");
}
