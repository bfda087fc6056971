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
    unsigned              part;     // how often it was called before
    unsigned              vcpu;     // for those who tell of one after the other,
    bool                  in_group; // and are in the midst of one,
    u64                   at, end;  // at something that they count
    char                  why[160]; // it failed
};

// What a command has told of its answer.  A part costs at most some thousands of instructions, for
// guests wait meanwhile; the next part is asked for a little later.
enum told {
    TOLD_NOT = false, // see call_fail(); in its first part only, and nothing was told
    TOLD_ALL = true,  // this was the last part
    TOLD_PART,        // there is another one
};
typedef enum told command_fn(struct call *c);

static inline enum told told_part_if(bool more)
{
    return more ? TOLD_PART : TOLD_ALL;
}

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

// Who wants a command executed.
struct command_user {
    enum command_form form;
    void (*begin)(struct out *o);               // stands before the answer; NULL: nothing does
    void (*end)(struct out *o, bool succeeded); // behind it
    void (*done)(void);                         // after all of that was sent
};
// Executes a line: a job tells its answer, or why there is none.  Nothing, if a job is going on.
void command_begin(const char *line, const struct command_user *user);
// What a command has put off until its answer was sent: the machine's end; another view.
void command_want_off(void);
void command_want_view(void (*view)(struct vm *vm), struct vm *vm);

// Leaves the reason, and returns false, which is TOLD_NOT.
bool call_fail(struct call *c, const char *format, ...) PRINTF(2, 3);

const struct command *command_at(unsigned n); // NULL: there are no more
const struct command *command_find(const char *name);
const char           *command_usage(const struct command *c); // valid until the next call

// mon/args.c
bool arg_parse(struct call *c, const struct arg *a, const char *word, struct value *v);
// The n-th word that an argument of this kind could be, for Tab; NULL: there are no more.
const char *arg_candidate(enum arg_kind kind, unsigned n);
