// SPDX-License-Identifier: MIT
// The shell: the first process, and the only one that reads the keyboard.
//
// In:     what the user types; the kernel's command line: name=WORD is the prompt, and run=A;B;C,
//         which must stand last, is done as if it had been typed.
// Out:    a process for each line.
// Always: echo and line editing are done here, character by character, in user mode.
#include "user.h"

enum { CTRL_C = 3, BACKSPACE = 8, CTRL_U = 21, ESCAPE = 27, DELETE = 127 };

static char name[NAME_SIZE] = "figura";

static void erase(char *line, size_t keep)
{
    for (size_t i = strlen(line); i > keep; i--)
        printf("\b \b");
    line[keep] = '\0';
}

static void line_read(char *line, size_t size)
{
    size_t used = 0;

    line[0] = '\0';
    for (char c; (c = key_read()) != '\r' && c != '\n'; used = strlen(line)) {
        if ((c == BACKSPACE || c == DELETE) && used)
            erase(line, used - 1);
        else if (c == CTRL_U)
            erase(line, 0);
        else if (c == CTRL_C) {
            line[0] = '\0';
            printf("^C");
            break;
        } else if (c == ESCAPE) { // an arrow: two more bytes
            key_read();
            key_read();
        } else if (c >= ' ' && c < DELETE && used + 1 < size) {
            line[used]     = c;
            line[used + 1] = '\0';
            printf("%c", c);
        }
    }
    printf("\n");
}

// Cuts off what stands behind the last word, and a last `&`.
static bool background_cut(char *line)
{
    size_t used  = strlen(line);
    bool   found = false;

    while (used && (line[used - 1] == ' ' || (line[used - 1] == '&' && !found)))
        found |= line[--used] == '&';
    line[used] = '\0';
    return found;
}

static void line_run(char *line)
{
    bool                  background = background_cut(line);
    const struct program *program;
    long                  pid;

    line += strspn(line, " ");
    if (!*line)
        return;
    program = program_find(line);
    if (!program) {
        printf("%s: no such program; help lists them\n", line);
        return;
    }
    if (program->in_shell) {
        program->run(program_args(line));
        return;
    }
    flush();
    pid = call1(spawn, line);
    if (pid < 0)
        printf("no room for another process\n");
    else if (background)
        printf("process %ld\n", pid);
    else
        call1(wait, pid);
}

// The value of a key in the kernel's command line, or NULL.
static const char *argument(const char *args, const char *key)
{
    for (;;) {
        if (strncmp(args, key, strlen(key)) == 0)
            return args + strlen(key);
        if (strncmp(args, "run=", 4) == 0 || !(args = strchr(args, ' ')))
            return NULL;
        args++;
    }
}

void shell(const char *args)
{
    static char line[LINE_SIZE];
    const char *word = argument(args, "name="), *run = argument(args, "run=");

    if (word)
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word, " "), word);
    for (;;) {
        printf("%s> ", name);
        if (run && *run) {
            snprintf(line, sizeof line, "%.*s", (int)strcspn(run, ";"), run);
            run += strcspn(run, ";");
            run += *run == ';';
            printf("%s\n", line);
        } else
            line_read(line, 80);
        line_run(line);
    }
}
