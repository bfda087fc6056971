// SPDX-License-Identifier: MIT
// The groups of commands there are; each stands at the end of the file of that name.
#pragma once

#include "mon/command.h"

extern const struct command_group vm_commands, stats_commands, regs_commands, mem_commands,
    trace_commands, crash_commands, io_commands, machine_commands;
