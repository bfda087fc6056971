// SPDX-License-Identifier: MIT
// Attacks its disk: rings that no driver may make, chains that loop, overlap, lead outside RAM, onto
// devices, page tables and themselves, indexes that jump, queues that lie anywhere, features and
// status in any order, sectors beyond the end, resets with everything under way, queues taken back
// while something is held back; and a page table that the disk writes.  Command line: seed=<n>.
// Shows: D1 D2 D3 D4 D5 D6 D11 D12 P5
#include "hostile.h"
#include "virtio.h"

#define STEPS 400
#define ROOM  (64 * 1024)

static u8  room[ROOM] __attribute__((aligned(PAGE)));
static u64 root[PAGE / 8] __attribute__((aligned(PAGE)));
static u64 before[PAGE / 8], after[PAGE / 8];
static u64 seed;

static const u64 places[] = { 0,          CLINT,           PLIC,            UART,        VIRTIO,
                              RAM - 4096, RAM,             RAM + 64 * MIB,  RAM + 64 * MIB - 1,
                              1ul << 44,  1ul << 63,       ~0ul,            ~0ul - 15,   0x80000000000 };

static u64 any_place(void)
{
    switch (any_below(6, &seed)) {
    case 0:  return any_of(places, &seed);
    case 1:  return edge_number(&seed);
    case 2:  return (u64)&rings + any_below(sizeof rings, &seed);
    default: return (u64)room + any_below(ROOM, &seed);
    }
}

static u32 any_length(void)
{
    static const u32 lengths[] = { 0, 1, 15, 16, 17, 511, 512, 513, 4096, 65536, 1u << 31, ~0u };

    return any_below(3, &seed) ? any_of(lengths, &seed) : (u32)random_next(&seed);
}

// What a driver with good manners would never offer.
static void rings_scribble(void)
{
    for (u64 n = 1 + any_below(16, &seed); n--;) {
        u64 i = any_below(QUEUE_SIZE, &seed);

        rings.desc[i].at    = any_place();
        rings.desc[i].len   = any_below(2, &seed) ? 512 : any_length();
        rings.desc[i].flags = (u16)any_below(8, &seed);
        rings.desc[i].next  = (u16)any_below(any_below(8, &seed) ? QUEUE_SIZE : 65536, &seed);
        rings.avail.ring[any_below(QUEUE_SIZE, &seed)] = (u16)i;
    }
    switch (any_below(4, &seed)) {
    case 0:  rings.avail.index = (u16)random_next(&seed); break;
    case 1:  rings.avail.index--; break;
    default: rings.avail.index = (u16)(rings.avail.index + any_below(QUEUE_SIZE, &seed)); break;
    }
    rings.avail.used_event = (u16)random_next(&seed);
    disk_kick();
}

// What is to be discarded or zeroed: inside the partition, over its end, or wrapping (5.2.6).
static void range_put(u8 *at)
{
    static const u64 first[] = { 0, 2040, 2047, 2048, 1ul << 55, 1ul << 63, ~0ul, ~0ul - 7 };
    static const u32 n[]     = { 0, 1, 8, 9, 2048, 2049, 1u << 31, ~0u };
    u64             *words   = (u64 *)(void *)at;

    words[0] = any_of(first, &seed);
    words[1] = any_of(n, &seed) | any_below(3, &seed) << 32;
}

// Many requests of all kinds and sectors, none of which is waited for; half of them change while
// they are read.
static void requests_offer(void)
{
    static const u32 types[]   = { T_IN, T_OUT, T_FLUSH, T_GET_ID, T_DISCARD, T_WRITE_ZEROES, 99 };
    static const u64 sectors[] = { 0, 1, 2047, 2048, 1ul << 55, 1ul << 63, ~0ul, ~0ul - 7 };

    for (u16 n = 0; n < QUEUE_SIZE / 3; n++) {
        u32 type = any_of(types, &seed);
        u8 *data = room + 512 * any_below(64, &seed);

        if ((type == T_DISCARD || type == T_WRITE_ZEROES) && any_below(2, &seed)) {
            range_put(data);
            disk_describe(n, type, 0, data, 16);
        } else
            disk_describe(n, type, any_below(2, &seed) ? any_of(sectors, &seed) : n, data,
                          512 * (u32)(1 + any_below(8, &seed)));
        disk_offer((u16)(3 * n));
        if (any_below(2, &seed))
            disk_kick();
        rings.desc[3 * n + any_below(3, &seed)].at = any_place();
        disk_header[n].sector                      = random_next(&seed);
    }
    disk_kick();
}

static void registers_poke(void)
{
    for (u64 n = any_below(20, &seed); n--;) {
        u64 reg = 4 * any_below(0x44, &seed), value = edge_number(&seed);

        switch (any_below(4, &seed)) {
        case 0:  TRAPS(poke8(DISK + reg, (u8)value)); break;
        case 1:  TRAPS(poke64(DISK + (reg & ~7ul), value)); break;
        default: TRAPS(poke32(DISK + reg, (u32)value)); break;
        }
    }
}

static void status_dance(void)
{
    for (u64 n = any_below(12, &seed); n--;)
        disk_put(VIRTIO_STATUS, (u32)any_below(256, &seed));
    disk_put(VIRTIO_DRIVER_SELECT, (u32)any_below(3, &seed));
    disk_put(VIRTIO_DRIVER_FEATURES, (u32)random_next(&seed));
    disk_put(VIRTIO_STATUS, 15);
}

