// SPDX-License-Identifier: MIT
// Virtual CSRs: rows, and the one way to access them.
#pragma once

#include "vm/vcpu.h"

// A write that means something: gets the storage and which of its bits are to change; returns what
// is legal to store.
typedef u64 csr_hook(struct vcpu *v, u64 old, u64 changed);
// A read that depends on more than the storage: returns what is seen.
typedef u64 csr_live(const struct vcpu *v, u64 stored);

struct csr_row {
    u16         number;
    u16         offset; // of the storage in struct csrs
    u32         needs;  // enum ext; 0: always there
    u64         reset, visible, writable;
    csr_hook   *hook;
    csr_live   *live;
    const char *name;
};
extern const struct csr_row csr_rows[];
extern const size_t         csr_n_rows;

// Executes one CSR instruction of the guest's, the raw instruction given.  False: the virtual hart
// has no such CSR, or not in this mode, or it is read-only; nothing has changed then.
bool csr_execute(struct vcpu *v, u32 raw);

void csr_reset(struct vcpu *v);
u64  csr_get(const struct vcpu *v, const struct csr_row *row);
// NULL: no such CSR.
const struct csr_row *csr_find(unsigned number);
