// SPDX-License-Identifier: MIT
// A physical virtio block device (Virtio 1.2, 5.2).
//
// In:     requests whose range and segments have been checked; the device's interrupts.
// Out:    chains of descriptors that lead straight to the segments; requests that are over.
// Always: header and status byte of a request stand in the monitor's own memory, and so does the
//         table of its descriptors, of which the first is always ready.  A device that breaks the
//         rules of the ring is reset, and what it had ends with an error; if it does not even let
//         itself be reset, it may still write, and what it had never ends.
// Locks:  the disk's, held by the callers of put, kick and take.
#include "dev/disk.h"
#include "dev/machine.h"
#include "dev/virtio.h"

#define DEPTH               64
#define SEGS_MAX            DISK_SEGS_MAX
#define SECTORS_MAX         131072 // of one request: 64 MiB, for U-Boot reads a kernel in one
#define RING_DIRECT         256    // where there are no indirect descriptors
#define PIECES_WITHOUT_DATA 3      // the others have the card's own table
#define SMALL               4      // pieces of a small table
#define STATUS_UNSET        0xff
#define ZEROES_MAX          8192 // sectors of one request that are zeroed: others wait for it
#define SECTORS_ALL         (~0ul / SECTOR_SIZE) // more have no byte address
#define RANGE_UNMAP         1
#define FEATURES                                                                                   \
    (VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE |      \
     VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)

// What belongs to one request and outlives the call of put().
struct card {
    struct blkreq           *r;
    struct card             *next;
    struct seg               head, range_at, tail; // the three below
    struct virtio_blk_header header;
    struct virtio_blk_range  range;
    struct vring_desc       *small, *large; // where the ring has indirect descriptors
    volatile u8              status;
};

struct virtio_blk {
    struct disk_chip  chip;
    struct virtio_hw *hw;
    struct vring      ring;
    bool              is_still; // it has broken the rules and was reset
    struct card      *free;
    struct card       cards[DEPTH];
};

static const u32 type_of[] = {
    [BLK_READ] = VIRTIO_BLK_IN,         [BLK_WRITE] = VIRTIO_BLK_OUT,
    [BLK_FLUSH] = VIRTIO_BLK_FLUSH,     [BLK_WRITE_ZEROES] = VIRTIO_BLK_WRITE_ZEROES,
    [BLK_DISCARD] = VIRTIO_BLK_DISCARD,
};

// The request's own table, if it has one; otherwise one of ours.
static struct vring_desc *table_of(struct card *k, const struct blkreq *r,
                                   const struct vpiece *data)
{
    struct vring_desc *table = r->n_segs <= SMALL - 2 ? k->small : k->large;

    if (r->table) {
        table = (struct vring_desc *)(void *)r->table;
        vring_table_begin(table, &k->head);
    } else
        vring_table_middle(table, data);
    vring_table_end(&table[1 + r->n_segs], &k->tail);
    return table;
}

static bool data_put(struct virtio_blk *b, struct card *k, const struct blkreq *r)
{
    struct vpiece data = { r->segs, r->n_segs, r->op == BLK_READ };
    u32           room = (data.in ? (u32)r->n_sectors * SECTOR_SIZE : 0) + k->tail.len;

    k->header.sector = r->sector;
    if (LIKELY(k->large))
        return vring_add_table(&b->ring, table_of(k, r, &data), 1 + r->n_segs + 1, room, k);
    return vring_add(
        &b->ring, (struct vpiece[]){ { &k->head, 1, false }, data, { &k->tail, 1, true } }, 3, k);
}

static bool range_put(struct virtio_blk *b, struct card *k, const struct blkreq *r)
{
    u32 flags = r->op == BLK_WRITE_ZEROES && r->unmap ? RANGE_UNMAP : 0;

    k->range = (struct virtio_blk_range){ r->sector, (u32)r->n_sectors, flags };
    return vring_add(&b->ring,
                     (struct vpiece[]){ { &k->head, 1, false },
                                        { &k->range_at, 1, false },
                                        { &k->tail, 1, true } },
                     3, k);
}

