// SPDX-License-Identifier: MIT
// Terminals' escape sequences.
//
// In:     a program's output, byte by byte; any bytes.
// Out:    what it may have done to the terminal, and how that is undone; or just its text.
// Always: where terminals differ the worse is assumed.  What is written here ends every sequence
//         that it begins.
// Locks:  none; the caller's.
#include "lib/vt.h"

#include "lib/bits.h"

#include <string.h>

#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b
#define DEL 0x7f

enum dirt {
    DIRT_STRING  = 1, // a terminal may still be reading one
    DIRT_COLOUR  = 2, // of characters
    DIRT_KEYS    = 4, // what can be undone without moving the cursor
    DIRT_SCREEN  = 8, // the rest
    DIRT_PALETTE = 16,
};

// Cursor visible, keys as they are, no mouse or paste reports, no held-back output.
#define KEYS_RESTORE                                                                               \
    "\x1b[?1l\x1b>\x1b[?7h\x1b[?12l\x1b[?25h\x1b[?9l\x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l"  \
    "\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?2026l\x1b[>4m"
// The normal screen, whole, written to from left to right with ASCII; the cursor on its last line.
#define SCREEN_RESTORE                                                                             \
    "\x1b[?1047l\x1b[?47l\x1b[!p\x1b[?5l\x1b[?6l\x1b[?69l\x1b[r\x1b[4l\x1b[20l\x1b(B\x0f\x1b%G"    \
    "\x1b[999;1H"
#define PALETTE_RESTORE "\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\"
#define STRING_END      "\x18\x1b\\"

static bool is_string_opener(u8 b)
{
    return b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_';
}

static enum vt_state after_esc(u8 b)
{
    if (b == '[')
        return VT_CSI;
    if (is_string_opener(b))
        return VT_STRING;
    if (b < 0x20)
        return VT_ESC;
    return b < 0x30 ? VT_ESC_MORE : VT_GROUND;
}

static enum vt_state state_after(enum vt_state s, u8 b, u8 opener)
{
    if (b == CAN || b == SUB)
        return VT_GROUND;
    if (b == ESC)
        return s == VT_STRING ? VT_STRING_ESC : VT_ESC;
    switch (s) {
    case VT_GROUND:     return VT_GROUND;
    case VT_ESC:        return after_esc(b);
    case VT_STRING_ESC: return b == '\\' ? VT_GROUND : after_esc(b);
    case VT_ESC_MORE:   return b >= 0x30 && b < DEL ? VT_GROUND : s;
    case VT_CSI:        return b >= 0x40 && b < DEL ? VT_GROUND : s;
    case VT_STRING:     return b == BEL && opener == ']' ? VT_GROUND : s;
    }
    return VT_GROUND;
}

// UTF-8 (RFC 3629): how many bytes follow this one; 0: none, or it is no first byte.
static u8 utf8_follows(u8 b)
{
    return b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
}

// Modes of DECSET and of xterm that KEYS_RESTORE undoes.
static bool is_key_mode(u16 mode)
{
    static const u16 modes[] = { 1,    7,    9,    12,   25,   1000, 1001, 1002,
                                 1003, 1004, 1005, 1006, 1015, 2004, 2026 };

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (modes[i] == mode)
            return true;
    return false;
}

static u8 dirt_of_modes(const struct vt *t)
{
    for (unsigned i = 0; i < t->n_params; i++)
        if (t->marker != '?' || !is_key_mode(t->params[i]))
            return DIRT_SCREEN;
    return t->n_params && t->n_params < VT_PARAMS ? DIRT_KEYS : DIRT_SCREEN;
}

// What the CSI sequence that ends with `last` leaves behind.
static u8 dirt_of_csi(const struct vt *t, u8 last)
{
    if (last == 'h' || last == 'l')
        return dirt_of_modes(t);
    if (t->marker)
        return DIRT_SCREEN | DIRT_KEYS;
    if (last == 'm')
        return DIRT_COLOUR;
    return strchr("@ABCDEFGHIJKLMPSTXZ`abcdefgn", last) ? 0 : DIRT_SCREEN;
}

// Titles (0, 1, 2), the folder (7) and links (8) do no harm to what is written.
static u8 dirt_of_string(const struct vt *t)
{
    u16 what = t->params[0];

    return t->opener == ']' && t->n_params && (what < 3 || what == 7 || what == 8) ? 0
                                                                                   : DIRT_PALETTE;
}

static void params_take(struct vt *t, u8 b)
{
    if (!t->n_params)
        t->n_params = 1;
    if (b >= '0' && b <= '9') {
        u16 *p = &t->params[t->n_params - 1];

        *p = (u16)min_u64(*p * 10u + (b - '0'), 9999);
    } else if (b == ';' && t->n_params < VT_PARAMS)
        t->params[t->n_params++] = 0;
    else if (b != ';')
        t->marker = b;
}

static void sequence_begin(struct vt *t)
{
    t->marker = t->opener = t->n_params = 0;
    memset(t->params, 0, sizeof t->params);
}

