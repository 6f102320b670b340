/*
 * engine: the libssh2 engine's life: making it, driving it with input, its end.
 *
 * run() is the one place that lets libssh2 read. It goes as far as the input allows: handshake, then login,
 * then channels.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "l2.h"

#define NO_SOCKET INT_MAX /* libssh2 wants a number; it never gets to use it */

static void on_disconnect(LIBSSH2_SESSION *session, int reason, const char *message, int message_len,
                          const char *language, int language_len, void **abstract)
{
    struct l2 *e = *abstract;
    if (message && message_len > 0)
        ssh_text_clean(e->goodbye, sizeof e->goodbye, message, (size_t)message_len);
    if (!e->goodbye[0])
        snprintf(e->goodbye, sizeof e->goodbye, "it gave no reason (code %d)", reason);
}

static void destroy(struct ssh_engine *se)
{
    struct l2 *e = l2_of(se);
    struct list *const lists[3] = {&e->waiting, &e->chans, &e->closing};
    struct list *node;
    l2_kbdint_stop(e);
    if (e->session) {
        enum l2_phase was = e->phase;
        e->phase = L2_DEAD;
        /* libssh2 frees what a key exchange holds only when it goes on and fails. */
        if (e->broken)
            ;
        else if (was == L2_HELLO)
            (void)libssh2_session_handshake(e->session, NO_SOCKET);
        else if (was == L2_UP)
            l2_open_drive(e);
        for (int i = 0; i < 1000 && libssh2_session_free(e->session) == LIBSSH2_ERROR_EAGAIN; i++)
            ;
    }
    if (e->opening)
        l2_chan_free(e->opening);
    for (size_t i = 0; i < 3; i++) {
        while ((node = list_first(lists[i])) != NULL)
            l2_chan_free(container_of(node, struct l2_chan, node));
    }
    l2_free_all(e);
    l2_auth_done(e);
    mem_free(e->kept);
    mem_free(e->host_key);
    mem_free(e->user);
    mem_free(e);
}

static int create(struct ssh_engine **out, const struct ssh_engine_config *config,
                  const struct ssh_engine_up *up, void *conn, struct err *err)
{
    l2_init_library();
    struct l2 *e = mem_zalloc(sizeof *e);
    if (!e)
        return err_set(err, ERR_NOMEM, "out of memory");
    e->base.ops = &ssh_engine_libssh2;
    e->base.up = up;
    e->base.conn = conn;
    e->loop = config->loop;
    list_init(&e->blocks);
    list_init(&e->waiting);
    list_init(&e->chans);
    list_init(&e->closing);
    list_init(&e->hungry);
    list_init(&e->unsent);
    e->user = mem_strdup(config->user);
    e->session = e->user ? libssh2_session_init_ex(l2_alloc, l2_free, l2_realloc, e) : NULL;
    int rc = e->session ? l2_prefer(e, config, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        destroy(&e->base);
        return rc;
    }
    libssh2_session_set_blocking(e->session, 0);
    (void)libssh2_session_callback_set(e->session, LIBSSH2_CALLBACK_SEND, (void *)l2_send);
    (void)libssh2_session_callback_set(e->session, LIBSSH2_CALLBACK_RECV, (void *)l2_recv);
    (void)libssh2_session_callback_set(e->session, LIBSSH2_CALLBACK_DISCONNECT, (void *)on_disconnect);
    *out = &e->base;
    return 0;
}

static void copy_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", name ? name : "");
}

static int first_host_key(struct l2 *e, struct err *err)
{
    size_t n;
    int type;
    const char *key = libssh2_session_hostkey(e->session, &n, &type);
    if (!key || n == 0)
        return err_set(err, ERR_PROTOCOL, "the server showed no host key");
    e->host_key = mem_alloc(n);
    if (!e->host_key)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(e->host_key, key, n);
    e->host_key_len = n;
    return e->base.up->host_key(e->base.conn, e->host_key, n, err);
}

