// SPDX-License-Identifier: MIT
// What each command's file offers to the table of commands.

#pragma once

#include "options.h"

#include <stdbool.h>

extern const struct option pack_options[];

bool pack_run(const struct command *c, char **args);
bool show_run(const struct command *c, char **args);
