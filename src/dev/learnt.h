// SPDX-License-Identifier: MIT
// Behind which card a foreign address was last seen: a small table, of which each card can fill
// what is free and change its own entries alone.
#pragma once

#include "lib/types.h"

struct net_port;

// The card from whose side frames of that address came not long ago; NULL: unknown.
struct net_port *learnt_find(const u8 *mac, u16 vlan);
void             learnt_add(const u8 *mac, u16 vlan, struct net_port *card, u64 now_ticks);
void             learnt_forget(void);
