# SPDX-License-Identifier: MIT
# vector_load and vector_store: a0 = 32 registers, one after the other.  They need VS, and change
# neither vl nor vtype.

        .option arch, +v

        .text
        .globl  vector_load, vector_store
vector_load:
        csrr    t0, vlenb
        slli    t0, t0, 3
        vl8re8.v v0, (a0)
        add     a0, a0, t0
        vl8re8.v v8, (a0)
        add     a0, a0, t0
        vl8re8.v v16, (a0)
        add     a0, a0, t0
        vl8re8.v v24, (a0)
        ret

vector_store:
        csrr    t0, vlenb
        slli    t0, t0, 3
        vs8r.v  v0, (a0)
        add     a0, a0, t0
        vs8r.v  v8, (a0)
        add     a0, a0, t0
        vs8r.v  v16, (a0)
        add     a0, a0, t0
        vs8r.v  v24, (a0)
        ret

# a0 = vtype, a1 = the wanted vl.
        .globl  vector_type_set
vector_type_set:
        vsetvl  zero, a1, a0
        ret
