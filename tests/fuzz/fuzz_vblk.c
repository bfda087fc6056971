// SPDX-License-Identifier: MIT
// Fuzzes the virtual disk from a guest's side: bytes -> register accesses, rings and descriptors in
// its RAM, requests of few pieces and of many from a table, which the disk does in any order and with
// any result, or has done when somebody looks; a VM that computes, waits or lingers; resets while
// requests are under way, time.  Nothing outside RAM is touched (its borders have no access); a request
// that the disk was given is given back once, with its status and what was read, or forgotten by a
// reset that waited for it; and when all is given back nothing is waited for any more.
#include "bytes.h"
#include "lib/panic.h"
#include "rig/driver.h"
#include "rig/ramdisk.h"
#include "vdev/virtio.h"

#include <string.h>

#define RINGS VM_RAM_BASE
#define PAGES (VM_RAM_BASE + 0x10000)
#define SIZE  32u
#define SLOTS (SIZE / 4) // requests of a good driver at a time

#define TABLE(n)   (VM_RAM_BASE + 0x40000 + 0x2000ul * (n))
#define PIECES(n)  (VM_RAM_BASE + 0x100000 + 0x40000ul * (n))
#define PIECES_MAX 255u // with the header in two pieces, and the status
#define NO_STATUS  0xaa

// What a good driver has offered, and how it lies.
static struct slot {
    u64  status_at;
    u32  type, n, len; // pieces, one behind the other with holes, and their length; n is 0: not looked at
    u64  sector;
    bool is_true; // nothing has been written since it was offered
} slots[SLOTS];

static struct rig     *r;
static struct ramdisk *disk;
static struct driver   d;
static bool            is_good; // the driver did only what one may since its last reset
static unsigned        offered, given_back;

static u8 *ram(u64 at)
{
    return (u8 *)gmem_to_host(&r->vm, gpa(at)).a;
}

static void start(struct bytes *b)
{
    u64 features = driver_features(&d), value = 0;

    if (!rig_access(r, d.base + V_STATUS, 4, true, &value)) {
        is_good = false; // requests are under way, and who is good tries again until it is over
        return;
    }
    if (bytes_below(b, 2))
        features &= bytes_take(b, 8) | VIRTIO_F_VERSION_1;
    d.size = SIZE;
    driver_start(&d, features, RINGS);
    is_good = true;
    offered = given_back = 0;
    memset(slots, 0, sizeof slots);
}

static void slot_begin(u32 n, u64 status_at, u32 type, u64 sector)
{
    slots[n] = (struct slot){ .status_at = status_at, .type = type, .sector = sector };

    *ram(status_at) = NO_STATUS;
    if (type == 1 || type >= 11)
        for (u32 i = 0; i < SLOTS; i++)
            slots[i].is_true = false;
}

// A request as a driver makes it, of any type, at any sector, of some pages.
static void request_offer(struct bytes *b)
{
    static const u32 types[] = { 0, 0, 1, 1, 4, 8, 11, 13 };
    u32 n = offered % SLOTS, first = 4 * n, type = types[bytes_below(b, 8)];
    u64 page      = PAGES + 0x4000ul * n;
    u64 header[2] = { bytes_below(b, 16) ? type : bytes_take(b, 4),
                      bytes_below(b, 4) ? bytes_take(b, 1) : bytes_take(b, 8) };
    u32 len       = (u32)(bytes_below(b, 4) ? 512 * (1 + bytes_below(b, 8)) : bytes_take(b, 2) % 8192 + 1);

    if (!is_good || offered - given_back >= SLOTS || slots[n].status_at)
        return;
    slot_begin(n, page + 0x800, (u32)header[0], header[1]);
    memcpy(ram(page), header, sizeof header);
    driver_desc(&d, d.desc, first, page, 16, DESC_NEXT, (u16)(first + 1));
    driver_desc(&d, d.desc, first + 1, page + 0x1000 + bytes_take(b, 1), len,
                DESC_NEXT | (type == 0 || type == 8 ? DESC_WRITE : 0), (u16)(first + 2));
    driver_desc(&d, d.desc, first + 2, page + 0x800, 1, DESC_WRITE, 0);
    driver_offer(&d, (u16)first);
    offered++;
}

