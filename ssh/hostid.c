/*
 * hostid: is this host key the VM's, and remembering the keys of a VM that is met for the first time.
 *
 * The file is read as a whole and replaced as a whole, under a lock of its own, so that connections and
 * processes do not lose each other's lines.
 */
#include "hostid.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/wire.h"
#include "keyfile_digest.h"
#include "known_hosts.h"
#include "text.h"

#define FILE_MAX (4u << 20)
#define FINGERPRINT_MAX 192

struct verdict {
    bool known, revoked;
    unsigned same_vm;  /* keys of this VM that are another one */
    unsigned other_vm; /* keys of an earlier VM of this name */
    unsigned line;     /* of the first key that contradicts */
    char fingerprint[FINGERPRINT_MAX];
};

void ssh_hostid_fingerprint(const uint8_t *blob, size_t len, char *out, size_t size)
{
    struct wire_reader r;
    uint8_t sum[32];
    char text[BASE64_SIZE(32)], type[64];
    wire_read_init(&r, blob, len);
    struct wire_str name = wire_get_str(&r);
    ssh_text_clean(type, sizeof type, name.data ? name.data : (const uint8_t *)"", name.len);
    if (ssh_digest_sha256(sum, blob, len) < 0) {
        snprintf(out, size, "%s", type);
        return;
    }
    size_t n = base64_encode(text, sum, sizeof sum);
    while (n > 0 && text[n - 1] == '=')
        text[--n] = '\0';
    snprintf(out, size, "%s SHA256:%s", type, text);
}

/* Does this entry speak of the VM that is wanted, rather than of an earlier one of its name? */
static bool same_vm(const struct ssh_hostid_want *want, const struct known_host *k)
{
    return !want->vm_id || !k->vm_id[0] || strcasecmp(want->vm_id, k->vm_id) == 0;
}

/* Calls visit for each entry of the wanted host. Malformed lines are skipped, as ssh does. */
static void each_entry(const struct ssh_hostid_want *want, const char *text, size_t len,
                       void (*visit)(void *arg, const struct known_host *k, unsigned line, const char *p,
                                     size_t n),
                       void *arg)
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

struct judge {
    const struct ssh_hostid_want *want;
    const uint8_t *blob;
    size_t len;
    struct verdict v;
};

static void judge_entry(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct judge *j = arg;
    bool equal = k->blob_len == j->len && memcmp(k->blob, j->blob, j->len) == 0;
    if (k->revoked) {
        j->v.revoked |= equal;
        if (equal)
            j->v.line = line;
        return;
    }
    if (!same_vm(j->want, k)) {
        j->v.other_vm++;
        return;
    }
    if (equal) {
        j->v.known = true;
        return;
    }
    if (j->v.same_vm++ == 0) {
        j->v.line = line;
        ssh_hostid_fingerprint(k->blob, k->blob_len, j->v.fingerprint, sizeof j->v.fingerprint);
    }
}

