// SPDX-License-Identifier: MIT
// Fuzzes the virtual disk from a guest's side: bytes -> register accesses, rings and descriptors in
// its RAM, requests that the disk does in any order and with any result, resets while they are under
// way, time.  Nothing outside RAM is touched (its borders have no access); a request that the disk
// was given is given back once, or forgotten by a reset that waited for it.
#include "bytes.h"
#include "lib/panic.h"
#include "rig/driver.h"
#include "rig/ramdisk.h"
#include "vdev/virtio.h"

#include <string.h>

#define RINGS VM_RAM_BASE
#define PAGES (VM_RAM_BASE + 0x10000)
#define SIZE  32u

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

    if (!rig_access(r, d.base + V_STATUS, 4, true, &value))
        return; // requests are under way
    if (bytes_below(b, 2))
        features &= bytes_take(b, 8) | VIRTIO_F_VERSION_1;
    d.size = SIZE;
    driver_start(&d, features, RINGS);
    is_good = true;
    offered = given_back = 0;
}

// A request as a driver makes it, of any type, at any sector, of some pages.
static void request_offer(struct bytes *b)
{
    static const u32 types[] = { 0, 0, 1, 1, 4, 8, 11, 13 };
    u32 n = offered % (SIZE / 4), first = 4 * n, type = types[bytes_below(b, 8)];
    u64 page      = PAGES + 0x4000ul * n;
    u64 header[2] = { bytes_below(b, 16) ? type : bytes_take(b, 4),
                      bytes_below(b, 4) ? bytes_take(b, 1) : bytes_take(b, 8) };
    u32 len       = (u32)(bytes_below(b, 4) ? 512 * (1 + bytes_below(b, 8)) : bytes_take(b, 2) % 8192 + 1);

    if (!is_good || offered - given_back >= SIZE / 4)
        return;
    memcpy(ram(page), header, sizeof header);
    driver_desc(&d, d.desc, first, page, 16, DESC_NEXT, (u16)(first + 1));
    driver_desc(&d, d.desc, first + 1, page + 0x1000 + bytes_take(b, 1), len,
                DESC_NEXT | (type == 0 || type == 8 ? DESC_WRITE : 0), (u16)(first + 2));
    driver_desc(&d, d.desc, first + 2, page + 0x800, 1, DESC_WRITE, 0);
    driver_offer(&d, (u16)first);
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
    }
}

static void look(void)
{
    u32 head, len;

    if (!is_good)
        return;
    for (; driver_used(&d, &head, &len); given_back++)
        ASSERT(head % 4 == 0 && head < SIZE && given_back < offered);
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
    switch (bytes_below(b, 12)) {
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
    default: request_offer(b); break;
    }
    r->vm.state = VM_RUNNING;
}

// All that a good driver has offered comes back, once.
static void drain(void)
{
    u64 zero = 0;

    disk->refuse = BLK_OK;
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
    if (is_good)
        ASSERT(given_back == offered);
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
    disk->dev.has_flush    = bytes_below(&b, 4);
    disk->dev.read_only    = !bytes_below(&b, 8);
    is_good                = false;
    start(&b);
    while (b.left)
        step(&b);
    drain();
    return 0;
}
