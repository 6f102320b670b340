/*
 * error: libssh2's numbers as our codes and sentences.
 */
#include <string.h>

#include "../text.h"
#include "l2.h"

static int kex_error(struct l2 *e, int rc, struct err *err)
{
    if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE)
        return err_set(err, ERR_UNSUPPORTED, "no algorithm in common with the server. It offers %s",
                       e->told_offer[0] ? e->told_offer : "nothing that can be told");
    if (rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE || rc == LIBSSH2_ERROR_HOSTKEY_INIT ||
        rc == LIBSSH2_ERROR_HOSTKEY_SIGN)
        return err_set(err, ERR_PROTOCOL,
                       "the key exchange failed, or the server could not prove its host key");
    return 0;
}

int l2_error(struct l2 *e, int rc, const char *doing, struct err *err)
{
    char said[160], *msg = NULL;
    int len = 0;
    e->broken = true;
    if (e->output_failed || rc == LIBSSH2_ERROR_ALLOC)
        return err_set(err, ERR_NOMEM, "%s: out of memory%s", doing,
                       e->live >= L2_MEMORY_BASE ? " (the server made too much of it necessary)" : "");
    if (e->goodbye[0] && e->phase == L2_AUTH &&
        e->refused) /* not a server that restarts: trying again will not help */
        return err_set(err, ERR_AUTH, "the server ended the login: %s", e->goodbye);
    if (e->goodbye[0])
        return err_set(err, ERR_CLOSED, "%s: the server ended the connection: %s", doing, e->goodbye);
    if (e->phase == L2_HELLO && kex_error(e, rc, err) < 0)
        return err ? err->code : ERR_PROTOCOL;
    if (e->session)
        (void)libssh2_session_last_error(e->session, &msg, &len, 0);
    ssh_text_clean(said, sizeof said, msg ? msg : "", msg && len > 0 ? (size_t)len : 0);
    switch (rc) {
    case LIBSSH2_ERROR_SOCKET_DISCONNECT:
    case LIBSSH2_ERROR_SOCKET_RECV:
        return err_set(err, ERR_CLOSED, "%s: the server ended the connection", doing);
    case LIBSSH2_ERROR_TIMEOUT:
    case LIBSSH2_ERROR_SOCKET_TIMEOUT:
        return err_set(err, ERR_TIMEOUT, "%s: the server did not answer within 60 s", doing);
    case LIBSSH2_ERROR_INVALID_MAC:
        return err_set(err, ERR_PROTOCOL, "%s: bytes were damaged on the way (wrong MAC)", doing);
    case LIBSSH2_ERROR_BANNER_RECV:
        return err_set(err, ERR_PROTOCOL, "%s: the server's version line cannot be read", doing);
    default:
        return err_set(err, ERR_PROTOCOL, "%s: the server broke the protocol (%s, libssh2 error %d)", doing,
                       said[0] ? said : "no details", rc);
    }
}
