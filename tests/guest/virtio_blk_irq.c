// SPDX-License-Identifier: MIT
// Interrupts of a virtio disk: one for each request that comes alone, none when the driver wants
// none, by flag or by event index; nothing is lost.
// Shows: D10
#include "virtio.h"

static u8           data[20 * SECTOR];
static volatile u64 taken, wrong, acknowledged;

static void on_sei(u64 cause)
{
    u32 id = plic_claim(), why;

    (void)cause;
    wrong += id != IRQ_DISK;
    why = disk_get(VIRTIO_INTERRUPTS);
    disk_put(VIRTIO_ACK, why);
    acknowledged |= why;
    wrong += disk_get(VIRTIO_INTERRUPTS) != 0;
    plic_complete(id);
    taken++;
}

// So many requests, one after the other; how many interrupts came.
static void alone_print(const char *what, u32 n)
{
    u32 told, bad = 0;
    u64 before = taken;

    for (u32 i = 0; i < n; i++) {
        u64 last = taken;

        bad += disk_request(T_IN, i % 200, data, SECTOR, &told) != 0;
        wait_for(taken > last, 100ul);
    }
    printf("%s: %u requests, %lu interrupts, %u bad\n", what, n, taken - before, bad);
}

static void none_print(const char *what)
{
    u32 told, bad = 0;
    u64 before = taken;

    for (u32 i = 0; i < 20; i++)
        bad += disk_request(T_IN, i, data, SECTOR, &told) != 0;
    wait_for(false, 20ul);
    printf("%s: 20 requests, %lu interrupts, %u bad\n", what, taken - before, bad);
}

// Many at once are all given back, and the last is told.
static void together_print(const char *what)
{
    u32 head, told, seen = 0;
    u64 before = taken;

    for (u16 n = 0; n < 20; n++) {
        disk_describe(n, T_IN, n, data + SECTOR * n, SECTOR);
        disk_offer((u16)(3 * n));
    }
    disk_kick();
    while (seen < 20 && disk_wait(&head, &told))
        seen += disk_status[head / 3] == 0 && told == SECTOR + 1;
    wait_for(taken > before, 100ul);
    printf("%s: %u given back, told: %s\n", what, seen, taken > before ? "yes" : "no");
}

GUEST(virtio_blk_irq)
{
    on_irq = on_sei;
    plic_enable(IRQ_DISK, 1);
    csr_set(CSR_SIE, INT_SEI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);

    disk_start(F_VERSION_1 | (disk_features() & F_FLUSH));
    alone_print("without event index", 100);
    rings.avail.flags = 1;
    none_print("NO_INTERRUPT");
    rings.avail.flags = 0;
    alone_print("again", 10);
    together_print("together");

    disk_start(F_VERSION_1 | F_EVENT_IDX);
    alone_print("the first with event index", 1);
    rings.avail.used_event = 500;
    none_print("an event far away");
    rings.avail.used_event = rings.used.index;
    alone_print("an event that is next", 1);
    none_print("an event that is past");
    rings.avail.used_event = (u16)(rings.used.index + 19);
    together_print("the last of many");
    wait_for(rings.used.avail_event == rings.avail.index, 100ul); // a device may look by itself for a while
    printf("avail_event: %u of %u\n", rings.used.avail_event, rings.avail.index);
    printf("wrong %lu, acknowledged %lx\n", wrong, acknowledged);
    disk_put(VIRTIO_STATUS, 0);
}