// A read or a write of many pieces from a table, which need not be aligned; the header may be cut in
// two, and the status may be the last byte of the last piece.
static void table_offer(struct bytes *b)
{
    u32  n = offered % SLOTS, how = (u32)bytes_take(b, 1), type = how & 1, at = 0;
    u32  each = 1u << bytes_below(b, 7), len = 512 / each; // pieces of a sector
    u32  pieces = each * (1 + (u32)bytes_below(b, PIECES_MAX / each));
    u64  sector = bytes_below(b, how & 16 ? 200 : 200 - pieces / each % 200);
    u64  page = PAGES + 0x4000ul * n, table = TABLE(n) + (how & 2 ? bytes_below(b, 16) : 0);
    u64  header[2] = { type, sector }, last = PIECES(n) + 1024ul * (pieces - 1);
    bool cut = how & 4, joined = !type && how & 8;

    if (!is_good || offered - given_back >= SLOTS || slots[n].status_at)
        return;
    slot_begin(n, joined ? last + len : page + 0x800, type, header[1]);
    slots[n].n       = pieces;
    slots[n].len     = len;
    slots[n].is_true = true;
    for (u32 i = 0; i < SLOTS; i++)
        if (slots[i].status_at && slots[i].type)
            slots[n].is_true = false;
    memcpy(ram(page), header, sizeof header);
    driver_desc(&d, table, at, page, cut ? 5 : 16, DESC_NEXT, (u16)(at + 1)), at++;
    if (cut)
        driver_desc(&d, table, at, page + 5, 11, DESC_NEXT, (u16)(at + 1)), at++;
    for (u32 i = 0; i < pieces; i++, at++) {
        bool ends = joined && i == pieces - 1;

        driver_desc(&d, table, at, PIECES(n) + 1024ul * i, len + ends,
                    (u16)((type ? 0 : DESC_WRITE) | (ends ? 0 : DESC_NEXT)), (u16)(at + 1));
    }
    if (!joined)
        driver_desc(&d, table, at++, page + 0x800, 1, DESC_WRITE, 0);
    driver_desc(&d, d.desc, 4 * n, table, 16 * at, DESC_INDIRECT, 0);
    driver_offer(&d, (u16)(4 * n));
    offered++;
}

// Anything anywhere near the rings, which breaks what was promised.
static void scribble(struct bytes *b)
{
    u64 at = RINGS + bytes_take(b, 2) % 0x800, value = bytes_take(b, 8);

    memcpy(ram(at), &value, sizeof value);
    is_good = false;
}

static void poke(struct bytes *b)
{
    static const u16 regs[] = { V_STATUS,     V_READY, V_NOTIFY, V_QUEUE_SIZE, V_DESC,
                                V_DESC + 4,   V_AVAIL, V_USED,   V_ACK,        V_QUEUE,
                                V_DRIVER_FEATURES };
    u64      value = bytes_below(b, 2) ? bytes_take(b, 1) & 15 : bytes_take(b, 8);
    unsigned how   = (unsigned)bytes_take(b, 1);
    u64      off   = how & 1 ? bytes_take(b, 2) % 0x1000 : regs[bytes_below(b, ARRAY_LEN(regs))];
    unsigned size  = how & 2 ? 1u << bytes_below(b, 4) : 4;

    (void)rig_access(r, d.base + (off & ~(u64)(size - 1)), size, how & 4, &value);
    is_good = false;
}

static void finish_some(struct bytes *b)
{
    while (disk->n_waiting && bytes_below(b, 4)) {
        u64 s = bytes_below(b, 16);

        ramdisk_finish(disk, (unsigned)bytes_below(b, disk->n_waiting),
                       s > BLK_UNSUPPORTED ? BLK_OK : (enum blk_status)s);
        disk->n_over = 0;
    }
}

// It has a status, and a read that went well has what is on the disk.
static void slot_judge(struct slot *s)
{
    u8 status = *ram(s->status_at);

    ASSERT(status != NO_STATUS);
    if (status == 0 && s->type == 0 && s->is_true)
        for (u32 i = 0; i < s->n; i++)
            ASSERT(!memcmp(ram(PIECES((u64)(s - slots)) + 1024ul * i),
                           disk->data + 512 * s->sector + (u64)i * s->len, s->len));
    s->status_at = 0;
}