// In the midst of a sequence, or at its end.
static void sequence_follow(struct vt *t, enum vt_state was, u8 b)
{
    if (t->state == VT_CSI && was == VT_CSI)
        params_take(t, b);
    else if (was == VT_CSI && t->state == VT_GROUND && b != CAN && b != SUB) {
        t->dirt |= dirt_of_csi(t, b);
        if (b == 'm' && !t->marker && t->n_params <= 1 && !t->params[0])
            t->dirt &= (u8)~DIRT_COLOUR; // all attributes off
    } else if (t->state == VT_STRING && was == VT_STRING) {
        if (!t->marker)
            params_take(t, b);
    } else if (was == VT_STRING)
        t->dirt |= dirt_of_string(t);
    else if (t->state == VT_STRING) {
        t->opener = b;
        t->dirt |= DIRT_STRING;
    } else if (t->state == VT_ESC_MORE || (was == VT_ESC && !strchr("78DEM\\", b)))
        t->dirt |= t->state == VT_CSI ? 0 : DIRT_SCREEN | DIRT_KEYS;
}

static void text_follow(struct vt *t, u8 b)
{
    bool is_c1 = b >= 0x80 && b < 0xa0 && (!t->utf8_left || t->utf8_c2);

    if (is_c1) // some terminals take it for the begin of a sequence
        t->dirt |= DIRT_STRING | DIRT_SCREEN | DIRT_KEYS | DIRT_PALETTE;
    t->utf8_c2   = b == 0xc2;
    t->utf8_left = t->utf8_left && (b & 0xc0) == 0x80 ? (u8)(t->utf8_left - 1) : utf8_follows(b);
    if (b == 0x0e) // shift out
        t->dirt |= DIRT_SCREEN;
    if (b != BEL)
        t->in_line = b != '\n';
}

void vt_follow(struct vt *t, u8 byte)
{
    enum vt_state was = t->state;

    t->state = state_after(was, byte, t->opener);
    if (was == VT_GROUND && t->state == VT_GROUND) {
        text_follow(t, byte);
        return;
    }
    t->in_line = true;
    sequence_follow(t, was, byte);
    if (t->state == VT_ESC || t->state == VT_CSI || t->state == VT_STRING_ESC)
        if (was != t->state)
            sequence_begin(t);
}

// Most of what is printed is plain text, and is passed quickly.
void vt_follow_text(struct vt *t, const char *text, size_t len)
{
    for (; len; text++, len--) {
        u8 b = (u8)*text;

        if (t->state == VT_GROUND && !t->utf8_left && b >= 0x20 && b < DEL)
            t->in_line = true;
        else
            vt_follow(t, b);
    }
}

static void put(struct out *o, const char *text)
{
    o->write(o, text, strlen(text));
}

void vt_restore(struct vt *t, struct out *o)
{
    if (t->dirt & DIRT_STRING || t->state != VT_GROUND || t->utf8_left)
        put(o, STRING_END);
    if (t->dirt & DIRT_PALETTE)
        put(o, PALETTE_RESTORE);
    if (t->dirt & DIRT_SCREEN)
        put(o, SCREEN_RESTORE);
    if (t->dirt & (DIRT_KEYS | DIRT_SCREEN))
        put(o, KEYS_RESTORE);
    if (t->dirt & (DIRT_COLOUR | DIRT_SCREEN) || t->state != VT_GROUND)
        put(o, "\x1b[0m");
    if (t->in_line)
        put(o, "\r\n");
    memset(t, 0, sizeof *t);
}

// The filter

static size_t utf8_end(struct vt_filter *f, char to[4])
{
    const u8 *c = (const u8 *)f->utf8;
    bool      bad;

    // Overlong forms, surrogates, what lies beyond Unicode, and C1's control characters.
    bad = (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
          (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) ||
          (c[0] == 0xf4 && c[1] >= 0x90);
    if (bad) {
        to[0] = '?';
        return 1;
    }
    memcpy(to, f->utf8, f->utf8_n);
    return f->utf8_n;
}

static size_t text_filter(struct vt_filter *f, u8 b, char to[4])
{
    if (f->utf8_left && (b & 0xc0) == 0x80) {
        f->utf8[f->utf8_n++] = (char)b;
        return --f->utf8_left ? 0 : utf8_end(f, to);
    }
    f->utf8_left = utf8_follows(b);
    f->utf8[0]   = (char)b;
    f->utf8_n    = 1;
    if (f->utf8_left || (b < 0x20 && !strchr("\r\t\b", b)) || !b || b == DEL)
        return 0;
    to[0] = b < 0x80 ? (char)b : '?';
    return 1;
}

size_t vt_filter(struct vt_filter *f, u8 byte, char to[4])
{
    enum vt_state was = f->state;

    if (byte == '\n') {
        memset(f, 0, sizeof *f);
        to[0] = '\n';
        return 1;
    }
    f->state = state_after(was, byte, ']');
    if (was != VT_GROUND || f->state != VT_GROUND)
        return 0;
    return text_filter(f, byte, to);
}
