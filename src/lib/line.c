// SPDX-License-Identifier: MIT
// The line editor.
//
// In:     keys, byte by byte, as terminals send them (ECMA-48; xterm's and VT220's function keys).
// Out:    the line; what makes the terminal show it.
// Always: only printable ASCII is in the line; what does not fit is refused with a bell.
// Locks:  none; the caller's.
#include "lib/line.h"

#include "lib/bits.h"

#include <string.h>

#define ESC 0x1b
#define DEL 0x7f

typedef void line_action(struct line *l);

static void put(struct out *o, const char *text)
{
    o->write(o, text, strlen(text));
}

void line_show(const struct line *l, struct out *o)
{
    out_printf(o, "\r%s%s\x1b[K", l->prompt, l->text);
    if (l->at < l->len)
        out_printf(o, "\x1b[%uD", (unsigned)(l->len - l->at));
}

void line_begin(struct line *l, struct out *o)
{
    l->len = l->at = l->back = 0;
    l->text[0] = l->escape = 0;
    line_show(l, o);
}

void line_insert(struct line *l, const char *text, size_t len, struct out *o)
{
    if (len >= LINE_SIZE - l->len) {
        put(o, "\a");
        return;
    }
    memmove(l->text + l->at + len, l->text + l->at, l->len - l->at + 1);
    memcpy(l->text + l->at, text, len);
    l->len += (u32)len;
    l->at += (u32)len;
    if (l->at == l->len)
        o->write(o, text, len);
    else
        line_show(l, o);
}

// Takes the text between `from` and `to` out; the cursor stands there then.
static void cut(struct line *l, u32 from, u32 to)
{
    memmove(l->text + from, l->text + to, l->len - to + 1);
    l->len -= to - from;
    l->at = from;
}

static void left(struct line *l)
{
    l->at -= l->at > 0;
}

static void right(struct line *l)
{
    l->at += l->at < l->len;
}

static void home(struct line *l)
{
    l->at = 0;
}

static void end(struct line *l)
{
    l->at = l->len;
}

static void erase_left(struct line *l)
{
    if (l->at)
        cut(l, l->at - 1, l->at);
}

static void erase_right(struct line *l)
{
    if (l->at < l->len)
        cut(l, l->at, l->at + 1);
}

static void erase_before(struct line *l)
{
    cut(l, 0, l->at);
}

static void erase_after(struct line *l)
{
    cut(l, l->at, l->len);
}

static void erase_word(struct line *l)
{
    u32 from = l->at;

    while (from && l->text[from - 1] == ' ')
        from--;
    while (from && l->text[from - 1] != ' ')
        from--;
    cut(l, from, l->at);
}

static void erase_all(struct line *l)
{
    cut(l, 0, l->len);
}

static void recall(struct line *l, u32 back)
{
    l->back = back;
    if (back)
        memcpy(l->text, l->history[(l->n_history - back) % LINE_HISTORY], LINE_SIZE);
    else
        l->text[0] = 0;
    l->len = l->at = (u32)strlen(l->text);
}

static void up(struct line *l)
{
    if (l->back < min_u64(l->n_history, LINE_HISTORY))
        recall(l, l->back + 1);
}

static void down(struct line *l)
{
    if (l->back)
        recall(l, l->back - 1);
}

#define CTRL(letter) ((letter) % 32)

static const struct {
    u8           key;
    line_action *act;
} controls[] = {
    { CTRL('A'), home },        { CTRL('B'), left },         { CTRL('C'), erase_all },
    { CTRL('D'), erase_right }, { CTRL('E'), end },          { CTRL('F'), right },
    { CTRL('H'), erase_left },  { CTRL('K'), erase_after },  { CTRL('N'), down },
    { CTRL('P'), up },          { CTRL('U'), erase_before }, { CTRL('W'), erase_word },
    { DEL, erase_left },
};

// The last byte of ESC [ ... or ESC O ...; of those that end in ~ the number says which.
static const struct {
    u8           last, number;
    line_action *act;
} functions[] = {
    { 'A', 0, up },          { 'B', 0, down }, { 'C', 0, right }, { 'D', 0, left },
    { 'H', 0, home },        { 'F', 0, end },  { '~', 1, home },  { '~', 7, home },
    { '~', 3, erase_right }, { '~', 4, end },  { '~', 8, end },
};

static line_action *control_find(u8 byte)
{
    for (size_t i = 0; i < ARRAY_LEN(controls); i++)
        if (controls[i].key == byte)
            return controls[i].act;
    return NULL;
}

static line_action *function_find(u8 last, u8 number)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (functions[i].last == last && (last != '~' || functions[i].number == number))
            return functions[i].act;
    return NULL;
}

static void act_and_show(struct line *l, line_action *act, struct out *o)
{
    if (!act)
        return;
    act(l);
    line_show(l, o);
}

// ESC; then [ or O; then digits and semicolons; then the last byte.
static void escape_take(struct line *l, u8 byte, struct out *o)
{
    if (l->escape == ESC) {
        l->escape = byte == '[' || byte == 'O' ? byte : 0;
        l->number = 0;
    } else if (byte >= '0' && byte <= '9')
        l->number = (u8)(l->number * 10 + byte - '0');
    else if (byte >= 0x40) {
        l->escape = 0;
        act_and_show(l, function_find(byte, l->number), o);
    } else if (byte < 0x20)
        l->escape = 0;
}

static void remember(struct line *l)
{
    u32 last = (l->n_history - 1) % LINE_HISTORY;

    if (!l->len || (l->n_history && !strcmp(l->history[last], l->text)))
        return;
    memcpy(l->history[l->n_history++ % LINE_HISTORY], l->text, LINE_SIZE);
}

enum line_event line_key(struct line *l, u8 byte, struct out *o)
{
    char text = (char)byte;

    if (l->escape)
        escape_take(l, byte, o);
    else if (byte == ESC)
        l->escape = ESC;
    else if (byte == '\r' || byte == '\n') {
        put(o, "\n");
        remember(l);
        return LINE_DONE;
    } else if (byte == '\t')
        return LINE_COMPLETE;
    else if (byte == CTRL('D') && !l->len)
        return LINE_LEAVE;
    else if (byte >= 0x20 && byte < DEL)
        line_insert(l, &text, 1, o);
    else
        act_and_show(l, control_find(byte), o);
    return LINE_MORE;
}
