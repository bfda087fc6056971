// SPDX-License-Identifier: MIT
// One entry under test, at any level.
#include "leaf.h"

#include "access.h"
#include "insn.h"

// Zeros but for the code that jumps reach: as a table of entries it has no valid one where the walk
// would look.
static u8  page[PAGE] __attribute__((aligned(PAGE)));
static u64 zeros[PAGE / 8] __attribute__((aligned(PAGE)));

#define CODE_AT 0x800
#define DATA_AT 0x900

struct leaf leaf_make(struct space *space, int level)
{
    u64 size = level_size(level);
    // The second entry of the table at that level, or the third where the kernel has the second:
    // below the kernel's own 1 GiB nothing else is at level 2.
    u64 base = level < 2 ? 0x180000000ul : level == 2 ? 6 * size : size;

    *(u32 *)(page + CODE_AT) = INSN_EBREAK;
    fence_i();
    return (struct leaf){
        .space = space,
        .level = level,
        .slot = space_slot(space, base, level),
        .va = base + ((u64)page & (size - 1)),
    };
}

pte_t leaf_entry(const struct leaf *leaf, u64 flags)
{
    u64 pa = flags & PTE_RWX ? (u64)page & ~(level_size(leaf->level) - 1) : (u64)zeros;

    return pte_make(pa, flags);
}

u64 leaf_try(u64 h, const struct leaf *leaf, pte_t entry, int which)
{
    static const int kinds[] = { ACCESS_LD, ACCESS_SD, ACCESS_FETCH };

    for (int i = 0; i < 6; i++) {
        struct cpu c;
        int        kind = kinds[i % 3];
        u64        at = leaf->va + (kind == ACCESS_FETCH ? CODE_AT : DATA_AT);
        u64        cause;

        if (!(which >> i & 1))
            continue;
        *leaf->slot = entry;
        sfence_all();
        cause = access_try(&c, i < 3 ? MODE_S : MODE_U, kind, at, 0);
        h = hash_add(h, cause);
        h = hash_add(h, cause == CAUSE_NONE ? 0 : c.tval - at);
        h = hash_add(h, *leaf->slot ^ entry);
        detail("level %d entry %016lx %c %s: cause %ld tval %+ld, entry changes %lx\n", leaf->level,
               entry & ~0x3ffffffffffc00, i < 3 ? 'S' : 'U', accesses[kind].name, (long)cause,
               cause == CAUSE_NONE ? 0 : (long)(c.tval - at), *leaf->slot ^ entry);
    }
    return h;
}
