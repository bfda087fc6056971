// SPDX-License-Identifier: MIT
// Who wants a hart, and who gets it: the one who has had the least of them, by weight; one that
// waits costs nothing.
//
// In:     vCPUs that want a hart, sleep, or are off.
// Out:    the choice for a hart; IPIs to harts that must look again.
// Always: a vCPU is at one place, and its `place` says which; who is RUNNING is on one hart.  One
//         in wfi is READY once an interrupt that it enabled pends, whatever sstatus.SIE says (Priv.
//         1.12, 3.3.3).  A turn lasts at least TURN_MIN_MS unless it is given up, so a sleeper's
//         deadlines cannot take the hart from others.  A sleeper's deadline is watched by the hart
//         that it ran on last; whatever is READY may be taken by any hart that it may run on.
// Locks:  runq_lock guards places and times.  Taken after a vm->lock, never before one.
#include "vm/runq.h"

#include "dev/clock.h"
#include "dev/machine.h"

#define PERIOD_MS   100 // over which a cap is kept
#define LAG_SLICES  4   // what one may be behind the others, who could not have more of its hart
#define WEIGHT_UNIT (100ul << 8) // vtime per tick at weight 1

struct local harts[MAX_HARTS];
struct lock  runq_lock;

struct sched_alarm sched_alarm = { .deadline_ticks = ~0ul };

static u64 vtime_now; // where those are who compete: what the one has had who has had the least
static u32 weight_min;

struct local *runq_here(void)
{
    return &harts[hart_index()];
}

u64 ticks_of_ms(u64 ms)
{
    return machine.timebase_hz / 1000 * ms;
}

static u64 by_weight(u64 ticks, u32 weight)
{
    return ticks * WEIGHT_UNIT / weight;
}

static u64 less(u64 a, u64 b)
{
    return a > b ? a - b : 0;
}

static bool may_run(const struct vcpu *v, const struct local *h)
{
    return h->up && (h->id >= 64 || v->vm->harts & BIT(h->id));
}

// --- places --------------------------------------------------------------------------------------

// The one that has just run counts as a little ahead, or a turn that ended a moment early would be
// followed by another of the same vCPU; as a slice ahead counts who has just had one, and who is at
// home elsewhere.
static u64 vtime_here(const struct vcpu *v, const struct local *h, u64 now)
{
    u64 slice = ticks_of_ms(SLICE_MS), ahead = 0;

    if (v == h->last)
        ahead = now - h->since < slice ? ticks_of_ms(TURN_MIN_MS) : slice;
    else if (&harts[v->sched.hart] != h)
        ahead = slice;
    return v->sched.vtime + by_weight(ahead, v->vm->weight);
}

void hart_poke(struct local *h)
{
    h->ipis++;
    clock_ipi_send(h->id);
}

void hart_arm(u64 deadline_ticks)
{
    clock_arm(hart_index() ? deadline_ticks : min_u64(deadline_ticks, sched_alarm.deadline_ticks));
}

static bool wake_idle_hart(const struct vcpu *v)
{
    for (struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->idle && may_run(v, h)) {
            h->idle = false; // it is spoken for
            hart_poke(h);
            return true;
        }
    return false;
}

// What the guest on h has had by now.
static u64 vtime_running(const struct local *h, u64 now)
{
    return h->running->sched.vtime + by_weight(less(now, h->turn_begin), h->running->vm->weight);
}

// Somebody must give way to v if he has had more: who has had the most.
static void preempt_for(const struct vcpu *v, u64 now)
{
    struct local *most = NULL;

    for (struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->running && may_run(v, h) && vtime_running(h, now) > v->sched.vtime &&
            (!most || vtime_running(h, now) > vtime_running(most, now)))
            most = h;
    if (!most)
        return;
    most->slice_end = min_u64(most->slice_end, most->turn_begin + ticks_of_ms(TURN_MIN_MS));
    hart_poke(most);
}

// vtime_now goes on as the least of those goes on who have, want or just had a hart; `least` is
// what the latter has had.
static void vtime_advance(u64 least, u64 now)
{
    for (const struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->running)
            least = min_u64(least, vtime_running(h, now));
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            if (vms[m]->vcpus[i]->sched.place == PLACE_READY)
                least = min_u64(least, vms[m]->vcpus[i]->sched.vtime);
    if (least != ~0ul)
        vtime_now = max_u64(vtime_now, least);
}

static void credit(struct vcpu *v, u64 now)
{
    u64 owed = by_weight(ticks_of_ms(TURN_MIN_MS) / 4, v->vm->weight);

    vtime_advance(~0ul, now);
    v->sched.vtime = max_u64(v->sched.vtime, less(vtime_now, owed));
}

static void ready_make(struct vcpu *v, u64 now)
{
    credit(v, now);
    v->sched.place = PLACE_READY;
    v->sched.since = now;
}

