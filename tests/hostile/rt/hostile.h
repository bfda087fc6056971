// SPDX-License-Identifier: MIT
// What attackers and the witness need beyond the equivalence guests' runtime: lines that do not mix
// with another VM's, numbers from the command line, choices at random.
#pragma once

#include "board.h"
#include "guest.h"
#include "page.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
#define MIB          (1ul << 20)
#define RAM          0x80000000ul
#define SBI_DBCN     0x4442434eul

// Memory that neither the image nor the loader uses, in a VM of 16 MiB or more.
#define SPARE (RAM + 12 * MIB)

// One line, in one console write: "\n<guest>: ...\n".  A full console is waited for.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The number behind "<name>=" in the command line.
u64 arg(const char *name, u64 otherwise);

// The first word of the rng-seed that the monitor has put into the device tree.
u64 boot_seed(void);

// The end of this VM's RAM: the device tree that the monitor made stands right below it.
u64 ram_end(void);

// Any of a list, any below a limit.
#define any_of(list, seed)  ((list)[random_next(seed) % ARRAY_LEN(list)])
#define any_below(n, seed)  (random_next(seed) % (n))

// Numbers that programs of this kind get wrong: 0, ~0, powers of two and their neighbours, borders
// of RAM and of devices; and now and then any number at all.
u64 edge_number(u64 *seed);

// Ends a test that was not about ending: the VM goes on and does no more harm.
void rest(void) __attribute__((noreturn));
