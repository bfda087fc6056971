// SPDX-License-Identifier: MIT
// Who has had how much of the harts: by weight, and in the period of a cap.
//
// In:     turns that end; vCPUs that begin to want a hart.
// Out:    an order among those that want one; what a cap leaves.
// Always: time is weighed: `vtime` grows the slower, the more weight a VM has, so who has had the
//         least is next.  It means something only among those that want the same harts at the same
//         time.  So whoever begins to want one is placed beside them: it has saved up nothing, and
//         what it had while nobody else wanted it is forgotten.  Nor is anything saved up by one
//         that could not use what it is due, because its weight is more than a hart's share or
//         because of its cap.
// Locks:  runq_lock, held by the caller, except where it is taken.
#include "vm/share.h"

#include "dev/clock.h"
#include "dev/machine.h"

#define PERIOD_MS   100          // over which a cap is kept
#define LAG_SLICES  4            // what one may at most be before or behind the others
#define FAR_LAGS    10           // from so many lags on others are lifted
#define WEIGHT_UNIT (100ul << 8) // vtime per tick at weight 1
#define NOBODY      (~0ul)

static u64 by_weight(u64 ticks, const struct vcpu *v)
{
    return ticks * WEIGHT_UNIT / v->vm->weight;
}

static u64 less(u64 a, u64 b)
{
    return a > b ? a - b : 0;
}

// What the turn that goes on there has come to.
static u64 turn_had(const struct local *h, u64 now)
{
    return less(h->stands ? h->stands : now, h->turn_begin);
}

u64 share_had(const struct vcpu *v, u64 now)
{
    const struct local *h = &harts[v->sched.hart];

    if (v->sched.place != PLACE_RUNNING)
        return v->sched.vtime;
    return v->sched.vtime + by_weight(turn_had(h, now), v);
}

// The one that has just run counts as a little ahead, or a turn that ended a moment early would be
// followed by another of the same vCPU; as a slice ahead counts who has just had one, and who is at
// home elsewhere.
static u64 had_here(const struct vcpu *v, const struct local *h, u64 now)
{
    u64 slice = ticks_of_ms(SLICE_MS), ahead = 0;

    if (v == h->last)
        ahead = now - h->since < slice ? ticks_of_ms(TURN_MIN_MS) : slice;
    else if (&harts[v->sched.hart] != h)
        ahead = slice;
    return v->sched.vtime + by_weight(ahead, v);
}

// Who has had less; of two that have had about the same, who has waited longer: otherwise a moment
// more or less would change their order, and one would wait a turn too long.
bool share_is_before(const struct vcpu *a, const struct vcpu *b, const struct local *h, u64 now)
{
    u64 had_a = had_here(a, h, now), had_b = had_here(b, h, now);
    u64 close = ticks_of_ms(TURN_MIN_MS) * WEIGHT_UNIT / 100;

    if (max_u64(had_a, had_b) - min_u64(had_a, had_b) >= close)
        return had_a < had_b;
    return a->sched.since < b->sched.since;
}

// --- caps ----------------------------------------------------------------------------------------

static u64 budget_of(const struct vcpu *v)
{
    return ticks_of_ms(PERIOD_MS) * v->vm->cap / 100;
}

u64 share_cap_left(struct vcpu *v, u64 now)
{
    struct sched *s      = &v->sched;
    u64           period = ticks_of_ms(PERIOD_MS);

    if (!v->vm->cap)
        return ~0ul;
    if (now - s->period >= period) { // what it had too much of one is taken from the next
        s->period = now - s->period < 2 * period ? s->period + period : now;
        s->spent  = less(s->spent, budget_of(v));
    }
    return less(budget_of(v), s->spent);
}

u64 share_cap_renewed(const struct vcpu *v)
{
    return v->sched.period + ticks_of_ms(PERIOD_MS);
}

// --- beside whom ---------------------------------------------------------------------------------

// Who is held for a moment comes back as it was, and so it counts.
static bool competes(struct vcpu *v, u64 now)
{
    return v->sched.place == PLACE_RUNNING ||
           (v->sched.place == PLACE_READY && (!v->vm->cap || share_cap_left(v, now)));
}

