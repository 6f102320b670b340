/*
 * ask_terminal: a line typed on the terminal of this command, /dev/tty, whatever its standard input is.
 *
 *   prompt shown, echo off, signals caught ──line──▶ all restored, answered
 *       │ wake_fd: back to the caller, who comes again         │ end of file, too long: none
 *       │ a signal: all restored, the signal again, for its own handler or the default; after a stop the
 * prompt └─────────────────────────────────────────────────────────────────────────────────────────── anew
 */
#include "ask_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "base/mem.h"
#include "output.h"

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof SIGNALS[0])

static struct sigaction before[SIGNAL_COUNT];
static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    int saved = errno;
    caught = number;
    if (write(pipe_fds[1], "", 1) < 0) /* full: readable already */
        errno = saved;
    errno = saved;
}

static bool catch_signals(void)
{
    struct sigaction action;
    caught = 0;
    if (pipe_fds[0] < 0) {
        if (pipe(pipe_fds) != 0)
            return false;
        for (int i = 0; i < 2; i++) {
            fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC);
            fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK);
        }
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        sigaction(SIGNALS[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &action, NULL);
    }
    return true;
}

static void release_signals(void)
{
    char scrap[16];
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &before[i], NULL);
    while (read(pipe_fds[0], scrap, sizeof scrap) > 0)
        ;
}

static void say(const struct ask_terminal *t, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t done = write(t->fd, text, n);
        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

static int open_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && tcgetpgrp(fd) != getpgrp()) { /* asking would stop it */
        close(fd);
        fd = -1;
    }
    return fd;
}

bool ask_terminal_there(void)
{
    int fd = open_terminal();
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool begin(struct ask_terminal *t, const char *prompt, bool echo)
{
    struct strbuf shown;
    *t = (struct ask_terminal){.fd = open_terminal(), .echo = echo};
    if (t->fd < 0)
        return false;
    if (t->fd >= FD_SETSIZE || tcgetattr(t->fd, &t->before) != 0 || !catch_signals()) {
        close(t->fd);
        return false;
    }
    struct termios quiet = t->before;
    quiet.c_lflag |= ICANON | ISIG;
    if (!echo)
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(t->fd, TCSAFLUSH, &quiet); /* what was typed before was not meant for this question */
    t->active = true;
    strbuf_init(&shown);
    output_escape(&shown, prompt);
    say(t, shown.data && !shown.bad ? shown.data : "? ");
    strbuf_done(&shown);
    return true;
}

void ask_terminal_stop(struct ask_terminal *t)
{
    if (!t->active)
        return;
    if (!t->echo || t->len == 0)
        say(t, "\n");
    tcsetattr(t->fd, TCSADRAIN, &t->before);
    release_signals();
    close(t->fd);
    mem_wipe(t, sizeof *t);
    t->fd = -1;
}

/* 1: the line is there; 0: not yet; negative: none will come. */
static int take(struct ask_terminal *t)
{
    char part[256];
    ssize_t n = read(t->fd, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0)
        return -1;
    size_t room = sizeof t->line - t->len, took = (size_t)n < room ? (size_t)n : room;
    memcpy(t->line + t->len, part, took);
    t->len += took;
    t->too_long |= took < (size_t)n;
    bool end = part[n - 1] == '\n';
    mem_wipe(part, sizeof part);
    return end;
}

static enum control_asked finish(struct ask_terminal *t, char answer[CONTROL_ANSWER_MAX + 1])
{
    bool ok = !t->too_long && t->len > 0 && t->line[t->len - 1] == '\n' && !memchr(t->line, '\0', t->len);
    if (ok) {
        memcpy(answer, t->line, t->len - 1);
        answer[t->len - 1] = '\0';
    }
    ask_terminal_stop(t);
    return ok ? CONTROL_ASKED_ANSWER : CONTROL_ASKED_NONE;
}

/* Waits for one of the three. */
static fd_set wait_for_any(const struct ask_terminal *t, int wake_fd)
{
    fd_set set;
    int most = t->fd > wake_fd ? t->fd : wake_fd;
    FD_ZERO(&set);
    FD_SET(t->fd, &set);
    FD_SET(wake_fd, &set);
    FD_SET(pipe_fds[0], &set);
    most = pipe_fds[0] > most ? pipe_fds[0] : most;
    if (select(most + 1, &set, NULL, NULL, NULL) < 0)
        FD_ZERO(&set);
    return set;
}

enum control_asked ask_terminal_read(struct ask_terminal *t, const char *prompt, bool echo, int wake_fd,
                                     char answer[CONTROL_ANSWER_MAX + 1])
{
    for (;;) {
        if (!t->active && !begin(t, prompt, echo))
            return CONTROL_ASKED_NONE;
        fd_set ready = wait_for_any(t, wake_fd);
        int number = caught;
        if (number) {
            ask_terminal_stop(t);
            raise(number);
            if (number != SIGTSTP)
                return CONTROL_ASKED_LATER;
            continue;
        }
        if (FD_ISSET(t->fd, &ready)) {
            int rc = take(t);
            if (rc != 0)
                return finish(t, answer);
        } else if (FD_ISSET(wake_fd, &ready)) {
            return CONTROL_ASKED_LATER;
        }
    }
}
