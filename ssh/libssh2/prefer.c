/*
 * prefer: which algorithms are offered to the server, and in which order.
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "l2.h"

#define LIST_MAX 1024

static void init_library(void)
{
    (void)libssh2_init(0);
}

void l2_init_library(void)
{
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, init_library);
}

static bool among(const char *const *known, int count, const char *name, size_t n)
{
    for (int i = 0; i < count; i++)
        if (strlen(known[i]) == n && memcmp(known[i], name, n) == 0)
            return true;
    return false;
}

bool l2_knows(enum ssh_method method, const char *algorithm)
{
    static const int METHODS[] = {[SSH_METHOD_CIPHER] = LIBSSH2_METHOD_CRYPT_CS,
                                  [SSH_METHOD_KEX] = LIBSSH2_METHOD_KEX,
                                  [SSH_METHOD_MAC] = LIBSSH2_METHOD_MAC_CS,
                                  [SSH_METHOD_HOST_KEY] = LIBSSH2_METHOD_HOSTKEY};
    const char **known = NULL;
    l2_init_library();
    LIBSSH2_SESSION *session = libssh2_session_init();
    int count = session ? libssh2_session_supported_algs(session, METHODS[method], &known) : 0;
    bool knows = count > 0 && among(known, count, algorithm, strlen(algorithm));
    if (count > 0)
        libssh2_free(session, known);
    if (session)
        libssh2_session_free(session);
    return knows;
}

struct offer {
    char list[LIST_MAX];
    size_t n;
};

static void add(struct offer *o, const char *name, size_t len)
{
    char text[128];
    if (len >= sizeof text || o->n + len + 2 > sizeof o->list)
        return;
    memcpy(text, name, len);
    text[len] = '\0';
    if (!ssh_text_lists(o->list, text))
        o->n += (size_t)snprintf(o->list + o->n, sizeof o->list - o->n, "%s%s", o->n ? "," : "", text);
}

/* Of what this libssh2 knows and `allowed` (NULL: anything) has: first what `first` names, then the rest, in
 * the order of `allowed`. */
static int prefer(struct l2 *e, int method, const char *first, const char *allowed, const char *what,
                  struct err *err)
{
    const char **known = NULL;
    struct offer o = {.list = ""};
    int count = libssh2_session_supported_algs(e->session, method, &known);
    if (count == LIBSSH2_ERROR_ALLOC)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (count <= 0)
        return 0;
    for (const char *p = first; *p; p += strcspn(p, ","), p += *p == ',') {
        char name[128];
        size_t len = strcspn(p, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, p);
        if (among(known, count, p, len) && (!allowed || ssh_text_lists(allowed, name)))
            add(&o, p, len);
    }
    for (const char *p = allowed ? allowed : ""; *p; p += strcspn(p, ","), p += *p == ',')
        if (among(known, count, p, strcspn(p, ",")))
            add(&o, p, strcspn(p, ","));
    for (int i = 0; !allowed && i < count; i++)
        add(&o, known[i], strlen(known[i]));
    libssh2_free(e->session, known);
    if (o.n == 0)
        return err_set(err, ERR_UNSUPPORTED, "the engine libssh2 knows none of the %s that are allowed: %s",
                       what, allowed ? allowed : "none");
    return libssh2_session_method_pref(e->session, method, o.list) == 0
               ? 0
               : err_set(err, ERR_NOMEM, "out of memory");
}

int l2_prefer(struct l2 *e, const struct ssh_engine_config *config, struct err *err)
{
    const struct ssh_algorithms *a = &config->algorithms;
    const char *ciphers = a->ciphers
                              ? a->ciphers
                              : "aes128-ctr,aes192-ctr,aes256-ctr,aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc";
    int rc = prefer(e, LIBSSH2_METHOD_CRYPT_CS, "", ciphers, "ciphers", err);
    if (rc == 0)
        rc = prefer(e, LIBSSH2_METHOD_CRYPT_SC, "", ciphers, "ciphers", err);
    if (rc == 0 && a->kex)
        rc = prefer(e, LIBSSH2_METHOD_KEX, "", a->kex, "key exchanges", err);
    if (rc == 0 && a->macs)
        rc = prefer(e, LIBSSH2_METHOD_MAC_CS, "", a->macs, "MACs", err);
    if (rc == 0 && a->macs)
        rc = prefer(e, LIBSSH2_METHOD_MAC_SC, "", a->macs, "MACs", err);
    if (rc == 0 && (a->host_keys || *config->host_key_algs))
        rc = prefer(e, LIBSSH2_METHOD_HOSTKEY, config->host_key_algs, a->host_keys, "host keys", err);
    return rc;
}
