// SPDX-License-Identifier: MIT
// Commands: rows.  A command is a function and a row in the same file, and the file's rows are
// named once in groups[] (command.c).  Arguments arrive parsed; `help` and Tab come from the rows.
#pragma once

#include "mon/report.h"
#include "vm/csr.h"
#include "vm/vm.h"

struct command;

enum arg_kind {
    ARG_NONE,
    ARG_VM,      // a VM's name or number
    ARG_VIEW,    // that, or "all"
    ARG_ADDRESS, // guest-virtual, or p:guest-physical
    ARG_NUMBER,
    ARG_CSR,
    ARG_COMMAND,
    ARG_TRACE,       // on, off, or a VM
    ARG_TRACED,      // a VM, or a number
    ARG_TRACE_KINDS, // names of kinds of records, with commas
    ARG_STEPS,       // "show" or "violation"
    ARG_KINDS,
};

struct arg {
    const char   *name;
    enum arg_kind kind;
    bool          may_lack;
};

// What has become of an argument; each kind fills what is its own.
struct value {
    bool                  given;
    struct vm            *vm;
    bool                  all;
    u64                   number;
    bool                  is_physical;
    const struct csr_row *csr;
    const struct command *command;
    const char           *word; // as it stands, of what has several meanings
    u32                   kinds;
};

enum command_form { COMMAND_PROMPT, COMMAND_TEXT, COMMAND_JSON };

#define COMMAND_ARGS 3

// One execution.
struct call {
    struct report         r; // r.o takes text
    const struct command *command;
    enum command_form     form;
    struct value          args[COMMAND_ARGS];
    char                  why[160]; // it failed
};

// False: see call_fail().  A command that fails has told nothing.
typedef bool command_fn(struct call *c);

struct command {
    const char *name;
    struct arg  args[COMMAND_ARGS];
    const char *help;
    command_fn *run;
    bool        reports; // by r, and so has JSON of its own; otherwise JSON is {"text": ...}
};

struct command_group {
    const struct command *rows;
    size_t                n;
};
#define COMMAND_ROWS(of) .rows = (of), .n = ARRAY_LEN(of)

// Executes a line and writes its answer, or why there is none.  False: it failed.
bool command_run(const char *line, struct out *o, enum command_form form);
// After the answer was sent: what a command has put off until then.
void command_finish(void);
void command_want_off(void);

// Leaves the reason, and returns false.
bool call_fail(struct call *c, const char *format, ...) PRINTF(2, 3);

const struct command *command_at(unsigned n); // NULL: there are no more
const struct command *command_find(const char *name);
const char           *command_usage(const struct command *c); // valid until the next call

// mon/args.c
bool arg_parse(struct call *c, const struct arg *a, const char *word, struct value *v);
// The n-th word that an argument of this kind could be, for Tab; NULL: there are no more.
const char *arg_candidate(enum arg_kind kind, unsigned n);