static void queue_misplace(void)
{
    static const u16 regs[] = { VIRTIO_DESC, VIRTIO_AVAIL, VIRTIO_USED };
    u64              at     = any_place();
    u16              reg    = any_of(regs, &seed);

    disk_negotiate(F_VERSION_1);
    disk_put(VIRTIO_QUEUE_SIZE, any_below(2, &seed) ? QUEUE_SIZE : (u32)edge_number(&seed));
    disk_put(reg, (u32)at);
    disk_put(reg + 4u, (u32)(at >> 32));
    disk_put(VIRTIO_READY, 1);
    disk_put(VIRTIO_STATUS, 15);
    disk_kick();
}

// D11: after STATUS reads 0, nothing is written any more.
static void reset_in_flight(void)
{
    disk_start(F_VERSION_1);
    for (u16 n = 0; n < QUEUE_SIZE / 3; n++) {
        disk_describe(n, T_IN, n, room + 512 * n, 512);
        disk_offer((u16)(3 * n));
    }
    disk_kick();
    disk_put(VIRTIO_STATUS, 0);
    if (disk_get(VIRTIO_STATUS))
        say("BAD a reset has not reset");
    for (u64 i = 0; i < ROOM; i++)
        room[i] = 0x5a;
    wait_for(false, 2ul);
    for (u64 i = 0; i < ROOM; i++)
        if (room[i] != 0x5a) {
            say("BAD late write at %lu", i);
            break;
        }
}

// The disk has something that it has not told of yet when its queue is taken back; where that lies,
// and how long it is, the registers say otherwise from then on.  It looks there a moment later.
static void queue_take_back(void)
{
    static const u32 types[] = { T_IN, T_GET_ID, 99 };

    disk_start(F_VERSION_1 | F_EVENT_IDX);
    rings.avail.used_event = (u16)random_next(&seed);
    for (u16 n = 0; n < 1 + seed % 7; n++) {
        disk_describe(n, any_of(types, &seed), n, room + 512 * n, 512);
        disk_offer((u16)(3 * n));
    }
    disk_kick();
    disk_put(VIRTIO_READY, 0);
    disk_put(VIRTIO_QUEUE_SIZE, any_below(2, &seed) ? ~0u : (u32)random_next(&seed));
    disk_put(VIRTIO_AVAIL, (u32)any_place());
    wait_for(false, 1ul);
    disk_kick();
    disk_put(VIRTIO_READY, 1);
    wait_for(false, 1ul);
}

// A gigapage of the root.
static u64 leaf(u64 at)
{
    return at >> 12 << 10 | 0xcf;
}

// P5: the disk writes the root of the tables in use; after the fence what it wrote counts, and leads
// to nobody else's memory.
static void table_from_disk(void)
{
    static volatile u64 mark = 0x1234;
    u64                 near = 4ul << 30 | ((u64)&mark - RAM), far = 5ul << 30, found = 0, cause;
    u32                 told;

    for (u64 i = 0; i < PAGE / 8; i++)
        before[i] = after[i] = 0;
    before[0] = after[0] = leaf(0);
    before[2] = after[2] = leaf(RAM);
    before[4]            = leaf(1ul << 38);
    after[4]             = leaf(RAM);
    after[5]             = leaf(4ul << 30);
    for (u64 i = 0; i < PAGE / 8; i++)
        root[i] = before[i];
    disk_start(F_VERSION_1);
    if (disk_request(T_OUT, 64, after, PAGE, &told))
        say("BAD the table was not written");
    csr_write(CSR_SATP, 8ul << 60 | (u64)root >> 12);
    sfence_all();
    cause = TRAPS(found = peek64(near));
    if (cause != CAUSE_LOAD_ACCESS)
        say("BAD memory outside, before: %s", cause_text(cause));
    if (disk_request(T_IN, 64, root, PAGE, &told))
        say("BAD the table was not read");
    sfence_all();
    cause = TRAPS(found = peek64(near));
    if (cause != CAUSE_NONE || found != mark)
        say("BAD own memory: %s, %lx", cause_text(cause), found);
    cause = TRAPS(found = peek64(far));
    if (cause != CAUSE_LOAD_ACCESS)
        say("BAD memory outside: %s, %lx", cause_text(cause), found);
    csr_write(CSR_SATP, 0);
    sfence_all();
}

static void step(void)
{
    switch (any_below(11, &seed)) {
    case 0:
    case 1:  rings_scribble(); break;
    case 2:
    case 3:  requests_offer(); break;
    case 4:  registers_poke(); break;
    case 5:  status_dance(); break;
    case 6:  queue_misplace(); break;
    case 7:  disk_start(disk_features()); break;
    case 8:  queue_take_back(); break;
    default: disk_start(F_VERSION_1 | F_EVENT_IDX * any_below(2, &seed)); break;
    }
}

GUEST(disk)
{
    seed             = arg("seed", 1) * 77777;
    disk_patience_ms = 20000;
    for (u64 round = 1;; round++) {
        for (u64 i = 0; i < STEPS; i++)
            step();
        reset_in_flight();
        table_from_disk();
        say("round %lu", round);
    }
}
