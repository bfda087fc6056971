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
//         While one is READY, a hart that it may run on is about to choose or has an end of its
//         slice: whoever changes a place to READY sees to that, and each choice sees to it for all
//         of them.
// Locks:  runq_lock guards places and times.  Taken after a vm->lock, never before one.  A place
//         becomes RUNNING, and a sleeper's READY, under it alone; for other changes vm->lock is
//         held as well.
#include "vm/runq.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"
#include "vm/share.h"

#define COMPARED_MAX 128 // in one choice: VMs with which those are who enter, on all harts

struct local harts[MAX_HARTS];
struct lock  runq_lock;

struct sched_alarm sched_alarm = { .deadline_ticks = ~0ul };

struct local *runq_here(void)
{
    return &harts[hart_index()];
}

u32 harts_up(void)
{
    u32 n = 0;

    for (const struct local *h = harts; h < harts + MAX_HARTS; h++)
        n += h->up;
    return n;
}

static bool is_one_of(const struct local *h, u64 ids)
{
    return h->up && (h->id >= 64 || ids & BIT(h->id));
}

bool hart_may_run(const struct local *h, const struct vcpu *v)
{
    return is_one_of(h, v->vm->harts);
}

// --- harts that must look again ------------------------------------------------------------------

static void hart_poke(struct local *h)
{
    h->ipis++;
    clock_ipi_send(h->id);
}

void runq_poke(struct local *h)
{
    lock_take(&runq_lock);
    if (h->up)
        hart_poke(h);
    lock_drop(&runq_lock);
}

void harts_stop(void)
{
    for (struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->up && h != runq_here())
            clock_ipi_send(h->id);
}

void hart_arm(u64 deadline_ticks)
{
    struct local *h = runq_here();

    if (!hart_index())
        deadline_ticks = min_u64(min_u64(deadline_ticks, sched_alarm.deadline_ticks), irq_again_at);
    if (h->armed && h->armed <= deadline_ticks)
        return;
    h->armed = deadline_ticks;
    clock_arm(deadline_ticks);
}

void hart_timer_rang(void)
{
    runq_here()->armed = 0;
}

// The turn on h ends at that time, if not before; but it lasts for a while.
static void slice_shorten(struct local *h, u64 end)
{
    end = max_u64(end, h->turn_begin + ticks_of_ms(TURN_MIN_MS));
    if (end >= h->slice_end)
        return;
    __atomic_store_n(&h->slice_end, end, __ATOMIC_RELAXED);
    hart_poke(h);
}

static bool wake_idle_hart(const struct vcpu *v)
{
    for (struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->idle && hart_may_run(h, v)) {
            h->idle = false; // it is spoken for
            hart_poke(h);
            return true;
        }
    return false;
}

// Who stands still gives way first, for it has nothing to do.
static u64 had_on(const struct local *h, u64 now)
{
    return h->stands ? ~0ul : share_had(h->running, now);
}

// Somebody must give way to v: who has had the most.  At once, if that is more than v; otherwise
// when its slice is over, for it may have been alone and have none.
static void preempt_for(const struct vcpu *v, u64 now)
{
    struct local *most = NULL;

    for (struct local *h = harts; h < harts + MAX_HARTS; h++)
        if (h->running && hart_may_run(h, v) && (!most || had_on(h, now) > had_on(most, now)))
            most = h;
    if (most && had_on(most, now) > v->sched.vtime)
        slice_shorten(most, 0);
    else if (most)
        slice_shorten(most, most->since + ticks_of_ms(SLICE_MS));
}

// v is READY, and no hart has looked at it yet.
static void ready_announce(const struct vcpu *v, u64 now)
{
    if (!wake_idle_hart(v))
        preempt_for(v, now);
}

// v is SLEEPING, and its hart may not know until when.
static void sleeper_announce(const struct vcpu *v)
{
    struct local *h = &harts[v->sched.hart];

    if (h->running)
        slice_shorten(h, v->sched.wake_at);
    else if (h->up && h != runq_here())
        hart_poke(h);
}

// --- places --------------------------------------------------------------------------------------

// Where v belongs, if it does not run.  One whose VM has ended is represented by its first vCPU, at
// whose cost it is started again.  Without vm->lock, as an interrupt comes here that has kicked a
// device, what is read may change at once; but whoever changes it wakes v afterwards.
static enum place place_of(const struct vcpu *v)
{
    enum vm_state state = vm_state(v->vm);

    if (state == VM_STOPPED && v == v->vm->vcpus[0])
        return vm_rests_until(v->vm) ? PLACE_SLEEPING : PLACE_READY;
    if (state != VM_RUNNING || v->hsm == HSM_STOPPED)
        return PLACE_OFF;
    if (!v->waiting || vcpu_interrupts(v) || pending_of(v) & PEND_DEVICE)
        return PLACE_READY;
    return PLACE_SLEEPING;
}

