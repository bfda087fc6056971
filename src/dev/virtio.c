// SPDX-License-Identifier: MIT
// Virtio over MMIO, the driver's side of the transport (Virtio 1.2, 4.2 and 4.2.4, 3.1).
//
// In:     nodes "virtio,mmio" of the device tree; what drivers want.
// Out:    devices with features settled and queues made known.
// Always: a device is first only noted, at the probe; it is started when memory can be had.
//         An address in a ring is the machine's own: a device behind an IOMMU (ACCESS_PLATFORM) is
//         not driven, since that feature is not taken.
// Locks:  none; boot, or each driver's own.
#include "dev/virtio.h"

#include "arch/hart.h"
#include "dev/dt.h"

#include <libfdt.h>

#define HW_MAX       32
#define RESET_ROUNDS 20000 // reads; others may wait for a lock meanwhile

// clang-format off
static const struct virtio_driver {
    u32         id;
    const char *what; // in the probe report
    const char *(*start)(struct virtio_hw *hw);
} virtio_drivers[] = {
    { VIRTIO_ID_BLOCK,   "disk (virtio)",         virtio_blk_start },
    { VIRTIO_ID_NET,     "network card (virtio)", virtio_net_start },
    { VIRTIO_ID_ENTROPY, "entropy (virtio)",      virtio_rng_start },
};
// clang-format on

static struct virtio_hw found[HW_MAX];
static unsigned         n_found;

static u32 reg_read(const struct virtio_hw *hw, enum virtio_reg reg)
{
    return mmio_read32(hw->base + reg);
}

static void reg_write(const struct virtio_hw *hw, enum virtio_reg reg, u32 value)
{
    mmio_write32(hw->base + reg, value);
}

static const struct virtio_driver *driver_of(u32 id)
{
    for (size_t i = 0; i < ARRAY_LEN(virtio_drivers); i++)
        if (virtio_drivers[i].id == id)
            return &virtio_drivers[i];
    return NULL;
}

// A slot without a device has the id 0 (4.2.2.2).
bool virtio_probe(const void *fdt, int node)
{
    struct virtio_hw            hw = { .node = fdt_get_name(fdt, node, NULL) };
    const struct virtio_driver *driver;
    u64                         size;

    if (n_found == HW_MAX || !dt_reg(fdt, node, 0, &hw.base, &size) || size < VIRTIO_CONFIG)
        return false;
    if (reg_read(&hw, VIRTIO_MAGIC_VALUE) != VIRTIO_MAGIC)
        return false;
    hw.legacy = reg_read(&hw, VIRTIO_VERSION) < 2;
    hw.id     = reg_read(&hw, VIRTIO_DEVICE_ID);
    hw.irq    = irq_of_node(fdt, node);
    if (!hw.id)
        return false;

    driver = driver_of(hw.id);
    driver_found(driver ? driver->what : "virtio device (not used)", hw.node);
    found[n_found++] = hw;
    return true;
}

static const char *hw_start(struct virtio_hw *hw)
{
    const struct virtio_driver *driver  = driver_of(hw->id);
    u32                         version = reg_read(hw, VIRTIO_VERSION);
    const char                 *why;

    if (!driver)
        return NULL;
    if (version < 1 || version > 2)
        return "it speaks a version of virtio-mmio that is neither 1 nor 2; it is not used";
    why = driver->start(hw);
    if (why)
        reg_write(hw, VIRTIO_STATUS, VIRTIO_FAILED);
    return why;
}

void virtio_start(say_line *say)
{
    for (struct virtio_hw *hw = found; hw < found + n_found; hw++) {
        const char *why = hw_start(hw);

        if (why)
            say(hw->node, why);
    }
}

// 2.1.2: a reset is over when the status reads 0.
bool virtio_hw_stop(const struct virtio_hw *hw)
{
    reg_write(hw, VIRTIO_STATUS, 0);
    for (u32 round = 0; round < RESET_ROUNDS; round++)
        if (!reg_read(hw, VIRTIO_STATUS))
            return true;
    return false;
}