// Calls act(v) for each that competes.
static ALWAYS_INLINE void each_competitor(u64   now, void (*act)(struct vcpu *v, void *arg),
                                          void *arg)
{
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            if (competes(vms[m]->vcpus[i], now))
                act(vms[m]->vcpus[i], arg);
}

struct weights {
    u64 sum, heaviest, below; // of those lighter than `below`; how many are as heavy
    u32 n_heaviest;
};

static void weight_add(struct vcpu *v, void *arg)
{
    struct weights *w  = arg;
    u64             of = v->vm->weight;

    if (of >= w->below)
        return;
    w->sum += of;
    w->n_heaviest = of > w->heaviest ? 1 : w->n_heaviest + (of == w->heaviest);
    w->heaviest   = max_u64(w->heaviest, of);
}

// From which weight on one is due more than a whole hart, and so cannot have what it is due: the
// heaviest, then the heaviest of the rest on the rest of the harts, and so on.
static u64 weight_bound(u64 now)
{
    u64 bound = ~0ul, n_up = harts_up();

    for (struct weights w; n_up > 1; n_up -= w.n_heaviest) {
        w = (struct weights){ .below = bound };
        each_competitor(now, weight_add, &w);
        if (!w.n_heaviest || w.n_heaviest >= n_up || w.heaviest * n_up <= w.sum)
            break;
        bound = w.heaviest;
    }
    return bound;
}

struct beside {
    const struct vcpu  *who;
    const struct local *h;
    u64                 now, bound;
    u64                 least, least_of_others; // of those that can use their due; of the rest
};

// One that is capped, or due more than a hart, is behind the others for ever.
static bool can_use_its_due(const struct vcpu *v, u64 bound)
{
    return v->vm->weight < bound && !v->vm->cap;
}

static void least_take(struct vcpu *v, void *arg)
{
    struct beside *b     = arg;
    u64           *least = can_use_its_due(v, b->bound) ? &b->least : &b->least_of_others;

    if (v != b->who && hart_may_run(b->h, v))
        *least = min_u64(*least, share_had(v, b->now));
}

// What the one has had that has had the least of those that want the hart, v aside.  Who cannot use
// what it is due counts only where there are no others.
static u64 least_on(const struct local *h, const struct vcpu *v, u64 bound, u64 now)
{
    struct beside b = { v, h, now, bound, NOBODY, NOBODY };

    each_competitor(now, least_take, &b);
    return b.least != NOBODY ? b.least : b.least_of_others;
}

// Where v belongs among those that want the harts that it may run on: for each hart, beside the one
// that has had the least; and of these where most has been had, so that it starves nobody.
// *lowest is where least has been had.
static u64 place_beside(const struct vcpu *v, u64 bound, u64 now, u64 *lowest)
{
    u64 most = NOBODY;

    *lowest = NOBODY;
    for (const struct local *h = harts; h < harts + MAX_HARTS; h++) {
        u64 least = hart_may_run(h, v) ? least_on(h, v, bound, now) : NOBODY;

        if (least != NOBODY)
            most = most == NOBODY ? least : max_u64(most, least);
        *lowest = min_u64(*lowest, least);
    }
    return most;
}

// Who is the only vCPU of the machine sleeps and wakes without a look at the others.
static bool has_rivals(const struct vcpu *v)
{
    return n_vms > 1 || v->vm->n_vcpus > 1;
}

struct lift {
    const struct vcpu  *who;
    const struct local *h;
    u64                 by, up_to;
};

static void lift_one(struct vcpu *v, void *arg)
{
    const struct lift *l = arg;

    if (v != l->who && hart_may_run(l->h, v) && v->sched.vtime < l->up_to)
        v->sched.vtime = min_u64(v->sched.vtime + l->by, l->up_to);
}

// Those of a hart who are far behind where v comes to stand have had that hart among themselves.
// v, who may come to it now, owes them nothing for it: they are beside v from now on, in the order
// that they have.
static void lift_those_behind(const struct vcpu *v, u64 beside, u64 bound, u64 now)
{
    u64 lag = by_weight(LAG_SLICES * ticks_of_ms(SLICE_MS), v);

    for (const struct local *h = harts; h < harts + MAX_HARTS; h++) {
        u64 least = hart_may_run(h, v) ? least_on(h, v, bound, now) : NOBODY;

        if (least == NOBODY || less(beside, least) < FAR_LAGS * lag)
            continue;

        struct lift l = { v, h, beside - lag - least, beside - lag };

        each_competitor(now, lift_one, &l);
    }
}