static void look(void)
{
    u32 head, len;

    if (!is_good)
        return;
    for (; driver_used(&d, &head, &len); given_back++) {
        ASSERT(head % 4 == 0 && head < SIZE && given_back < offered && slots[head / 4].status_at);
        slot_judge(&slots[head / 4]);
    }
}

// What is over is found by whoever looks, and may be more than he finds.
static void over(struct bytes *b)
{
    disk->n_over   = (unsigned)bytes_below(b, disk->n_waiting + 1);
    disk->has_more = bytes_below(b, 2);
}

// Its only vCPU waits, or goes on; while it waits it may ask again and again.
static void wait_or_not(struct bytes *b)
{
    struct bus *bus = &r->vm.bus;
    u64         how = bytes_below(b, 4);

    r->v->waiting = how;
    bus->lingers  = how == 3;
    if (how == 1)
        bus_idle(bus);
    if (how > 1)
        bus_look(bus, bus_awaits(bus));
    look();
}

static void deadline_come(void)
{
    struct bus *bus = &r->vm.bus;

    if (bus->deadline == ~0ul)
        return;
    fake_hart.time = bus->deadline > fake_hart.time ? bus->deadline : fake_hart.time;
    bus_tick(bus, fake_hart.time);
    look();
}

static void time_pass(struct bytes *b)
{
    fake_hart.time += bytes_take(b, 2);
    bus_answer_kicks(&r->vm.bus);
    bus_tick(&r->vm.bus, fake_hart.time);
    look();
}

static void step(struct bytes *b)
{
    switch (bytes_below(b, 18)) {
    case 0:  start(b); break;
    case 1:  scribble(b); break;
    case 2:  poke(b); break;
    case 3:
    case 4:  finish_some(b); break;
    case 5:
    case 6:  time_pass(b); break;
    case 7:  disk->refuse = (enum blk_status)(bytes_below(b, 8) == 0 ? bytes_below(b, 5) : 0); break;
    case 8:
    case 9:  driver_notify(&d); break;
    case 10: over(b); break;
    case 11: wait_or_not(b); break;
    case 12:
    case 13: deadline_come(); break;
    case 14:
    case 15: table_offer(b); break;
    default: request_offer(b); break;
    }
    r->vm.state = VM_RUNNING;
}

// All that a good driver has offered comes back, once.
static void drain(void)
{
    u64 zero = 0;

    disk->refuse   = BLK_OK;
    disk->n_over   = 0;
    disk->has_more = r->v->waiting = r->vm.bus.lingers = false;
    driver_notify(&d);
    for (unsigned i = 0; i < 40 && !(is_good && given_back == offered); i++) {
        ramdisk_finish_all(disk);
        fake_hart.time += 200000000; // whatever limits there are
        bus_answer_kicks(&r->vm.bus);
        bus_tick(&r->vm.bus, fake_hart.time);
        look();
    }
    ramdisk_finish_all(disk); // what a ring without end has offered last
    ASSERT(bus_is_quiet(&r->vm.bus));
    if (is_good) {
        ASSERT(given_back == offered);
        for (unsigned i = 0; i < 8; i++)
            deadline_come();
        ASSERT(r->vm.bus.deadline == ~0ul && !r->vm.bus.awaited);
    }
    ASSERT(rig_access(r, d.base + V_STATUS, 4, true, &zero));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };

    if (!r) {
        bench_reset();
        disk = ramdisk_make(200);
        r    = rig_make(&(struct rig_options){ .disk = &disk->dev });
        d    = (struct driver){ .r = r, .base = VIRTIO_BASE(0), .size = SIZE };
    }
    fake_hart.time += 1ul << 40; // what earlier runs owe a limit is paid
    r->vm.disk_limits =
        bytes_below(&b, 4) ? (struct io_limits){ 0 } : (struct io_limits){ 5000, 10000000 };
    memset(ram(RINGS), 0, 0x1000);
    vm_reset(&r->vm);
    r->vm.state            = VM_RUNNING;
    r->v->waiting          = false;
    disk->n_over           = 0;
    disk->has_more         = false;
    disk->dev.has_flush    = bytes_below(&b, 4);
    disk->dev.read_only    = !bytes_below(&b, 8);
    is_good                = false;
    start(&b);
    while (b.left)
        step(&b);
    drain();
    return 0;
}
