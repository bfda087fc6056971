// SPDX-License-Identifier: MIT
// In:     the words after a command's name.
// Out:    each option's value, handed to its row's kind; the operand; the help text.
// Always: the first mistake ends it, with one line that names the word.

#include "options.h"

#include "say.h"

#include <stdio.h>
#include <string.h>

static bool wrong_usage(const struct command *c, const char *what, const char *word)
{
    return wrong(c->name, "%s '%s'; 'duomo help %s' shows what it takes", what, word, c->name);
}

// Whether `word` is this option; then `*value` is what follows its '=', or NULL.
static bool option_is(const struct field *f, const char *word, const char **value)
{
    size_t length;

    *value = NULL;
    if (!f->option)
        return false;
    if (f->alias && strcmp(word, f->alias) == 0)
        return true;
    length = strlen(f->option);
    if (strncmp(word, f->option, length) != 0)
        return false;
    if (word[length] == '=')
        *value = word + length + 1;
    return word[length] == '=' || word[length] == '\0';
}

static const struct field *option_find(const struct field *rows, const char *word,
                                       const char **value)
{
    for (const struct field *f = rows; f && f->name; f++)
        if (option_is(f, word, value))
            return f;
    return NULL;
}

// Takes the option at *args and leaves *args at its last word.
static bool option_take(const struct command *c, char ***args, struct taken *t)
{
    const char *word = **args, *value;
    const struct field *f = option_find(c->options, word, &value);
    void *into = t->own;

    if (!f && c->vm_options) {
        f = option_find(vm_fields, word, &value);
        into = t->vm;
        t->vm_option = f && !t->vm_option ? f->option : t->vm_option;
    }
    if (!f)
        return wrong_usage(c, "unknown option", word);
    if (f->kind == &flag_kind && value)
        return wrong(c->name, "%s takes no value; write %s alone", f->option, f->option);
    if (f->kind == &flag_kind)
        value = "";
    if (!value)
        value = *++*args;
    if (!value)
        return wrong(c->name, "%s needs a value; write %s %s", f->option, f->option, f->value);
    return f->kind->take(f, &(struct place) { .subject = f->option }, value, into);
}

bool options_take(const struct command *c, char **args, struct taken *t)
{
    for (; *args; args++) {
        if ((*args)[0] == '-') {
            if (!option_take(c, &args, t))
                return false;
        } else if (c->operand != OPERAND_NONE && !t->operand) {
            t->operand = *args;
        } else {
            return wrong_usage(c, "one word too many:", *args);
        }
    }
    return true;
}

static void rows_help(const struct field *rows)
{
    for (const struct field *f = rows; f && f->name; f++) {
        char left[64];

        if (!f->option)
            continue;
        snprintf(left, sizeof left, "%s%s%s%s%s", f->alias ? f->alias : "", f->alias ? ", " : "",
                 f->option, f->value ? " " : "", f->value ? f->value : "");
        printf("  %-24s %s%s\n", left, f->help, field_note(f).s);
    }
}

void command_help(const struct command *c)
{
    printf("Usage: duomo %s%s%s\n\n%s.\n", c->name, *c->operands ? " " : "", c->operands,
           c->summary);
    if (c->options)
        printf("\nOptions:\n");
    rows_help(c->options);
    if (c->vm_options) {
        printf("\nA virtual machine, where no file describes it:\n");
        rows_help(vm_fields);
    }
}
