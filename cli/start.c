/*
 * start: starts aditd and waits until it serves or says why it does not.
 *
 * aditd goes into the background by itself and its starter ends when it serves, so all there is to do is to
 * run it and read its standard error. Of a hundred ProxyCommands that find no daemon at once, one starts it,
 * the others wait.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "output.h"

#define LOCK_WAIT_MS 10000
#define LOCK_AGAIN_MS 10
#define START_MS 20000
#define TEXT_MAX 65536

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* $ADITD, else beside our own executable, else from PATH. */
static void find_program(char *path, size_t size)
{
    char self[PATH_MAX];
    const char *given = getenv("ADITD");

    snprintf(path, size, "aditd");
    if (given && *given) {
        snprintf(path, size, "%s", given);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return;
    char beside[PATH_MAX + 8];
    snprintf(beside, sizeof beside, "%.*s/aditd", (int)(slash - self), self);
    if (access(beside, X_OK) == 0)
        snprintf(path, size, "%s", beside);
}

static void run_child(const char *program, const char *config, int null, int out)
{
    char name[] = "aditd", option[] = "--config", *file = mem_strdup(config);
    char *argv[] = {name, file ? option : NULL, file, NULL};
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO); /* ours may be ssh's */
    dup2(out, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execvp(program, argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static int read_all(int fd, struct strbuf *text, int64_t deadline)
{
    char buf[4096];
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int rc = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc <= 0)
            return ERR_TIMEOUT;
        ssize_t n = read(fd, buf, sizeof buf);
        if (n == 0)
            return 0;
        if (n > 0 && text->len < TEXT_MAX)
            strbuf_add(text, buf, (size_t)n);
    }
}

static void print_lines(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = mem_strndup(text, n);
        if (line && *line) {
            output_text(stderr, line);
            fputc('\n', stderr);
        }
        mem_free(line);
        text += n + (text[n] == '\n');
    }
}

static int code_of_status(int status)
{
    static const int CODES[] = {ERR_CONFIG, ERR_DENIED, ERR_INVAL,      ERR_LIMIT,
                                ERR_SYSTEM, ERR_EXISTS, ERR_UNAVAILABLE};
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (err_exit_status(CODES[i]) == status)
            return CODES[i];
    return ERR_UNAVAILABLE;
}

static int failed(int status, char *text, struct err *err)
{
    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '\n')
        text[n - 1] = '\0';
    int code = WIFEXITED(status) ? code_of_status(WEXITSTATUS(status)) : ERR_UNAVAILABLE;
    if (code ==
        ERR_CONFIG) { /* each problem on its line, as every other program that names file:line:column */
        print_lines(text);
        return err_set(err, code, "aditd does not start: its configuration is wrong");
    }
    if (!*text)
        return err_set(err, code, "aditd does not start and says nothing; `aditd -f` may show more");
    return err_set(err, code, "aditd does not start: %s", strncmp(text, "aditd: ", 7) == 0 ? text + 7 : text);
}

static int spawn(const char *config, struct err *err)
{
    char program[PATH_MAX + 8];
    int fds[2], status = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct strbuf text;

    find_program(program, sizeof program);
    if (null < 0 || pipe(fds) != 0) {
        int why = errno;
        if (null >= 0)
            close(null);
        return err_sys(err, why, "cannot start aditd");
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_child(program, config, null, fds[1]);
    close(fds[1]);
    close(null);
    if (pid < 0) {
        close(fds[0]);
        return err_sys(err, errno, "cannot start aditd");
    }
    strbuf_init(&text);
    strbuf_puts(&text, "");
    int rc = read_all(fds[0], &text, now_ms() + START_MS);
    close(fds[0]);
    if (rc == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    char *said = strbuf_take(&text);
    if (rc < 0)
        err_set(err, rc, "aditd (%s) does not start within %d s; `adit logs` may say why", program,
                START_MS / 1000);
    else if (status != 0)
        rc = failed(status, said ? said : (char[]){""}, err);
    else if (said)
        print_lines(said);
    mem_free(said);
    return rc;
}

static int lock(const char *socket, struct err *err)
{
    char path[PATH_MAX];
    int64_t deadline = now_ms() + LOCK_WAIT_MS;
    const char *slash = strrchr(socket, '/');

    snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - socket) : 0, socket);
    int rc = fs_mkdirs(path, 0700, err);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%s.start", socket);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(err, errno, "cannot open %s", path);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            int why = errno;
            close(fd);
            return err_sys(err, why, "cannot lock %s", path);
        }
        if (now_ms() >= deadline) {
            close(fd);
            return err_set(err, ERR_TIMEOUT, "another adit has been starting aditd for %d s",
                           LOCK_WAIT_MS / 1000);
        }
        poll(NULL, 0, LOCK_AGAIN_MS);
    }
    return fd;
}

int start_daemon(const char *config, const char *socket, int (*probe)(void *arg), void *arg, struct err *err)
{
    int fd = lock(socket, err);
    if (fd < 0)
        return fd;
    int rc = probe(arg);
    if (rc == ERR_NOTFOUND)
        rc = spawn(config, err);
    if (rc == ERR_EXISTS) {
        const struct err why = *err;
        err_clear(err);
        rc = probe(arg); /* somebody may have started it by hand meanwhile */
        if (rc == ERR_NOTFOUND)
            rc = err_copy(err, &why, why.code);
    }
    close(fd);
    return rc;
}
