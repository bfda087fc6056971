// SPDX-License-Identifier: MIT
// The console's keys.
//
// In:     bytes that are typed.
// Out:    those behind Ctrl-] do what their row says; the others go to the monitor or to the VM
//         that has the keyboard.
// Always: a program's request (Ctrl-] and a colon) leaves alone what a person is typing.
// Locks:  none; boot hart only.
#include "mon/keys.h"

#include "mon/console.h"
#include "mon/job.h"
#include "mon/prompt.h"
#include "mon/request.h"
#include "mon/view.h"

static enum { KEYS_PLAIN, KEYS_PREFIX, KEYS_REQUEST } state;

static void keys_help(void);

static void literal(void)
{
    if (!view.monitor)
        console_type(KEY_PREFIX);
}

// clang-format off
static const struct {
    u8          key;            // 0: stands for all digits
    const char *name, *what;
    void      (*act)(void);
} keys[] = {
    { KEY_PREFIX, "Ctrl-]", "the monitor, where commands are typed", prompt_open    },
    { 'm',        "m",      "the same",                              prompt_open    },
    { 0,          "1 .. 9", "that VM, alone; it has the keyboard",   NULL           },
    { 'n',        "n",      "the next VM",                           view_next      },
    { 'a',        "a",      "all VMs, line by line",                 view_all       },
    { ']',        "]",      "types a Ctrl-]",                        literal        },
    { 'q',        "q",      "powers the machine off",                prompt_ask_off },
    { '?',        "?",      "this list",                             keys_help      },
};
// clang-format on

static bool help_part(struct out *o, unsigned n)
{
    unsigned i = n - (unsigned)ARRAY_LEN(keys);

    if (n < ARRAY_LEN(keys))
        out_printf(o, "duomo: Ctrl-] %-8s %s\n", keys[n].name, keys[n].what);
    else if (i < n_vms)
        out_printf(o, "duomo:        %-8u %s%s\n", i + 1, vms[i]->name,
                   vms[i] == view.vm ? " (has the keyboard)" : "");
    return i + 1 != n_vms;
}

static void keys_help(void)
{
    static const struct job help = { help_part, view_wake };

    lock_take(&view.lock);
    view_say("", 0);
    lock_drop(&view.lock);
    job_begin(&help);
}

static void prefixed(u8 byte)
{
    if (byte >= '1' && byte <= '9' && byte - '1' < (int)n_vms) {
        view_vm(vms[byte - '1']);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == byte && keys[i].act) {
            keys[i].act();
            return;
        }
}

void keys_take(u8 byte)
{
    switch (state) {
    case KEYS_PLAIN:
        if (byte == KEY_PREFIX)
            state = KEYS_PREFIX;
        else if (view.monitor)
            prompt_key(byte);
        else
            console_type(byte);
        break;
    case KEYS_PREFIX:
        state = byte == ':' ? KEYS_REQUEST : KEYS_PLAIN;
        if (byte == ':')
            request_begin();
        else
            prefixed(byte);
        break;
    case KEYS_REQUEST:
        if (!request_take(byte))
            state = byte == KEY_PREFIX ? KEYS_PREFIX : KEYS_PLAIN;
        break;
    }
}
