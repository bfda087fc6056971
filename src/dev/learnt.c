// SPDX-License-Identifier: MIT
// What the switch has learnt about addresses behind cards.
//
// In:     the source addresses of frames that came from a card.
// Out:    the card behind which an address is, if that is known.
// Always: an entry that is not renewed for five minutes is nobody's (IEEE 802.1Q, table 8-6).  A
//         card takes free entries and moves its own; it cannot push out what another card taught,
//         and what does not fit is not learnt: such frames go to all cards.
// Locks:  the table's own, a leaf.
#include "dev/learnt.h"

#include "arch/lock.h"
#include "dev/clock.h"
#include "dev/machine.h"

#include <string.h>

#define SETS      64
#define WAYS      4
#define MAX_AGE_S 300

struct learnt {
    struct net_port *card; // NULL: free
    u64              seen; // in ticks
    u16              vlan;
    u8               mac[6];
};

static struct {
    struct lock   lock;
    struct learnt sets[SETS][WAYS];
} table;

static struct learnt *set_of(const u8 *mac, u16 vlan)
{
    u32 hash = (u32)(mac[5] ^ mac[4] << 3 ^ mac[3] << 1 ^ mac[2] ^ vlan);

    return table.sets[(hash ^ hash >> 6) % SETS];
}

static bool is_of(const struct learnt *e, const u8 *mac, u16 vlan)
{
    return e->card && e->vlan == vlan && !memcmp(e->mac, mac, sizeof e->mac);
}

static bool is_free(const struct learnt *e, u64 now)
{
    return !e->card || now - e->seen > MAX_AGE_S * machine.timebase_hz;
}

// Where the address is or may be written; NULL: nowhere.
static struct learnt *place_for(const u8 *mac, u16 vlan, const struct net_port *card, u64 now)
{
    struct learnt *set = set_of(mac, vlan), *best = NULL;

    for (unsigned i = 0; i < WAYS; i++)
        if (is_of(&set[i], mac, vlan) && !is_free(&set[i], now))
            return set[i].card == card ? &set[i] : NULL;
    for (unsigned i = 0; i < WAYS; i++)
        if (is_free(&set[i], now))
            return &set[i];
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].card == card && (!best || set[i].seen < best->seen))
            best = &set[i];
    return best;
}

void learnt_add(const u8 *mac, u16 vlan, struct net_port *card, u64 now_ticks)
{
    struct learnt *e;

    lock_take(&table.lock);
    e = place_for(mac, vlan, card, now_ticks);
    if (e) {
        *e = (struct learnt){ .card = card, .seen = now_ticks, .vlan = vlan };
        memcpy(e->mac, mac, sizeof e->mac);
    }
    lock_drop(&table.lock);
}

struct net_port *learnt_find(const u8 *mac, u16 vlan)
{
    struct learnt   *set  = set_of(mac, vlan);
    struct net_port *card = NULL;
    u64              now  = clock_now();

    lock_take(&table.lock);
    for (unsigned i = 0; i < WAYS; i++)
        if (is_of(&set[i], mac, vlan) && !is_free(&set[i], now))
            card = set[i].card;
    lock_drop(&table.lock);
    return card;
}

void learnt_forget(void)
{
    lock_take(&table.lock);
    memset(table.sets, 0, sizeof table.sets);
    lock_drop(&table.lock);
}
