// SPDX-License-Identifier: MIT
// In:     standard input.
// Out:    that terminal in raw mode, and as it was.
// Always: bytes pass as they are, both ways. What is restored is what was found.

#define _POSIX_C_SOURCE 200809L

#include "terminal.h"

#include <stdbool.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile bool is_raw;

void terminal_raw(void)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
        return;
    raw = before;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_raw = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    is_raw = false;
}
