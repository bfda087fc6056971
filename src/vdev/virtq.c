// SPDX-License-Identifier: MIT
// The split virtqueue, from the device's side (Virtio 1.2, 2.7).
//
// In:     rings and descriptors in the guest's RAM, of any content, changing at any moment.
// Out:    chains: pieces of RAM, checked; entries in the used ring.
// Always: where the three parts lie is checked once, when the driver makes the queue ready; RAM
//         does not move until the queue is reset.  Each of the guest's words is read once, and what
//         was read is checked and used, so that a change afterwards changes nothing.  Between two
//         looks at the driver's index at most `size` chains are taken, and a chain has at most
//         pieces_max descriptors, so that whatever a guest writes costs a bounded time.
// Locks:  vm->lock, held by the caller; the guest's other harts do not know it.
#include "vdev/virtq.h"

#include "dev/virtio_spec.h"
#include "vm/gmem.h"

// The rings (2.7.6, 2.7.8): flags, index, entries, and then the other side's event index.
#define RING_FLAGS       0
#define RING_INDEX       2
#define AVAIL_ENTRY(i)   (4 + 2ul * (i))
#define USED_ENTRY(i)    (4 + 8ul * (i))
#define AVAIL_SIZE(size) (AVAIL_ENTRY(size) + 2)
#define USED_SIZE(size)  (USED_ENTRY(size) + 2)
#define CHAIN_BYTES_MAX  (1ul << 32) // 2.7.4

static bool part_place(const struct vm *vm, gpa_t at, u64 size, u64 align, hpa_t *place)
{
    if (!is_aligned(at.a, align) || !gmem_contains(vm, at, size))
        return false;
    *place = gmem_to_host(vm, at);
    return true;
}

bool virtq_begin(const struct vm *vm, struct virtq *q, u32 size_max, u32 pieces_max)
{
    u32   size = q->num;
    hpa_t desc_at, avail_at, used_at;

    if (!is_power_of_two(size) || size > size_max ||
        !part_place(vm, q->desc, sizeof(struct vring_desc) * (u64)size, 16, &desc_at) ||
        !part_place(vm, q->avail, AVAIL_SIZE(size), 2, &avail_at) ||
        !part_place(vm, q->used, USED_SIZE(size), 4, &used_at))
        return false;
    q->size       = size;
    q->desc_at    = desc_at;
    q->avail_at   = avail_at;
    q->used_at    = used_at;
    q->next_avail = q->next_used = q->seen_avail = q->told_used = 0;
    q->pieces_max                                               = pieces_max;
    q->broken = q->stopping = false;
    q->ready                = true;
    return true;
}

// A descriptor as the two words that it is read as; what is in the second is taken from a register.
struct desc {
    gpa_t at;
    u64   rest; // struct vring_desc: len, flags, next
};

static ALWAYS_INLINE u64 desc_len(struct desc d)
{
    return (u32)d.rest;
}

static ALWAYS_INLINE bool desc_is(struct desc d, u64 flag)
{
    return d.rest >> 32 & flag;
}

static ALWAYS_INLINE u64 desc_next(struct desc d)
{
    return d.rest >> 48;
}

// Of three words, each read once.  The last one lies in RAM as well, which ends with a page.
static NOINLINE struct desc desc_load_unaligned(hpa_t at)
{
    unsigned shift = 8 * (at.a % 8);
    hpa_t    begin = hpa(align_down(at.a, 8));
    u64      a = gmem_load64(begin), b = gmem_load64(hpa_at(begin, 8)),
        c = gmem_load64(hpa_at(begin, 16));

    return (struct desc){ gpa(a >> shift | b << (64 - shift)), b >> shift | c << (64 - shift) };
}

static ALWAYS_INLINE hpa_t desc_place(hpa_t table, u64 i)
{
    return hpa_at(table, sizeof(struct vring_desc) * i);
}

// Two words, each read once.
static ALWAYS_INLINE struct desc desc_load_aligned(hpa_t at)
{
    gpa_t first = gpa(gmem_load64(at));

    return (struct desc){ first, gmem_load64(hpa_at(at, 8)) };
}

// An indirect table need not be aligned.
static ALWAYS_INLINE struct desc desc_load(hpa_t table, u64 i)
{
    hpa_t at = desc_place(table, i);

    return UNLIKELY(!is_aligned(table.a, 8)) ? desc_load_unaligned(at) : desc_load_aligned(at);
}

