// SPDX-License-Identifier: MIT
// ISA extensions by name: which of the machine's a virtual machine may have too.
#pragma once

#include "lib/types.h"

// Bits of a set of extensions, for those whose presence the monitor must know.
enum ext {
    EXT_SSTC    = 1 << 0,
    EXT_SVINVAL = 1 << 1,
    EXT_SVNAPOT = 1 << 2,
    EXT_SVPBMT  = 1 << 3,
    EXT_ZICBOM  = 1 << 4,
    EXT_ZICBOZ  = 1 << 5,
    EXT_V       = 1 << 6,
    EXT_F       = 1 << 7,
    EXT_H       = 1 << 8,
};

#define ISA_TEXT_MAX 512

struct isa {
    u32  has;                // enum ext, of what a guest may have
    char text[ISA_TEXT_MAX]; // for the guest's "riscv,isa"
    bool cut;                // the host's text was longer than ISA_TEXT_MAX
};

// Filters the host's "riscv,isa" string.  What the monitor does not know how to virtualise is left
// out, and the guest will not see it; without `fp`, floating point and vectors too.
void isa_filter(const char *host, bool fp, struct isa *isa);

// Walks the extensions of an ISA string one by one: returns the next one's length and moves *text
// behind it; 0 at the end.  *name is where it starts.
size_t isa_next(const char **text, const char **name);
