// SPDX-License-Identifier: MIT
// Mailboxes.
//
// In:     letters of many senders, on any hart.
// Out:    the same letters to one who picks them up, in the order in which room was given to them.
// Always: a letter does not wrap round the end of the ring: a filler stands there instead.  It is
//         seen only when it is whole.  A sender may have twice as much as is free, so one that
//         floods leaves a third to the others, and nobody waits for anybody who does not pick up.
// Locks:  the mailbox's own, a leaf, held for a few instructions: frames are copied without it.
#include "dev/mailbox.h"

#include "lib/bits.h"

#include <string.h>

static struct letter *letter_at(const struct mailbox *m, u64 at)
{
    return (struct letter *)(void *)(m->room + at % m->size);
}

void mailbox_make(struct mailbox *m, void *room, u32 size)
{
    *m = (struct mailbox){ .room = room, .size = size };
}

// With the lock held, and room for it.
static struct letter *letter_put(struct mailbox *m, u32 from, u32 size)
{
    struct letter *l = letter_at(m, m->tail);

    *l = (struct letter){ .size = size, .from = (u16)from };
    m->used_by[from] += size;
    __atomic_store_n(&m->tail, m->tail + size, __ATOMIC_RELEASE);
    return l;
}

// The rest of the ring, if the letter does not fit into it.
static u32 filler_size(const struct mailbox *m, u32 size)
{
    u32 rest = m->size - (u32)(m->tail % m->size);

    return rest < size ? rest : 0;
}

static enum mailbox_answer reserve(struct mailbox *m, u32 from, u32 size, struct letter **l)
{
    u32 filler = filler_size(m, size), used = (u32)(m->tail - m->head);

    if (!m->open)
        return MAILBOX_CLOSED;
    if (size + filler > m->size - used || m->used_by[from] + size + filler > 2 * (m->size - used))
        return MAILBOX_FULL;

    if (filler) {
        struct letter *f = letter_put(m, from, filler);

        f->is_filler = true;
        f->ready     = true;
    }
    *l = letter_put(m, from, size);
    __atomic_fetch_add(&m->under_way, 1, __ATOMIC_RELAXED);
    return MAILBOX_OK;
}

enum mailbox_answer mailbox_reserve(struct mailbox *m, u32 from, u32 len, u8 skew,
                                    struct letter **l)
{
    u8                  shift = (u8)((skew - sizeof(struct letter)) % 8);
    u64                 size  = align_up(sizeof(struct letter) + shift + (u64)len, LETTER_ALIGN);
    enum mailbox_answer answer;

    if (size > m->size)
        return MAILBOX_FULL;
    lock_take(&m->lock);
    answer = reserve(m, from, (u32)size, l);
    lock_drop(&m->lock);
    if (answer != MAILBOX_OK)
        return answer;
    (*l)->len  = len;
    (*l)->skew = shift;
    return MAILBOX_OK;
}

bool mailbox_post(struct mailbox *m, struct letter *l)
{
    bool wakes;

    __atomic_store_n(&l->ready, 1, __ATOMIC_RELEASE);
    wakes = !__atomic_exchange_n(&m->told, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&m->under_way, 1, __ATOMIC_RELEASE);
    return wakes;
}

void mailbox_look(struct mailbox *m)
{
    (void)__atomic_exchange_n(&m->told, 0, __ATOMIC_SEQ_CST);
}

struct letter *mailbox_take(struct mailbox *m)
{
    while (m->next != __atomic_load_n(&m->tail, __ATOMIC_ACQUIRE)) {
        struct letter *l = letter_at(m, m->next);

        if (!__atomic_load_n(&l->ready, __ATOMIC_ACQUIRE))
            return NULL;
        m->next += l->size;
        if (!l->is_filler)
            return l;
        mailbox_free(m, l);
    }
    return NULL;
}

void mailbox_free(struct mailbox *m, struct letter *l)
{
    lock_take(&m->lock);
    l->freed = true;
    while (m->head != m->next && letter_at(m, m->head)->freed) {
        struct letter *first = letter_at(m, m->head);

        m->used_by[first->from] -= first->size;
        m->head += first->size;
    }
    lock_drop(&m->lock);
}

void mailbox_open(struct mailbox *m)
{
    mailbox_look(m);
    lock_take(&m->lock);
    m->open = true;
    lock_drop(&m->lock);
}

void mailbox_close(struct mailbox *m)
{
    lock_take(&m->lock);
    m->open = false;
    lock_drop(&m->lock);
    while (__atomic_load_n(&m->under_way, __ATOMIC_ACQUIRE))
        ; // another hart copies a frame, and needs nothing of ours for that
    m->head = m->tail = m->next = 0;
    memset(m->used_by, 0, sizeof m->used_by);
    mailbox_look(m);
}

u64 mailbox_waiting(struct mailbox *m)
{
    u64 waiting;

    lock_take(&m->lock);
    waiting = m->tail - m->head;
    lock_drop(&m->lock);
    return waiting;
}
