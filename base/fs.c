/*
 * fs: reading whole files, replacing them in one step, and making directories that are ours alone.
 */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* Moves the text to a larger block; what is left behind may be a secret. */
static int buffer_grow(char **data, size_t len, size_t *cap, size_t want)
{
    char *more = mem_alloc(want);
    if (!more)
        return ERR_NOMEM;
    if (*data)
        memcpy(more, *data, len);
    mem_free_secret(*data, *cap);
    *data = more;
    *cap = want;
    return 0;
}

static int read_all(int fd, const char *path, size_t max, char **data, size_t *len, size_t *cap,
                    struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(err, errno, "%s", path);
    size_t expect = st.st_size > 0 && (uint64_t)st.st_size < max ? (size_t)st.st_size : 0;
    size_t want = expect ? expect + 2 : 4096;
    for (;;) {
        /* One byte for the NUL and at least one to meet the end of the file with. */
        if (*cap - *len < 2) {
            if (buffer_grow(data, *len, cap, *cap ? *cap * 2 : want) < 0)
                return err_set(err, ERR_NOMEM, "%s: out of memory", path);
        }
        ssize_t n = read(fd, *data + *len, *cap - *len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, errno, "%s", path);
        if (n == 0)
            break;
        *len += (size_t)n;
        if (*len > max)
            return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, max);
    }
    (*data)[*len] = '\0';
    return 0;
}

int fs_read(const char *path, size_t max, char **out, size_t *len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    char *data = NULL;
    size_t n = 0, cap = 0;
    int r = read_all(fd, path, max, &data, &n, &cap, err);
    close(fd);
    if (r < 0) {
        mem_free_secret(data, cap);
        return r;
    }
    *out = data;
    if (len)
        *len = n;
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The new name outlives a power cut only when the directory is on disk too; where that cannot be done, so be
 * it. */
static void sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = !slash ? mem_strdup(".") : mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!dir)
        return;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mem_free(dir);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

int fs_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
    char *tmp = mem_printf("%s.XXXXXX", path);
    if (!tmp)
        return err_set(err, ERR_NOMEM, "%s: out of memory", path);
    int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        int r = err_sys(err, errno, "%s: cannot create a temporary file beside it", path);
        mem_free(tmp);
        return r;
    }
    int failed = write_all(fd, data, len);
    if (!failed && fchmod(fd, mode) < 0)
        failed = -errno;
    if (!failed && fsync(fd) < 0)
        failed = -errno;
    if (close(fd) < 0 && !failed)
        failed = -errno;
    if (!failed && rename(tmp, path) < 0)
        failed = -errno;
    int r = 0;
    if (failed) {
        unlink(tmp);
        r = err_sys(err, -failed, "%s: cannot be written", path);
    } else {
        sync_parent(path);
    }
    mem_free(tmp);
    return r;
}

/* A link is trusted when we or root made it: people keep configuration directories elsewhere. */
static int check_ours(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return err_sys(err, errno, "%s", path);
    if (S_ISLNK(st.st_mode)) {
        if (st.st_uid != geteuid() && st.st_uid != 0)
            return err_set(err, ERR_DENIED, "%s: is a link that another user made; remove it", path);
        if (stat(path, &st) < 0)
            return err_sys(err, errno, "%s", path);
    }
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_EXISTS, "%s: exists and is not a directory", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "%s: belongs to another user (uid %lu)", path,
                       (unsigned long)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_DENIED, "%s: others may write there; run chmod go-w on it", path);
    return 0;
}

/* XDG directories are made with 0700, and so are the parents that are missing. */
static int make_parents(char *path, struct err *err)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int r = mkdir(path, 0700) < 0 && errno != EEXIST ? errno : 0;
        struct stat st;
        /* A read-only or foreign parent that exists is as good as one that was made. */
        if (r && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            r = 0;
        if (r)
            return err_sys(err, r, "%s: cannot make the directory", path);
        *p = '/';
    }
    return 0;
}

int fs_mkdirs(const char *path, mode_t mode, struct err *err)
{
    char *copy = mem_strdup(path);
    if (!copy)
        return err_set(err, ERR_NOMEM, "%s: out of memory", path);
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
        copy[n - 1] = '\0';
    int r = copy[0] ? make_parents(copy, err) : err_set(err, ERR_INVAL, "an empty path names no directory");
    if (r == 0 && mkdir(copy, mode) < 0) {
        int errnum = errno;
        struct stat st;
        if (errnum == EEXIST || lstat(copy, &st) == 0)
            r = check_ours(copy, err);
        else
            r = err_sys(err, errnum, "%s: cannot make the directory", copy);
    }
    mem_free(copy);
    return r;
}
