// SPDX-License-Identifier: MIT
// What a vCPU's traps were, and what was done: records of those asked for, the system call that is
// followed, and always the last few exits.
#pragma once

#include "isa/insn.h"
#include "lib/types.h"

struct vcpu;
struct vm;
struct vdev;
struct mmio;

// What a trap was for.  Names and values: trace_rows[].
enum trace_kind {
    TRACE_CSR,
    TRACE_SRET,
    TRACE_WFI,
    TRACE_FENCE,
    TRACE_ECALL,
    TRACE_SBI,
    TRACE_PAGE,
    TRACE_MMIO,
    TRACE_EXCEPTION,
    TRACE_VIOLATION,
    TRACE_INTERRUPT,
    TRACE_MACHINE,
    TRACE_KINDS,
};

#define TRACE_VALUES 5
#define TRACE_ALL    (BIT(TRACE_KINDS) - 1)

struct record {
    u64 at_ticks;
    u64 pc, to; // before and after
    u64 tval;
    u32 insn;             // 0: not known
    u8  kind : 4;         // enum trace_kind
    u8  mode : 2;         // virtual, before
    u8  to_mode : 2;      // and after
    u8  cause;            // without its top bit
    u8  is_interrupt : 1; // its top bit
    u8  has_sector : 1;   // MMIO: value[2] and on are a disk's
    u8  is_refused : 1;   // that sector is not on it
    u8  device;           // 1 + its place on the bus; 0: none
    u64 value[TRACE_VALUES];
};

struct trace_row {
    const char *name, *what;
    const char *values[TRACE_VALUES]; // hexadecimal; NULL: no more
};
extern const struct trace_row trace_rows[TRACE_KINDS];

// The last exits of the long way, for reports of crashes.
struct exit {
    u64 pc, cause, tval;
    u64 mode;
};

#define TRACE_RING  512 // powers of two
#define TRACE_EXITS 32
#define FOLLOW_MAX  48

enum follow { FOLLOW_OFF, FOLLOW_ARMED, FOLLOW_ON, FOLLOW_DONE, FOLLOW_LATE };

// The next system call that reaches a device, or leads to a request to the disk, or the next
// violation, until a process goes on.
enum follow_what { FOLLOW_CALL, FOLLOW_DISK, FOLLOW_VIOLATION };
struct follower {
    enum follow state;

    enum follow_what what;
    bool             reached; // what it is after
    u32              n, omitted;
    u64              since_ticks; // when it was armed
    struct record    records[FOLLOW_MAX];
};

struct trace {
    bool            on;    // every trap takes the long way
    u32             kinds; // bit n: enum trace_kind n
    u64             n;     // records since ever; the ring holds the last
    u64             n_exits;
    struct record   open; // of the trap that is being handled
    struct exit     exits[TRACE_EXITS];
    struct follower follower;
    struct record   ring[TRACE_RING];
};

// While the VM's vCPUs stand still (vm_hold()):
void trace_set(struct vcpu *v, u32 kinds);                // these from now on; 0: none
void trace_follow(struct vcpu *v, enum follow_what what); // arms the follower
void trace_follow_end(struct vcpu *v, enum follow state); // and ends it
// The n-th of the records that the ring holds, from the oldest; NULL: there are no more.
const struct record *trace_record(const struct vcpu *v, u64 n);
// Likewise of the last exits.
const struct exit *trace_exit(const struct vcpu *v, u64 n);

// For run.c, around what it does about a trap; `reflected`: its guest gets it.
void trace_begin(struct vcpu *v, u64 cause, u64 tval);
void trace_end(struct vcpu *v, bool reflected);
void trace_note_exit(struct vcpu *v);
void trace_machine(struct vcpu *v); // an interrupt of the machine: nothing changes

// For the bus, at each access: only while the VM's trap is being recorded (vm->record).
void trace_device(struct vdev *d, const struct mmio *m);
// For devices; void unless it is being recorded.  What the access led to: a request for this
// sector of a disk that begins at sector `first` of the machine's; or it has no such sector, and
// so nothing follows.
void trace_sector(struct vm *vm, u64 sector, u64 first, bool is_there);
