/*
 * logfile: the file that aditd logs to in the background, and its reopening after somebody moved it away.
 */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

int logfile_open(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash && slash != path ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup("/");
    if (!dir)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = fs_mkdirs(dir, 0700, err);
    mem_free(dir);
    if (rc < 0)
        return rc;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    return fd >= 0 ? fd : err_sys(err, errno, "cannot open the log file %s", path);
}

int logfile_reopen(const char *path, int fd, struct err *err)
{
    int fresh = logfile_open(path, err);
    if (fresh < 0)
        return fresh;
    int rc = 0;
    if (dup3(fresh, fd, O_CLOEXEC) < 0 || dup2(fresh, STDOUT_FILENO) < 0 || dup2(fresh, STDERR_FILENO) < 0)
        rc = err_sys(err, errno, "cannot reopen the log file %s", path);
    close(fresh);
    return rc;
}
