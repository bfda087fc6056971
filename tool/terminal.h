// SPDX-License-Identifier: MIT
// The user's terminal, raw while a machine runs in it.

#pragma once

// Every key goes to the machine from here, Ctrl-C too. Nothing where standard input is no terminal.
void terminal_raw(void);

// As it was before terminal_raw(). May be called from a signal handler, and twice.
void terminal_restore(void);
