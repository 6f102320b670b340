/*
 * background: the way into the background, and the pipe over which the starter hears how the start went.
 *
 *   starter ── fork ── setsid ── fork ── daemon      (two forks: it can never get a terminal again)
 *      └───────────── pipe ───────────────┘          one byte of exit status, then text, then its end
 */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "logfile.h"

#define INHERITED_MAX 1024

static void write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno != EINTR)
            return;
        if (done > 0) {
            data += done;
            n -= (size_t)done;
        }
    }
}

/* The starter's part: hands on what comes, ends with the daemon's word. */
static void listen_and_exit(int fd, pid_t child)
{
    unsigned char status = 0;
    char text[4096];
    ssize_t n;

    while ((n = read(fd, &status, 1)) < 0 && errno == EINTR)
        ;
    if (n != 1) {
        fprintf(stderr, "aditd: it died while starting; `adit logs` may say why\n");
        _exit(EX_SOFTWARE);
    }
    while ((n = read(fd, text, sizeof text)) != 0) {
        if (n > 0)
            write_all(STDERR_FILENO, text, (size_t)n);
        else if (errno != EINTR)
            break;
    }
    waitpid(child, NULL, 0);
    _exit(status);
}

static void tell(struct background *b, int status, const char *text)
{
    unsigned char byte = (unsigned char)status;
    if (b->pipe >= 0) {
        write_all(b->pipe, (const char *)&byte, 1);
        if (text)
            write_all(b->pipe, text, strlen(text));
        close(b->pipe);
        b->pipe = -1;
    } else if (text && b->log_fd < 0) {
        write_all(STDERR_FILENO, text, strlen(text));
    }
}

void background_ready(struct background *b, const char *warning)
{
    if (b->pipe >= 0) /* in the foreground the log has it */
        tell(b, 0, warning);
}

void background_fail(struct background *b, int status, const char *text)
{
    tell(b, status, text);
}

static int cannot(const char *what)
{
    fprintf(stderr, "aditd: %s: %s\n", what, strerror(errno));
    return EX_OSERR;
}

/* Whoever started us may have left descriptors open that must not live as long as a daemon does. Standard
 * error stays until the daemon's own takes its place. */
static void close_inherited(void)
{
    for (int fd = STDERR_FILENO + 1; fd < INHERITED_MAX; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) /* ours all have it */
            close(fd);
    }
}

static int detach(struct background *b, int log_fd)
{
    int fds[2];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || pipe2(fds, O_CLOEXEC) != 0)
        return cannot("cannot go into the background");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return cannot("cannot fork");
    if (pid > 0) {
        close(fds[1]);
        listen_and_exit(fds[0], pid);
    }
    close(fds[0]);
    b->pipe = fds[1];
    close_inherited();
    setsid();
    pid = fork();
    if (pid !=
        0) { /* the session's leader has done its part; a failed fork shows as an early end of the pipe */
        _exit(pid < 0 ? EX_OSERR : 0);
    }
    if (chdir("/") != 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        return EX_OSERR;
    close(null);
    b->log_fd = log_fd;
    return 0;
}

int background_enter(struct background *b, bool foreground, const char *log_file)
{
    struct err err = {0};
    b->pipe = b->log_fd = -1;
    if (foreground)
        return 0;
    int fd = logfile_open(log_file, &err);
    if (fd < 0) {
        fprintf(stderr, "aditd: %s\n", err.msg);
        return err_exit_status(err.code);
    }
    return detach(b, fd);
}
