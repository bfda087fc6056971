// SPDX-License-Identifier: MIT
// The registers of a virtio disk: what it is, features, status, configuration, widths, and what is
// behind the registers.
// Shows: D5 D8
#include "virtio.h"

static void config_print(u64 off, u64 len)
{
    printf("config %2lu:", off);
    for (u64 i = 0; i < len; i++)
        printf(" %02lx", peek8(DISK + VIRTIO_CONFIG + off + i));
    for (u64 i = 0; i < len; i += 2)
        printf(" %04lx", peek16(DISK + VIRTIO_CONFIG + off + i));
    for (u64 i = 0; i < len; i += 4)
        printf(" %08lx", peek32(DISK + VIRTIO_CONFIG + off + i));
    printf("\n");
}

static void widths_print(u64 reg)
{
    printf("%03lx:", reg);
    TRAPS(printf(" 1: %lx", peek8(DISK + reg)));
    TRAPS(printf(" 2: %lx", peek16(DISK + reg)));
    TRAPS(printf(" 4: %lx", peek32(DISK + reg)));
    TRAPS(printf(" 8: %lx", peek64(DISK + (reg & ~7ul))));
    printf("\n");
}

GUEST(virtio_blk_regs)
{
    static const u16 regs[] = { 0x00, 0x04, 0x18, 0x1c, 0x20, 0x28, 0x38, 0x44,
                                0x50, 0x54, 0x60, 0x64, 0x68, 0x70, 0x74, 0x80, 0x90, 0xa0, 0xb0,
                                0xb4, 0xc0, 0xf8, 0x1f8 };
    u64 common = F_VERSION_1 | F_EVENT_IDX | F_INDIRECT | F_FLUSH | 1ul << 6 | 1ul << 2;

    printf("magic %x version %u device %u\n", disk_get(0), disk_get(4), disk_get(8));
    printf("features %lx\n", disk_features() & common);
    for (size_t i = 0; i < sizeof regs / sizeof *regs; i++)
        widths_print(regs[i]);
    config_print(0, 8);  // capacity
    config_print(20, 4); // blk_size
    printf("config beyond: %lx %lx %lx\n", peek8(DISK + 0x1ff), peek16(DISK + 0x1fe), peek32(DISK + 0x1fc));
    for (u64 off = 0x1f8; off < 0x210; off += 4) {
        printf("%lx: load %s", off, cause_text(TRAPS(peek32(DISK + off))));
        printf(", store %s\n", cause_text(TRAPS(poke32(DISK + off, 0))));
    }
    disk_put(VIRTIO_STATUS, 0);
    for (u32 status = 1; status < 4; status = 2 * status + 1) {
        disk_put(VIRTIO_STATUS, status);
        printf("status %u: %u\n", status, disk_get(VIRTIO_STATUS));
    }
    printf("negotiated: %u\n", disk_negotiate(F_VERSION_1 | F_FLUSH));
    disk_put(VIRTIO_QUEUE, 0);
    printf("queue 0: %s, ready %u\n", disk_get(VIRTIO_QUEUE_MAX) >= QUEUE_SIZE ? "large enough" : "small",
           disk_get(VIRTIO_READY));
    disk_queue();
    printf("ready %u\n", disk_get(VIRTIO_READY));
    disk_put(VIRTIO_STATUS, 15);
    printf("status %u, interrupts %u\n", disk_get(VIRTIO_STATUS), disk_get(VIRTIO_INTERRUPTS));
    disk_put(VIRTIO_STATUS, 0);
    printf("reset: status %u, ready %u\n", disk_get(VIRTIO_STATUS), disk_get(VIRTIO_READY));
}
