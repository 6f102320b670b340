/*
 * follow: the end of a text file, and what is added to it.
 */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

/* Where the last `lines` lines begin. */
static int64_t find_start(int fd, int64_t size, uint32_t lines)
{
    char buf[BLOCK];
    int64_t pos = size;
    uint64_t seen = 0;

    while (pos > 0) {
        int64_t from = pos > BLOCK ? pos - BLOCK : 0;
        ssize_t n = pread(fd, buf, (size_t)(pos - from), (off_t)from);
        if (n <= 0)
            return from;
        for (ssize_t i = n - 1; i >= 0; i--) {
            bool at_end = from + i == size - 1; /* the LF of the last line begins no other */
            if (buf[i] == '\n' && !at_end && ++seen == lines)
                return from + i + 1;
        }
        pos = from;
    }
    return 0;
}

static int copy(struct follow *f, FILE *out, struct err *err)
{
    char buf[BLOCK];
    ssize_t n;
    while ((n = pread(f->fd, buf, sizeof buf, (off_t)f->offset)) > 0) {
        fwrite(buf, 1, (size_t)n, out);
        f->offset += n;
    }
    fflush(out);
    return n == 0 ? 0 : err_sys(err, errno, "cannot read %s", f->path);
}

int follow_begin(struct follow *f, const char *path, uint32_t lines, FILE *out, struct err *err)
{
    struct stat st;
    f->path = path;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return errno == ENOENT ? err_set(err, ERR_NOTFOUND, "there is no %s", path)
                               : err_sys(err, errno, "cannot open %s", path);
    f->offset = lines > 0 ? find_start(f->fd, st.st_size, lines) : st.st_size;
    return copy(f, out, err);
}

int follow_more(struct follow *f, FILE *out, struct err *err)
{
    struct stat now, ours;
    int rc = copy(f, out, err);
    if (rc < 0 || fstat(f->fd, &ours) != 0)
        return rc;
    if (ours.st_size < f->offset)
        f->offset = 0;
    if (stat(f->path, &now) != 0 || (now.st_dev == ours.st_dev && now.st_ino == ours.st_ino))
        return 0;
    int fresh = open(f->path, O_RDONLY | O_CLOEXEC); /* moved away and begun anew */
    if (fresh < 0)
        return 0;
    close(f->fd);
    f->fd = fresh;
    f->offset = 0;
    return copy(f, out, err);
}

void follow_end(struct follow *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
