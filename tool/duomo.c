// SPDX-License-Identifier: MIT
// The host command `duomo`: packs virtual machines into a bundle for the monitor, runs them on
// QEMU, and asks the monitor about them.
//
// In:     a command's name and its words.
// Out:    what the command does; exit code 0, or another after a line on stderr for each mistake.
// Always: a command is one row below and one function in a file of its own.

#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1"

int exit_code = EXIT_FAILURE;

// clang-format off
const struct command commands[] = {
    { "run",        "FILE | --kernel FILE [OPTION]...",           "Runs virtual machines on QEMU; Ctrl-] x ends it at once",       run_options,     true,  OPERAND_FILE,    run_run        },
    { "pack",       "FILE -o BUNDLE | --kernel FILE [OPTION]... -o BUNDLE", "Packs virtual machines into a bundle",                pack_options,    true,  OPERAND_FILE,    pack_run       },
    { "check",      "FILE",                                       "Checks a configuration file and all that it names",             NULL,            false, OPERAND_FILE,    check_run      },
    { "show",       "BUNDLE",                                     "Shows what is in a bundle",                                     NULL,            false, OPERAND_FILE,    show_run       },
    { "disk",       "create FILE --partition NAME:SIZE[:IMAGE]... [OPTION]... | show FILE", "Makes an image of a disk with partitions, or shows its partitions", disk_options, false, OPERAND_DISK, disk_run },
    { "monitor",    "[-c COMMAND] [OPTION]...",                   "Gives the monitor of a running machine commands",               monitor_options, false, OPERAND_NONE,    monitor_run    },
    { "completion", "bash",                                       "Prints a script that completes commands and options",           NULL,            false, OPERAND_SHELL,   completion_run },
    { "help",       "[COMMAND | config]",                         "Explains a command or the configuration file",                  NULL,            false, OPERAND_COMMAND, help_run       },
    { 0 },
};
// clang-format on

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    wrong(name, "no such command; 'duomo help' lists them");
    return NULL;
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
    static char help[] = "help";

    if (!*args)
        return wrong("usage", "no command is given; 'duomo help' lists them");
    if (strcmp(*args, "--version") == 0) {
        printf("duomo %s\n", VERSION);
        return true;
    }
    if (word_asks_help(*args))
        *args = help;
    return command_run(args);
}

int main(int argc, char **argv)
{
    bool ok = argc > 0 && duomo(argv + 1);

    mistakes_tell();
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    return ok ? EXIT_SUCCESS : exit_code;
}