// Pieces that are alike: each leads to the next one of its table, which is aligned, and its place
// in the table is the one that it has in the chain.
struct run {
    struct seg *begin, *end; // where they are put; up to `end` there may be more
    u64         rest;        // the next one's second word
    u64         last;        // the last offset in RAM at which so many bytes fit
};

// One branch, not two.
static ALWAYS_INLINE bool is_like(struct desc d, const struct run *r)
{
    return !((d.rest ^ r->rest) | (gmem_offset(d.at) > r->last));
}

// An indirect descriptor (2.7.5.3) stands last in the queue's own table: its chain begins at the
// first entry of the table that it names.
static bool table_enter(struct gmem ram, struct desc d, hpa_t *table, u64 *n)
{
    u64 len = desc_len(d);

    if (desc_is(d, VRING_NEXT) || len % sizeof(struct vring_desc) ||
        !gmem_has_piece(ram, d.at, len))
        return false;
    *table = gmem_place(ram, d.at);
    *n     = len / sizeof(struct vring_desc);
    return true;
}

static ALWAYS_INLINE void seg_put(struct seg *s, hpa_t at, u64 rest)
{
    s->at                   = at;
    *(u64 *)(void *)&s->len = rest;
}

static ALWAYS_INLINE bool chain_end(struct chain *c, const struct seg *end, u64 bytes)
{
    c->out      = 0;
    c->in       = c->in_begin;
    c->end      = (u16)(end - c->segs);
    c->in_bytes = bytes - c->out_bytes;
    return bytes <= CHAIN_BYTES_MAX;
}

// So many more may be like a piece that leads to descriptor `next` of n.
static ALWAYS_INLINE u64 run_length(hpa_t table, u64 next, u64 n, u64 room)
{
    return is_aligned(table.a, 8) ? min_u64(n - min_u64(n, next), room) : 0;
}

// The hottest loop of all devices, so what it needs it has in registers.  What the device writes
// comes after what it reads.  A chain that loops is one that is too long.
// A buffer is many pieces of one kind and length, each the next in its table, which is most often
// the chain's own order: what is like the last but for its place, and leads to the one behind it,
// is taken after one comparison.
static bool chain_walk(const struct vm *vm, const struct virtq *q, struct chain *c)
{
    struct gmem ram   = gmem_of(vm);
    hpa_t       table = q->desc_at;
    u64         n = q->size, skip = c->head; // a piece's place in the table, less that in the chain
    u64         bytes = 0, out_bytes = 0, len = 0;
    struct seg *s = c->segs, *in_begin = NULL, *limit = s + q->pieces_max;
    struct run  run      = { s, s, 0, 0 };
    bool        indirect = false;

    for (;;) {
        struct desc d;
        u64         i;

        if (LIKELY(s < run.end)) {
            d = desc_load_aligned(desc_place(table, (u64)(s - c->segs)));
            if (LIKELY(is_like(d, &run))) {
                seg_put(s++, gmem_place(ram, d.at), run.rest);
                run.rest += VRING_NEXT_ONE;
                continue;
            }
        } else {
            i = skip + (u64)(s - c->segs);
            if (i >= n)
                return false;
            d = desc_load(table, i);
        }
        bytes += len * (u64)(s - run.begin);
        run.begin = s;
        len       = desc_len(d);
        if (UNLIKELY(desc_is(d, VRING_INDIRECT))) {
            if (indirect || !table_enter(ram, d, &table, &n))
                return false;
            indirect = true;
            run.end  = s;
            skip     = -(u64)(s - c->segs);
            continue;
        }
        if (s == limit || !gmem_has_piece(ram, d.at, len) || (in_begin && !desc_is(d, VRING_WRITE)))
            return false;
        if (!in_begin && desc_is(d, VRING_WRITE)) {
            in_begin  = s;
            out_bytes = bytes;
        }
        run.rest = vring_rest(len, d.rest >> 32 & (VRING_NEXT | VRING_WRITE), (u64)(s - c->segs));
        if (!desc_is(d, VRING_NEXT)) {
            bytes += len;
            seg_put(s++, gmem_place(ram, d.at), run.rest);
            c->in_begin  = (u16)((in_begin ? in_begin : s) - c->segs);
            c->out_bytes = in_begin ? out_bytes : bytes;
            return chain_end(c, s, bytes);
        }
        run.rest += VRING_NEXT_ONE;
        seg_put(s++, gmem_place(ram, d.at), run.rest);
        run.rest += VRING_NEXT_ONE;
        skip     = desc_next(d) - (u64)(s - c->segs);
        run.last = ram.size - len;
        run.end  = s + (skip ? 0 : run_length(table, desc_next(d), n, (u64)(limit - s)));
    }
}

