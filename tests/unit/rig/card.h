// SPDX-License-Identifier: MIT
// A virtio device of the machine, on the desk: the device's side of transport and ring, modern and
// legacy, as the specification has it; and where a test wants it, not so.
#pragma once

#include "dev/virtio_spec.h"

#define CARD_PIECES_MAX 260

struct card_queue {
    u32  num; // as the driver has set it
    u64  desc, avail, used;
    bool ready;
    u16  next_avail, next_used, told;
};

struct card_chain {
    u16      head;
    unsigned n_out, n; // pieces[0 .. n_out) are the device's to read, the rest to write
    struct {
        u8 *at;
        u32 len;
    } pieces[CARD_PIECES_MAX];
};

struct card_model {
    // A test's, before the driver comes:
    u64  base;
    u32  irq, version, id;
    u64  offers;
    u8   config[64];
    u32  queue_max;
    bool no_reset;    // the status never reads 0
    bool no_features; // FEATURES_OK does not stay
    // The driver has notified; NULL: it is deaf.
    void (*serve)(struct card_model *c, u32 queue);

    // The driver's:
    u32               status, offers_sel, accepts_sel, queue_sel, interrupts;
    u64               accepts;
    struct card_queue queues[2];
    unsigned          n_notified, n_resets;
    unsigned          n_indirect; // chains that were such
    u32               page_size, generation;
};

// At its address, and a device tree with its node, which is returned.
int  card_attach(struct card_model *c, void *tree, int room);
bool card_pop(struct card_model *c, u32 queue, struct card_chain *k);
// Gives it back; the interrupt is pending if the driver wants it.
void card_push(struct card_model *c, u32 queue, u32 head, u32 len);
// What pends is delivered.  True: something did.
bool card_interrupt(struct card_model *c);
// The used ring, to be spoilt.
struct vring_used *card_used(struct card_model *c, u32 queue);
