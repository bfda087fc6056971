// SPDX-License-Identifier: MIT
// A virtual hart: all that it is, is in this struct.
#pragma once

#include "arch/hart.h"
#include "isa/insn.h"
#include "vm/memo.h"
#include "vm/shadow.h"
#include "vm/steal.h"
#include "vm/trace.h"

struct vm;
struct engine;

// What somebody wants done before this vCPU runs its guest again.  Set atomically by anybody,
// looked at in vcpu_settle() alone.
enum pending {
    PEND_IRQ     = 1, // virtual interrupt state changed
    PEND_FOLLOW  = 2, // satp, mode, SUM, MXR, counters or FS changed: the hart must follow
    PEND_FLUSH   = 4, // another vCPU asked for a fence: forget all translations
    PEND_RESCHED = 8, // give way
    PEND_STOP    = 16,
    PEND_FENCE_I = 32, // another vCPU asked for it: instructions are fetched anew
    PEND_DEVICE  = 64, // a device of the VM was kicked
};

// The storage of the virtual CSRs, one member per CSR_REG row.
struct csrs {
#define CSR_REG(number, name, reset, writable, needs, hook, live) u64 name;
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live)
#include "vm/csr.def"
#undef CSR_REG
#undef CSR_VIEW
};

// What raise() left for the guest.
struct exception {
    u64 cause, tval;
};

// Where the scheduler has it.
enum place {
    PLACE_OFF,      // nowhere: it is not to run
    PLACE_READY,    // wants a hart
    PLACE_RUNNING,  // has one
    PLACE_SLEEPING, // wants one when an interrupt comes, or its time
};

// What the scheduler knows of a vCPU; under the scheduler's lock.  Times are in ticks.
struct sched {
    enum place place;
    u32        hart;        // index of the one that it runs on, or ran on last
    u64        vtime;       // what it has had, by weight
    u64        wake_at;     // SLEEPING: when it wants to be looked at
    u64        since;       // READY: from when on
    u64        period;      // of its cap: when it began,
    u64        spent;       // and what it has had in it
    bool       is_out;      // of what its cap leaves it
    u64        ran, stolen; // in all: on a hart; ready, but without one
    u64        turns;
};

// HSM states (SBI 2.0, 9): a vCPU that is not STARTED runs no guest code.
enum hsm { HSM_STARTED = 0, HSM_STOPPED = 1, HSM_STOP_PENDING = 3, HSM_SUSPENDED = 4 };

// What the monitor's instructions were spent on, on a vCPU's behalf.
enum spent { SPENT_OTHER, SPENT_DEVICES, SPENT_INTERRUPTS, SPENT_KINDS };

// Counters; what a guest does wrong is counted here and never printed.
struct vcpu_stats {
    u64 traps[EXC_COUNT];
    u64 irqs, mmio, recalled, reflected, fills, flushes, switches, injected;
    u64 waits;              // in wfi
    u64 longest;            // stay in the monitor on its behalf, in instructions
    u64 spent[SPENT_KINDS]; // in all such stays; what the hot path does is not among them
};

struct vcpu {
    struct frame         f; // must be first: mscratch points at it
    u32                  pending;
    enum mode            mode; // the virtual mode
    struct csrs          csr;
    u64                  irq_lines; // bits of mip that devices hold up; not stored in csr.mip
    struct exception     exc;
    struct vm           *vm;
    const struct engine *engine;     // now: while it is traced, classic, where each step traps
    const struct engine *own_engine; // otherwise
    u32                  id;
    enum hsm             hsm;
    struct sched         sched;
    u32                  loaded_on;      // index of the hart that holds its state; NOWHERE
    bool                 gave_up;        // its turn, to try an SBI call or an access again
    bool                 waiting;        // in wfi
    bool                 timer_is_real;  // while its guest runs, its stimecmp is the hart's
    bool                 super_is_known; // v->csr holds all of what the hart does
    bool                 is_counted;     // what scause tells of an interrupt
    u8                   spent_on;       // enum spent: this stay
    u8                   step;           // length of the instruction at pc, for NEXT
    u8                   linger_skips;   // waits in which it does not linger
    u8                   linger_lost;    // in vain, one after the other, as 2^n - 1
    u64                  m_deadline;     // vCLINT's mtimecmp, in ticks
    u64                  real_counters;  // what the hart's scounteren, senvcfg hold for us
    u64                  real_envcfg;
    struct super         super;                 // what the hart's S-level CSRs hold for us
    u64                  ext_status;            // FS and VS while the vCPU is not on a hart
    struct vector_regs  *vector;                // likewise; NULL: it has none
    u64                  resume_pc, resume_arg; // where HSM start and resume lead
    struct vcpu_stats    stats;
    struct steal         steal;                     // what its guest is told of stolen time
    u64                  watch_injected, watch_ran; // the watchdog: since when nothing was taken
    bool                 may_be_stuck;              // its last trap has changed nothing: stuck.c
    struct memos         memos;
    // What is large comes last, so that the offsets of the others stay short, and what most exits
    // touch lies in two pages: of the trace that is its beginning.
    struct trace   trace;
    struct shadow  shadow;
    struct fp_regs fp; // while the vCPU is not on a hart
};

