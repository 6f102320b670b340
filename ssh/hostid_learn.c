/*
 * hostid_learn: records the host keys that the control plane reports of a VM.
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "hostid_file.h"

struct learning {
    const struct ssh_hostid_want *want;
    const char *old; /* the file as it was */
    size_t old_len;
    struct strbuf lines; /* of the reported keys */
    unsigned reported, kept, before;
    const struct known_host *looking_for;
    bool found;
    struct err *err;
    int rc;
};

static void match(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct learning *l = arg;
    const struct known_host *key = l->looking_for;
    l->found |= !k->revoked && hostid_counts(l->want, k) && k->blob_len == key->blob_len &&
                memcmp(k->blob, key->blob, k->blob_len) == 0;
}

static void add_key(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct learning *l = arg;
    l->looking_for = k;
    l->found = false;
    hostid_each_entry(l->want, l->old, l->old_len, match, l);
    l->reported++;
    l->kept += l->found;
    int rc = hostid_file_add(&l->lines, l->want, k->blob, k->blob_len, true, l->err);
    if (rc < 0)
        l->rc = rc;
}

static void count(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct learning *l = arg;
    l->before += !k->revoked && hostid_counts(l->want, k);
}

static int replace(struct learning *l, const char *keys, struct err *err)
{
    struct strbuf text;
    int rc = hostid_each_key(keys, add_key, l, err);
    if (rc == 0)
        rc = l->rc;
    if (rc < 0)
        return rc;
    hostid_each_entry(l->want, l->old, l->old_len, count, l);
    strbuf_init(&text);
    hostid_file_copy(&text, l->want, true, l->old, l->old_len);
    if (l->lines.bad)
        text.bad = true;
    else
        strbuf_add(&text, l->lines.data, l->lines.len);
    bool same = !text.bad && text.len == l->old_len && memcmp(text.data, l->old, l->old_len) == 0;
    rc = same ? 0 : hostid_file_write(l->want->file, &text, err);
    strbuf_done(&text);
    return rc;
}

int ssh_hostid_learn(const struct ssh_hostid_want *want, const char *keys, bool *changed, struct err *err)
{
    struct ssh_hostid_want reported = *want;
    char *text;
    size_t len;
    int lock = -1;
    reported.policy = SSH_HOSTID_ARM;
    int rc = hostid_file_lock(want->file, &lock, err);
    if (rc < 0)
        return rc;
    rc = hostid_file_read(want->file, &text, &len, err);
    if (rc == 0) {
        struct learning l = {.want = &reported, .old = text, .old_len = len, .err = err};
        strbuf_init(&l.lines);
        rc = replace(&l, keys, err);
        strbuf_done(&l.lines);
        mem_free(text);
        bool other = l.kept != l.reported || l.before != l.reported;
        if (rc == 0 && other)
            log_info(NULL, "%s: %u host keys are remembered as the control plane reports them",
                     want->label ? want->label : want->host, l.reported);
        if (changed)
            *changed = other;
    }
    close(lock);
    return rc;
}

static void note(void *arg, const struct known_host *k, unsigned line, const char *p, size_t n)
{
    struct learning *l = arg;
    l->found |= !k->revoked && hostid_counts(l->want, k);
}

bool ssh_hostid_known(const struct ssh_hostid_want *want)
{
    struct learning l = {.want = want};
    char *text;
    size_t len;
    if (hostid_file_read(want->file, &text, &len, NULL) < 0)
        return false;
    hostid_each_entry(want, text, len, note, &l);
    mem_free(text);
    return l.found;
}
