/*
 * managed_arc_key: opens the file that Arc's agent names, and no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "managed.h"

#define KEY_MAX 4096

bool managed_arc_realm(const char *header, char *out, size_t size)
{
    static const char basic[] = "Basic realm=";
    if (strncasecmp(header, basic, sizeof(basic) - 1) != 0)
        return false;
    const char *value = header + sizeof(basic) - 1;
    bool quoted = *value == '"';
    value += quoted;
    size_t n = quoted ? strcspn(value, "\"") : strcspn(value, ", \t");
    if (n == 0 || n >= size)
        return false;
    memcpy(out, value, n);
    out[n] = 0;
    return true;
}

/* The file's name within dir, or NULL when the path leads anywhere else. */
static const char *name_in(const char *dir, const char *path)
{
    size_t n = strlen(dir), len = strlen(path);
    if (strncmp(path, dir, n) != 0 || path[n] != '/' || len < n + 1 + sizeof("x.key") - 1)
        return NULL;
    const char *name = path + n + 1;
    if (*name == '.' || strchr(name, '/') || strcmp(path + len - 4, ".key") != 0)
        return NULL;
    return name;
}

static int read_all(int fd, struct blob *out, const char *path, struct err *err)
{
    char text[KEY_MAX + 1];
    struct stat st;
    size_t n = 0;
    ssize_t got = 0;
    if (fstat(fd, &st))
        return err_sys(err, errno, "Azure Arc: %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size > KEY_MAX)
        return err_set(err, ERR_DENIED, "Azure Arc: %s is not a file of at most %d bytes: refused to read it",
                       path, KEY_MAX);
    while (n < sizeof(text) && (got = read(fd, text + n, sizeof(text) - n)) > 0)
        n += (size_t)got;
    int rc = 0;
    if (got < 0)
        rc = err_sys(err, errno, "Azure Arc: %s", path);
    else if (n > KEY_MAX)
        rc = err_set(err, ERR_DENIED, "Azure Arc: %s is larger than %d bytes: refused to read it", path,
                     KEY_MAX);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    for (size_t i = 0; !rc && i < n; i++)
        if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
            rc = err_set(err, ERR_DENIED, "Azure Arc: %s holds what no key holds", path);
    if (!rc && blob_add(out, text, n))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    mem_wipe(text, sizeof(text));
    return rc;
}

int managed_arc_key_read(struct blob *out, const char *dir, const char *path, struct err *err)
{
    const char *name = name_in(dir, path);
    if (!name)
        return err_set(err, ERR_DENIED, "Azure Arc: its agent names a file outside of %s: refused to read it",
                       dir);
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fd =
        dir_fd < 0 ? -1 : openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int why = errno, rc;
    if (fd >= 0)
        rc = read_all(fd, out, path, err);
    else if (why == ELOOP)
        rc = err_set(err, ERR_DENIED, "Azure Arc: %s is a link: refused to follow it", path);
    else
        rc = err_sys(err, why, "Azure Arc: %s", path);
    if (fd < 0 && why == EACCES)
        err_hint(err, "; add the user that runs aditd to the group himds");
    if (fd < 0 && rc == ERR_NOTFOUND && err)
        rc = err->code = ERR_UNAVAILABLE; /* the identity is set up: only its key is not there */
    if (fd >= 0)
        close(fd);
    if (dir_fd >= 0)
        close(dir_fd);
    return rc;
}
