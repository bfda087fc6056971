// SPDX-License-Identifier: MIT
// Arguments of commands, by kind.
//
// In:     a word.
// Out:    a value; or one sentence that says what is wrong.  For Tab: the words that are possible.
// Always: any word may come.
// Locks:  none; boot hart only.
#include "lib/bits.h"
#include "mon/command.h"

#include <string.h>

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

// Decimal, or hexadecimal behind 0x.
static bool number_parse(const char *word, u64 *number)
{
    unsigned base = word[0] == '0' && (word[1] | 0x20) == 'x' ? 16 : 10;

    word += base == 16 ? 2 : 0;
    *number = 0;
    if (!*word)
        return false;
    for (; *word; word++) {
        u64 digit = (u64)digit_of(*word);

        if (digit >= base || *number > (~0ul - digit) / base)
            return false;
        *number = *number * base + digit;
    }
    return true;
}

static struct vm *vm_find(const char *word)
{
    u64 number;

    for (unsigned i = 0; i < n_vms; i++)
        if (!strcmp(vms[i]->name, word))
            return vms[i];
    return number_parse(word, &number) && number && number <= n_vms ? vms[number - 1] : NULL;
}

static const struct csr_row *csr_named(const char *word)
{
    for (size_t i = 0; i < csr_n_rows; i++)
        if (!strcmp(csr_rows[i].name, word))
            return &csr_rows[i];
    return NULL;
}

static bool parse_vm(struct call *c, const char *word, struct value *v)
{
    v->vm = vm_find(word);
    return v->vm || call_fail(c, "there is no VM \"%.40s\"; `list` names them", word);
}

static bool parse_view(struct call *c, const char *word, struct value *v)
{
    v->all = !strcmp(word, "all");
    return v->all || parse_vm(c, word, v);
}

static bool parse_address(struct call *c, const char *word, struct value *v)
{
    v->is_physical = !strncmp(word, "p:", 2);
    return number_parse(word + (v->is_physical ? 2 : 0), &v->number) ||
           call_fail(c, "\"%.40s\" is no address; give 0x..., or p:0x... for a guest-physical one",
                     word);
}

static bool parse_number(struct call *c, const char *word, struct value *v)
{
    return number_parse(word, &v->number) ||
           call_fail(c, "\"%.40s\" is no number; give a decimal one, or 0x...", word);
}

static bool parse_csr(struct call *c, const char *word, struct value *v)
{
    v->csr = csr_named(word);
    return v->csr || call_fail(c, "there is no CSR \"%.40s\"; without a name all are shown", word);
}

static bool parse_command(struct call *c, const char *word, struct value *v)
{
    v->command = command_find(word);
    return v->command || call_fail(c, "there is no command \"%.40s\"; `help` lists them", word);
}

static bool parse_trace(struct call *c, const char *word, struct value *v)
{
    v->word = word;
    return !strcmp(word, "on") || !strcmp(word, "off") || parse_vm(c, word, v);
}

static bool parse_traced(struct call *c, const char *word, struct value *v)
{
    v->vm = vm_find(word);
    return number_parse(word, &v->number) || v->vm || parse_vm(c, word, v);
}

static bool kind_parse(const char *name, size_t len, u32 *kinds)
{
    for (unsigned i = 0; i < TRACE_KINDS; i++)
        if (strlen(trace_rows[i].name) == len && !memcmp(trace_rows[i].name, name, len)) {
            *kinds |= (u32)BIT(i);
            return true;
        }
    return false;
}

static bool parse_kinds(struct call *c, const char *word, struct value *v)
{
    while (*word) {
        size_t len = strcspn(word, ",");

        if (!kind_parse(word, len, &v->kinds))
            return call_fail(c, "there is no kind \"%.*s\"; Tab names them", (int)min_u64(len, 40),
                             word);
        word += len + (word[len] == ',');
    }
    return true;
}

static bool parse_steps(struct call *c, const char *word, struct value *v)
{
    v->word   = word;
    v->number = !strcmp(word, "disk") ? FOLLOW_DISK : FOLLOW_VIOLATION;
    return !strcmp(word, "show") || !strcmp(word, "violation") || !strcmp(word, "disk") ||
           call_fail(c, "\"%.40s\" should be show, disk, violation, or nothing", word);
}

static const char *nth_vm(unsigned n)
{
    return n < n_vms ? vms[n]->name : NULL;
}

static const char *nth_view(unsigned n)
{
    return n ? nth_vm(n - 1) : "all";
}

static const char *nth_trace(unsigned n)
{
    return n == 0 ? "on" : n == 1 ? "off" : nth_vm(n - 2);
}

static const char *nth_kind(unsigned n)
{
    return n < TRACE_KINDS ? trace_rows[n].name : NULL;
}

static const char *nth_steps(unsigned n)
{
    static const char *const words[] = { "show", "disk", "violation" };

    return n < ARRAY_LEN(words) ? words[n] : NULL;
}

static const char *nth_csr(unsigned n)
{
    return n < csr_n_rows ? csr_rows[n].name : NULL;
}

static const char *nth_command(unsigned n)
{
    const struct command *c = command_at(n);

    return c ? c->name : NULL;
}

static const struct {
    bool (*parse)(struct call *c, const char *word, struct value *v);
    const char *(*nth)(unsigned n); // NULL: any word
} kinds[ARG_KINDS] = {
    [ARG_VM]          = { parse_vm, nth_vm },
    [ARG_VIEW]        = { parse_view, nth_view },
    [ARG_ADDRESS]     = { parse_address, NULL },
    [ARG_NUMBER]      = { parse_number, NULL },
    [ARG_CSR]         = { parse_csr, nth_csr },
    [ARG_COMMAND]     = { parse_command, nth_command },
    [ARG_TRACE]       = { parse_trace, nth_trace },
    [ARG_TRACED]      = { parse_traced, nth_vm },
    [ARG_TRACE_KINDS] = { parse_kinds, nth_kind },
    [ARG_STEPS]       = { parse_steps, nth_steps },
};

bool arg_parse(struct call *c, const struct arg *a, const char *word, struct value *v)
{
    v->given = true;
    return kinds[a->kind].parse(c, word, v);
}

const char *arg_candidate(enum arg_kind kind, unsigned n)
{
    return kinds[kind].nth ? kinds[kind].nth(n) : NULL;
}
