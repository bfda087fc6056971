// SPDX-License-Identifier: MIT
// Proofs: whatever a guest writes into its rings and descriptors, and however it changes them
// between two reads, virtq.c reads and writes RAM of that guest alone, and hands on pieces of it
// alone; and each walk ends.  Chains here have at most 3 pieces: the code knows the number by its
// name only.
// cbmc: --unwind 7
#define CHAIN_SEGS_MAX 3

#include "proof.h"

#include "vm/gmem.h"

static struct vm vm;
static unsigned  n_words; // of descriptors that were read

void prove_virtq_pop(void);
void prove_virtq_push(void);
void prove_virtq_events(void);
void prove_chain_bytes(void);

static bool is_ram(u64 at, u64 len)
{
    return at >= vm.ram.a && (unsigned __int128)at + len <= (unsigned __int128)vm.ram.a + vm.ram_size;
}

// The guest's words: in RAM and aligned, or the claim fails; any value, another at each read.
static u16 any16(hpa_t at)
{
    CLAIM(is_ram(at.a, 2) && at.a % 2 == 0);
    return (u16)nondet_u32();
}

static u64 any64(hpa_t at)
{
    CLAIM(is_ram(at.a, 8) && at.a % 8 == 0);
    n_words++;
    return nondet_u64();
}

static void any_bytes(hpa_t at, void *to, size_t len)
{
    CLAIM(is_ram(at.a, len));
    if (len == 16) { // a descriptor
        ((u64 *)to)[0] = nondet_u64();
        ((u64 *)to)[1] = nondet_u64();
    }
}

static void touch(hpa_t at, u64 len)
{
    CLAIM(is_ram(at.a, len) && (len > 8 || at.a % len == 0));
}

#define gmem_load16(at, order)         any16(at)
#define gmem_load64(at)                any64(at)
#define gmem_load(at, to, len)         any_bytes(at, to, len)
#define gmem_store16(at, value, order) touch(at, 2)
#define gmem_store32(at, value)        touch(at, 4)
#define gmem_store(at, from, len)      any_bytes(at, (void *)0, (len) == 16 ? 15 : (len))
#include "vdev/virtq.c"

static struct virtq q;
static struct chain c;

static void registers_write(void)
{
    q.num   = nondet_u32();
    q.desc  = gpa(nondet_u64());
    q.avail = gpa(nondet_u64());
    q.used  = gpa(nondet_u64());
}

// Any VM and any queue of which virtq_begin() says that it may be used, at any time of its life.
static void queue_make(void)
{
    vm.ram      = hpa(0x1200000000); // any number that is not the guest's
    vm.ram_size = nondet_u64();
    ASSUME(vm.ram_size <= 1ul << 37 && vm.ram_size % PAGE_SIZE == 0); // as configurations are checked
    registers_write();
    ASSUME(virtq_begin(&vm, &q, VIRTQ_SIZE_MAX, CHAIN_SEGS_MAX));
    q.next_avail  = (u16)nondet_u32();
    q.seen_avail  = (u16)nondet_u32();
    q.next_used   = (u16)nondet_u32();
    q.told_used   = (u16)nondet_u32();
    q.event_index = nondet_bool();
}

// The driver takes it back, and perhaps makes another of it, or tries to.
static void queue_change(void)
{
    if (nondet_bool())
        return;
    q.ready = false;
    registers_write();
    if (nondet_bool())
        (void)virtq_begin(&vm, &q, VIRTQ_SIZE_MAX, CHAIN_SEGS_MAX);
}

static void chain_claim(void)
{
    u64 out = 0, in = 0;

    CLAIM(c.out == 0 && c.in_begin == c.in && c.in <= c.end && c.end <= CHAIN_SEGS_MAX && c.end);
    for (u32 i = 0; i < CHAIN_SEGS_MAX; i++) {
        if (i >= c.end)
            break;
        CLAIM(c.segs[i].len && is_ram(c.segs[i].at.a, c.segs[i].len));
        // A device beneath reads it as a table: each of its entries leads to the next, and the last
        // to none.
        CLAIM(!!(c.segs[i].link & VRING_WRITE) == (i >= c.in_begin));
        CLAIM(!(c.segs[i].link & 0xfffc));
        CLAIM(!(c.segs[i].link & VRING_NEXT) == (i == c.end - 1u));
        CLAIM(i == c.end - 1u || c.segs[i].link >> 16 == i + 1);
        if (i < c.in_begin)
            out += c.segs[i].len;
        else
            in += c.segs[i].len;
    }
    CLAIM(out == c.out_bytes && in == c.in_bytes && out + in <= 1ul << 32);
}

void prove_virtq_pop(void)
{
    u16 before;

    queue_make();
    before  = q.next_avail;
    n_words = 0;
    if (virtq_pop(&vm, &q, &c) == VIRTQ_CHAIN) {
        CLAIM(c.head < q.size && q.next_avail == (u16)(before + 1) && !q.broken);
        chain_claim();
    } else
        CLAIM(q.next_avail == before);
    CLAIM(n_words <= 3 * (CHAIN_SEGS_MAX + 2)); // and an indirect one; three where they are not aligned
}

void prove_virtq_push(void)
{
    queue_make();
    queue_change();
    virtq_push(&q, (u16)nondet_u32(), nondet_u32());
}

void prove_virtq_events(void)
{
    u16 event = (u16)nondet_u32(), now = (u16)nondet_u32(), n = (u16)nondet_u32();

    // 2.7.10: the driver is told if the entry with that index is among the last n.
    CLAIM(vring_passed(event, now, (u16)(now - n)) == ((u16)(event - (u16)(now - n)) < n));
    queue_make();
    queue_change();
    virtq_notify_set(&q, nondet_bool());
    (void)virtq_wants_interrupt(&q);
    CLAIM(q.told_used == q.next_used);
}

// Any chain as virtq_pop() makes it.
static void chain_make(void)
{
    vm.ram      = hpa(0x1200000000);
    vm.ram_size = 1ul << 37;
    c.in_begin = c.in = (u16)nondet_u32();
    c.end             = (u16)nondet_u32();
    ASSUME(c.in <= c.end && c.end <= CHAIN_SEGS_MAX);
    for (u32 i = 0; i < CHAIN_SEGS_MAX; i++) {
        c.segs[i] = (struct seg){ .at = hpa(nondet_u64()), .len = nondet_u32() };
        ASSUME(c.segs[i].len && is_ram(c.segs[i].at.a, c.segs[i].len));
        if (i < c.in)
            c.out_bytes += c.segs[i].len;
        else if (i < c.end)
            c.in_bytes += c.segs[i].len;
    }
}

// What is read and written of a chain, cut anyhow, is its own pieces'.
void prove_chain_bytes(void)
{
    char buffer[24];
    u32  n = nondet_u32();

    chain_make();
    ASSUME(n <= sizeof buffer);

    u64 out = c.out_bytes, in = c.in_bytes;

    if (in) {
        hpa_t last = chain_last_byte(&c);

        CLAIM(is_ram(last.a, 1) && c.in_bytes == in - 1);
        in--;
    }
    CLAIM(chain_read(&c, buffer, n) == min_u64(n, out));
    CLAIM(chain_write(&c, buffer, n) == min_u64(n, in));
    CLAIM(c.out <= c.in_begin && c.in <= c.end);
}
