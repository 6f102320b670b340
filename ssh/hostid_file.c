/*
 * hostid_file: adit's known_hosts file as hostid uses it: read as a whole, changed under a lock.
 */
#include "hostid_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/wire.h"

#define FILE_MAX (4u << 20)

int hostid_file_read(const char *path, char **text, size_t *len, struct err *err)
{
    int rc = fs_read(path, FILE_MAX, text, len, err);
    if (rc == ERR_NOTFOUND) {
        err_clear(err);
        *text = mem_strdup("");
        *len = 0;
        return *text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    return rc;
}

static int make_folder(const char *file, struct err *err)
{
    const char *slash = strrchr(file, '/');
    if (!slash || slash == file)
        return 0;
    char *dir = mem_strndup(file, (size_t)(slash - file));
    if (!dir)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = access(dir, F_OK) == 0 ? 0 : fs_mkdirs(dir, 0700, err);
    mem_free(dir);
    return rc;
}

int hostid_file_lock(const char *path, int *fd, struct err *err)
{
    int rc = make_folder(path, err);
    if (rc < 0)
        return rc;
    char *lock = mem_printf("%s.lock", path);
    if (!lock)
        return err_set(err, ERR_NOMEM, "out of memory");
    *fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (*fd < 0 || (flock(*fd, LOCK_EX) < 0 && errno != ENOLCK && errno != ENOTSUP)) {
        rc = err_sys(err, errno, "lock of the known hosts (%s)", lock);
        if (*fd >= 0)
            close(*fd);
    }
    mem_free(lock);
    return rc;
}

void hostid_each_entry(const struct ssh_hostid_want *want, const char *text, size_t len,
                       hostid_entry_cb visit, void *arg)
{
    struct known_host k;
    unsigned line = 0;
    for (const char *p = text, *end = text + len; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl ? nl : end) - p);
        line++;
        if (known_hosts_parse(&k, p, n, want->host) == 1 && !k.authority)
            visit(arg, &k, line, p, n);
        p += n + (nl ? 1 : 0);
    }
}

static bool is_blank(const char *p, size_t n)
{
    size_t i = strspn(p, " \t\r");
    return i >= n || p[i] == '#';
}

int hostid_each_key(const char *keys, hostid_entry_cb visit, void *arg, struct err *err)
{
    struct known_host k;
    unsigned line = 0, found = 0;
    while (*keys) {
        size_t n = strcspn(keys, "\n");
        line++;
        if (!is_blank(keys, n)) {
            char *entry = mem_printf("k %.*s", (int)n, keys); /* as a line of known_hosts of the host "k" */
            if (!entry)
                return err_set(err, ERR_NOMEM, "out of memory");
            int good = known_hosts_parse(&k, entry, n + 2, "k");
            mem_free(entry);
            if (good != 1)
                return err_set(err, ERR_PROTOCOL, "line %u of the reported host keys is no key", line);
            if (++found > HOSTID_KEYS_MAX)
                return err_set(err, ERR_LIMIT, "more than %d host keys were reported", HOSTID_KEYS_MAX);
            visit(arg, &k, line, keys, n);
        }
        keys += n + (keys[n] == '\n');
    }
    return found ? 0 : err_set(err, ERR_PROTOCOL, "no host key was reported");
}

bool hostid_same_vm(const struct ssh_hostid_want *want, const struct known_host *k)
{
    return !want->vm_id || !k->vm_id[0] || strcasecmp(want->vm_id, k->vm_id) == 0;
}

bool hostid_counts(const struct ssh_hostid_want *want, const struct known_host *k)
{
    return hostid_same_vm(want, k) && (want->policy != SSH_HOSTID_ARM || k->reported);
}

struct copy {
    struct strbuf *out;
    const char *from; /* what is not copied yet begins here */
    const struct ssh_hostid_want *want;
    bool all;
};

static void copy_entry(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct copy *c = arg;
    if (k->revoked || (!c->all && hostid_same_vm(c->want, k)))
        return;
    strbuf_add(c->out, c->from, (size_t)(p - c->from));
    c->from = p + n;
    if (*c->from == '\n')
        c->from++;
}

void hostid_file_copy(struct strbuf *out, const struct ssh_hostid_want *want, bool all, const char *text,
                      size_t len)
{
    struct copy c = {.out = out, .from = text, .want = want, .all = all};
    hostid_each_entry(want, text, len, copy_entry, &c);
    strbuf_add(out, c.from, (size_t)(text + len - c.from));
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        strbuf_puts(out, "\n");
}

int hostid_file_add(struct strbuf *out, const struct ssh_hostid_want *want, const uint8_t *blob, size_t len,
                    bool reported, struct err *err)
{
    char type[64], key[BASE64_SIZE(KNOWN_HOSTS_BLOB_MAX)];
    struct wire_reader r;
    wire_read_init(&r, blob, len);
    struct wire_str name = wire_get_str(&r);
    if (len > KNOWN_HOSTS_BLOB_MAX || name.len == 0 || name.len >= sizeof type)
        return err_set(err, ERR_PROTOCOL, "the server's host key is malformed");
    memcpy(type, name.data, name.len);
    type[name.len] = '\0';
    base64_encode(key, blob, len);
    for (const char *p = want->host; *p; p++)
        strbuf_printf(out, "%c", tolower((unsigned char)*p));
    strbuf_printf(out, " %s %s", type, key);
    if (want->vm_id)
        strbuf_printf(out, " vmId=%s", want->vm_id);
    strbuf_puts(out, reported ? " " KNOWN_HOSTS_REPORTED "\n" : "\n");
    return 0;
}

int hostid_file_write(const char *path, const struct strbuf *text, struct err *err)
{
    if (text->bad)
        return err_set(err, ERR_NOMEM, "out of memory");
    return fs_replace(path, text->data ? text->data : "", text->len, 0600, err);
}
