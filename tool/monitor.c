// SPDX-License-Identifier: MIT
// The command `duomo monitor`.
//
// In:     commands for the monitor of a running machine, as an option or on standard input.
// Out:    the monitor's answers; exit code 1 if one of them says error.
// Always: an answer reaches the terminal without control characters.

#define _GNU_SOURCE                 // asprintf, getline

#include "commands.h"
#include "control.h"
#include "say.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 60, NAMES_SIZE = 512 };

struct ask {
    const char *command;
    const char *to;
    uint64_t    json;
};

// clang-format off
#define ASK(member) .offset = offsetof(struct ask, member)

const struct field monitor_options[] = {
    { .name = "command", .option = "--command", .alias = "-c", .value = "COMMAND", .kind = &text_kind, ASK(command), .max = REQUEST_MAX,
      .otherwise = "each line of standard input", .help = "the command" },
    { .name = "json", .option = "--json", .kind = &flag_kind, ASK(json), .help = "the answer as a JSON document" },
    { .name = "to", .option = "--to", .value = "NAME", .kind = &path_kind, ASK(to),
      .otherwise = "the one that runs", .help = "the machine: its configuration file's name without ending, or its VM's" },
    { 0 },
};
// clang-format on

// The names of the machines that run, as in "a, b". How many there are.
static unsigned machines_list(char *names, size_t size)
{
    char name[NAME_MAX + 1];
    DIR *folder = opendir(control_folder().s);
    const struct dirent *entry;
    unsigned n = 0;
    size_t at = 0;

    names[0] = '\0';
    while (folder && (entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);
        int fd;

        if (length <= 5 || strcmp(entry->d_name + length - 5, ".sock") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(length - 5), entry->d_name);
        fd = control_connect(name);
        if (fd < 0)
            continue;
        close(fd);
        if (at < size)
            at += (size_t)snprintf(names + at, size - at, "%s%s", n ? ", " : "", name);
        n++;
    }
    if (folder)
        closedir(folder);
    return n;
}

static int wrong_machine(const char *to, unsigned n, const char *names)
{
    if (!n)
        wrong("monitor", "no machine runs; start one with 'duomo run FILE'");
    else if (to)
        wrong("monitor", "no machine '%s' runs; there is %s", to, names);
    else
        wrong("monitor", "several machines run (%s); say which with --to NAME", names);
    return -1;
}

// Connects to the machine that is meant; -1: there is none, and that has been told.
static int machine_connect(const char *to)
{
    char names[NAMES_SIZE];
    unsigned n;
    int fd = to && !strchr(to, '/') ? control_connect(to) : -1;

    if (fd >= 0)
        return fd;
    n = machines_list(names, sizeof names);
    if (to || n != 1)
        return wrong_machine(to, n, names);
    fd = control_connect(names);
    return fd < 0 ? wrong_machine(NULL, 0, names) : fd;
}

static bool request_write(int fd, const struct ask *a, const char *command)
{
    char *request;
    int n = asprintf(&request, "%s %s\n", a->json ? "json" : "text", command);
    bool ok = n > 0 && send(fd, request, (size_t)n, MSG_NOSIGNAL) == n;

    if (n > 0)
        free(request);
    return ok;
}

static void payload_print(FILE *answers, size_t size, FILE *out)
{
    int c, last = '\n';

    while (size-- && (c = getc(answers)) != EOF) {
        if (c == '\r')
            continue;
        last = c;
        putc(c == '\n' || c == '\t' || (c >= ' ' && c <= '~') ? c : '?', out);
    }
    if (last != '\n')
        putc('\n', out);
}

// Asks and prints the answer. False: the answer is an error, or there is none.
static bool command_ask(int fd, FILE *answers, const struct ask *a, const char *command)
{
    char status[8];
    size_t size;
    bool ok;

    for (const char *c = command; *c; c++)
        if (*c < ' ' || *c > '~')
            return wrong("monitor", "the command has an odd character; write printable ASCII");
    if (!*command || strlen(command) > REQUEST_MAX)
        return wrong("monitor", "a command of %zu characters; 1 to %d would be right",
                     strlen(command), REQUEST_MAX);
    if (!request_write(fd, a, command)
        || fscanf(answers, "%7s %zu", status, &size) != 2 || getc(answers) != '\n')
        return wrong("monitor", "the machine does not answer; has it ended?");
    ok = strcmp(status, "ok") == 0;
    payload_print(answers, size, ok || a->json ? stdout : stderr);
    return ok;
}

static bool lines_ask(int fd, FILE *answers, const struct ask *a)
{
    bool ok = true, prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while (printf("%s", prompt ? "duomo> " : ""), fflush(stdout),
           (n = getline(&line, &room, stdin)) >= 0) {
        if (n && line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (*line)
            ok = command_ask(fd, answers, a, line) && ok;
        if (feof(answers))
            break;
    }
    free(line);
    return ok;
}

bool monitor_run(const struct command *c, char **args)
{
    struct timeval patience = { .tv_sec = ANSWER_SECONDS };
    struct ask a = { 0 };
    struct taken t = { .own = &a };
    FILE *answers;
    bool ok;
    int fd;

    if (!options_take(c, args, &t))
        return false;
    fd = machine_connect(a.to);
    answers = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!answers)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ok = a.command ? command_ask(fd, answers, &a, a.command) : lines_ask(fd, answers, &a);
    fclose(answers);
    return ok;
}
