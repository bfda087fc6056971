// SPDX-License-Identifier: MIT
// The options of a command, as rows: from them come the parser, its messages and the help.

#pragma once

#include <stdbool.h>

struct option {
    const char *name;                               // "--kernel"
    const char *alias;                              // "-k", or NULL
    const char *value;                              // what help calls its value: "FILE"
    const char *help;
    bool      (*take)(void *into, const char *value);   // on false the mistake has been told
};

struct command {
    const char          *name;
    const char          *operands;                  // as help shows them
    const char          *summary;
    const struct option *options;                   // ends with a row without a name, or NULL
    bool               (*run)(const struct command *c, char **args);    // args ends with NULL
};

// Takes every option in `args` into `into`. What is not an option is the operand: one where
// `operand` is not NULL, none otherwise. On false the mistake has been told.
bool options_take(const struct command *c, char **args, void *into, const char **operand);

void command_help(const struct command *c);