// Where v belongs, if it does not run.  One whose VM has ended is represented by its first vCPU, at
// whose cost it is started again.  vm->lock is held.
static enum place place_of(const struct vcpu *v)
{
    if (v->vm->state == VM_STOPPED)
        return v == v->vm->vcpus[0] ? PLACE_READY : PLACE_OFF;
    if (v->vm->state != VM_RUNNING || v->hsm == HSM_STOPPED)
        return PLACE_OFF;
    return v->waiting && !vcpu_interrupts(v) ? PLACE_SLEEPING : PLACE_READY;
}

static void place_renew(struct vcpu *v)
{
    enum place place = place_of(v);
    u64        now   = clock_now();

    if (place == PLACE_SLEEPING)
        v->sched.wake_at = timer_next(v);
    if (place == v->sched.place)
        return;
    if (place != PLACE_READY) {
        v->sched.place = place;
        return;
    }
    ready_make(v, now);
    if (!wake_idle_hart(v))
        preempt_for(v, now);
}

// Only the hart itself can make this true or false.
static bool runs_here(const struct vcpu *v)
{
    return __atomic_load_n(&runq_here()->running, __ATOMIC_RELAXED) == v;
}

void sched_wake(struct vcpu *v)
{
    if (runs_here(v))
        return;
    lock_take(&runq_lock);
    if (v->sched.place != PLACE_RUNNING)
        place_renew(v);
    else if (v->sched.hart != hart_index())
        hart_poke(&harts[v->sched.hart]);
    lock_drop(&runq_lock);
}

void sched_started(struct vcpu *v)
{
    sched_wake(v);
}

void sched_arm(struct vcpu *v)
{
    struct local *h = runq_here();

    if (runs_here(v)) {
        hart_arm(min_u64(__atomic_load_n(&h->slice_end, __ATOMIC_RELAXED), timer_next(v)));
        return;
    }
    lock_take(&runq_lock);
    v->sched.wake_at = timer_next(v);
    if (v->sched.place != PLACE_OFF && v->sched.hart != hart_index())
        hart_poke(&harts[v->sched.hart]); // it watches the deadline
    lock_drop(&runq_lock);
}

enum outcome sched_wait(struct vcpu *v)
{
    if (!vcpu_interrupts(v)) {
        v->waiting = true;
        v->stats.waits++;
        pend(v, PEND_RESCHED);
    }
    return NEXT;
}

void vm_hold(struct vm *vm)
{
    lock_take(&runq_lock);
    vm->held++;
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        struct vcpu *v = vm->vcpus[i];

        if (v->sched.place == PLACE_RUNNING && v->sched.hart != hart_index()) {
            pend(v, PEND_RESCHED);
            hart_poke(&harts[v->sched.hart]);
        }
    }
    lock_drop(&runq_lock);
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        const struct vcpu *v = vm->vcpus[i];

        while (__atomic_load_n(&v->sched.place, __ATOMIC_ACQUIRE) == PLACE_RUNNING &&
               v->sched.hart != hart_index())
            ;
    }
}

void vm_release(struct vm *vm)
{
    lock_take(&runq_lock);
    vm->held--;
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (!vm->held && vm->vcpus[i]->sched.place == PLACE_READY)
            (void)wake_idle_hart(vm->vcpus[i]);
    lock_drop(&runq_lock);
}

// --- choosing ------------------------------------------------------------------------------------

static u64 budget_of(const struct vcpu *v)
{
    return ticks_of_ms(PERIOD_MS) * v->vm->cap / 100;
}

// What v may still have of its period; ~0 without a cap.  What it had too much of one is taken from
// the next.
static u64 cap_left(struct vcpu *v, u64 now)
{
    struct sched *s      = &v->sched;
    u64           period = ticks_of_ms(PERIOD_MS);

    if (!v->vm->cap)
        return ~0ul;
    if (now - s->period >= period) {
        s->period = now - s->period < 2 * period ? s->period + period : now;
        s->spent  = less(s->spent, budget_of(v));
    }
    return less(budget_of(v), s->spent);
}

// Who has had less; of two that have had about the same, who has waited longer: otherwise a moment
// more or less would change their order, and one would wait a turn too long.
static bool is_before(const struct vcpu *a, const struct vcpu *b, const struct local *h, u64 now)
{
    u64 had_a = vtime_here(a, h, now), had_b = vtime_here(b, h, now);
    u64 close = by_weight(ticks_of_ms(TURN_MIN_MS), 100);

    if (max_u64(had_a, had_b) - min_u64(had_a, had_b) >= close)
        return had_a < had_b;
    return a->sched.since < b->sched.since;
}

static void vcpu_consider(struct choice *c, struct vcpu *v, struct local *h, u64 now)
{
    struct sched *s = &v->sched;

    if (s->place == PLACE_SLEEPING && s->wake_at <= now && s->hart == hart_index())
        ready_make(v, now);
    if (s->place == PLACE_SLEEPING && s->hart == hart_index())
        c->deadline = min_u64(c->deadline, s->wake_at);
    if (s->place != PLACE_READY || v->vm->held || !may_run(v, h))
        return;
    if (!cap_left(v, now)) {
        c->deadline = min_u64(c->deadline, s->period + ticks_of_ms(PERIOD_MS));
        return;
    }
    c->n_ready++;
    if (!c->best || is_before(v, c->best, h, now))
        c->best = v;
}

