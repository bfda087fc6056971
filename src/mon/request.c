// SPDX-License-Identifier: MIT
// Requests of programs.
//
// In:     NONCE ' ' ("json" | "text") ' ' COMMAND '\r', behind Ctrl-] and a colon.
// Out:    ESC _ duomo;NONCE;begin ESC \  payload  ESC _ duomo;NONCE;end;STATUS ESC \ .
// Always: a frame is sent in one piece, between two of a guest's bytes or two lines of ours.  What
//         has no nonce gets no answer: nobody could know it.
// Locks:  boot hart only.
#include "mon/request.h"

#include "mon/command.h"
#include "mon/job.h"

#include <string.h>

#define REQUEST_SIZE 320
#define NONCE_DIGITS 16
#define TOO_LONG     "the request is too long; 319 bytes are the most"

static char   text[REQUEST_SIZE];
static size_t len;
static bool   is_long; // longer than that: it is read to its end, or the rest would be typed

void request_begin(void)
{
    len     = 0;
    is_long = false;
}

static bool nonce_is_good(void)
{
    for (size_t i = 0; i < NONCE_DIGITS; i++)
        if (!strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
            return false;
    return text[NONCE_DIGITS] == ' ';
}

static void frame_begin(struct out *o)
{
    out_printf(o, "\x1b_duomo;%.16s;begin\x1b\\", text);
}

static void frame_end(struct out *o, bool succeeded)
{
    out_printf(o, "\x1b_duomo;%.16s;end;%s\x1b\\", text, succeeded ? "ok" : "error");
}

static void nothing(void)
{
}

static bool refusal(struct out *o, unsigned n)
{
    (void)n;
    frame_begin(o);
    if (is_long)
        out_printf(o, strncmp(text + NONCE_DIGITS, " json ", 6) ? "%s\n" : "{\"error\":\"%s\"}\n",
                   TOO_LONG);
    else
        out_printf(o, "a request begins with json or text\n");
    frame_end(o, false);
    return false;
}

static void request_run(void)
{
    static const struct command_user json    = { COMMAND_JSON, frame_begin, frame_end, nothing };
    static const struct command_user plain   = { COMMAND_TEXT, frame_begin, frame_end, nothing };
    static const struct job          refuse  = { refusal, nothing };
    const char                      *options = text + NONCE_DIGITS + 1;

    if (is_long)
        job_begin(&refuse);
    else if (!strncmp(options, "json ", 5))
        command_begin(options + 5, &json);
    else if (!strncmp(options, "text ", 5))
        command_begin(options + 5, &plain);
    else
        job_begin(&refuse);
}

bool request_take(u8 byte)
{
    if (byte == '\r' || byte == '\n') {
        text[len] = 0;
        if (len > NONCE_DIGITS && nonce_is_good())
            request_run();
        return false;
    }
    if (byte < 0x20)
        return false;
    if (len < REQUEST_SIZE - 1)
        text[len++] = (char)byte;
    else
        is_long = true;
    return true;
}
