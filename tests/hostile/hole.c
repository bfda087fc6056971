// SPDX-License-Identifier: MIT
// For the monitor whose shadow pager has a hole: 0x40000000 + x leads to the machine's own
// 0x80000000 + x.  Reads, writes and executes there, in S and in U: over all of the monitor, its
// tables, its bundle, the other VMs.  PMP must refuse what is not this VM's.
// What the command line says, in the machine's addresses: text_end=, rodata_end=; and of this VM
// nothing: where its RAM lies it finds by a mark.
// Shows: S8
#include "hostile.h"
#include "insn.h"

#define HOLE   0x40000000ul
#define HOST   0x80000000ul
#define MARKED (RAM + 32 * MIB)
#define MARK   0x646e756f66206d61ul

static u64 text_end, rodata_end;

#define LOAD  0x0005b503 // ld a0, (a1)
#define STORE 0x00a5b023 // sd a0, (a1)
#define AMO   0x00a5b52f // amoadd.d a0, a0, (a1)
#define JUMP  0x000580e7 // jalr (a1)

// How an access from this mode ends; a load's value comes in *value.
static u64 attempt_once(enum mode mode, u32 insn, u64 host, u64 *value)
{
    struct cpu c;
    u64        base = CODE(insn, INSN_EBREAK);

    cpu_init(&c, mode, base);
    c.x[A1] = HOLE + (host - HOST);
    c.x[A0] = 0x0bad0bad0bad0bad;
    c.x[RA] = base + 4;
    c.sstatus |= SSTATUS_SPIE;
    timer_set(time_now() + TICKS_PER_MS / 2);           // what runs there might never end
    csr_write(CSR_SIE, INT_STI);
    cpu_run(&c);
    csr_write(CSR_SIE, 0);
    *value = c.x[A0];
    return c.cause == CAUSE_BREAKPOINT && c.pc == base + 4 ? CAUSE_NONE : c.cause;
}

// The timer may also come because another VM had the hart.
static u64 attempt(enum mode mode, u32 insn, u64 host, u64 *value)
{
    u64 cause = CAUSE_INTERRUPT;

    for (int i = 0; i < 4 && cause & CAUSE_INTERRUPT; i++)
        cause = attempt_once(mode, insn, host, value);
    return cause;
}

// What a page of the machine lets this mode do.
struct rights {
    bool r, w, x;
};

static struct rights rights_of(enum mode mode, u64 host)
{
    struct rights r;
    u64           value;

    r.r = attempt(mode, LOAD, host, &value) == CAUSE_NONE;
    r.w = attempt(mode, STORE, host, &value) == CAUSE_NONE;
    r.w |= attempt(mode, AMO, host + 8, &value) == CAUSE_NONE;
    r.x = attempt(mode, JUMP, host, &value) != CAUSE_FETCH_ACCESS;
    return r;
}

// This VM's own RAM, in the machine: where the mark is.
static u64 own_find(u64 size)
{
    u64 value;

    for (u64 host = HOST; host < HOST + size; host += 2 * MIB)
        if (attempt(MODE_S, LOAD, host, &value) == CAUSE_NONE && value == MARK)
            return host - (MARKED - RAM);
    return 0;
}

struct count {
    u64 pages, readable, writable, executable;
};

static void count(struct count *n, struct rights r)
{
    n->pages++;
    n->readable += r.r;
    n->writable += r.w;
    n->executable += r.x;
}

static void tell(const char *what, enum mode mode, const struct count *n)
{
    say("%s %c: pages=%lu readable=%lu writable=%lu executable=%lu", what,
        mode == MODE_S ? 'S' : 'U', n->pages, n->readable, n->writable, n->executable);
}

GUEST(hole)
{
    u64 size = arg("machine_mib", 512) * MIB, own;

    text_end = arg("text_end", 0);
    rodata_end = arg("rodata_end", 0);
    *(volatile u64 *)MARKED = MARK;
    own = own_find(size);
    say("own RAM %s", own ? "found" : "not found");
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
        struct count text = { 0 }, rodata = { 0 }, foreign = { 0 };

        for (u64 host = HOST; host < HOST + size;) {
            bool          is_own = host >= own && host < own + (ram_end() - RAM);
            struct rights r = { 0 };

            if (!is_own)
                r = rights_of(mode, host);
            if (host < text_end)
                count(&text, r);
            else if (host < rodata_end)
                count(&rodata, r);
            else if (!is_own)
                count(&foreign, r);
            host += host < HOST + 4 * MIB ? PAGE : 64 * PAGE + PAGE;
        }
        tell("text", mode, &text);
        tell("rodata", mode, &rodata);
        tell("foreign", mode, &foreign);
    }
    say("round done");
    rest();
}
