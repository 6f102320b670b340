/*
 * kex: key exchanges, the first and the later ones (RFC 4253 §7, 5656 §4, 8731).
 *
 * Happy path: both offer, we send our public key, the server answers with its own, its host key and a
 * signature over all that was said; that is checked, our NEWKEYS goes out and its comes in. The server may
 * begin one at any time, and so may we. It fails when nothing is in common, the signature is wrong, the host
 * key is not the expected one (first time) or another than the first time's.
 */
#include "exchange.h"
#include "native.h"

#include <string.h>

#include "base/mem.h"

static void forget_exchange(struct kex *k)
{
    wire_write_done(&k->ours);
    wire_write_done(&k->theirs);
    wire_write_done(&k->public_key);
    wire_write_init(&k->ours);
    wire_write_init(&k->theirs);
    wire_write_init(&k->public_key);
    exchange_key_free(k->secret_key);
    k->secret_key = NULL;
}

void kex_done(struct kex *k)
{
    forget_exchange(k);
    cipher_keys_free(k->in);
    for (size_t i = 0; i < sizeof k->offer / sizeof *k->offer; i++)
        mem_free(k->offer[i]);
    mem_wipe(k->session_id, sizeof k->session_id);
}

int kex_offer(struct native *n, struct err *err)
{
    struct kex *k = &n->kex;
    if (algorithms_write(n, &k->ours) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = native_send_now(n, k->ours.data, k->ours.len, err);
    k->state = KEX_OFFERED;
    return rc;
}

static int send_public_key(struct native *n, struct err *err)
{
    struct kex *k = &n->kex;
    struct wire_writer w;
    int rc = exchange_key_new(&k->secret_key, k->method, &k->public_key, err);
    if (rc < 0)
        return rc;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_KEX_ECDH_INIT);
    wire_put_str(&w, k->public_key.data, k->public_key.len);
    rc =
        wire_write_ok(&w) ? native_send_now(n, w.data, w.len, err) : err_set(err, ERR_NOMEM, "out of memory");
    wire_write_done(&w);
    return rc;
}

static int on_offer(struct native *n, const uint8_t *payload, size_t len, struct err *err)
{
    struct kex *k = &n->kex;
    struct wire_reader r;
    int rc = 0;
    if (k->state != KEX_IDLE && k->state != KEX_OFFERED)
        return native_wrong("an offer of algorithms within a key exchange", err);
    if (k->state == KEX_IDLE)
        rc = kex_offer(n, err);
    if (rc < 0)
        return rc;
    wire_put_bytes(&k->theirs, payload, len);
    if (!wire_write_ok(&k->theirs))
        return err_set(err, ERR_NOMEM, "out of memory");
    wire_read_init(&r, payload, len);
    (void)wire_get_u8(&r);
    rc = algorithms_agree(n, &r, err);
    if (rc == 0 && k->strict && k->session_len == 0 && n->in.seq != 1)
        rc = native_wrong("a message before the first key exchange", err);
    if (rc == 0)
        rc = send_public_key(n, err);
    k->state = KEX_ASKED;
    return rc;
}

/* RFC 4253 §8 */
static int exchange_id(struct native *n, struct wire_str blob, struct wire_str theirs,
                       const struct wire_writer *secret, uint8_t id[EXCHANGE_HASH_MAX])
{
    struct kex *k = &n->kex;
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_cstr(&w, NATIVE_CLIENT_VERSION);
    wire_put_cstr(&w, n->server_version);
    wire_put_str(&w, k->ours.data, k->ours.len);
    wire_put_str(&w, k->theirs.data, k->theirs.len);
    wire_put_str(&w, blob.data, blob.len);
    wire_put_str(&w, k->public_key.data, k->public_key.len);
    wire_put_str(&w, theirs.data, theirs.len);
    wire_put_bytes(&w, secret->data, secret->len);
    struct wire_str all = {w.data, w.len};
    int len = wire_write_ok(&w) ? exchange_hash(k->method, &all, 1, id) : -1;
    wire_write_done(&w);
    return len;
}

/* RFC 4253 §7.2: `len` bytes of the key that `letter` stands for. */
static int derive(const struct kex *k, const struct wire_writer *secret, struct wire_str id, char letter,
                  uint8_t *out, size_t len)
{
    uint8_t made[4 * EXCHANGE_HASH_MAX];
    struct wire_str parts[4] = {
        {secret->data, secret->len}, id, {(const uint8_t *)&letter, 1}, {k->session_id, k->session_len}};
    size_t have = 0;
    int n = 1;
    while (have < len && n > 0) {
        n = exchange_hash(k->method, parts, have == 0 ? 4 : 3, made + have);
        have += n > 0 ? (size_t)n : 0;
        parts[2] = (struct wire_str){made, have};
    }
    if (n > 0)
        memcpy(out, made, len);
    mem_wipe(made, sizeof made);
    return n > 0 ? 0 : -1;
}