// Who asks without the lock whether v has left its hart must then see all that was done there.
static void place_set(struct vcpu *v, enum place place)
{
    __atomic_store_n(&v->sched.place, place, __ATOMIC_RELEASE);
}

static void ready_make(struct vcpu *v, u64 now)
{
    share_enter(v, now);
    place_set(v, PLACE_READY);
    v->sched.since = now;
}

// When one that sleeps is looked at again.
static u64 wake_time(const struct vcpu *v)
{
    return vm_state(v->vm) == VM_STOPPED ? vm_rests_until(v->vm) : timer_next(v);
}

static void place_renew(struct vcpu *v)
{
    enum place place = place_of(v);
    u64        now   = clock_now();

    if (place == PLACE_SLEEPING)
        v->sched.wake_at = wake_time(v);
    if (place == v->sched.place)
        return;
    if (place == PLACE_READY) {
        ready_make(v, now);
        ready_announce(v, now);
        return;
    }
    v->sched.since = now;
    place_set(v, place);
    if (place == PLACE_SLEEPING)
        sleeper_announce(v);
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
    else
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
        hart_arm(min_u64(__atomic_load_n(&h->slice_end, __ATOMIC_RELAXED), timer_next_running(v)));
        return;
    }
    lock_take(&runq_lock);
    v->sched.wake_at = wake_time(v);
    if (v->sched.place == PLACE_SLEEPING)
        sleeper_announce(v);
    else if (v->sched.place == PLACE_RUNNING)
        hart_poke(&harts[v->sched.hart]);
    lock_drop(&runq_lock);
}

enum outcome sched_wait(struct vcpu *v)
{
    v->waiting = !vcpu_interrupts(v);
    if (v->waiting && v->vm->bus.patient) { // what a device has held back may be an interrupt
        bus_idle(&v->vm->bus);
        v->waiting = !vcpu_interrupts(v);
    }
    if (v->waiting) {
        v->stats.waits++;
        pend(v, PEND_RESCHED);
    }
    return NEXT;
}

bool sched_is_on_hart(const struct vcpu *v)
{
    return __atomic_load_n(&v->sched.place, __ATOMIC_ACQUIRE) == PLACE_RUNNING;
}

bool runq_is_alone(const struct vcpu *v)
{
    for (u32 i = 0; i < v->vm->n_vcpus; i++)
        if (v->vm->vcpus[i] != v && sched_is_on_hart(v->vm->vcpus[i]))
            return false;
    return true;
}

static bool runs_elsewhere(const struct vcpu *v)
{
    return sched_is_on_hart(v) && !runs_here(v);
}

void vm_hold(struct vm *vm)
{
    lock_take(&runq_lock);
    __atomic_store_n(&vm->held, vm->held + 1, __ATOMIC_RELAXED);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (runs_elsewhere(vm->vcpus[i])) {
            pend(vm->vcpus[i], PEND_RESCHED);
            hart_poke(&harts[vm->vcpus[i]->sched.hart]);
        }
    lock_drop(&runq_lock);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        while (runs_elsewhere(vm->vcpus[i]))
            ;
}

void vm_release(struct vm *vm)
{
    u64 now = clock_now();

    lock_take(&runq_lock);
    __atomic_store_n(&vm->held, vm->held - 1, __ATOMIC_RELAXED);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (!vm->held && vm->vcpus[i]->sched.place == PLACE_READY)
            ready_announce(vm->vcpus[i], now);
    lock_drop(&runq_lock);
}

// --- choosing ------------------------------------------------------------------------------------

// Whoever begins to want a hart is compared with all others, on every hart.  If many do so at the
// same moment the rest are looked at in the next choice, which comes at once or after a short turn:
// a stay in the monitor is bounded (G4).
static bool may_enter(struct choice *c)
{
    if (c->entries && c->entries >= COMPARED_MAX / (n_vms * harts_up()))
        return false;
    c->entries++;
    return true;
}

static void sleeper_consider(struct choice *c, struct vcpu *v, u64 now)
{
    struct sched *s = &v->sched;
    u64           since;

    if (s->wake_at <= now && may_enter(c)) {
        since = max_u64(s->wake_at, s->since); // a device may have wanted it long before that
        ready_make(v, now);
        s->since = since;
    } else
        c->deadline = min_u64(c->deadline, s->wake_at);
}

static void vcpu_consider(struct choice *c, struct vcpu *v, struct local *h, u64 now)
{
    struct sched *s = &v->sched;

    if (s->place == PLACE_SLEEPING && s->hart == hart_index())
        sleeper_consider(c, v, now);
    if (s->place != PLACE_READY || v->vm->held || !hart_may_run(h, v))
        return;
    if (share_enters_anew(v, now) && !may_enter(c)) {
        c->deadline = now;
        return;
    }
    if (!share_admits(v, now)) {
        c->deadline = min_u64(c->deadline, share_cap_renewed(v));
        return;
    }
    c->n_ready++;
    if (!c->best || share_is_before(v, c->best, h, now))
        c->best = v;
}