static bool flush_put(struct virtio_blk *b, struct card *k)
{
    return vring_add(&b->ring, (struct vpiece[]){ { &k->head, 1, false }, { &k->tail, 1, true } },
                     2, k);
}

static bool blk_put(void *chip, struct blkreq *r)
{
    struct virtio_blk *b = chip;
    struct card       *k = b->free;
    bool               taken;

    if (!k)
        return false;
    k->header = (struct virtio_blk_header){ .type = type_of[r->op] };
    k->status = STATUS_UNSET;
    if (LIKELY(r->op == BLK_READ || r->op == BLK_WRITE))
        taken = data_put(b, k, r);
    else
        taken = r->op == BLK_FLUSH ? flush_put(b, k) : range_put(b, k, r);
    if (!taken)
        return false;
    k->r    = r;
    b->free = k->next;
    return true;
}

static void blk_kick(void *chip)
{
    struct virtio_blk *b = chip;

    vring_kick(&b->ring);
}

static enum blk_status status_of(u8 answer)
{
    switch (answer) {
    case VIRTIO_BLK_OK:     return BLK_OK;
    case VIRTIO_BLK_UNSUPP: return BLK_UNSUPPORTED;
    default:                return BLK_IO_ERROR;
    }
}

static void blk_end(void *chip)
{
    struct virtio_blk *b = chip;

    if (!b->chip.dead)
        b->is_still = virtio_hw_stop(b->hw);
    b->chip.dead = true;
}

static struct blkreq *blk_take(void *chip)
{
    struct virtio_blk *b = chip;
    struct card       *k;
    u32                written;

    do
        k = vring_take(&b->ring, &written);
    while (!k && vring_rearm_after(&b->ring, b->chip.lazy));
    if (!k && b->ring.broken)
        blk_end(b);
    if (!k && b->is_still)
        k = vring_abandon(&b->ring);
    if (!k)
        return NULL;
    k->r->status = status_of(k->status);
    k->next      = b->free;
    b->free      = k;
    return k->r;
}

static bool blk_is_over_now(const void *chip)
{
    const struct virtio_blk *b = chip;

    return vring_is_ahead(&b->ring);
}

static const struct disk_ops blk_ops = { blk_put, blk_kick, blk_take, blk_is_over_now, blk_end };

static void blk_interrupt(void *arg)
{
    struct virtio_blk *b = arg;

    if (virtio_hw_interrupt(b->hw) & VIRTIO_INT_CONFIG && virtio_hw_failed(b->hw))
        b->ring.broken = true;
    if (b->chip.disk)
        disk_interrupt(b->chip.disk);
}

static u64 config(const struct virtio_blk *b, u64 feature, u32 off, u32 size, u64 otherwise)
{
    return b->hw->features & feature ? virtio_hw_config(b->hw, off, size) : otherwise;
}

// A limit of 0 is none that makes sense, and so is one above what we ask for.
static u64 limit(u64 value, u64 most)
{
    return value ? min_u64(value, most) : most;
}

