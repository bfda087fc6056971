// SPDX-License-Identifier: MIT
// The disk: a virtio block device (Virtio 1.2, 5.2) over MMIO (4.2), with one queue, in which one
// block at a time is on its way.
//
// In:     a process that wants to read or write a block; the device's interrupt.
// Out:    requests, told to the device by one store to QueueNotify.  In a virtual machine this store
//         traps: step 3 of five, in which Duomo adds the partition's first sector.
// Always: the device sees addresses of this file's own alone.  Whether a block is on the disk the
//         device judges, not the kernel.
#include "kernel.h"

#define SLOT(n)  (0x10000000ul + 0x1000 * (n)) // from 1 to 8; its interrupt is n
#define REG(off) (*(volatile u32 *)(regs + (off)))

// Registers (4.2.2): what the device is, its state, its queue, its interrupt.
enum { VERSION = 0x04, DEVICE_ID = 0x08, CAPACITY = 0x100 };
enum { DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24, STATUS = 0x70 };
enum { QUEUE_SEL = 0x30, QUEUE_NUM = 0x38, QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50 };
enum { QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0 };
enum { INTERRUPT_STATUS = 0x60, INTERRUPT_ACK = 0x64 };

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 }; // 2.1
enum { DESC_NEXT = 1, DESC_WRITE = 2 };                               // 2.7.5

#define VERSION_1  1 // the feature's bit in the second word
#define QUEUE_SIZE 4 // a request has three parts, and sizes are powers of two

// The request: a header, the block, a status.
static u64         header[2]; // type, block
static char        data[BLOCK_SIZE];
static volatile u8 status; // 0: it went well

static struct {
    const volatile void *at;
    u32                  bytes;
    u16                  flags, next;
} desc[QUEUE_SIZE] = {
    { header, sizeof header, DESC_NEXT, 1 },
    { data, sizeof data, DESC_NEXT, 2 }, // and DESC_WRITE, when the disk is read
    { (const void *)&status, sizeof status, DESC_WRITE, 0 },
};

// 2.7.6 and 2.7.8: flags, an index that counts requests, and a ring, in which each is request 0.
enum { INDEX = 1 };

static volatile u16 offered[2 + QUEUE_SIZE];
static volatile u16 done[2 + 4 * QUEUE_SIZE] __attribute__((aligned(4)));

u64         disk_blocks;
static u64  regs;   // where the device's registers are
static bool moving; // until the interrupt has said that it is over
static u64  mover;  // the process whose block is on its way, or lies here; 0: nobody's

// As 3.1.1 prescribes, for the first disk there is.  All addresses are below 4 GiB.
void disk_init(void)
{
    for (u32 n = 1; n <= 8 && !disk_blocks; n++) {
        regs = SLOT(n);
        if (REG(VERSION) != 2 || REG(DEVICE_ID) != 2)
            continue;
        REG(STATUS)              = 0;
        REG(STATUS)              = ACKNOWLEDGE | DRIVER;
        REG(DRIVER_FEATURES_SEL) = 1;
        REG(DRIVER_FEATURES)     = VERSION_1;
        REG(STATUS)              = ACKNOWLEDGE | DRIVER | FEATURES_OK;
        REG(QUEUE_SEL)           = 0;
        REG(QUEUE_NUM)           = QUEUE_SIZE;
        REG(QUEUE_DESC)          = (u32)(u64)desc;
        REG(QUEUE_DRIVER)        = (u32)(u64)offered;
        REG(QUEUE_DEVICE)        = (u32)(u64)done;
        REG(QUEUE_READY)         = 1;
        REG(STATUS)              = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
        disk_blocks              = REG(CAPACITY);
    }
}

// Who waits looks for itself: disk_move().
void disk_interrupt(void)
{
    REG(INTERRUPT_ACK) = REG(INTERRUPT_STATUS);
    moving             = done[INDEX] != offered[INDEX];
}

long disk_move(struct proc *p, u64 block, u64 at, bool to_disk)
{
    char *there = user_at(p, at, BLOCK_SIZE);

    if (!disk_blocks || !there)
        return -1;
    if (moving || (mover && mover != p->pid && proc_find(mover)))
        return NOT_YET;
    if (mover == p->pid) {
        mover = 0;
        if (!to_disk)
            memcpy(there, data, BLOCK_SIZE);
        return status ? -1 : 0;
    }
    if (to_disk)
        memcpy(data, there, BLOCK_SIZE);
    header[0]     = to_disk; // 5.2.6: VIRTIO_BLK_T_IN or VIRTIO_BLK_T_OUT
    header[1]     = block;
    desc[1].flags = to_disk ? DESC_NEXT : DESC_NEXT | DESC_WRITE;
    mover         = p->pid;
    moving        = true;
    __sync_synchronize(); // the device sees the request before it is counted, and told
    offered[INDEX]++;
    __sync_synchronize();
    REG(QUEUE_NOTIFY) = 0;
    return NOT_YET;
}
