/*
 * key_pair: the public key that a user names, and a new key pair for one who has none.
 */
#include "key_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define KEY_FILE_MAX 65536
#define NO_PROGRAM 127

char *key_pair_read(const char *path, struct err *err)
{
    char *text;
    size_t len;
    if (fs_read(path, KEY_FILE_MAX, &text, &len, err) < 0)
        return NULL;
    if (strstr(text, "PRIVATE KEY-----"))
        err_set(err, ERR_INVAL, "%s is a private key, which goes nowhere: name its public half, %s.pub", path,
                path);
    else if (strspn(text, " \t\r\n") == len)
        err_set(err, ERR_INVAL, "%s holds no key", path);
    else if (strlen(text) != len)
        err_set(err, ERR_INVAL, "%s holds a NUL, which no public key does", path);
    else
        return text;
    mem_free(text);
    return NULL;
}

static int make_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *dir = mem_strndup(path, (size_t)(slash - path));
    int rc = !dir                     ? err_set(err, ERR_NOMEM, "out of memory")
             : access(dir, F_OK) == 0 ? 0
                                      : fs_mkdirs(dir, 0700, err);
    mem_free(dir);
    return rc;
}

static void run_keygen(const char *path, bool quiet)
{
    /* What it says is no result of ours. */
    dup2(STDERR_FILENO, STDOUT_FILENO);
    if (quiet)
        execlp("ssh-keygen", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, (char *)NULL);
    else
        execlp("ssh-keygen", "ssh-keygen", "-t", "ed25519", "-f", path, (char *)NULL);
    _exit(NO_PROGRAM);
}

int key_pair_make(const char *path, bool quiet, struct err *err)
{
    int status = 0;
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_EXISTS, "%s is there already, but no login can use it: look at its rights",
                       path);
    int rc = make_folder(path, err);
    if (rc < 0)
        return rc;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "fork");
    if (pid == 0)
        run_keygen(path, quiet);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PROGRAM)
        return err_set(err, ERR_NOTFOUND, "there is no ssh-keygen here: install OpenSSH's client");
    if (status != 0 || access(path, F_OK) != 0)
        return err_set(err, ERR_SYSTEM, "ssh-keygen made no key");
    return 0;
}