static void each_vcpu(void (*act)(struct choice *c, struct vcpu *v, struct local *h, u64 now),
                      struct choice *c, struct local *h, u64 now)
{
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            act(c, vms[m]->vcpus[i], h, now);
}

// Who is left over is offered to a hart that has nothing to do.
static void leftover_offer(struct choice *c, struct vcpu *v, struct local *h, u64 now)
{
    (void)h;
    if (v->sched.place == PLACE_READY && v != c->best && !v->vm->held && cap_left(v, now))
        (void)wake_idle_hart(v);
}

static void turn_give(struct vcpu *v, struct local *h, u64 now)
{
    v->sched.place = PLACE_RUNNING;
    v->sched.hart  = hart_index();
    v->sched.stolen += now - v->sched.since;
    v->sched.turns++;
    h->turn_begin = now;
    h->since      = v == h->last ? h->since : now;
    h->turns++;
}

static bool all_are_off(void)
{
    for (unsigned m = 0; m < n_vms; m++)
        if (vms[m]->state != VM_OFF || vms[m]->is_kept)
            return false;
    return true;
}

void runq_choose(struct choice *c)
{
    struct local *h   = runq_here();
    u64           now = clock_now();

    *c = (struct choice){ .deadline = ~0ul };
    lock_take(&runq_lock);
    c->over = all_are_off();
    each_vcpu(vcpu_consider, c, h, now);
    each_vcpu(leftover_offer, c, h, now);
    if (c->best)
        turn_give(c->best, h, now);
    h->idle = !c->best;
    lock_drop(&runq_lock);
}

// Who is chosen again has the rest of the slice: others wait for one slice, not for several turns.
u64 runq_slice_end(const struct choice *c)
{
    const struct local *h     = runq_here();
    u64                 least = h->turn_begin + ticks_of_ms(TURN_MIN_MS);
    u64                 slice = c->n_ready > 1 ? h->since + ticks_of_ms(SLICE_MS) : ~0ul;
    u64                 left  = cap_left(c->best, h->turn_begin);
    u64                 end   = max_u64(least, min_u64(slice, c->deadline));

    return left == ~0ul ? end : min_u64(end, h->turn_begin + left);
}

void runq_running_set(struct vcpu *v, u64 slice_end)
{
    struct local *h = runq_here();

    lock_take(&runq_lock);
    h->slice_end = slice_end;
    __atomic_store_n(&h->running, v, __ATOMIC_RELAXED);
    lock_drop(&runq_lock);
}

// One that has its hart whenever it wants must not save up the difference to those that have not.
static void lag_bound(struct vcpu *v)
{
    u64 lag = by_weight(LAG_SLICES * ticks_of_ms(SLICE_MS), weight_min);

    v->sched.vtime = max_u64(v->sched.vtime, less(vtime_now, lag));
}

void runq_turn_over(struct vcpu *v)
{
    struct local *h   = runq_here();
    u64           now = clock_now(), had = now - h->turn_begin;

    lock_take(&v->vm->lock);
    timer_check(v);
    lock_take(&runq_lock);
    v->sched.vtime += by_weight(had, v->vm->weight);
    v->sched.ran += had;
    v->sched.spent += had;
    h->busy += had;
    h->last = v;
    vtime_advance(v->sched.vtime, now);
    lag_bound(v);
    if (v->gave_up) // and saves up no more than one that sleeps
        credit(v, now);
    v->gave_up       = false;
    v->sched.wake_at = timer_next(v);
    v->sched.since   = now;
    __atomic_store_n(&v->sched.place, place_of(v), __ATOMIC_RELEASE);
    lock_drop(&runq_lock);
    lock_drop(&v->vm->lock);
}

void runq_join(void)
{
    struct local *h = runq_here();

    lock_take(&runq_lock);
    weight_min = ~0u;
    for (unsigned m = 0; m < n_vms; m++)
        weight_min = vms[m]->weight < weight_min ? vms[m]->weight : weight_min;
    *h = (struct local){ .id = hart_id(), .up = true, .slice_end = ~0ul, .began = clock_now() };
    lock_drop(&runq_lock);
    for (unsigned m = 0; m < n_vms && !hart_index(); m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++) {
            lock_take(&vms[m]->lock);
            sched_wake(vms[m]->vcpus[i]);
            lock_drop(&vms[m]->lock);
        }
}

u64 sched_ran(const struct vcpu *v)
{
    const struct local *h = &harts[v->sched.hart];

    lock_take(&runq_lock);
    u64 ran = v->sched.ran + (h->running == v ? less(clock_now(), h->turn_begin) : 0);

    lock_drop(&runq_lock);
    return ran;
}

bool sched_hart(u32 index, struct hart_share *share)
{
    struct local *h = &harts[index];

    if (index >= MAX_HARTS || !h->up)
        return false;
    lock_take(&runq_lock);
    *share = (struct hart_share){ h->id,   h->up,    h->idle,  h->running,
                                  h->busy, h->began, h->turns, h->ipis };
    lock_drop(&runq_lock);
    return true;
}
