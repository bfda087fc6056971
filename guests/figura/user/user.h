// SPDX-License-Identifier: MIT
// What programs are written with.
#pragma once

#include "../call.h"

#include <stdio.h>
#include <string.h>

// start.S
long call(enum call number, u64 a, u64 b, u64 c);

// lib.c
#define call0(name)       call(CALL_##name, 0, 0, 0)
#define call1(name, a)    call(CALL_##name, (u64)(a), 0, 0)
#define call2(name, a, b) call(CALL_##name, (u64)(a), (u64)(b), 0)

void flush(void); // printf's text goes out at the end of a line, and here
char key_read(void);
void sleep_ms(u64 ms);
u64  number(const char *text, u64 otherwise);

// programs.c.  A program gets the rest of its line, and ends by returning.
struct program {
    const char *name;
    const char *args;
    const char *help;
    void (*run)(const char *args);
    bool in_shell; // the shell does it itself
};

extern const struct program programs[];
const struct program       *program_find(const char *line);
const char                 *program_args(const char *line);
_Noreturn void              program_run(const char *line);

// shell.c
void shell(const char *args);

// mischief.c
void privileged(const char *args);
void touch_device(const char *args);
void null(const char *args);
void spin(const char *args);
void crash(const char *args);
void storm(const char *args);
