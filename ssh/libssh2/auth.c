/*
 * auth: one attempt to log in at a time, polled until libssh2 has the server's answer.
 *
 * A signature takes an agent or a thread: the callback that libssh2 signs with asks for it and says "again"
 * until it is there.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "l2.h"

static void soon(struct l2 *e)
{
    e->base.up->soon(e->base.conn);
}

static void begin(struct l2 *e, enum l2_auth what)
{
    e->auth = what;
    e->told_failure = e->told_partial = false;
    e->sig = L2_SIG_NONE;
    soon(e);
}

int l2_auth_none(struct ssh_engine *se, struct err *err)
{
    begin(l2_of(se), L2_AUTH_NONE);
    return 0;
}

int l2_auth_key(struct ssh_engine *se, const uint8_t *blob, size_t n, struct err *err)
{
    struct l2 *e = l2_of(se);
    struct wire_reader r;
    wire_read_init(&r, blob, n);
    struct wire_str type = wire_get_str(&r);
    if (!wire_ok(&r) || type.len >= sizeof e->key_type)
        return err_set(err, ERR_INVAL, "a public key is malformed");
    uint8_t *copy = mem_alloc(n);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(copy, blob, n);
    mem_free(e->key);
    e->key = copy;
    e->key_len = n;
    memcpy(e->key_type, type.data, type.len);
    e->key_type[type.len] = '\0';
    begin(e, L2_AUTH_KEY);
    return 0;
}

int l2_auth_password(struct ssh_engine *se, const char *password, struct err *err)
{
    struct l2 *e = l2_of(se);
    e->password = mem_strdup(password);
    if (!e->password)
        return err_set(err, ERR_NOMEM, "out of memory");
    begin(e, L2_AUTH_PASSWORD);
    return 0;
}

int l2_auth_kbdint(struct ssh_engine *se, struct err *err)
{
    struct l2 *e = l2_of(se);
    begin(e, L2_AUTH_KBDINT);
    return l2_kbdint_start(e, err);
}

int l2_auth_answers(struct ssh_engine *se, const char *const *answers, unsigned count, struct err *err)
{
    l2_kbdint_answer(l2_of(se), answers, count);
    return 0;
}

static void forget_signature(struct l2 *e)
{
    mem_free_secret(e->signature, e->signature_len);
    e->signature = NULL;
    e->signature_len = 0;
}

int l2_auth_signature(struct ssh_engine *se, const uint8_t *sig, size_t n, struct err *err)
{
    struct l2 *e = l2_of(se);
    if (e->sig != L2_SIG_ASKED)
        return 0;
    soon(e);
    e->sig = L2_SIG_FAILED;
    if (!sig)
        return 0;
    forget_signature(e);
    e->signature = mem_alloc(n);
    if (!e->signature)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(e->signature, sig, n);
    e->signature_len = n;
    e->sig = L2_SIG_HAVE;
    return 0;
}

static int on_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len, const unsigned char *data,
                   size_t n, void **abstract)
{
    struct l2 *e = (struct l2 *)abstract;
    void *self = e;
    switch (e->sig) {
    case L2_SIG_NONE:
        e->sig = L2_SIG_ASKED;
        e->base.up->auth_sign(e->base.conn, e->key_type, data, n);
        return LIBSSH2_ERROR_EAGAIN;
    case L2_SIG_ASKED:
        return LIBSSH2_ERROR_EAGAIN;
    case L2_SIG_HAVE:
        *sig = l2_alloc(e->signature_len, &self);
        if (!*sig)
            return LIBSSH2_ERROR_ALLOC;
        memcpy(*sig, e->signature, e->signature_len);
        *sig_len = e->signature_len;
        return 0;
    default:
        return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    }
}

void l2_auth_done(struct l2 *e)
{
    forget_signature(e);
    mem_free(e->key);
    e->key = NULL;
    if (e->password)
        mem_free_secret(e->password, strlen(e->password));
    e->password = NULL;
}

void l2_auth_tell(struct l2 *e, bool ok)
{
    struct ssh_auth_reply reply = {.ok = ok,
                                   .partial = e->told_partial,
                                   .signed_off = e->sig == L2_SIG_HAVE,
                                   .methods = e->told_methods};
    e->refused |= !ok && e->auth != L2_AUTH_NONE;
    e->auth = L2_AUTH_IDLE;
    l2_auth_done(e);
    if (ok) {
        e->phase = L2_UP;
        e->receiving = true;
    }
    e->base.up->auth_reply(e->base.conn, &reply);
}

/* 1: the server let us in, 0: it did not, LIBSSH2_ERROR_EAGAIN, or another error that ends the connection. */
static int poll_none(struct l2 *e)
{
    const char *methods = libssh2_userauth_list(e->session, e->user, (unsigned)strlen(e->user));
    if (methods) {
        snprintf(e->told_methods, sizeof e->told_methods, "%s", methods);
        return 0;
    }
    if (libssh2_userauth_authenticated(e->session))
        return 1;
    int rc = libssh2_session_last_errno(e->session);
    return rc < 0 ? rc : LIBSSH2_ERROR_PROTO;
}

static int poll_attempt(struct l2 *e)
{
    int rc;
    if (e->auth == L2_AUTH_NONE)
        return poll_none(e);
    if (e->auth == L2_AUTH_KEY)
        rc = libssh2_userauth_publickey(e->session, e->user, e->key, e->key_len, on_sign, (void **)e);
    else
        rc = libssh2_userauth_password_ex(e->session, e->user, (unsigned)strlen(e->user), e->password,
                                          (unsigned)strlen(e->password), NULL);
    if (rc == 0)
        return 1;
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return rc;
    /* libssh2 says "unverified" to a refusal as well as to a broken connection; what went by tells them
     * apart. */
    if (e->told_failure || (e->auth == L2_AUTH_KEY && e->sig == L2_SIG_FAILED) ||
        rc == LIBSSH2_ERROR_PASSWORD_EXPIRED)
        return 0;
    return rc;
}

int l2_auth_run(struct l2 *e, struct err *err)
{
    while (e->phase == L2_AUTH && e->auth != L2_AUTH_IDLE) {
        if (e->auth == L2_AUTH_KBDINT)
            return l2_kbdint_feed(e, err);
        int rc = poll_attempt(e);
        if (rc == LIBSSH2_ERROR_EAGAIN)
            return 0;
        if (rc < 0)
            return l2_error(e, rc, "logging in", err);
        l2_auth_tell(e, rc == 1);
    }
    return 0;
}

const char *l2_key_trouble(const char *type)
{
    if (strncmp(type, "sk-", 3) == 0)
        return "security keys are not supported";
    if (strstr(type, "-cert-v01@openssh.com") && strncmp(type, "ecdsa-", 6) != 0)
        return "certificates of this type need the native engine";
    if (strcmp(type, "ssh-ed25519") == 0 || strcmp(type, "ssh-rsa") == 0 ||
        strncmp(type, "ecdsa-sha2-nistp", 16) == 0)
        return NULL;
    return "this type of key is not supported";
}

const char *l2_key_refusal(const char *type)
{
    if (strcmp(type, "ssh-rsa") == 0)
        return "with an RSA key the libssh2 engine can only sign with SHA-1, which OpenSSH 8.8 and later "
               "refuse: use an ed25519 "
               "key, or the engine native";
    return NULL;
}
