// SPDX-License-Identifier: MIT
// In:     the words after a command's name.
// Out:    each option's value, handed to its row's function; the operand; the help text.
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
static bool option_is(const struct option *o, const char *word, const char **value)
{
    size_t length = strlen(o->name);

    *value = NULL;
    if (o->alias && strcmp(word, o->alias) == 0)
        return true;
    if (strncmp(word, o->name, length) != 0)
        return false;
    if (word[length] == '=')
        *value = word + length + 1;
    return word[length] == '=' || word[length] == '\0';
}

static const struct option *option_find(const struct command *c, const char *word,
                                        const char **value)
{
    for (const struct option *o = c->options; o && o->name; o++)
        if (option_is(o, word, value))
            return o;
    return NULL;
}

// Takes the option at *args and leaves *args at its last word.
static bool option_take(const struct command *c, char ***args, void *into)
{
    const char *word = **args;
    const char *value;
    const struct option *o = option_find(c, word, &value);

    if (!o)
        return wrong_usage(c, "unknown option", word);
    if (!value)
        value = *++*args;
    if (!value)
        return wrong(c->name, "%s needs a value; write %s %s", o->name, o->name, o->value);
    return o->take(into, value);
}

bool options_take(const struct command *c, char **args, void *into, const char **operand)
{
    for (; *args; args++) {
        if ((*args)[0] == '-') {
            if (!option_take(c, &args, into))
                return false;
        } else if (operand && !*operand) {
            *operand = *args;
        } else {
            return wrong_usage(c, "one word too many:", *args);
        }
    }
    return true;
}

void command_help(const struct command *c)
{
    printf("Usage: duomo %s %s\n\n%s.\n", c->name, c->operands, c->summary);
    if (c->options)
        printf("\n");
    for (const struct option *o = c->options; o && o->name; o++) {
        char left[40];

        snprintf(left, sizeof left, "%s%s%s %s", o->alias ? o->alias : "", o->alias ? ", " : "",
                 o->name, o->value);
        printf("  %-24s %s\n", left, o->help);
    }
}
