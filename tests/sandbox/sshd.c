/*
 * sshd: writes what a VM's SSH server reads, and starts it.
 */
#include "sshd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "command.h"

#define PATH_LEN 512
#define KEYS_MAX (1U << 20)

int sshd_find(const char **path, struct err *err)
{
    static const char *const places[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd",
                                         "/sbin/sshd"};
    const char *own = getenv("ADIT_SANDBOX_SSHD");
    if (own && access(own, X_OK) == 0) {
        *path = own;
        return 0;
    }
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        if (access(places[i], X_OK) == 0) {
            *path = places[i];
            return 0;
        }
    }
    return err_set(err, ERR_NOTFOUND,
                   "no sshd on this machine; install it (Debian: apt install openssh-server)");
}

int sshd_key_new(const char *path, const char *type, const char *comment, struct err *err)
{
    char pub[PATH_LEN];
    snprintf(pub, sizeof pub, "%s.pub", path);
    unlink(path), unlink(pub);
    const char *const argv[] = {"ssh-keygen", "-q", "-t", type, "-N", "", "-C", comment, "-f", path, NULL};
    return command_run(argv, err);
}

int sshd_host_keys_new(const char *dir, struct err *err)
{
    static const char *const types[] = {"ed25519", "ecdsa"};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        char path[PATH_LEN];
        snprintf(path, sizeof path, "%s/host_%s", dir, types[i]);
        int rc = sshd_key_new(path, types[i], "sandbox", err);
        if (rc)
            return rc;
    }
    return 0;
}

static int config_try(const struct sshd_setup *s, bool penalties_off, struct err *err)
{
    const char *program;
    int rc = sshd_find(&program, err);
    if (rc)
        return rc;
    struct strbuf b;
    strbuf_init(&b);
    for (unsigned i = 0; i < s->lines_count; i++)
        strbuf_printf(&b, "%s\n", s->lines[i]);
    if (s->address)
        strbuf_printf(&b, "ListenAddress %s\n", s->address);
    /* HOME: what the calling user's shell start-up files do (or wait for) is no part of a VM. */
    strbuf_printf(&b,
                  "Port %u\n"
                  "HostKey %s/host_ed25519\n"
                  "HostKey %s/host_ecdsa\n"
                  "AuthorizedKeysFile %s/authorized_keys\n"
                  "PidFile none\n"
                  "UsePAM no\n"
                  "UseDNS no\n"
                  "StrictModes no\n"
                  "PasswordAuthentication no\n"
                  "KbdInteractiveAuthentication no\n"
                  "PermitRootLogin prohibit-password\n"
                  "AllowTcpForwarding yes\n"
                  "MaxStartups 300:30:500\n"
                  "LogLevel VERBOSE\n"
                  "PrintMotd no\n"
                  "PrintLastLog no\n"
                  "SetEnv ADIT_SANDBOX_VM=%s HOME=%s\n"
                  "Subsystem sftp internal-sftp\n",
                  s->port, s->dir, s->dir, s->dir, s->name, s->dir);
    /* All of a VM's clients come from one address: penalties for one test would fall on the next. */
    if (penalties_off)
        strbuf_puts(&b, "PerSourcePenalties no\n");
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/sshd_config", s->dir);
    rc = b.bad ? err_set(err, ERR_NOMEM, "sshd_config: out of memory")
               : fs_replace(path, b.data, b.len, 0600, err);
    strbuf_done(&b);
    if (rc)
        return rc;
    const char *const argv[] = {program, "-t", "-f", path, NULL};
    return command_run(argv, err);
}

int sshd_config_write(const struct sshd_setup *setup, struct err *err)
{
    if (geteuid() == 0 && mkdir("/run/sshd", 0755) < 0 && errno != EEXIST)
        return err_sys(err, errno, "/run/sshd, which sshd needs");
    if (config_try(setup, true, NULL) == 0)
        return 0;
    return config_try(setup, false, err);
}

static int keys_read(const char *path, char **text, struct err *err)
{
    size_t len;
    if (access(path, F_OK) == 0)
        return fs_read(path, KEYS_MAX, text, &len, err);
    *text = mem_strdup("");
    return *text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* Whether it holds that type and base64, whatever comment and options it has. */
static bool line_has_key(const char *at, size_t n, const char *key)
{
    size_t type = strcspn(key, " "), len = type + (key[type] == ' ');
    len += strcspn(key + len, " ");
    size_t blank = strspn(at, " \t");
    at += blank;
    n -= blank < n ? blank : n;
    if (*at == '#' || !type || n < len)
        return false;
    const char *p = memmem(at, n, key, len);
    return p && (p == at || p[-1] == ' ') && (p[len] == 0 || strchr(" \r\n", p[len]));
}

/* Copies all lines but those that are `line`; returns how many were. *there: its key is in one of them. */
static unsigned lines_without(const char *text, const char *line, struct strbuf *out, bool *there)
{
    unsigned found = 0;
    *there = false;
    size_t want = strlen(line);
    while (*text) {
        size_t n = strcspn(text, "\n");
        *there = *there || line_has_key(text, n, line);
        if (n == want && memcmp(text, line, n) == 0) {
            found++;
        } else {
            strbuf_add(out, text, n);
            strbuf_puts(out, "\n");
        }
        text += n + (text[n] == '\n');
    }
    return found;
}

static int keys_change(const char *dir, const char *line, bool add, bool *changed, struct err *err)
{
    char path[PATH_LEN], *old = NULL;
    struct strbuf b;
    snprintf(path, sizeof path, "%s/authorized_keys", dir);
    int rc = keys_read(path, &old, err);
    if (rc)
        return rc;
    strbuf_init(&b);
    bool there, first = access(path, F_OK) != 0;
    unsigned found = lines_without(old, line, &b, &there);
    *changed = add ? !there && *line : found;
    if (add && *changed)
        strbuf_printf(&b, "%s\n", line);
    if (*changed || first)
        rc = b.bad ? err_set(err, ERR_NOMEM, "out of memory")
                   : fs_replace(path, b.data ? b.data : "", b.len, 0600, err);
    strbuf_done(&b);
    mem_free(old);
    return rc;
}

int sshd_key_authorize(const char *dir, const char *line, bool *added, struct err *err)
{
    return keys_change(dir, line, true, added, err);
}

int sshd_key_revoke(const char *dir, const char *line, bool *removed, struct err *err)
{
    return keys_change(dir, line, false, removed, err);
}

int sshd_spawn(const char *dir, pid_t *pid, struct err *err)
{
    const char *program;
    int rc = sshd_find(&program, err);
    if (rc)
        return rc;
    char config[PATH_LEN], log[PATH_LEN];
    snprintf(config, sizeof config, "%s/sshd_config", dir);
    snprintf(log, sizeof log, "%s/sshd.log", dir);
    pid_t child = fork();
    if (child < 0)
        return err_sys(err, errno, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGCHLD, SIG_DFL);
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; null >= 0 && fd < 3; fd++)
            dup2(null, fd);
        execl(program, program, "-D", "-f", config, "-E", log, (char *)NULL);
        _exit(127);
    }
    *pid = child;
    return 0;
}
