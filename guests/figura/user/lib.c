// SPDX-License-Identifier: MIT
// Between programs and system calls: printf, keys, numbers.
//
// In:     what a program prints.
// Out:    one system call for a line, not one for each character.
#include "user.h"

static char     out[128];
static unsigned out_bytes;

void flush(void)
{
    call2(write, out, out_bytes);
    out_bytes = 0;
}

static int out_put(char c, FILE *file)
{
    (void)file;
    out[out_bytes++] = c;
    if (c == '\n' || out_bytes == sizeof out)
        flush();
    return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(out_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout  = &console;

char key_read(void)
{
    char c = 0;

    flush();
    call1(read, &c);
    return c;
}

void sleep_ms(u64 ms)
{
    flush();
    call1(sleep, (u64)call0(time) + ms);
}

u64 number(const char *text, u64 otherwise)
{
    u64 n = 0;

    if (*text < '0' || *text > '9')
        return otherwise;
    while (*text >= '0' && *text <= '9')
        n = n * 10 + (u64)(*text++ - '0');
    return n;
}
