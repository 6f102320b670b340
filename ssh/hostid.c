/*
 * hostid: is this host key the VM's, and remembering the keys of a VM that is met for the first time.
 *
 * The file is read as a whole and replaced as a whole, under a lock of its own, so that connections and
 * processes do not lose each other's lines.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wire.h"
#include "hostid_file.h"
#include "keyfile_digest.h"
#include "text.h"

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
    if (!hostid_same_vm(j->want, k)) {
        j->v.other_vm++;
        return;
    }
    if (!hostid_counts(j->want, k))
        return;
    if (equal) {
        j->v.known = true;
        return;
    }
    if (j->v.same_vm++ == 0) {
        j->v.line = line;
        ssh_hostid_fingerprint(k->blob, k->blob_len, j->v.fingerprint, sizeof j->v.fingerprint);
    }
}

static int remember(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, const char *text,
                    size_t text_len, struct err *err)
{
    struct strbuf out;
    strbuf_init(&out);
    hostid_file_copy(&out, want, false, text, text_len);
    int rc = hostid_file_add(&out, want, blob, len, false, err);
    if (rc == 0)
        rc = hostid_file_write(want->file, &out, err);
    strbuf_done(&out);
    return rc;
}

struct expected {
    const uint8_t *blob;
    size_t len;
    bool found;
    char list[512]; /* fingerprints of all of them */
};

static void compare(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct expected *e = arg;
    char one[FINGERPRINT_MAX];
    size_t used = strlen(e->list);
    e->found |= k->blob_len == e->len && memcmp(k->blob, e->blob, e->len) == 0;
    ssh_hostid_fingerprint(k->blob, k->blob_len, one, sizeof one);
    if (used + strlen(one) + 3 < sizeof e->list)
        snprintf(e->list + used, sizeof e->list - used, "%s%s", used ? ", " : "", one);
}

/* Is it one of the keys that were given with the question? */
static int check_expected(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len,
                          const char *label, const char *now, struct err *err)
{
    struct expected e = {.blob = blob, .len = len};
    int rc = hostid_each_key(want->keys, compare, &e, err);
    if (rc < 0 || e.found)
        return rc;
    return err_set(err, ERR_HOSTKEY,
                   "%s shows the host key %s, but the control plane reports %s: what answers is another "
                   "machine, or someone is listening in",
                   label, now, e.list);
}

static int unknown(const struct ssh_hostid_want *want, const struct verdict *v, const char *label,
                   const char *now, struct err *err)
{
    const char *again = v->other_vm ? " (the VM was re-created)" : "";
    if (want->policy == SSH_HOSTID_ARM)
        return err_set(
            err, ERR_HOSTKEY,
            "the host key of %s is not known%s: it shows %s, and the control plane has not reported "
            "its keys",
            label, again, now);
    return err_set(
        err, ERR_HOSTKEY,
        "the host key of %s is not known%s: it shows %s. Add it to %s, or set host-key-check: accept-new",
        label, again, now, want->file);
}

static int contradicted(const struct ssh_hostid_want *want, const struct verdict *v, const char *label,
                        const char *now, struct err *err)
{
    if (want->policy == SSH_HOSTID_ARM)
        return err_set(
            err, ERR_HOSTKEY,
            "%s shows the host key %s, but the control plane reports %s (%s line %u): what answers "
            "is another machine, or someone is listening in",
            label, now, v->fingerprint, want->file, v->line);
    return err_set(err, ERR_HOSTKEY,
                   "the host key of %s has changed: it shows %s, known is %s (%s line %u). Someone may be "
                   "listening in, or "
                   "its keys were made anew: if you know that they were, remove that line and connect again",
                   label, now, v->fingerprint, want->file, v->line);
}

static int decide(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, const char *text,
                  size_t text_len, bool may_write, bool *write, struct err *err)
{
    char now[FINGERPRINT_MAX];
    struct judge j = {.want = want, .blob = blob, .len = len};
    const char *label = want->label ? want->label : want->host;
    hostid_each_entry(want, text, text_len, judge_entry, &j);
    ssh_hostid_fingerprint(blob, len, now, sizeof now);
    *write = false;
    if (j.v.revoked)
        return err_set(err, ERR_HOSTKEY, "%s shows the host key %s, which is revoked (%s line %u)", label,
                       now, want->file, j.v.line);
    if (want->keys)
        return check_expected(want, blob, len, label, now, err);
    if (j.v.known)
        return 0;
    if (j.v.same_vm)
        return contradicted(want, &j.v, label, now, err);
    if (want->policy == SSH_HOSTID_ASK) {
        err_set(err, ERR_HOSTKEY, "the host key of %s is not known%s: it shows %s", label,
                j.v.other_vm ? " (the VM was re-created)" : "", now);
        return 1;
    }
    if (want->policy != SSH_HOSTID_ACCEPT_NEW)
        return unknown(want, &j.v, label, now, err);
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
    int rc = hostid_file_read(want->file, &text, &text_len, err);
    if (rc < 0)
        return rc;
    rc = decide(want, blob, len, text, text_len, false, &write, err);
    mem_free(text);
    if (rc != 0 || !write)
        return rc;

    rc = hostid_file_lock(want->file, &lock, err);
    if (rc < 0)
        return rc;
    rc = hostid_file_read(want->file, &text, &text_len, err); /* another one may have been quicker */
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
    if (k->revoked || !hostid_counts(t->want, k) || ssh_text_lists(t->out, k->type) ||
        used + strlen(k->type) + 2 > t->size)
        return;
    snprintf(t->out + used, t->size - used, "%s%s", used ? "," : "", k->type);
}

int ssh_hostid_known_types(const struct ssh_hostid_want *want, char *out, size_t size, struct err *err)
{
    char *text;
    size_t len;
    struct types t = {want, out, size};
    struct ssh_hostid_want expected = *want;
    out[0] = '\0';
    if (want->keys) {
        expected.vm_id = NULL; /* given keys are no lines of a VM: all of them count */
        expected.policy = SSH_HOSTID_STRICT;
        t.want = &expected;
        return hostid_each_key(want->keys, add_type, &t, err);
    }
    int rc = hostid_file_read(want->file, &text, &len, err);
    if (rc < 0)
        return rc;
    hostid_each_entry(want, text, len, add_type, &t);
    mem_free(text);
    return 0;
}
