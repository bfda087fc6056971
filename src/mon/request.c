// SPDX-License-Identifier: MIT
// Requests of programs.
//
// In:     NONCE ' ' ("json" | "text") ' ' COMMAND '\r', behind Ctrl-] and a colon.
// Out:    ESC _ duomo;NONCE;begin ESC \  payload  ESC _ duomo;NONCE;end;STATUS ESC \ .
// Always: a frame is sent in one piece, between two of a guest's bytes or two lines of ours.  What
//         has no nonce gets no answer: nobody could know it.
// Locks:  boot hart only; view.lock for the frame.
#include "mon/request.h"

#include "mon/command.h"
#include "mon/reply.h"
#include "mon/sender.h"
#include "mon/view.h"

#include <string.h>

#define REQUEST_SIZE 320
#define NONCE_DIGITS 16

static char   text[REQUEST_SIZE];
static size_t len;

void request_begin(void)
{
    len = 0;
}

static bool nonce_is_good(void)
{
    for (size_t i = 0; i < NONCE_DIGITS; i++)
        if (!strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
            return false;
    return text[NONCE_DIGITS] == ' ';
}

static void frame_send(const struct reply *r, bool is_ok)
{
    lock_take(&view.lock);
    out_printf(&sender_raw, "\x1b_duomo;%.16s;begin\x1b\\", text);
    sender_text.write(&sender_text, r->text, r->len);
    out_printf(&sender_raw, "\x1b_duomo;%.16s;end;%s\x1b\\", text, is_ok ? "ok" : "error");
    lock_drop(&view.lock);
}

static void request_run(void)
{
    char         *options = text + NONCE_DIGITS + 1;
    bool          json    = !strncmp(options, "json ", 5);
    struct reply *r       = reply_begin();

    if (!json && strncmp(options, "text ", 5)) {
        out_printf(&r->o, "a request begins with json or text\n");
        frame_send(r, false);
        return;
    }

    bool is_ok = command_run(options + 5, &r->o, json ? COMMAND_JSON : COMMAND_TEXT);

    if (r->is_cut) {
        static const char why[] = "the reply is too long; ask for less";

        r = reply_begin();
        out_printf(&r->o, json ? "{\"error\":\"%s\"}\n" : "%s\n", why);
        is_ok = false;
    }
    frame_send(r, is_ok);
    command_finish();
}

bool request_take(u8 byte)
{
    if (byte == '\r' || byte == '\n') {
        text[len] = 0;
        if (len > NONCE_DIGITS && nonce_is_good())
            request_run();
        return false;
    }
    if (byte < 0x20 || len == REQUEST_SIZE - 1)
        return false;
    text[len++] = (char)byte;
    return true;
}
