// SPDX-License-Identifier: MIT
// The simulation.
//
// In:     harts, guests, time.
// Out:    who had how much, and how long each had to wait.
// Always: time goes from one event to the next: a slice that ends, a burst, a deadline, an IPI.
//         While a guest is ready, no hart that it may run on stays idle.
// Locks:  none; the harts take turns.
#include "rig/sim.h"

#include "lib/panic.h"

#include <string.h>

struct sim_guest sim_guests[SIM_VMS];

static struct {
    unsigned      n_harts, n_guests;
    u32           ids[MAX_HARTS];
    struct vcpu  *on[MAX_HARTS]; // NULL: idle
    struct choice choice[MAX_HARTS];
    u64           until[MAX_HARTS]; // time that its guest was given already
} sim;

void sim_hart(unsigned index)
{
    fake_hart.index = index;
    fake_hart.id    = sim.ids[index];
}

void sim_begin(unsigned n_harts, const u32 *ids)
{
    bench_reset();
    memset(&sim, 0, sizeof sim);
    memset(sim_guests, 0, sizeof sim_guests);
    memset(harts, 0, sizeof(struct local) * MAX_HARTS);
    fake_hart.time = 1000000;
    sim.n_harts    = n_harts;
    for (unsigned i = 0; i < n_harts; i++) {
        sim.ids[i] = ids ? ids[i] : i;
        sim_hart(i);
        runq_join();
    }
}

void sim_end(void)
{
    for (unsigned i = 0; i < sim.n_guests; i++)
        rig_free(sim_guests[i].r);
    fake_hart.index = fake_hart.id = 0;
    memset(harts, 0, sizeof(struct local) * MAX_HARTS);
}

static struct sim_guest *guest_of(const struct vcpu *v)
{
    for (unsigned i = 0; i < sim.n_guests; i++)
        if (sim_guests[i].r->v == v)
            return &sim_guests[i];
    panic("nobody's vCPU");
}

unsigned sim_start(struct job job, u32 weight, u32 cap, u64 allowed)
{
    struct sim_guest *g = &sim_guests[sim.n_guests++];

    g->r             = rig_make(&(struct rig_options){ .pool_pages = 16 });
    g->job           = job;
    g->left          = job.burst;
    g->r->vm.weight  = weight;
    g->r->vm.cap     = cap;
    g->r->vm.harts   = allowed;
    g->r->v->csr.mie = INT_S;
    g->begun = g->ready_at = fake_hart.time;
    sched_wake(g->r->v);
    return sim.n_guests - 1;
}

void sim_forget(void)
{
    for (unsigned i = 0; i < sim.n_guests; i++) {
        sim_guests[i].begun = fake_hart.time;
        sim_guests[i].worst = sim_guests[i].on_harts = sim_guests[i].slept = 0;
        sim_guests[i].asleep_at = sim_guests[i].ready_at = fake_hart.time;
        sim_guests[i].r->v->sched.ran -= sched_ran(sim_guests[i].r->v);
        sim_guests[i].r->v->sched.stolen = 0;
    }
}

u64 sim_share(unsigned guest)
{
    const struct sim_guest *g = &sim_guests[guest];

    return 1000 * sched_ran(g->r->v) / (fake_hart.time - g->begun);
}

static void wakes(struct sim_guest *g, u64 when)
{
    g->slept += when - g->asleep_at;
    g->ready_at = when;
    g->left     = g->job.burst;
}

void sim_line(unsigned guest)
{
    vcpu_line_set(sim_guests[guest].r->v, BIT(IRQ_SEI), true);
}

static bool *poked(unsigned hart)
{
    return &chips.poked[sim.ids[hart] % MAX_HARTS];
}

// As turn_admit() does.
static void comes(unsigned hart, struct vcpu *v)
{
    struct sim_guest *g = guest_of(v);

    sim.on[hart]    = v;
    sim.until[hart] = fake_hart.time;
    g->on_harts |= BIT(hart);
    if (v->waiting) {
        wakes(g, min_u64(v->csr.stimecmp, fake_hart.time));
        v->waiting = false;
        timer_set(v, ~0ul);
        vcpu_line_set(v, BIT(IRQ_SEI), false);
    }
    if (fake_hart.time - g->ready_at > g->worst)
        g->worst = fake_hart.time - g->ready_at;
}

static void leaves(unsigned hart)
{
    struct vcpu      *v = sim.on[hart];
    struct sim_guest *g = guest_of(v);

    sim.on[hart] = NULL;
    g->ready_at  = fake_hart.time;
    runq_turn_over(v);
}

// The burst is over.
static void sleeps(unsigned hart)
{
    struct vcpu *v = sim.on[hart];

    v->waiting             = true;
    guest_of(v)->asleep_at = fake_hart.time;
    timer_set(v, fake_hart.time + guest_of(v)->job.pause);
}

// What a hart does at this moment.
static void hart_step(unsigned hart)
{
    struct vcpu      *v = sim.on[hart];
    struct sim_guest *g = v ? guest_of(v) : NULL;

    sim_hart(hart);
    *poked(hart)     = false;
    harts[hart].idle = false;
    if (v && g->job.burst)
        g->left -= min_u64(g->left, fake_hart.time - sim.until[hart]);
    sim.until[hart] = fake_hart.time;
    if (v && g->job.burst && !g->left)
        sleeps(hart);
    else if (v && fake_hart.time < harts[hart].slice_end && !vm_is_held(v->vm))
        return;
    if (v)
        leaves(hart);
    runq_choose(&sim.choice[hart]);
    if (sim.choice[hart].best)
        comes(hart, sim.choice[hart].best);
}

static u64 hart_event(unsigned hart)
{
    const struct vcpu *v = sim.on[hart];

    if (*poked(hart))
        return fake_hart.time;
    if (!v)
        return sim.choice[hart].deadline;
    return guest_of(v)->job.burst
               ? min_u64(harts[hart].slice_end, fake_hart.time + guest_of(v)->left)
               : harts[hart].slice_end;
}

// Is a hart about to choose that may take it?
static bool is_expected(const struct vcpu *v)
{
    for (unsigned i = 0; i < sim.n_harts; i++)
        if (!sim.on[i] && *poked(i) && hart_may_run(&harts[i], v))
            return true;
    return false;
}

// Somebody could run, and a hart is idle and has not been told.
static void work_check(void)
{
    for (unsigned i = 0; i < sim.n_harts; i++)
        for (unsigned n = 0; n < sim.n_guests && !sim.on[i]; n++) {
            const struct vcpu *v = sim_guests[n].r->v;

            if (v->sched.place == PLACE_READY && !v->vm->cap && !v->vm->held &&
                hart_may_run(&harts[i], v) && !is_expected(v))
                panic("hart %u is idle while guest %u is ready", i, n);
        }
}

void sim_run(u64 ticks)
{
    u64 end = fake_hart.time + ticks;

    for (unsigned i = 0; i < sim.n_harts; i++)
        hart_step(i);
    for (;;) {
        unsigned next = 0;

        work_check();
        for (unsigned i = 1; i < sim.n_harts; i++)
            next = hart_event(i) < hart_event(next) ? i : next;
        if (hart_event(next) >= end)
            break;
        fake_hart.time = max_u64(fake_hart.time, hart_event(next));
        hart_step(next);
    }
    fake_hart.time = end;
}
