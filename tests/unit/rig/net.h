// SPDX-License-Identifier: MIT
// The switch's ports, what it has learnt, and the machine's cards, forgotten between tests; what is
// in a port's mailbox.
#pragma once

#include "dev/net.h"

void switch_forget(void);
void cards_forget(void);

// Takes a frame out of a port's mailbox, and what is said of it unless that is NULL; its length, or 0.
u32 port_take(struct net_port *port, void *frame, struct net_hdr *hdr);
// How many frames of the n-th port were dropped for that.
u64 port_drops(unsigned n, enum drop why);
