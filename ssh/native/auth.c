/*
 * auth: one attempt to log in at a time (RFC 4252, 8308, 8332).
 *
 * A key is shown first and signs only when the server would take it; the signature comes when the agent or a
 * thread has made it.
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "native.h"

#define CERT "-cert-v01@openssh.com"

static int tell(struct native *n, bool ok, bool partial, bool signed_off)
{
    struct ssh_auth_reply reply = {
        .ok = ok, .partial = partial, .signed_off = signed_off, .methods = n->login.methods};
    n->login.refused |= !ok && n->login.state != AUTH_ASKED_NONE;
    n->login.state = AUTH_NONE_YET;
    if (ok)
        n->phase = NATIVE_UP;
    n->base.up->auth_reply(n->base.conn, &reply);
    return 0;
}

void auth_done(struct native *n)
{
    mem_free(n->login.blob);
    n->login.blob = NULL;
}

int auth_service(struct native *n, struct err *err)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_SERVICE_REQUEST);
    wire_put_cstr(&w, "ssh-userauth");
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    return rc;
}

void auth_ext_info(struct native *n, struct wire_reader *r)
{
    for (uint32_t count = wire_get_u32(r); count > 0 && wire_ok(r); count--) {
        struct wire_str name = wire_get_str(r), value = wire_get_str(r);
        if (wire_ok(r) && wire_str_is(name, "server-sig-algs"))
            ssh_text_clean(n->login.sig_algs, sizeof n->login.sig_algs, value.data, value.len);
    }
}

void auth_begin(struct native *n, struct wire_writer *w, const char *method)
{
    wire_put_u8(w, MSG_USERAUTH_REQUEST);
    wire_put_cstr(w, n->user);
    wire_put_cstr(w, "ssh-connection");
    wire_put_cstr(w, method);
}

int auth_ask(struct native *n, struct wire_writer *w, enum native_auth state, struct err *err)
{
    int rc = native_send(n, w, err);
    wire_write_done(w);
    n->login.state = state;
    return rc;
}

int native_auth_none(struct ssh_engine *e, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    wire_write_init(&w);
    auth_begin(n, &w, "none");
    return auth_ask(n, &w, AUTH_ASKED_NONE, err);
}

int native_auth_password(struct ssh_engine *e, const char *password, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    wire_write_init(&w);
    auth_begin(n, &w, "password");
    wire_put_bool(&w, false);
    wire_put_cstr(&w, password);
    return auth_ask(n, &w, AUTH_PASSWORD, err);
}

/* ---- keys ---- */

static const struct sig_alg {
    const char *type, *alg, *sign;
} SIG_ALGS[] = {
    {"ssh-ed25519", "ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", "rsa-sha2-512", "rsa-sha2-512"},
    {"ssh-rsa", "rsa-sha2-256", "rsa-sha2-256"},
    {"ssh-ed25519" CERT, "ssh-ed25519" CERT, "ssh-ed25519"},
    {"ecdsa-sha2-nistp256" CERT, "ecdsa-sha2-nistp256" CERT, "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384" CERT, "ecdsa-sha2-nistp384" CERT, "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521" CERT, "ecdsa-sha2-nistp521" CERT, "ecdsa-sha2-nistp521"},
    {"ssh-rsa" CERT, "rsa-sha2-512" CERT, "rsa-sha2-512"},
    {"ssh-rsa" CERT, "rsa-sha2-256" CERT, "rsa-sha2-256"},
};
#define SIG_ALG_COUNT (sizeof SIG_ALGS / sizeof *SIG_ALGS)

/* Of an RSA key's two, the one that the server says it takes; servers that say nothing take the first. */
static const struct sig_alg *sig_alg_for(const struct native *n, struct wire_str type)
{
    const struct sig_alg *first = NULL;
    for (size_t i = 0; i < SIG_ALG_COUNT; i++) {
        if (!wire_str_is(type, SIG_ALGS[i].type))
            continue;
        if (ssh_text_lists(n->login.sig_algs, SIG_ALGS[i].sign) ||
            ssh_text_lists(n->login.sig_algs, SIG_ALGS[i].alg))
            return &SIG_ALGS[i];
        first = first ? first : &SIG_ALGS[i];
    }
    return first;
}

const char *native_key_trouble(const char *type)
{
    for (size_t i = 0; i < SIG_ALG_COUNT; i++)
        if (strcmp(type, SIG_ALGS[i].type) == 0)
            return NULL;
    return strncmp(type, "sk-", 3) == 0 ? "security keys are not supported"
                                        : "this type of key is not supported";
}

const char *native_key_refusal(const char *type)
{
    return NULL;
}