bool virtio_hw_failed(const struct virtio_hw *hw)
{
    return reg_read(hw, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET;
}

static u64 features_read(const struct virtio_hw *hw)
{
    u64 low, high;

    reg_write(hw, VIRTIO_DEVICE_FEATURES_SEL, 0);
    low = reg_read(hw, VIRTIO_DEVICE_FEATURES);
    if (hw->legacy)
        return low;
    reg_write(hw, VIRTIO_DEVICE_FEATURES_SEL, 1);
    high = reg_read(hw, VIRTIO_DEVICE_FEATURES);
    return high << 32 | low;
}

static void features_write(const struct virtio_hw *hw)
{
    reg_write(hw, VIRTIO_DRIVER_FEATURES_SEL, 0);
    reg_write(hw, VIRTIO_DRIVER_FEATURES, (u32)hw->features);
    if (hw->legacy)
        return;
    reg_write(hw, VIRTIO_DRIVER_FEATURES_SEL, 1);
    reg_write(hw, VIRTIO_DRIVER_FEATURES, (u32)(hw->features >> 32));
}

// 3.1.1, and 3.1.2 for legacy ones, which do not answer whether they accept.
const char *virtio_hw_negotiate(struct virtio_hw *hw, u64 wanted)
{
    const u32 begun = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;

    if (!virtio_hw_stop(hw))
        return "the device cannot be reset; it is not used";
    reg_write(hw, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE);
    reg_write(hw, VIRTIO_STATUS, begun);
    wanted |= VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
    hw->features = features_read(hw) & wanted;
    features_write(hw);
    if (hw->legacy) {
        reg_write(hw, VIRTIO_GUEST_PAGE_SIZE, PAGE_SIZE);
        return NULL;
    }
    if (!(hw->features & VIRTIO_F_VERSION_1))
        return "the device is not a modern one, but its transport is; "
               "QEMU: leave out disable-modern=on";
    reg_write(hw, VIRTIO_STATUS, begun | VIRTIO_FEATURES_OK);
    if (!(reg_read(hw, VIRTIO_STATUS) & VIRTIO_FEATURES_OK))
        return "the device insists on a feature that is not known here; "
               "QEMU: leave out iommu_platform=on and packed=on";
    return NULL;
}

static u64 config_read(const struct virtio_hw *hw, u32 off, u32 size)
{
    u64 at = hw->base + VIRTIO_CONFIG + off, high;

    switch (size) {
    case 1:  return mmio_read8(at);
    case 2:  return mmio_read8(at) | (u64)mmio_read8(at + 1) << 8;
    case 4:  return mmio_read32(at);
    default: high = mmio_read32(at + 4); return high << 32 | mmio_read32(at);
    }
}

// Until nothing has changed meanwhile (2.5.3); legacy devices have no such count (4.2.4).
u64 virtio_hw_config(const struct virtio_hw *hw, u32 off, u32 size)
{
    u64 value = 0;

    for (int round = 0; round < 100; round++) {
        u32 before = hw->legacy ? 0 : reg_read(hw, VIRTIO_CONFIG_GENERATION);

        value = config_read(hw, off, size);
        if (hw->legacy || reg_read(hw, VIRTIO_CONFIG_GENERATION) == before)
            break;
    }
    return value;
}

const char *virtio_hw_go(struct virtio_hw *hw, irq_handler *handler, void *arg)
{
    if (!irq_connect(hw->irq, handler, arg))
        return "its interrupt is not one of the interrupt controller's; it is not used";
    hart_fence_devices();
    reg_write(hw, VIRTIO_STATUS, reg_read(hw, VIRTIO_STATUS) | VIRTIO_DRIVER_OK);
    return NULL;
}

u32 virtio_hw_interrupt(const struct virtio_hw *hw)
{
    u32 why = reg_read(hw, VIRTIO_INTERRUPT_STATUS) & (VIRTIO_INT_USED | VIRTIO_INT_CONFIG);

    if (why)
        reg_write(hw, VIRTIO_INTERRUPT_ACK, why);
    hart_fence_devices(); // what the device wrote before is seen after
    return why;
}
