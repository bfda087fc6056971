// SPDX-License-Identifier: MIT
// The command `duomo completion`.
//
// In:     a shell's name: bash.
// Out:    a script that teaches it to complete duomo's commands, options and their values.
// Always: made from the rows of commands and options.

#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

static void options_print(const struct field *rows)
{
    for (const struct field *f = rows; f && f->name; f++)
        if (f->option)
            printf("%s%s%s ", f->alias ? f->alias : "", f->alias ? " " : "", f->option);
}

// What may follow an option: one of its words, a file, or what nobody can guess.
static void values_print(const struct field *rows)
{
    for (const struct field *f = rows; f && f->name; f++) {
        if (!f->option || f->kind == &flag_kind)
            continue;
        printf("    %s%s%s) ", f->alias ? f->alias : "", f->alias ? "|" : "", f->option);
        if (f->kind == &path_kind)
            printf("COMPREPLY=($(compgen -f -- \"$word\"))");
        for (int i = 0; f->words && f->words[i]; i++)
            printf("%s%s", i ? " " : "COMPREPLY=($(compgen -W '", f->words[i]);
        printf("%s; return ;;\n", f->words ? "' -- \"$word\"))" : f->kind == &path_kind ? "" : ":");
    }
}

static void command_print(const struct command *c)
{
    printf("    %s) words='", c->name);
    options_print(c->options);
    if (c->vm_options)
        options_print(vm_fields);
    if (c->operand == OPERAND_SHELL)
        printf("bash");
    if (c->operand == OPERAND_DISK)
        printf("create show");
    if (c->operand == OPERAND_COMMAND)
        printf("config $commands");
    printf("'; files=%s ;;\n", c->operand == OPERAND_FILE || c->operand == OPERAND_DISK ? "yes" : "");
}

static void bash_print(void)
{
    printf("# Completion for duomo; in ~/.bashrc: source <(duomo completion bash)\n"
           "_duomo() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local commands='");
    for (const struct command *c = commands; c->name; c++)
        printf("%s ", c->name);
    printf("' words= files=\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case $before in\n");
    values_print(pack_options);
    values_print(run_options);
    values_print(monitor_options);
    values_print(disk_options);
    values_print(vm_fields);
    printf("    esac\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (const struct command *c = commands; c->name; c++)
        command_print(c);
    printf("    esac\n"
           "    words=${words//\\$commands/$commands}\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "    if [ -n \"$files\" ] && [[ $word != -* ]]; then\n"
           "        COMPREPLY+=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -F _duomo duomo\n");
}

bool completion_run(const struct command *c, char **args)
{
    struct taken t = { 0 };

    if (!options_take(c, args, &t))
        return false;
    if (!t.operand || strcmp(t.operand, "bash") != 0)
        return wrong(c->name, "%s; 'duomo completion bash' would be right",
                     t.operand ? "there is none for this shell" : "no shell is named");
    bash_print();
    return true;
}
