// SPDX-License-Identifier: MIT
// Picks up what comes from the network, and sleeps until something does: one of many that a frame to
// everybody wakes at the same moment.
// Shows: S2
#include "nic.h"

#define IRQ_NIC     (IRQ_DISK + 1)
#define BUFFER_SIZE 2048

static u8 buffers[QUEUE_SIZE][BUFFER_SIZE];

static void buffer_give(u32 n)
{
    nic_desc(NIC_RX, n, buffers[n], BUFFER_SIZE, DESC_WRITE, 0);
    nic_offer(NIC_RX, (u16)n);
}

static void interrupt_take(void)
{
    u32 id = plic_claim(), head, len;

    nic_put(VIRTIO_ACK, nic_get(VIRTIO_INTERRUPTS));
    if (id)
        plic_complete(id);
    while (nic_used(NIC_RX, &head, &len))
        buffer_give(head % QUEUE_SIZE);
    nic_kick(NIC_RX);
}

GUEST(listen)
{
    nic_start(F_VERSION_1);
    for (u32 n = 0; n < QUEUE_SIZE; n++)
        buffer_give(n);
    nic_kick(NIC_RX);
    plic_enable(IRQ_NIC, 1);
    csr_write(CSR_SIE, INT_SEI);
    say("round 1");
    for (;;) {
        __asm__ volatile("wfi");
        interrupt_take();
    }
}
