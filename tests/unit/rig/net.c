// SPDX-License-Identifier: MIT
// The switch as it is, with ways to forget its ports between tests and to look into their mailboxes.
//
// In:     nothing.
// Out:    a switch without ports.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/switch.c"
#include "rig/net.h"

void switch_forget(void)
{
    memset(ports, 0, sizeof ports);
    n_ports = n_cards = 0;
    the_card = NULL;
    learnt_forget();
}

u32 port_take(struct net_port *port, void *frame, struct net_hdr *hdr)
{
    struct mailbox *m = port_mailbox(port);
    struct letter  *l;
    u32             len;

    mailbox_look(m);
    l = mailbox_take(m);
    if (!l)
        return 0;
    len = l->len;
    if (hdr)
        *hdr = l->hdr;
    memcpy(frame, letter_frame(l), len);
    mailbox_free(m, l);
    return len;
}

u64 port_drops(unsigned n, enum drop why)
{
    struct port_report r;

    ASSERT(switch_port(n, &r));
    return r.drops[why];
}
