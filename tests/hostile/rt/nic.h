// SPDX-License-Identifier: MIT
// A driver of the network card in the board's second virtio slot (Virtio 1.2, 5.1): two queues, and
// chains that a guest makes right or wrong; and who is who at the switch of these tests.
#pragma once

#include "hostile.h"
#include "virtio.h"

enum { NIC_RX, NIC_TX, NIC_QUEUES };

#define F_CSUM       (1ul << 0)
#define F_GUEST_CSUM (1ul << 1)
#define F_GUEST_TSO4 (1ul << 7)
#define F_GUEST_TSO6 (1ul << 8)
#define F_MRG_RXBUF  (1ul << 15)

#define MAC_SIZE  6
#define ETH_SIZE  14
#define FRAME_MAX 1514
#define HDR_SIZE  12

// In front of each frame (5.1.6).
struct nic_hdr {
    u8  flags, gso_type;
    u16 hdr_len, gso_size, csum_start, csum_offset, buffers;
};

extern volatile struct rings nic_rings[NIC_QUEUES];

u32  nic_get(u64 reg);
void nic_put(u64 reg, u32 value);

u64  nic_features(void);          // offered
u32  nic_negotiate(u64 features); // from a reset to FEATURES_OK; what the status then is
void nic_queue(u32 queue);        // makes it ready, and empty
void nic_start(u64 features);     // all, to DRIVER_OK

void nic_desc(u32 queue, u32 i, const volatile void *at, u32 len, u16 flags, u16 next);
void nic_offer(u32 queue, u16 head);
void nic_kick(u32 queue);
// One that was given back; false: there is none now.
bool nic_used(u32 queue, u32 *head, u32 *len);
bool nic_wait(u32 queue, u64 ms, u32 *head, u32 *len);

// The n-th attacker of a case has the address 52:54:00:00:00:n; its own n is read from the card.
u32  nic_number(void);
void mac_make(u8 *mac, u32 n);
