// SPDX-License-Identifier: MIT
// The words of a command: its options are fields, so from their rows come the parser, its messages,
// the help and the completion.

#pragma once

#include "config.h"

#include <stdbool.h>

enum operand { OPERAND_NONE, OPERAND_FILE, OPERAND_COMMAND, OPERAND_SHELL, OPERAND_DISK };

struct command {
    const char         *name;
    const char         *operands;       // as help shows them
    const char         *summary;
    const struct field *options;        // its own, or NULL
    bool                vm_options;     // whether a virtual machine can be described, too
    enum operand        operand;
    bool              (*run)(const struct command *c, char **args);     // args ends with NULL
};

// Where the words go.
struct taken {
    void           *own;        // the object of the command's own options
    struct vm_desc *vm;         // that of the machine's
    const char     *operand;    // or NULL
    const char     *vm_option;  // the first that described the machine, or NULL
};

// On false the mistake has been told.
bool options_take(const struct command *c, char **args, struct taken *t);

void command_help(const struct command *c);