static const char *shape_read(struct virtio_blk *b)
{
    struct blkdev *s = &b->chip.shape;
    u64            size_max;

    size_max      = config(b, VIRTIO_BLK_F_SIZE_MAX, VIRTIO_BLK_SIZE_MAX, 4, 0);
    s->n_sectors  = min_u64(virtio_hw_config(b->hw, VIRTIO_BLK_CAPACITY, 8), SECTORS_ALL);
    s->block_size = (u32)config(b, VIRTIO_BLK_F_BLK_SIZE, VIRTIO_BLK_BLK_SIZE, 4, SECTOR_SIZE);
    s->segs_max   = (u32)limit(config(b, VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_SEG_MAX, 4, 1), SEGS_MAX);
    s->read_only  = b->hw->features & VIRTIO_BLK_F_RO;
    s->has_flush  = b->hw->features & VIRTIO_BLK_F_FLUSH;
    s->discard_max = config(b, VIRTIO_BLK_F_DISCARD, VIRTIO_BLK_DISCARD_MAX, 4, 0);
    s->zeroes_max =
        min_u64(ZEROES_MAX, config(b, VIRTIO_BLK_F_WRITE_ZEROES, VIRTIO_BLK_ZEROES_MAX, 4, 0));
    // A request of no more than one segment may have is within the limit, however it is cut.
    s->sectors_max = limit(size_max / SECTOR_SIZE, SECTORS_MAX);
    if (!is_power_of_two(s->block_size) || s->block_size < SECTOR_SIZE || s->block_size > PAGE_SIZE)
        return "its blocks are not of 512 to 4096 bytes; QEMU: give it logical_block_size=512";
    if (size_max && size_max < s->block_size)
        return "it takes less than a block at a time; it is not used";
    s->n_sectors -= s->n_sectors % (s->block_size / SECTOR_SIZE);
    return NULL;
}

// Tables for chains of so many pieces, and small ones, which lie together in a few pages; none
// where the ring has no indirect descriptors.
static bool cards_make(struct virtio_blk *b, u32 pieces)
{
    struct vring_desc *tables = NULL;

    if (b->ring.indirect && !(tables = (struct vring_desc *)ram_alloc(
                                  DEPTH * (SMALL + pieces) * sizeof *tables, PAGE_SIZE)))
        return false;
    for (struct card *k = b->cards + DEPTH; k-- > b->cards;) { // the first is used most
        k->head     = (struct seg){ .at = hpa((u64)&k->header), .len = sizeof k->header };
        k->range_at = (struct seg){ .at = hpa((u64)&k->range), .len = sizeof k->range };
        k->tail     = (struct seg){ .at = hpa((u64)&k->status), .len = 1 };
        k->next     = b->free;
        b->free     = k;
        if (!tables)
            continue;
        k->small = tables + (size_t)(k - b->cards) * SMALL;
        k->large = tables + DEPTH * SMALL + (size_t)(k - b->cards) * pieces;
        vring_table_begin(k->small, &k->head);
        vring_table_begin(k->large, &k->head);
    }
    return true;
}

// Of one request, with header and status; no chain may be longer than its queue (2.7.5.3.1).
static u32 pieces_of(const struct virtio_blk *b, bool indirect)
{
    u64 most = indirect ? vring_size_max(b->hw, 0) : RING_DIRECT;

    return (u32)min_u64(most, b->chip.shape.segs_max + 2ul);
}

static const char no_memory[] = "there is no memory for its driver; give the machine more memory";

const char *virtio_blk_start(struct virtio_hw *hw)
{
    struct virtio_blk *b   = (struct virtio_blk *)ram_alloc(sizeof *b, PAGE_SIZE);
    const char        *why = virtio_hw_negotiate(hw, FEATURES);
    bool               indirect;
    u32                pieces;

    if (!b)
        return no_memory;
    if (why)
        return why;
    b->hw    = hw;
    why      = shape_read(b);
    indirect = hw->features & VIRTIO_F_INDIRECT;
    pieces   = pieces_of(b, indirect);
    if (!why && pieces < PIECES_WITHOUT_DATA)
        why = "it has no queue, or one that is too short; QEMU: give it queue-size=256";
    b->chip.shape.segs_max = pieces - 2;
    if (!why)
        why = vring_make(&b->ring, hw, 0, indirect ? DEPTH : RING_DIRECT,
                         indirect ? PIECES_WITHOUT_DATA : pieces);
    if (why)
        return why;
    if (!cards_make(b, pieces))
        return no_memory;
    b->chip.ops   = &blk_ops;
    b->chip.name  = hw->node;
    b->chip.irq   = hw->irq;
    b->chip.depth = (u32)min_u64(DEPTH, b->ring.size);
    why           = virtio_hw_go(hw, blk_interrupt, b);
    if (why)
        return why;
    return disk_add(&b->chip) ? NULL
                              : "there are more disks than this version uses; it is not used";
}
