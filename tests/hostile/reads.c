// SPDX-License-Identifier: MIT
// Keeps large reads of its disk under way, or writes, for as long as it lives.  Before that it looks
// for a while whether its RAM is zero where no boot protocol puts anything, as it must be, and stay:
// what an earlier life asked the disk for, or another VM, would come there.
// way=1 has no disk, and goes on looking; way=2 has nothing to look for, and sleeps until its disk
// has done something; way=3 writes, each request at a place of its own.
// Shows: D11 P12 S4
#include "hostile.h"
#include "virtio.h"

#include <string.h>

#define AT_ONCE (QUEUE_SIZE / 2)
#define SPAN    (256 * 1024)  // bytes of a request's data
#define ROOM    (SPAN + PAGE) // where it lies, with its header or status
#define DATA    ((u8 *)RAM + 8 * MIB)
#define LOOK_MS 500

extern char image_start[], image_end[];

static u64 dirt(u64 from, u64 to)
{
    u64 n = 0;

    for (u64 at = from; at < to; at += 8)
        n += *(volatile u64 *)at != 0;
    return n;
}

static void look(const char *when)
{
    u64 until = time_now() + LOOK_MS * TICKS_PER_MS, n;

    do
        n = dirt(RAM, (u64)image_start) + dirt((u64)image_end, boot_state.fdt & ~7ul);
    while (!n && time_now() < until);
    say("round %s dirt=%lu", when, n);
}

// Two descriptors each, so that the ring holds more (2.7.4: framing is the driver's affair).
static void request_offer(u16 n, bool write)
{
    u8            *data   = DATA + n * ROOM;
    struct header *header = (struct header *)(void *)data; // a write's, with its data behind it

    if (write) {
        *header               = (struct header){ .type = T_OUT, .sector = n * (SPAN / SECTOR) };
        rings.desc[2 * n]     = (struct desc){ (u64)header, sizeof *header + SPAN, DESC_NEXT,
                                               (u16)(2 * n + 1) };
        rings.desc[2 * n + 1] = (struct desc){ (u64)&disk_status[n], 1, DESC_WRITE, 0 };
    } else {
        disk_header[n].type   = T_IN;
        disk_header[n].sector = 0;
        rings.desc[2 * n]     = (struct desc){ (u64)&disk_header[n], sizeof disk_header[n], DESC_NEXT,
                                               (u16)(2 * n + 1) };
        rings.desc[2 * n + 1] = (struct desc){ (u64)data, SPAN + 1, DESC_WRITE, 0 };
    }
    disk_offer((u16)(2 * n));
}

// Until more than so many have ever been done.
static void sleep_while_done(u16 done)
{
    while (rings.used.index == done) {
        u32 id;

        __asm__ volatile("wfi");
        id = plic_claim();
        disk_put(VIRTIO_ACK, disk_get(VIRTIO_INTERRUPTS));
        if (id)
            plic_complete(id);
    }
}

GUEST(reads)
{
    u64 way = arg("way", 0);
    u16 done = 0;
    u32 head, told;

    while (way == 1)
        look("looked");
    if (way == 0)
        look("began");
    disk_patience_ms = 60000;
    disk_start(F_VERSION_1);
    if (way == 2) {
        plic_enable(IRQ_DISK, 1);
        csr_write(CSR_SIE, INT_SEI);
    }
    if (way == 3)
        memset(DATA, 0xa5, AT_ONCE * ROOM);
    for (u16 n = 0; n < AT_ONCE; n++)
        request_offer(n, way == 3);
    disk_kick();
    say("round under way");
    for (;;) {
        if (way == 2)
            sleep_while_done(done);
        if (!disk_wait(&head, &told))
            break;
        done++;
        if (told != (way == 3 ? 1 : SPAN + 1))
            say("BAD told %u", told);
        request_offer((u16)(head / 2), way == 3);
        disk_kick();
    }
    say("BAD a request is not back after %lu ms", disk_patience_ms);
    rest();
}
