// SPDX-License-Identifier: MIT
// Fuzzes the virtqueue: bytes -> rings and descriptors of a guest that changes what it has offered
// as soon as it was read.  What is popped must be what a plain reader makes of the words that were
// read, piece by piece; nothing outside RAM is touched (its borders have no access).
#include "bytes.h"
#include "dev/virtio_spec.h"
#include "lib/panic.h"
#include "rig/rig.h"
#include "vdev/virtq.h"

#include <string.h>

#define RINGS (VM_RAM_BASE + 0x1000)
#define ROOM  0x3000ul // of rings and tables, which is all that the fuzzer fills

static struct rig  *r;
static struct chain c;
static u64          pattern;

// Another hart of the guest changes the word at once.
static void change(hpa_t at, size_t len)
{
    memcpy((void *)at.a, &pattern, len < 8 ? len : 8);
    pattern = pattern * 6364136223846793005ul + 1442695040888963407ul;
}

static u8 *ram(u64 at)
{
    return (u8 *)gmem_to_host(&r->vm, gpa(at)).a;
}

static void desc_make(struct bytes *b, u64 at)
{
    struct {
        u64 at;
        u32 len;
        u16 flags, next;
    } d;
    unsigned how = (unsigned)bytes_take(b, 1);

    d.at    = how & 1 ? bytes_take(b, 8) : RINGS + bytes_take(b, 2) % ROOM;
    d.len   = (u32)(how & 2 ? bytes_take(b, 4) : how & 4 ? 16 * bytes_take(b, 1) : 1);
    d.flags = (u16)(how & 8 ? bytes_take(b, 2) : how >> 4 & 7);
    d.next  = (u16)(how & 128 ? bytes_take(b, 2) : bytes_take(b, 1) % 64);
    if (how & 64)
        d.at &= ~15ul;
    memcpy(ram(at), &d, sizeof d);
}

static void ram_fill(struct bytes *b)
{
    u32 n = (u32)bytes_below(b, 64);

    while (n-- && b->left)
        desc_make(b, RINGS + 16 * bytes_below(b, ROOM / 16 - 1));
    for (n = (u32)bytes_below(b, 16); n--;)
        *(u16 *)(void *)ram(RINGS + 2 * bytes_below(b, ROOM / 2)) = (u16)bytes_below(b, 80);
}

static gpa_t place(struct bytes *b)
{
    switch (bytes_below(b, 8)) {
    case 0:  return gpa(bytes_take(b, 8));
    case 1:  return gpa(VM_RAM_BASE + r->vm.ram_size - 2 * bytes_take(b, 2));
    default: return gpa(RINGS + 16 * bytes_below(b, ROOM / 16 - 64));
    }
}

static void chain_judge(void)
{
    u64 out = 0, in = 0;

    ASSERT(c.out == 0 && c.in == c.in_begin && c.in_begin <= c.end && c.end <= CHAIN_SEGS_MAX);
    for (u32 i = 0; i < c.end; i++) {
        const struct seg *s = &c.segs[i];

        ASSERT(s->len && range_contains(r->vm.ram.a, r->vm.ram_size, s->at.a, s->len));
        ASSERT(!!(s->link & VRING_WRITE) == (i >= c.in_begin) && !(s->link & 0xfffc));
        ASSERT(i == c.end - 1 ? !(s->link & VRING_NEXT) : s->link >> 16 == i + 1);
        *(i < c.in_begin ? &out : &in) += s->len;
    }
    ASSERT(out == c.out_bytes && in == c.in_bytes && out + in <= 1ul << 32 && c.end);
}

static void chain_use(struct bytes *b, struct virtq *q)
{
    u8  bytes[64];
    u64 in = c.in_bytes, out = c.out_bytes;
    u32 n = (u32)bytes_below(b, sizeof bytes), written;

    ASSERT(chain_read(&c, bytes, n) == min_u64(n, out) && c.out_bytes == out - min_u64(n, out));
    if (in && bytes_below(b, 2)) {
        u64 at = chain_last_byte(&c).a;

        in--;
        ASSERT(range_contains(r->vm.ram.a, r->vm.ram_size, at, 1));
    }
    written = chain_write(&c, bytes, n);
    ASSERT(written == min_u64(n, in) && c.in_bytes == in - written);
    virtq_push(q, c.head, written);
}

static void queue_use(struct bytes *b, struct virtq *q)
{
    u32 taken = 0;

    while (virtq_pop(&r->vm, q, &c) == VIRTQ_CHAIN) {
        chain_judge();
        ASSERT(c.head < q->size && ++taken <= 2 * q->size);
        chain_use(b, q);
        if (taken >= q->size) // what comes now is the next turn's
            break;
    }
    if (bytes_below(b, 2))
        (void)virtq_wants_interrupt(q);
    virtq_notify_set(q, bytes_below(b, 2));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };
    struct virtq q;

    if (!r) {
        bench_reset();
        r = rig_make(NULL);
    }
    gmem_watch = NULL;
    memset(ram(RINGS), 0, ROOM);
    q = (struct virtq){ .num         = (u32)(bytes_below(&b, 8) ? 1ul << bytes_below(&b, 9)
                                                                 : bytes_take(&b, 4)),
                        .desc        = place(&b),
                        .avail       = place(&b),
                        .used        = place(&b),
                        .event_index = bytes_below(&b, 2) };
    if (!virtq_begin(&r->vm, &q, VIRTQ_SIZE_MAX, CHAIN_SEGS_MAX)) {
        ASSERT(!q.ready);
        return 0;
    }
    pattern = bytes_take(&b, 8);
    while (b.left && !q.broken) {
        ram_fill(&b);
        if (bytes_below(&b, 4)) { // an index that is not far away
            u16 *index = (u16 *)(void *)(q.avail_at.a + 2);

            *index = (u16)(q.next_avail + bytes_below(&b, 10));
        }
        gmem_watch = bytes_below(&b, 4) ? NULL : change;
        queue_use(&b, &q);
        gmem_watch = NULL;
    }
    return 0;
}