static struct cipher_keys *keys_for(const struct kex *k, const struct wire_writer *secret, struct wire_str id,
                                    const struct cipher *c, const char letters[3], bool encrypt)
{
    uint8_t iv[CIPHER_IV_MAX], key[CIPHER_KEY_MAX];
    struct cipher_keys *keys = NULL;
    if (derive(k, secret, id, letters[0], iv, c->iv_len) == 0 &&
        derive(k, secret, id, letters[1], key, c->key_len) == 0 &&
        derive(k, secret, id, letters[2], key + c->key_len, c->mac_key_len) == 0)
        keys = cipher_keys_new(c, key, iv, encrypt);
    mem_wipe(iv, sizeof iv);
    mem_wipe(key, sizeof key);
    return keys;
}

/* Ours are used at once; theirs when they say so. */
static int seal(struct native *n, const struct wire_writer *secret, struct wire_str id, struct err *err)
{
    static const uint8_t newkeys = MSG_NEWKEYS;
    struct kex *k = &n->kex;
    struct cipher_keys *out = keys_for(k, secret, id, k->cipher_out, "ACE", true);
    k->in = keys_for(k, secret, id, k->cipher_in, "BDF", false);
    int rc = out && k->in ? native_send_now(n, &newkeys, 1, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc < 0) {
        cipher_keys_free(out);
        return rc;
    }
    cipher_state_take(&n->out, out);
    if (k->strict)
        n->out.seq = 0;
    k->state = KEX_SEALED;
    forget_exchange(k);
    return 0;
}

/* Whose key it is was asked before the first login; it stays the same for the life of the connection. */
static int check_host_key(struct native *n, struct wire_str blob, struct err *err)
{
    if (n->host_key) {
        if (blob.len == n->host_key_len && memcmp(blob.data, n->host_key, blob.len) == 0)
            return 0;
        return err_set(err, ERR_HOSTKEY, "the server showed another host key in a later key exchange");
    }
    n->host_key = mem_alloc(blob.len);
    if (!n->host_key)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(n->host_key, blob.data, blob.len);
    n->host_key_len = blob.len;
    return n->base.up->host_key(n->base.conn, n->host_key, n->host_key_len, err);
}

static int on_reply(struct native *n, struct wire_reader *r, struct err *err)
{
    struct kex *k = &n->kex;
    struct wire_writer secret;
    uint8_t id[EXCHANGE_HASH_MAX];
    bool first = k->session_len == 0;
    struct wire_str blob = wire_get_str(r), theirs = wire_get_str(r), signature = wire_get_str(r);
    if (k->state != KEX_ASKED || !wire_end(r))
        return native_wrong("a malformed answer in the key exchange", err);
    wire_write_init(&secret);
    int rc = exchange_secret(k->secret_key, theirs.data, theirs.len, &secret, err);
    int len = rc == 0 ? exchange_id(n, blob, theirs, &secret, id) : 0;
    if (rc == 0 && len <= 0)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc == 0)
        rc = exchange_verify(k->host_key, blob, signature, id, (size_t)len, err);
    if (rc == 0)
        rc = check_host_key(n, blob, err);
    if (rc == 0 && first) {
        memcpy(k->session_id, id, (size_t)len);
        k->session_len = (size_t)len;
    }
    if (rc == 0)
        rc = seal(n, &secret, (struct wire_str){id, (size_t)len}, err);
    wire_write_done(&secret);
    if (rc == 0)
        rc = first ? auth_service(n, err) : native_send_held(n, err);
    return rc;
}

static int on_newkeys(struct native *n, struct err *err)
{
    struct kex *k = &n->kex;
    if (k->state != KEX_SEALED)
        return native_wrong("new keys before they were agreed", err);
    cipher_state_take(&n->in, k->in);
    k->in = NULL;
    if (k->strict)
        n->in.seq = 0;
    k->state = KEX_IDLE;
    if (n->phase == NATIVE_KEYS)
        n->phase = NATIVE_SERVICE;
    n->base.up->soon(n->base.conn); /* who was given no room meanwhile is offered some */
    return 0;
}

int kex_message(struct native *n, uint8_t type, const uint8_t *payload, size_t len, struct err *err)
{
    struct wire_reader r;
    if (type == MSG_KEXINIT)
        return on_offer(n, payload, len, err);
    if (type == MSG_NEWKEYS)
        return len == 1 ? on_newkeys(n, err) : native_wrong("malformed new keys", err);
    if (n->kex.skip_guess) {
        n->kex.skip_guess = false;
        return 0;
    }
    if (type != MSG_KEX_ECDH_REPLY)
        return native_wrong("an unknown message in the key exchange", err);
    wire_read_init(&r, payload, len);
    (void)wire_get_u8(&r);
    return on_reply(n, &r, err);
}
