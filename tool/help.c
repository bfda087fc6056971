// SPDX-License-Identifier: MIT
// The command `duomo help`.
//
// In:     a command's name, or "config", or nothing.
// Out:    what its rows say.
// Always: all of it is made from the rows that do the work, so it says what they do.

#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

static void fields_help(const struct field_table *t, int indent)
{
    for (const struct field *f = t->rows; f->name; f++) {
        char left[64];

        snprintf(left, sizeof left, "%s:%s%s", f->name, f->value ? " " : "",
                 f->value ? f->value : "");
        printf("%*s%-*s %s%s\n", indent, "", 26 - indent, left, f->help, field_note(f).s);
        if (f->inner)
            fields_help(f->inner, indent + 4);
        if (indent == 0)
            printf("\n");
    }
}

static void config_help(void)
{
    printf("The configuration file, for 'duomo run', 'duomo pack' and 'duomo check', is YAML:\n\n");
    fields_help(&config_table, 0);
    printf("Paths begin at the folder of the file. A short one:\n\n"
           "    vms:\n"
           "      - name: debian\n"
           "        kernel: Image\n"
           "        initrd: initrd.gz\n"
           "        cmdline: \"console=ttyS0\"\n");
}

static void commands_help(void)
{
    printf("Usage: duomo COMMAND ...\n\n");
    for (const struct command *c = commands; c->name; c++)
        printf("  %-10s %s\n", c->name, c->summary);
    printf("\n'duomo help COMMAND' tells more, 'duomo help config' explains the file; "
           "'duomo --version' tells the version.\n");
}

bool help_run(const struct command *c, char **args)
{
    struct taken t = { 0 };
    const struct command *about;

    if (!options_take(c, args, &t))
        return false;
    if (!t.operand) {
        commands_help();
        return true;
    }
    if (strcmp(t.operand, "config") == 0) {
        config_help();
        return true;
    }
    about = command_find(t.operand);
    if (about)
        command_help(about);
    return about;
}