static enum virtq_answer fail(struct virtq *q)
{
    q->broken = true;
    return VIRTQ_BROKEN;
}

// How far has the driver come?  It cannot be more than a whole ring ahead.
static bool index_look(struct virtq *q)
{
    q->seen_avail = gmem_load16(hpa_at(q->avail_at, RING_INDEX), __ATOMIC_ACQUIRE);
    return (u16)(q->seen_avail - q->next_avail) <= q->size;
}

enum virtq_answer virtq_pop(const struct vm *vm, struct virtq *q, struct chain *c)
{
    u32 place = q->next_avail & (q->size - 1);

    if (q->next_avail == q->seen_avail) {
        if (!index_look(q))
            return fail(q);
        if (q->next_avail == q->seen_avail)
            return VIRTQ_EMPTY;
    }
    c->head = gmem_load16(hpa_at(q->avail_at, AVAIL_ENTRY(place)), __ATOMIC_RELAXED);
    if (!chain_walk(vm, q, c))
        return fail(q);
    q->next_avail++;
    return VIRTQ_CHAIN;
}

void virtq_push_all(struct virtq *q, const struct used *used, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        hpa_t entry = hpa_at(q->used_at, USED_ENTRY(q->next_used++ & (q->size - 1)));

        gmem_store32(entry, used[i].head);
        gmem_store32(hpa_at(entry, 4), used[i].len);
    }
    gmem_store16(hpa_at(q->used_at, RING_INDEX), q->next_used, __ATOMIC_RELEASE);
}

void virtq_push(struct virtq *q, u16 head, u32 written)
{
    virtq_push_all(q, &(struct used){ head, written }, 1);
}

bool virtq_is_polled(const struct virtq *q)
{
    return q->ready && !q->event_index &&
           gmem_load16(hpa_at(q->avail_at, RING_FLAGS), __ATOMIC_RELAXED) & VRING_NO_INTERRUPT;
}

bool virtq_wants_interrupt(struct virtq *q)
{
    u16 before = q->told_used;

    q->told_used = q->next_used;
    if (UNLIKELY(!q->ready))
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // the driver sets its wish, then looks at our index
    if (!q->event_index)
        return !virtq_is_polled(q);
    return vring_passed(gmem_load16(hpa_at(q->avail_at, AVAIL_ENTRY(q->size)), __ATOMIC_RELAXED),
                        q->next_used, before);
}

// With an event index the driver is silent until it passes the one that it was given, which it does
// once; so silence needs no word.
void virtq_notify_set(struct virtq *q, bool wanted)
{
    if (!q->event_index)
        gmem_store16(hpa_at(q->used_at, RING_FLAGS), wanted ? 0 : VRING_NO_NOTIFY,
                     __ATOMIC_RELAXED);
    else if (wanted)
        gmem_store16(hpa_at(q->used_at, USED_ENTRY(q->size)), q->next_avail, __ATOMIC_RELAXED);
    if (wanted)
        __atomic_thread_fence(__ATOMIC_SEQ_CST); // before its index is looked at once more
}

// The front of segs[*first .. end), of which so much is taken away; what lay there.
static struct seg front_take(struct chain *c, u16 *first, u32 len)
{
    struct seg *s     = &c->segs[*first];
    struct seg  taken = { .at = s->at, .len = (u32)min_u64(s->len, len) };

    s->at = hpa_at(s->at, taken.len);
    s->len -= taken.len;
    *first = (u16)(*first + !s->len);
    return taken;
}

u32 chain_read_pieces(struct chain *c, void *to, u32 len)
{
    u32 n = 0;

    while (n < len && c->out < c->in_begin) {
        struct seg s = front_take(c, &c->out, len - n);

        gmem_load(s.at, (char *)to + n, s.len);
        n += s.len;
    }
    c->out_bytes -= n;
    return n;
}

u32 chain_write(struct chain *c, const void *from, u32 len)
{
    u32 n = 0;

    while (n < len && c->in < c->end) {
        struct seg s = front_take(c, &c->in, len - n);

        gmem_store(s.at, (const char *)from + n, s.len);
        n += s.len;
    }
    c->in_bytes -= n;
    return n;
}

hpa_t chain_last_byte(struct chain *c)
{
    struct seg *s = &c->segs[c->end - 1];

    s->len--;
    c->in_bytes--;
    c->end = (u16)(c->end - !s->len);
    return hpa_at(s->at, s->len);
}
