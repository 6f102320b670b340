/*
 * rdp_client: the RDP clients that adit knows: which of them is here, and how each is told where to connect.
 */
#include "rdp_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

struct rdp_client {
    const char *program;
    const char *words[2]; /* before the address; NULL: none */
    const char *prefix;   /* in front of 127.0.0.1:PORT */
    bool file;            /* is given a .rdp file instead */
};

static const struct rdp_client CLIENTS[] = {
#ifdef __APPLE__
    {"open", {"-W", NULL}, NULL, true}, /* Microsoft's app, which has no command line */
#endif
    {"xfreerdp3", {NULL, NULL}, "/v:", false},
    {"xfreerdp", {NULL, NULL}, "/v:", false},
    {"wlfreerdp", {NULL, NULL}, "/v:", false},
    {"remmina", {"-c", NULL}, "rdp://", false},
    {"gnome-connections", {NULL, NULL}, "rdp://", false},
    {"mstsc.exe", {NULL, NULL}, "/v:", false}, /* Windows's own, from WSL */
};

static struct rdp_client other; /* the one that --client names */

static bool is_here(const char *program)
{
    const char *dirs = getenv("PATH");
    char path[PATH_MAX];

    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    while (dirs && *dirs) {
        size_t n = strcspn(dirs, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)n, dirs, program);
        if (n > 0 && access(path, X_OK) == 0)
            return true;
        dirs += n + (dirs[n] == ':');
    }
    return false;
}

const struct rdp_client *rdp_client_find(const char *name, struct err *err)
{
    const char *base = name ? strrchr(name, '/') : NULL;

    for (size_t i = 0; i < sizeof CLIENTS / sizeof CLIENTS[0]; i++) {
        const struct rdp_client *c = &CLIENTS[i];
        if (name && strcmp(c->program, base ? base + 1 : name) == 0) {
            other = *c;
            other.program = name;
            return is_here(name) ? &other
                                 : (err_set(err, ERR_NOTFOUND, "there is no %s in PATH", name), NULL);
        }
        if (!name && is_here(c->program))
            return c;
    }
    if (!name) {
        err_set(
            err, ERR_NOTFOUND,
            "no RDP client is in PATH: install FreeRDP (xfreerdp), Remmina or GNOME Connections, name one "
            "with --client, or use --print or --write");
        return NULL;
    }
    other = (struct rdp_client){.program = name, .prefix = ""};
    if (is_here(name))
        return &other;
    err_set(err, ERR_NOTFOUND, "there is no %s in PATH", name);
    return NULL;
}

const char *rdp_client_program(size_t i)
{
    return i < sizeof CLIENTS / sizeof CLIENTS[0] ? CLIENTS[i].program : NULL;
}

int rdp_file_write(const char *path, uint32_t port, struct err *err)
{
    char *text = mem_printf("full address:s:127.0.0.1:%u\r\n"
                            "prompt for credentials:i:1\r\n"
                            "authentication level:i:2\r\n"
                            "autoreconnection enabled:i:1\r\n",
                            port);
    int rc =
        text ? fs_replace(path, text, strlen(text), 0600, err) : err_set(err, ERR_NOMEM, "out of memory");
    mem_free(text);
    return rc;
}

/* Where a client that wants a file finds it: one name a port, so that there are never many. */
static char *file_for(uint32_t port, struct err *err)
{
    const char *dir = getenv("TMPDIR");
    char *path = mem_printf("%s/adit-%u-%u.rdp", dir && *dir ? dir : "/tmp", (unsigned)getuid(), port);
    if (path && rdp_file_write(path, port, err) < 0) {
        mem_free(path);
        return NULL;
    }
    return path;
}

/* In the child. The exec's error goes back through the pipe, which a good exec closes. */
static void become(char **argv, int report)
{
    signal(SIGPIPE, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* what clients print is no output of adit's */
    execvp(argv[0], argv);
    int e = errno;
    if (write(report, &e, sizeof e) < 0)
        _exit(126);
    _exit(127);
}

static pid_t start(char **argv, struct err *err)
{
    int report[2], e = 0;

    if (pipe(report) != 0)
        return err_sys(err, errno, "pipe");
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, report[1]);
    close(report[1]);
    if (pid < 0)
        pid = err_sys(err, errno, "fork");
    else if (read(report[0], &e, sizeof e) == (ssize_t)sizeof e)
        pid = err_sys(err, e, "cannot run %s", argv[0]);
    close(report[0]);
    return pid;
}

pid_t rdp_client_start(const struct rdp_client *c, uint32_t port, char **extra, int extra_count,
                       struct err *err)
{
    char *argv[RDP_CLIENT_EXTRA_MAX + 5];
    size_t n = 0;
    char *address = c->file ? file_for(port, err) : mem_printf("%s127.0.0.1:%u", c->prefix, port);

    if (!address)
        return err->code ? err->code : err_set(err, ERR_NOMEM, "out of memory");
    argv[n++] = mem_strdup(c->program);
    for (int i = 0; i < extra_count && i < RDP_CLIENT_EXTRA_MAX; i++)
        argv[n++] = mem_strdup(extra[i]);
    for (size_t i = 0; i < 2 && c->words[i]; i++)
        argv[n++] = mem_strdup(c->words[i]);
    argv[n++] = address;
    argv[n] = NULL;
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good &= argv[i] != NULL;
    pid_t pid = good ? start(argv, err) : err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        mem_free(argv[i]);
    return pid;
}
