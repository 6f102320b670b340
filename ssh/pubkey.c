/*
 * pubkey: the public key that a login with these identities and this agent would show first.
 *
 *   FILES (on the pool) ──one has a key──▶ cb
 *     └──none──▶ AGENT ──its first key──▶ cb
 *                  └──none, or no agent──▶ cb(ERR_NOTFOUND)
 *
 * Failure modes: a file that cannot be read or holds no key is passed over, as is an agent that does not
 * answer as one. Cancelled while the pool reads, it is freed when that has ended.
 */
#include "pubkey.h"

#include <stdbool.h>
#include <string.h>

#include "agent.h"
#include "base/base64.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/wire.h"
#include "keyfile.h"
#include "text.h"

#define PUB_MAX 16384

struct ssh_pubkey {
    uv_work_t work;
    bool working, canceled;
    char **identities;
    size_t count;
    char *agent_socket;
    struct ssh_agent *agent;
    uv_loop_t *loop;
    char *line; /* what was found */
    const char *from;
    ssh_pubkey_cb cb;
    void *arg;
};

static void pubkey_free(struct ssh_pubkey *p)
{
    ssh_agent_close(p->agent);
    for (size_t i = 0; p->identities && i < p->count; i++)
        mem_free(p->identities[i]);
    mem_free(p->identities);
    mem_free(p->agent_socket);
    mem_free(p->line);
    mem_free(p);
}

static void finish(struct ssh_pubkey *p)
{
    struct err err = {0};
    if (!p->line)
        err_set(&err, ERR_NOTFOUND, "there is no key to log in with");
    p->cb(p->arg, p->line, p->line ? p->from : NULL, p->line ? NULL : &err);
    pubkey_free(p);
}

/* "TYPE BASE64 COMMENT" of a key's blob; NULL when it is malformed. */
static char *line_of(const uint8_t *blob, size_t len, const char *comment)
{
    struct wire_reader r;
    char type[64];
    wire_read_init(&r, blob, len);
    struct wire_str name = wire_get_str(&r);
    char *text = mem_alloc(BASE64_SIZE(len));
    if (!text || !wire_ok(&r) || name.len == 0) {
        mem_free(text);
        return NULL;
    }
    ssh_text_clean(type, sizeof type, name.data, name.len);
    base64_encode(text, blob, len);
    char *line = mem_printf("%s %s%s%s", type, text, *comment ? " " : "", comment);
    mem_free(text);
    return line;
}

/* The line of the file beside it, for its comment, when that is of the same key. */
static char *line_beside(const char *identity, const char *plain)
{
    size_t len, same = strlen(plain);
    char *text = NULL, *path = mem_printf("%s.pub", identity);
    if (!path || fs_read(path, PUB_MAX, &text, &len, NULL) < 0)
        text = NULL;
    mem_free(path);
    if (!text)
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    if (strncmp(text, plain, same) == 0 && (text[same] == ' ' || text[same] == '\0'))
        return text;
    mem_free(text);
    return NULL;
}

/* NULL: no login can use it. What is only known to be public may be in the agent. */
static char *read_identity(const struct ssh_pubkey *p, const char *identity)
{
    struct ssh_keyfile k;
    ssh_keyfile_load(&k, identity);
    bool usable = k.pkey || k.locked || p->agent_socket;
    char *plain = k.blob && usable ? line_of(k.blob, k.blob_len, "") : NULL;
    ssh_keyfile_done(&k);
    char *beside = plain ? line_beside(identity, plain) : NULL;
    if (!beside)
        return plain;
    mem_free(plain);
    return beside;
}

static void do_work(uv_work_t *work)
{
    struct ssh_pubkey *p = work->data;
    for (size_t i = 0; i < p->count && !p->line; i++) {
        p->line = read_identity(p, p->identities[i]);
        p->from = p->identities[i];
    }
}

static void on_list(void *arg, const struct ssh_agent_keys *keys, const struct err *err)
{
    struct ssh_pubkey *p = arg;
    struct ssh_agent_keys own = *keys;
    if (!err && own.count > 0) {
        p->line = line_of(own.keys[0].blob, own.keys[0].blob_len, own.keys[0].comment);
        p->from = "the agent";
    }
    ssh_agent_keys_done(&own);
    finish(p);
}

static void on_work(uv_work_t *work, int status)
{
    struct ssh_pubkey *p = work->data;
    p->working = false;
    if (p->canceled) {
        pubkey_free(p);
        return;
    }
    if (p->line || !p->agent_socket || ssh_agent_new(&p->agent, p->loop, p->agent_socket, NULL) < 0 ||
        ssh_agent_list(p->agent, on_list, p, NULL) < 0)
        finish(p);
}

static bool copy(struct ssh_pubkey *p, const struct ssh_pubkey_want *want)
{
    p->identities = mem_calloc(want->identity_count ? want->identity_count : 1, sizeof *p->identities);
    p->agent_socket = mem_strdup(want->agent_socket);
    if (!p->identities || (want->agent_socket && !p->agent_socket))
        return false;
    for (; p->count < want->identity_count; p->count++)
        if (!(p->identities[p->count] = mem_strdup(want->identities[p->count])))
            return false;
    return true;
}

int ssh_pubkey_find(struct ssh_pubkey **out, const struct ssh_pubkey_want *want, ssh_pubkey_cb cb, void *arg,
                    struct err *err)
{
    struct ssh_pubkey *p = mem_zalloc(sizeof *p);
    if (!p || !copy(p, want)) {
        if (p)
            pubkey_free(p);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    p->loop = want->loop;
    p->cb = cb;
    p->arg = arg;
    p->work.data = p;
    int rc = uv_queue_work(p->loop, &p->work, do_work, on_work);
    if (rc < 0) {
        rc = err_uv(err, rc, "cannot read the keys");
        pubkey_free(p);
        return rc;
    }
    p->working = true;
    *out = p;
    return 0;
}

void ssh_pubkey_cancel(struct ssh_pubkey *p)
{
    p->canceled = true;
    if (!p->working)
        pubkey_free(p);
}
