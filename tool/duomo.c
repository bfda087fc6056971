// SPDX-License-Identifier: MIT
// The host command `duomo`: packs virtual machines into a bundle for the monitor.
//
// In:     a command's name and its words.
// Out:    what the command does; exit code 0, or 1 after one line on stderr.
// Always: a command is one row below and one function in a file of its own.

#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1"

static bool help_run(const struct command *c, char **args);

// clang-format off
static const struct command commands[] = {
    { "pack", "--kernel FILE [OPTION]... -o BUNDLE", "Packs a virtual machine into a bundle",  pack_options, pack_run },
    { "show", "BUNDLE",                              "Shows what is in a bundle",              NULL,         show_run },
    { "help", "[COMMAND]",                           "Explains a command, or lists them all",  NULL,         help_run },
};
// clang-format on

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    wrong(name, "no such command; 'duomo help' lists them");
    return NULL;
}

static bool help_run(const struct command *c, char **args)
{
    const char *name = NULL;

    if (!options_take(c, args, NULL, &name))
        return false;
    if (name) {
        c = command_find(name);
        if (c)
            command_help(c);
        return c;
    }

    printf("Usage: duomo COMMAND ...\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-6s %s\n", commands[i].name, commands[i].summary);
    printf("\n'duomo help COMMAND' tells more; 'duomo --version' tells the version.\n");
    return true;
}

static bool word_asks_help(const char *word)
{
    return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static bool command_run(char **args)
{
    const struct command *c = command_find(args[0]);

    if (c && word_asks_help(args[1])) {
        command_help(c);
        return true;
    }
    return c && c->run(c, args + 1);
}

static bool duomo(char **args)
{
    if (!*args)
        return wrong("usage", "no command is given; 'duomo help' lists them");
    if (strcmp(*args, "--version") == 0) {
        printf("duomo %s\n", VERSION);
        return true;
    }
    if (word_asks_help(*args))
        *args = "help";
    return command_run(args);
}

int main(int argc, char **argv)
{
    return argc > 0 && duomo(argv + 1) && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
