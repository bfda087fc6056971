// SPDX-License-Identifier: MIT
// What runs in user mode: the shell, and the programs of programs.def.
//
// In:     a command line, the process's own; what the user types, which only a shell reads.
// Out:    what the program prints; a shell's processes, one for each line.
// Always: all programs are one image, of which each process has a copy, and its line says which of
//         them it is.  What the shell does itself works even when there is no room for another
//         process.  Echo and line editing are done here, character by character.
#include "../call.h"

// start.S.  What call.def says: the number, and at most two arguments.
long           call(enum call number, ...);
_Noreturn void process_main(const char *line);

// One system call for a line, not one for each character.
static char text[2 * LINE_SIZE];
#define print(...) call(CALL_write, text, snprintf(text, sizeof text, __VA_ARGS__))

static const struct program {
    const char *name, *args, *help;
    bool        in_shell; // the shell does it itself
    int         row;      // of programs.def
} programs[] = {
#define PROGRAM(name, args, help, in_shell, deed) { name, args, help, in_shell, __LINE__ },
#include "programs.def"
    { 0 },
};

static void program_run(const struct program *p, const char *line);

// --- the shell -----------------------------------------------------------------------------------

enum { CTRL_C = 3, BACKSPACE = 8, CTRL_U = 21, ESCAPE = 27, DELETE = 127 };

static const struct program *program_find(const char *line)
{
    for (const struct program *p = programs; p->name; p++) {
        size_t bytes = *p->args ? strcspn(line, " ") : strlen(line);

        if (strncmp(p->name, line, bytes) == 0 && strchr(" ", p->name[bytes])) // or its end
            return p;
    }
    return NULL;
}

static void line_read(char *line)
{
    size_t used = 0;

    for (char c = 0; c != '\r' && c != '\n' && c != CTRL_C;) {
        c = (char)call(CALL_read);
        if (c >= ' ' && c < DELETE && used < 79)
            print("%c", line[used++] = c);
        else if ((c == BACKSPACE || c == DELETE) && used)
            print("\b \b"), used--;
        else if (c == CTRL_C)
            print("^C"), used = 0;
        else if (c == ESCAPE) // an arrow: two more bytes
            call(CALL_read), call(CALL_read);
        for (; c == CTRL_U && used; used--)
            print("\b \b");
    }
    line[used] = '\0';
    print("\n");
}

static void line_run(char *line)
{
    bool                  background = false;
    const struct program *program;
    long                  pid;

    for (size_t n = strlen(line); n && strchr(" &", line[n - 1]); line[--n] = '\0')
        background |= line[n - 1] == '&';
    line += strspn(line, " ");
    if (!*line)
        return;
    program = program_find(line);
    if (!program && strchr(line, ' '))
        print("there is no %s; help lists what there is\n", strchr(line, ' ') + 1);
    else if (!program)
        print("%s: no such program; help lists them\n", line);
    else if (program->in_shell)
        program_run(program, line);
    else if ((pid = call(CALL_spawn, line)) < 0)
        print("no room for another process\n");
    else if (background)
        print("process %ld\n", pid);
    else
        call(CALL_wait, pid);
}

// The kernel's command line comes to the first shell: it begins with name=WORD, which is the prompt,
// and ends with run=A;B;C, which is done as if it had been typed.
static void shell(const char *args)
{
    static char name[NAME_SIZE] = "figura", line[LINE_SIZE], todo[LINE_SIZE];
    char       *run             = strstr(strcpy(todo, args), "run="), *next;

    sscanf(args, "shell name=%15s", name);
    strsep(&run, "=");
    for (;;) {
        print("%s> ", name);
        next = strsep(&run, ";");
        if (next)
            print("%s\n", strcpy(line, next));
        else
            line_read(line);
        line_run(line);
    }
}

// --- the programs --------------------------------------------------------------------------------

static void help(void)
{
    for (const struct program *p = programs; p->name; p++)
        print("  %-18s %-25s %s\n", p->name, p->args, p->help);
    print("A line that ends with & runs in the background.  Ctrl-C ends what runs in front.\n");
}

static void time(void)
{
    long ms = call(CALL_time);

    print("up %ld.%03ld s\n", ms / 1000, ms % 1000);
}

static void count(const char *line)
{
    u64 last = 10;

    sscanf(line, "count %lu", &last);
    for (u64 i = 1; i <= last; i++) {
        print("%lu\n", i);
        call(CALL_sleep, call(CALL_time) + 100);
    }
}

// FNV-1a over the numbers below three million.
static void sum(void)
{
    u64 hash = 0xcbf29ce484222325;

    for (u64 i = 0; i < 3000000; i++)
        hash = (hash ^ i) * 0x100000001b3;
    print("sum: %016lx\n", hash);
}

// `beyond` is the first block that the disk has not: the kernel asks for it, and the disk refuses.
static void disk(const char *line)
{
    static char block[BLOCK_SIZE + 1];
    u64         blocks = (u64)call(CALL_blocks), n = blocks;
    bool        writes = sscanf(line, "disk write %lu %511[^\n]", &n, block) > 0;

    sscanf(line, "disk read %lu", &n);
    if (!blocks || strcmp(line, "disk") == 0)
        print("disk: %lu blocks of %d bytes\n", blocks, BLOCK_SIZE);
    else if (call(writes ? CALL_write_block : CALL_read_block, n, block) < 0)
        print("disk: block %lu cannot be %s\n", n, writes ? "written" : "read");
    else {
        for (char *c = block; *c; c++)
            *c = *c < ' ' || *c > '~' ? '.' : *c;
        print("block %lu: %.64s\n", n, block);
    }
}

static void kill(const char *line)
{
    u64 pid = 0;

    sscanf(line, "kill %lu", &pid);
    if (call(CALL_kill, pid) < 0)
        print("kill: no process that can be killed has that number; see ps\n");
}

static void storm(const char *line)
{
    long seconds = 3, begin = call(CALL_time);

    sscanf(line, "storm %ld", &seconds);
    while (call(CALL_time) < begin + 1000 * seconds)
        call(CALL_mischief, MISCHIEF_STORM);
    print("storm: over\n");
}

// --- which of them ---------------------------------------------------------------------------------

#define INSN(text)   __asm__ volatile(text ::: "t0", "memory")
#define KERNEL(what) call(CALL_mischief, MISCHIEF_##what)

static void program_run(const struct program *p, const char *line)
{
    switch (p->row) {
// clang-format off
#define PROGRAM(name, args, help, in_shell, deed) case __LINE__: deed; break;
// clang-format on
#include "programs.def"
    }
}

_Noreturn void process_main(const char *line)
{
    program_run(program_find(line), line);
    for (;;)
        call(CALL_exit);
}