#define NOWHERE (~0u)

static inline struct vcpu *vcpu_of_frame(struct frame *f)
{
    return CONTAINER_OF(f, struct vcpu, f);
}

// How a trap ended; run.c alone acts on it.
enum outcome {
    RESUME,  // run the guest from where pc points now
    NEXT,    // the instruction is done: step over it, v->step bytes
    REFLECT, // the guest gets v->exc as its own exception
    STOP,    // this VM cannot go on; vm_stop() has been told why
};

// In place of a cause: trap_hot() has done what there was to do, and left something pending.
#define TRAP_DONE (~0ul >> 1)

// What the hart said about a trap.
struct trap {
    u64 cause;
    u64 tval;
};

static inline void pend(struct vcpu *v, u32 bits)
{
    __atomic_fetch_or(&v->pending, bits, __ATOMIC_RELEASE);
}

static inline u32 pending_of(const struct vcpu *v)
{
    return __atomic_load_n(&v->pending, __ATOMIC_ACQUIRE);
}

static inline u64 lines_of(const struct vcpu *v)
{
    return __atomic_load_n(&v->irq_lines, __ATOMIC_ACQUIRE);
}

// The bits alone; vcpu_line_set() also tells whoever has to know.
static inline void lines_store(struct vcpu *v, u64 bits, bool up)
{
    if (up)
        __atomic_fetch_or(&v->irq_lines, bits, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&v->irq_lines, ~bits, __ATOMIC_RELEASE);
}

// Pending and enabled for vS, whatever sstatus says.
static inline u64 vcpu_interrupts(const struct vcpu *v)
{
    u64 mip = __atomic_load_n(&v->csr.mip, __ATOMIC_RELAXED);

    return (mip | lines_of(v)) & v->csr.mie & INT_S;
}

static inline enum outcome raise(struct vcpu *v, u64 cause, u64 tval)
{
    v->exc.cause = cause;
    v->exc.tval  = tval;
    return REFLECT;
}

// Integer registers; x0 reads as 0 and swallows writes.
static inline u64 reg_get(const struct vcpu *v, unsigned n)
{
    return v->f.x[n];
}
static inline void reg_set(struct vcpu *v, unsigned n, u64 value)
{
    if (n)
        v->f.x[n] = value;
}

#define REG_A0 10
#define REG_A1 11
#define REG_A6 16
#define REG_A7 17

// vm/run.c
void vcpu_reset(struct vcpu *v); // registers, CSRs and translations as after power-on, stopped
void vcpu_start(struct vcpu *v, u64 pc, u64 a1); // SBI 2.0, 9.1: vS, satp 0, SIE 0, a0 = id
void vcpu_run(struct vcpu *v);                   // until it must give way or has nothing to do
bool vcpu_is_loaded(const struct vcpu *v);       // the calling hart holds its FS and VS
u64  longest_stay(u32 hart); // in the monitor, in instructions, of the hart of that index
void stay_begins(void);      // the hart is in the monitor from now on: it slept, or has just joined
void stay_ends(void);        // the hart sleeps, or has looked at its interrupts
void stay_ends_of(struct vcpu *v); // its guest is entered, or it lingers: so far it was for v

// vm/inject.c
void vcpu_take_exception(struct vcpu *v);
void vcpu_take_interrupt(struct vcpu *v);
void vcpu_return_from_s(struct vcpu *v); // what sret does
void vcpu_line_set(struct vcpu *v, u64 bits, bool up);
// It is known that the guest has taken an interrupt, if the hart gave it: it has claimed it.
void vcpu_was_interrupted(struct vcpu *v);

// vm/trap.c
enum outcome trap_handle(struct vcpu *v, const struct trap *t);

// vm/emul.c
enum outcome emul_illegal(struct vcpu *v, const struct trap *t);

// vm/mmio.c
// Of a page fault.  False: the access is not one that the vCPU remembers.
bool         mmio_recall(struct vcpu *v, const struct trap *t, enum outcome *o);
enum outcome mmio_emulate(struct vcpu *v, const struct trap *t, enum access_kind kind, gpa_t at);

// vm/timer.c: the vCPU's S-level timer (Sstc's stimecmp; SBI's set_timer sets the same)
void timer_set(struct vcpu *v, u64 deadline_ticks); // ~0: never
void timer_check(struct vcpu *v);                   // brings its lines up to date
u64  timer_next(const struct vcpu *v);              // when timer_check() has to be called again
u64  timer_next_running(const struct vcpu *v);      // the same, while its guest runs

// vm/sbi.c
enum outcome sbi_call(struct vcpu *v);