void share_enter(struct vcpu *v, u64 now)
{
    u64 owed = by_weight(ticks_of_ms(TURN_MIN_MS), v);
    u64 lag  = by_weight(LAG_SLICES * ticks_of_ms(SLICE_MS), v);
    u64 bound, beside, lowest;

    if (!has_rivals(v))
        return;
    bound  = weight_bound(now);
    beside = place_beside(v, bound, now, &lowest);
    if (beside == NOBODY)
        return;
    v->sched.vtime = min_u64(max_u64(v->sched.vtime, less(beside, owed)), beside + lag);
    if (UNLIKELY(beside - lowest >= FAR_LAGS * lag))
        lift_those_behind(v, beside, bound, now);
}

// What one could not use it must not save up.
static void lag_bound(struct vcpu *v, u64 now)
{
    u64 bound, lowest, beside;

    if (!has_rivals(v))
        return;
    bound = weight_bound(now);
    if (can_use_its_due(v, bound))
        return;
    beside = place_beside(v, bound, now, &lowest);
    if (beside != NOBODY)
        v->sched.vtime =
            max_u64(v->sched.vtime, less(beside, by_weight(LAG_SLICES * ticks_of_ms(SLICE_MS), v)));
}

bool share_enters_anew(struct vcpu *v, u64 now)
{
    return v->sched.is_out && share_cap_left(v, now);
}

bool share_admits(struct vcpu *v, u64 now)
{
    bool was_out = v->sched.is_out;

    v->sched.is_out = !share_cap_left(v, now);
    if (was_out && !v->sched.is_out)
        share_enter(v, now);
    return !v->sched.is_out;
}

void share_charge(struct vcpu *v, struct local *h, u64 now)
{
    u64 had = turn_had(h, now);

    v->sched.vtime = share_had(v, now);
    v->sched.ran += had;
    v->sched.spent += had;
    h->busy += had;
    h->turn_begin = now;
    lag_bound(v, now);
}

// --- turns that stand still ----------------------------------------------------------------------

// When v, if it does not run, wants h; ~0: not before somebody wakes it, or never.
static u64 wants_at(const struct vcpu *v, const struct local *h)
{
    if (v->vm->held)
        return ~0ul;
    if (v->sched.place == PLACE_READY && hart_may_run(h, v))
        return 0;
    if (v->sched.place == PLACE_SLEEPING && &harts[v->sched.hart] == h)
        return v->sched.wake_at;
    return ~0ul;
}

u64 share_stand(void)
{
    struct local *h     = runq_here();
    u64           first = ~0ul;

    lock_take(&runq_lock);
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            first = min_u64(first, wants_at(vms[m]->vcpus[i], h));
    if (first)
        h->stands = clock_now();
    lock_drop(&runq_lock);
    return first;
}

void share_forgive(struct vcpu *v, u64 ticks)
{
    struct local *h = runq_here();

    lock_take(&runq_lock);
    h->turn_begin += ticks;
    h->stands = 0;
    share_charge(v, h, clock_now());
    share_enter(v, h->turn_begin);
    lock_drop(&runq_lock);
}

// --- for the monitor -----------------------------------------------------------------------------

u64 sched_ran(const struct vcpu *v)
{
    lock_take(&runq_lock);
    u64 ran = v->sched.ran;

    if (v->sched.place == PLACE_RUNNING)
        ran += turn_had(&harts[v->sched.hart], clock_now());
    lock_drop(&runq_lock);
    return ran;
}

u64 sched_stolen(const struct vcpu *v)
{
    lock_take(&runq_lock);
    u64 stolen = v->sched.stolen;

    lock_drop(&runq_lock);
    return stolen;
}

bool sched_hart(u32 index, struct hart_share *share)
{
    const struct local *h = &harts[index];
    bool                is;

    if (index >= MAX_HARTS)
        return false;
    lock_take(&runq_lock);
    is     = h->up;
    *share = (struct hart_share){ h->id,   h->up,    h->idle,  h->running,
                                  h->busy, h->began, h->turns, h->ipis };
    if (h->running)
        share->busy += turn_had(h, clock_now());
    lock_drop(&runq_lock);
    return is;
}
