/*
 * engine: the native engine's life and its row of functions.
 */
#include <string.h>

#include "base/mem.h"
#include "native.h"

#define REKEY_BYTES (1ull << 36)   /* RFC 4344 §3.2 for blocks of 16 bytes */
#define REKEY_PACKETS (1ull << 31) /* §3.1, and chacha's nonce must not come again */

static void destroy(struct ssh_engine *e)
{
    struct native *n = native_of(e);
    struct list *node;
    while ((node = list_first(&n->open_order)) != NULL)
        chan_free(n, container_of(node, struct native_chan, node));
    mem_free(n->chans);
    global_done(n);
    cipher_keys_free(n->in.keys);
    cipher_keys_free(n->out.keys);
    kex_done(&n->kex);
    auth_done(n);
    wire_write_done(&n->held);
    if (n->partial)
        mem_free_secret(n->partial, n->partial_cap);
    mem_free(n->host_key);
    mem_free(n->known_types);
    mem_free(n->user);
    mem_free(n);
}

static int create(struct ssh_engine **out, const struct ssh_engine_config *config,
                  const struct ssh_engine_up *up, void *conn, struct err *err)
{
    struct native *n = mem_zalloc(sizeof *n);
    if (!n)
        return err_set(err, ERR_NOMEM, "out of memory");
    n->base.ops = &ssh_engine_native;
    n->base.up = up;
    n->base.conn = conn;
    list_init(&n->open_order);
    list_init(&n->requests);
    wire_write_init(&n->held);
    wire_write_init(&n->kex.ours);
    wire_write_init(&n->kex.theirs);
    wire_write_init(&n->kex.public_key);
    n->user = mem_strdup(config->user);
    n->known_types = mem_strdup(config->host_key_algs);
    int rc = n->user && n->known_types ? algorithms_offer(n, config, err)
                                       : err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        destroy(&n->base);
        return rc;
    }
    *out = &n->base;
    return 0;
}

static int start(struct ssh_engine *e, struct err *err)
{
    static const char line[] = NATIVE_CLIENT_VERSION "\r\n";
    struct native *n = native_of(e);
    if (n->base.up->output(n->base.conn, line, sizeof line - 1) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return kex_offer(n, err);
}

static int renew_keys(struct native *n, struct err *err)
{
    if (n->kex.state != KEX_IDLE || n->phase < NATIVE_SERVICE)
        return 0;
    const struct cipher_state *s[] = {&n->in, &n->out};
    for (int i = 0; i < 2; i++)
        if (s[i]->bytes > REKEY_BYTES || s[i]->packets > REKEY_PACKETS)
            return kex_offer(n, err);
    return 0;
}

static int feed(struct ssh_engine *e, const uint8_t *in, size_t len, struct err *err)
{
    struct native *n = native_of(e);
    int rc = native_receive(n, in, len, err);
    return rc < 0 ? rc : renew_keys(n, err);
}

static int step(struct ssh_engine *e, struct err *err)
{
    struct native *n = native_of(e);
    int rc = auth_step(n, err);
    return rc < 0 ? rc : renew_keys(n, err);
}

static void goodbye(struct ssh_engine *e)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    struct err err;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_DISCONNECT);
    wire_put_u32(&w, 11); /* by application */
    wire_put_cstr(&w, "closed by adit");
    wire_put_cstr(&w, "");
    if (n->phase >= NATIVE_SERVICE && wire_write_ok(&w))
        (void)native_send_now(n, w.data, w.len, &err);
    wire_write_done(&w);
}

static void info(const struct ssh_engine *e, struct ssh_engine_info *out)
{
    const struct native *n = (const struct native *)e;
    out->cipher = n->kex.cipher_name;
    out->kex = n->kex.kex_name;
}

const struct ssh_engine_ops ssh_engine_native = {
    .name = "native",
    .knows = algorithms_know,
    .create = create,
    .free = destroy,
    .start = start,
    .feed = feed,
    .step = step,
    .goodbye = goodbye,
    .info = info,
    .auth_none = native_auth_none,
    .auth_key = native_auth_key,
    .auth_password = native_auth_password,
    .auth_kbdint = native_auth_kbdint,
    .auth_signature = native_auth_signature,
    .auth_answers = native_auth_answers,
    .key_trouble = native_key_trouble,
    .key_refusal = native_key_refusal,
    .open = native_open,
    .tx_reserve = native_tx_reserve,
    .tx_commit = native_tx_commit,
    .rx_consume = native_rx_consume,
    .eof = native_eof,
    .close = native_close,
    .request = native_request,
    .accept = native_accept,
    .refuse = native_refuse,
    .ping = native_ping,
};
