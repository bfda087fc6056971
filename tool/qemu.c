// SPDX-License-Identifier: MIT
// In:     a command line.
// Out:    its process, in a process group of its own; its exit code.
// Always: it does not outlive us: whoever ends in an orderly way calls qemu_end(), and if we are
//         killed the kernel kills it. One at a time.

#define _GNU_SOURCE                 // SOCK_CLOEXEC, pipe2

#include "qemu.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000, STEP_MS = 10, NOT_STARTED = 127 };

static volatile pid_t pid;          // 0: none, or it has ended and its status is known
static volatile int status;

// In the child: becomes QEMU, or reports errno through `trouble`.
static void child_run(char *const argv[], int line, int trouble, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(line, STDIN_FILENO) >= 0 && dup2(line, STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);
    if (write(trouble, &errno, sizeof errno) != sizeof errno)
        _exit(NOT_STARTED + 1);
    _exit(NOT_STARTED);
}

static bool is_running_program(int trouble, const char *program)
{
    int error;

    if (read(trouble, &error, sizeof error) != sizeof error)
        return true;
    qemu_exit_code();
    if (error == ENOENT)
        return wrong(program, "not found; install it with tools/deps.sh run, or name another with "
                     "--qemu");
    return wrong(program, "%s; name another with --qemu", strerror(error));
}

bool qemu_start(char *const argv[], int *line)
{
    int ends[2], trouble[2];
    pid_t parent = getpid(), child;
    bool ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) || pipe2(trouble, O_CLOEXEC))
        return wrong(argv[0], "%s; try again", strerror(errno));
    child = fork();
    if (child < 0)
        return wrong(argv[0], "%s; try again", strerror(errno));
    if (child == 0)
        child_run(argv, ends[1], trouble[1], parent);

    pid = child;
    setpgid(child, child);
    close(ends[1]);
    close(trouble[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *line = ends[0];
    ok = is_running_program(trouble[0], argv[0]);
    close(trouble[0]);
    return ok;
}

bool qemu_has_ended(void)
{
    int s;

    if (pid && waitpid(pid, &s, WNOHANG) == pid) {
        pid = 0;
        status = s;
    }
    return !pid;
}

void qemu_end(void)
{
    pid_t group = -pid;

    if (qemu_has_ended())
        return;
    kill(group, SIGTERM);
    for (int waited = 0; waited < PATIENCE_MS && !qemu_has_ended(); waited += STEP_MS)
        poll(NULL, 0, STEP_MS);
    kill(group, SIGKILL);
    qemu_exit_code();
}

int qemu_exit_code(void)
{
    int s;

    while (pid) {
        if (waitpid(pid, &s, 0) == pid) {
            status = s;
            pid = 0;
        } else if (errno != EINTR) {
            pid = 0;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