static int read_file(const char *path, char **text, size_t *len, struct err *err)
{
    int rc = fs_read(path, FILE_MAX, text, len, err);
    if (rc == ERR_NOTFOUND) {
        *text = mem_strdup("");
        *len = 0;
        return *text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    return rc;
}

struct copy {
    struct strbuf out;
    const char *from; /* what is not copied yet begins here */
    const struct ssh_hostid_want *want;
};

/* Leaves out the lines of earlier VMs of this name. */
static void copy_entry(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct copy *c = arg;
    if (k->revoked || same_vm(c->want, k))
        return;
    strbuf_add(&c->out, c->from, (size_t)(p - c->from));
    c->from = p + n;
    if (*c->from == '\n')
        c->from++;
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

static int lock_file(const char *file, int *fd, struct err *err)
{
    char *path = mem_printf("%s.lock", file);
    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = 0;
    *fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (*fd < 0 || (flock(*fd, LOCK_EX) < 0 && errno != ENOLCK && errno != ENOTSUP)) {
        rc = err_sys(err, errno, "lock of the known hosts (%s)", path);
        if (*fd >= 0)
            close(*fd);
    }
    mem_free(path);
    return rc;
}

static int remember(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, const char *text,
                    size_t text_len, struct err *err)
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

    struct copy c = {.from = text, .want = want};
    strbuf_init(&c.out);
    each_entry(want, text, text_len, copy_entry, &c);
    strbuf_add(&c.out, c.from, (size_t)(text + text_len - c.from));
    if (c.out.len > 0 && c.out.data[c.out.len - 1] != '\n')
        strbuf_puts(&c.out, "\n");
    for (const char *p = want->host; *p; p++)
        strbuf_printf(&c.out, "%c", tolower((unsigned char)*p));
    strbuf_printf(&c.out, " %s %s", type, key);
    if (want->vm_id)
        strbuf_printf(&c.out, " vmId=%s", want->vm_id);
    strbuf_puts(&c.out, "\n");
    int rc = c.out.bad ? err_set(err, ERR_NOMEM, "out of memory")
                       : fs_replace(want->file, c.out.data, c.out.len, 0600, err);
    strbuf_done(&c.out);
    return rc;
}

static int decide(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, const char *text,
                  size_t text_len, bool may_write, bool *write, struct err *err)
{
    char now[FINGERPRINT_MAX];
    struct judge j = {.want = want, .blob = blob, .len = len};
    const char *label = want->label ? want->label : want->host;
    each_entry(want, text, text_len, judge_entry, &j);
    ssh_hostid_fingerprint(blob, len, now, sizeof now);
    *write = false;
    if (j.v.revoked)
        return err_set(err, ERR_HOSTKEY, "%s shows the host key %s, which is revoked (%s line %u)", label,
                       now, want->file, j.v.line);
    if (j.v.known)
        return 0;
    if (j.v.same_vm)
        return err_set(
            err, ERR_HOSTKEY,
            "the host key of %s has changed: it shows %s, known is %s (%s line %u). Someone may be listening "
            "in, or "
            "its keys were made anew: if you know that they were, remove that line and connect again",
            label, now, j.v.fingerprint, want->file, j.v.line);
    if (want->policy == SSH_HOSTID_STRICT)
        return err_set(
            err, ERR_HOSTKEY,
            "the host key of %s is not known%s: it shows %s. Add it to %s, or set host-key-check: accept-new",
            label, j.v.other_vm ? " (the VM was re-created)" : "", now, want->file);
    *write = true;
    if (may_write && j.v.other_vm)
        log_warn(NULL, "%s was re-created (another vmId): its old host key is forgotten, the new one is %s",
                 label, now);
    else if (may_write)
        log_info(NULL, "%s: host key %s is remembered", label, now);
    return 0;
}

int ssh_hostid_check(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, struct err *err)
{
    char *text;
    size_t text_len;
    bool write;
    int lock = -1;
    int rc = read_file(want->file, &text, &text_len, err);
    if (rc < 0)
        return rc;
    rc = decide(want, blob, len, text, text_len, false, &write, err);
    mem_free(text);
    if (rc < 0 || !write)
        return rc;

    rc = make_folder(want->file, err);
    if (rc == 0)
        rc = lock_file(want->file, &lock, err);
    if (rc < 0)
        return rc;
    rc = read_file(want->file, &text, &text_len, err); /* another one may have been quicker */
    if (rc == 0) {
        rc = decide(want, blob, len, text, text_len, true, &write, err);
        if (rc == 0 && write)
            rc = remember(want, blob, len, text, text_len, err);
        mem_free(text);
    }
    close(lock);
    return rc;
}

struct types {
    const struct ssh_hostid_want *want;
    char *out;
    size_t size;
};

static void add_type(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct types *t = arg;
    size_t used = strlen(t->out);
    if (k->revoked || !same_vm(t->want, k) || ssh_text_lists(t->out, k->type) ||
        used + strlen(k->type) + 2 > t->size)
        return;
    snprintf(t->out + used, t->size - used, "%s%s", used ? "," : "", k->type);
}

int ssh_hostid_known_types(const struct ssh_hostid_want *want, char *out, size_t size, struct err *err)
{
    char *text;
    size_t len;
    struct types t = {want, out, size};
    out[0] = '\0';
    int rc = read_file(want->file, &text, &len, err);
    if (rc < 0)
        return rc;
    each_entry(want, text, len, add_type, &t);
    mem_free(text);
    return 0;
}
