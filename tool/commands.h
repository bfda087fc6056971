// SPDX-License-Identifier: MIT
// What each command's file offers to the table of commands.

#pragma once

#include "file.h"
#include "options.h"

#include <stdbool.h>

// Ends with a row without a name.
extern const struct command commands[];

// NULL: there is none, and that has been told.
const struct command *command_find(const char *name);

extern const struct field pack_options[];
extern const struct field run_options[];
extern const struct field monitor_options[];
extern const struct field disk_options[];

bool run_run(const struct command *c, char **args);
bool pack_run(const struct command *c, char **args);
bool check_run(const struct command *c, char **args);
bool show_run(const struct command *c, char **args);
bool disk_run(const struct command *c, char **args);
bool monitor_run(const struct command *c, char **args);
bool help_run(const struct command *c, char **args);
bool completion_run(const struct command *c, char **args);

// What `duomo` ends with when a command says false; 1 unless it says otherwise.
extern int exit_code;

struct board_options {
    const char  *disk;          // NULL: as the file says
    uint64_t     network;
    struct words forward;
};

// Makes a bundle of what a command was told to work on: the file that is its operand, or the
// machine that its options describe in `config`; `board`, if not NULL, takes the place of what the
// file says of the board's disk and network. On false the mistakes have been told.
bool bundle_take(const struct command *c, const struct taken *t, struct config *config,
                 const struct board_options *board, const char *out, struct blob *bundle);