int native_auth_key(struct ssh_engine *e, const uint8_t *blob, size_t len, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_reader r;
    struct wire_writer w;
    wire_read_init(&r, blob, len);
    const struct sig_alg *alg = sig_alg_for(n, wire_get_str(&r));
    if (!wire_ok(&r) || !alg)
        return err_set(err, ERR_INVAL, "a public key is malformed");
    uint8_t *copy = mem_alloc(len);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(copy, blob, len);
    mem_free(n->login.blob);
    n->login.blob = copy;
    n->login.blob_len = len;
    n->login.alg = alg->alg;
    n->login.sign_alg = alg->sign;
    wire_write_init(&w);
    auth_begin(n, &w, "publickey");
    wire_put_bool(&w, false);
    wire_put_cstr(&w, n->login.alg);
    wire_put_str(&w, copy, len);
    return auth_ask(n, &w, AUTH_PROBED_KEY, err);
}

static void put_signed_request(struct native *n, struct wire_writer *w)
{
    auth_begin(n, w, "publickey");
    wire_put_bool(w, true);
    wire_put_cstr(w, n->login.alg);
    wire_put_str(w, n->login.blob, n->login.blob_len);
}

/* RFC 4252 §7: PK_OK */
static int key_taken(struct native *n, struct wire_reader *r, struct err *err)
{
    struct wire_writer w;
    struct wire_str alg = wire_get_str(r), blob = wire_get_str(r);
    if (!wire_end(r) || !wire_str_is(alg, n->login.alg) || blob.len != n->login.blob_len ||
        memcmp(blob.data, n->login.blob, blob.len) != 0)
        return native_wrong("it takes a key that it was not shown", err);
    wire_write_init(&w);
    wire_put_str(&w, n->kex.session_id, n->kex.session_len);
    put_signed_request(n, &w);
    int rc = wire_write_ok(&w) ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    n->login.state = AUTH_SIGNING;
    if (rc == 0)
        n->base.up->auth_sign(n->base.conn, n->login.sign_alg, w.data, w.len);
    wire_write_done(&w);
    return rc;
}

int native_auth_signature(struct ssh_engine *e, const uint8_t *sig, size_t len, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w, inner;
    if (n->login.state != AUTH_SIGNING)
        return 0;
    if (!sig) {
        n->login.cannot_sign = true;
        n->base.up->soon(n->base.conn);
        return 0;
    }
    wire_write_init(&inner);
    wire_put_cstr(&inner, n->login.sign_alg);
    wire_put_str(&inner, sig, len);
    wire_write_init(&w);
    put_signed_request(n, &w);
    wire_put_str(&w, inner.data, inner.len);
    w.bad |= !wire_write_ok(&inner);
    wire_write_done(&inner);
    return auth_ask(n, &w, AUTH_SIGNED, err);
}

int auth_step(struct native *n, struct err *err)
{
    if (!n->login.cannot_sign)
        return 0;
    n->login.cannot_sign = false;
    return tell(n, false, false, false);
}

/* ---- from the server ---- */

/* Is an attempt with the server? It may not end one that waits for our side: who is asked would answer the
 * next. */
static bool with_server(const struct native *n)
{
    return n->login.state != AUTH_NONE_YET && n->login.state != AUTH_SIGNING &&
           n->login.state != AUTH_ANSWERING;
}

static int failed(struct native *n, struct wire_reader *r, struct err *err)
{
    bool signed_off = n->login.state == AUTH_SIGNED;
    struct wire_str methods = wire_get_str(r);
    bool partial = wire_get_bool(r);
    if (!wire_end(r) || !with_server(n))
        return native_wrong("a refusal of nothing", err);
    ssh_text_clean(n->login.methods, sizeof n->login.methods, methods.data, methods.len);
    return tell(n, false, partial, signed_off);
}

int auth_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err)
{
    switch (type) {
    case MSG_USERAUTH_BANNER:
        return 0;
    case MSG_USERAUTH_SUCCESS:
        if (!with_server(n))
            return native_wrong("a login that nobody asked for", err);
        return tell(n, true, false, n->login.state == AUTH_SIGNED);
    case MSG_USERAUTH_FAILURE:
        return failed(n, r, err);
    case MSG_USERAUTH_60:
        if (n->login.state == AUTH_PROBED_KEY)
            return key_taken(n, r, err);
        if (n->login.state == AUTH_KBDINT)
            return kbdint_questions(n, r, err);
        if (n->login.state == AUTH_PASSWORD) /* it has expired: changing it is not ours to do */
            return tell(n, false, false, false);
        return native_wrong("an answer to no question", err);
    default:
        return native_wrong("an unknown message in the login", err);
    }
}