int l2_check_host_key(struct l2 *e, struct err *err)
{
    size_t n;
    int type;
    const char *key = libssh2_session_hostkey(e->session, &n, &type);
    if (key && n == e->host_key_len && memcmp(key, e->host_key, n) == 0)
        return 0;
    return err_set(err, ERR_HOSTKEY, "the server showed another host key in a later key exchange");
}

static int run_hello(struct l2 *e, struct err *err)
{
    int rc = libssh2_session_handshake(e->session, NO_SOCKET);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (rc < 0)
        return l2_error(e, rc, "agreeing on keys", err);
    copy_name(e->cipher, sizeof e->cipher, libssh2_session_methods(e->session, LIBSSH2_METHOD_CRYPT_SC));
    copy_name(e->kex, sizeof e->kex, libssh2_session_methods(e->session, LIBSSH2_METHOD_KEX));
    rc = first_host_key(e, err);
    if (rc < 0)
        return rc;
    e->phase = L2_AUTH;
    e->base.up->ready(e->base.conn);
    return 0;
}

static int run_up(struct l2 *e, struct err *err)
{
    int rc;
    do {
        rc = l2_tx_run(e, err);
        if (rc == 0)
            rc = l2_open_run(e, err);
        if (rc == 0)
            rc = l2_chan_run(e, err);
        if (rc == 0)
            rc = l2_tx_run(e, err);
    } while (rc == 0 && e->ping_wanted && !e->opening && !e->ping_opening);
    if (rc == 0 && e->orphans > 0 && e->chan_count == 0 && !e->ping_opening)
        rc = err_set(err, ERR_CLOSED, "the connection is renewed, as the server left %u opens unanswered",
                     e->orphans);
    return rc;
}

static int run(struct l2 *e, struct err *err)
{
    int rc = 0;
    struct err local;
    if (!err)
        err = &local;
    if (e->kbdint) /* the session is its thread's */
        return l2_kbdint_feed(e, err);
    l2_round_begin(e);
    if (e->phase == L2_HELLO)
        rc = run_hello(e, err);
    if (rc == 0 && e->phase == L2_AUTH)
        rc = l2_auth_run(e, err);
    if (rc == 0 && e->phase == L2_UP)
        rc = run_up(e, err);
    if (rc == 0)
        rc = l2_keep_input(e, err);
    e->in_len = 0;
    return rc;
}

static int start(struct ssh_engine *se, struct err *err)
{
    return run(l2_of(se), err);
}

static int feed(struct ssh_engine *se, const uint8_t *in, size_t n, struct err *err)
{
    struct l2 *e = l2_of(se);
    e->in = in;
    e->in_len = n;
    return run(e, err);
}

static int step(struct ssh_engine *se, struct err *err)
{
    return run(l2_of(se), err);
}

static void goodbye(struct ssh_engine *se)
{
    struct l2 *e = l2_of(se);
    if ((e->phase == L2_AUTH && !e->kbdint) || e->phase == L2_UP)
        (void)libssh2_session_disconnect_ex(e->session, SSH_DISCONNECT_BY_APPLICATION, "closed by adit", "");
}

static void info(const struct ssh_engine *se, struct ssh_engine_info *out)
{
    const struct l2 *e = (const struct l2 *)se;
    out->cipher = e->cipher;
    out->kex = e->kex;
}

const struct ssh_engine_ops ssh_engine_libssh2 = {
    .name = "libssh2",
    .knows = l2_knows,
    .create = create,
    .free = destroy,
    .start = start,
    .feed = feed,
    .step = step,
    .goodbye = goodbye,
    .info = info,
    .auth_none = l2_auth_none,
    .auth_key = l2_auth_key,
    .auth_password = l2_auth_password,
    .auth_kbdint = l2_auth_kbdint,
    .auth_signature = l2_auth_signature,
    .auth_answers = l2_auth_answers,
    .key_trouble = l2_key_trouble,
    .key_refusal = l2_key_refusal,
    .open = l2_open,
    .tx_reserve = l2_tx_reserve,
    .tx_commit = l2_tx_commit,
    .rx_consume = l2_chan_consume,
    .eof = l2_tx_eof,
    .close = l2_chan_close,
    .ping = l2_ping,
};
