/*
 * ask_program: a line from the program that $SSH_ASKPASS names, as ssh(1) runs it.
 */
#include "ask_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

enum ask_program_use ask_program_use(void)
{
    const char *require = variable("SSH_ASKPASS_REQUIRE");
    bool display = *variable("DISPLAY") || *variable("WAYLAND_DISPLAY");
    if (strcmp(require, "force") == 0)
        return ASK_PROGRAM_ONLY;
    if (strcmp(require, "never") == 0 || !display)
        return ASK_PROGRAM_NEVER;
    return strcmp(require, "prefer") == 0 ? ASK_PROGRAM_FIRST : ASK_PROGRAM_ELSE;
}

bool ask_program_there(void)
{
    const char *program = variable("SSH_ASKPASS");
    return *program && access(program, X_OK) == 0;
}

static bool begin(struct ask_program *p, const char *prompt)
{
    const char *program = variable("SSH_ASKPASS");
    int fds[2];
    *p = (struct ask_program){.fd = -1};
    if (pipe(fds) != 0)
        return false;
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    p->pid = fork();
    if (p->pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        if (null >= 0)
            dup2(null, STDIN_FILENO);
        dup2(fds[1], STDOUT_FILENO);
        signal(SIGPIPE, SIG_DFL);
        if (fds[1] > STDERR_FILENO)
            close(fds[1]);
        execl(program, program, prompt, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    if (p->pid < 0) {
        close(fds[0]);
        return false;
    }
    p->fd = fds[0];
    p->active = true;
    return true;
}

static int reap(struct ask_program *p)
{
    int status = -1;
    close(p->fd);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

void ask_program_stop(struct ask_program *p)
{
    if (!p->active)
        return;
    kill(p->pid, SIGTERM);
    reap(p);
    mem_wipe(p, sizeof *p);
}

static enum control_asked finish(struct ask_program *p, char answer[CONTROL_ANSWER_MAX + 1])
{
    int status = reap(p);
    size_t n = 0;
    while (n < p->len && p->line[n] != '\n' && p->line[n] != '\r')
        n++;
    bool ok =
        WIFEXITED(status) && WEXITSTATUS(status) == 0 && n <= CONTROL_ANSWER_MAX && !memchr(p->line, '\0', n);
    if (ok) {
        memcpy(answer, p->line, n);
        answer[n] = '\0';
    }
    mem_wipe(p, sizeof *p);
    return ok ? CONTROL_ASKED_ANSWER : CONTROL_ASKED_NONE;
}

/* False: it has said all. */
static bool take(struct ask_program *p)
{
    char scrap[256];
    size_t room = sizeof p->line - p->len;
    ssize_t n = read(p->fd, room ? p->line + p->len : scrap, room ? room : sizeof scrap);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0 && room)
        p->len += (size_t)n;
    mem_wipe(scrap, sizeof scrap);
    return n > 0;
}

enum control_asked ask_program_read(struct ask_program *p, const char *prompt, int wake_fd,
                                    char answer[CONTROL_ANSWER_MAX + 1])
{
    if (!p->active && !begin(p, prompt))
        return CONTROL_ASKED_NONE;
    for (;;) {
        struct pollfd ready[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0)
            return CONTROL_ASKED_LATER; /* a signal that is caught */
        if (ready[0].revents && !take(p))
            return finish(p, answer);
        if (!ready[0].revents)
            return CONTROL_ASKED_LATER;
    }
}