static void each_vcpu(void (*act)(struct choice *c, struct vcpu *v, struct local *h, u64 now),
                      struct choice *c, struct local *h, u64 now)
{
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            act(c, vms[m]->vcpus[i], h, now);
}

// Who is left over is offered to a hart that has nothing to do; or to all, for here it may be that
// others are before it for long.
static void leftover_offer(struct choice *c, struct vcpu *v, struct local *h, u64 now)
{
    (void)h;
    if (v->sched.place != PLACE_READY || v == c->best || v->vm->held || !share_cap_left(v, now))
        return;
    if (!wake_idle_hart(v))
        c->offered |= v->vm->harts;
}

// Whoever is alone on its hart has a slice without an end, and so nobody there looks at those who
// are left over.  Once for all of them, for they may be many.
static void endless_slices_end(const struct choice *c)
{
    for (struct local *h = harts; c->offered && h < harts + MAX_HARTS; h++)
        if (h->running && is_one_of(h, c->offered))
            slice_shorten(h, h->since + ticks_of_ms(SLICE_MS));
}

// Who is chosen again has the rest of the slice: others wait for one slice, not for several turns.
static u64 slice_end_of(const struct choice *c, const struct local *h)
{
    u64 least = h->turn_begin + ticks_of_ms(TURN_MIN_MS);
    u64 slice = c->n_ready > 1 ? h->since + ticks_of_ms(SLICE_MS) : ~0ul;
    u64 left  = share_cap_left(c->best, h->turn_begin);
    u64 end   = max_u64(least, min_u64(slice, c->deadline));

    return left == ~0ul ? end : min_u64(end, h->turn_begin + left);
}

static void turn_give(const struct choice *c, struct local *h, u64 now)
{
    struct vcpu *v = c->best;

    v->sched.hart = hart_index();
    v->sched.stolen += now - v->sched.since;
    v->sched.turns++;
    place_set(v, PLACE_RUNNING);
    h->turn_begin = now;
    h->since      = v == h->last ? h->since : now;
    h->turns++;
    __atomic_store_n(&h->slice_end, slice_end_of(c, h), __ATOMIC_RELAXED);
    __atomic_store_n(&h->running, v, __ATOMIC_RELAXED);
}

static bool all_are_off(void)
{
    for (unsigned m = 0; m < n_vms; m++)
        if (vm_state(vms[m]) != VM_OFF || __atomic_load_n(&vms[m]->is_kept, __ATOMIC_RELAXED))
            return false;
    return true;
}

void runq_choose(struct choice *c)
{
    struct local *h = runq_here();
    u64           now;

    *c = (struct choice){ .deadline = ~0ul };
    lock_take(&runq_lock);
    now     = clock_now(); // not before: who has the lock notes later times
    c->over = all_are_off();
    each_vcpu(vcpu_consider, c, h, now);
    each_vcpu(leftover_offer, c, h, now);
    endless_slices_end(c);
    if (c->best)
        turn_give(c, h, now);
    h->idle = !c->best;
    lock_drop(&runq_lock);
}

bool runq_slice_is_over(void)
{
    struct local *h = runq_here();
    bool          is;

    lock_take(&runq_lock);
    is = clock_now() >= h->slice_end;
    if (is)
        __atomic_store_n(&h->slice_end, ~0ul, __ATOMIC_RELAXED);
    lock_drop(&runq_lock);
    return is;
}

void runq_turn_over(struct vcpu *v)
{
    struct local *h   = runq_here();
    u64           now = clock_now();
    enum place    place;

    lock_take(&v->vm->lock);
    timer_check(v);
    lock_take(&runq_lock);
    share_charge(v, h, now);
    if (v->gave_up) // and saves up no more than one that sleeps
        share_enter(v, now);
    v->gave_up       = false;
    v->sched.wake_at = wake_time(v);
    v->sched.since   = now;
    h->last          = v;
    __atomic_store_n(&h->running, NULL, __ATOMIC_RELAXED);
    place = place_of(v);
    place_set(v, place);
    lock_drop(&runq_lock);
    if (place == PLACE_READY && v->vm->state == VM_RUNNING) // another hart waits for vm->lock
        steal_tell_preempted(v);
    lock_drop(&v->vm->lock);
}

static void vcpus_look(struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        lock_take(&vm->lock);
        sched_wake(vm->vcpus[i]);
        lock_drop(&vm->lock);
    }
}

void runq_join(void)
{
    struct local *h = runq_here();

    clock_arm(~0ul);
    lock_take(&runq_lock);
    *h = (struct local){
        .id = hart_id(), .up = true, .slice_end = ~0ul, .armed = ~0ul, .began = clock_now()
    };
    lock_drop(&runq_lock);
    for (unsigned m = 0; m < n_vms && !hart_index(); m++)
        vcpus_look(vms[m]);
}
