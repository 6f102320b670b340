/*
 * far_keys: the server's half of a key exchange (RFC 4253 §7, 5656 §4, 8731).
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "far_private.h"

static const struct cipher *const CIPHERS[] = {&cipher_aes128_gcm, &cipher_aes256_gcm, &cipher_chacha,
                                               &cipher_aes128_ctr, &cipher_aes256_ctr};

static void *host_key(uint8_t seed)
{
    uint8_t raw[32];
    memset(raw, seed, sizeof raw);
    void *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
    if (!key)
        abort();
    return key;
}

void far_keys_init(struct far *f)
{
    f->host_key = host_key(1);
    for (f->method = KEX_METHODS; strcmp(f->method->name, f->o.kex) != 0; f->method++)
        ;
}

void far_other_host_key(struct far *f)
{
    EVP_PKEY_free(f->host_key);
    f->host_key = host_key(2);
}

void far_keys_done(struct far *f)
{
    EVP_PKEY_free(f->host_key);
}

static void at(struct far *f, enum far_point point)
{
    if (f->o.at)
        f->o.at(f, point);
}

void far_offer(struct far *f)
{
    struct wire_writer kex;
    if (f->offered)
        return;
    f->offered = true;
    at(f, FAR_KEXINIT);
    wire_write_init(&kex);
    if (f->o.wrong_guess)
        wire_put_bytes(&kex, "guessed,", 8);
    wire_put_bytes(&kex, f->o.kex, strlen(f->o.kex));
    if (f->o.strict)
        wire_put_bytes(&kex, ",kex-strict-s-v00@openssh.com", 29);
    static const uint8_t cookie[16];
    const char *compression = f->o.compression ? f->o.compression : "none";
    const char *lists[] = {"ssh-ed25519", f->o.cipher, f->o.cipher, CIPHER_MAC, CIPHER_MAC,
                           compression,   compression, "",          ""};
    f->ours.len = 0;
    wire_put_u8(&f->ours, MSG_KEXINIT);
    wire_put_bytes(&f->ours, cookie, sizeof cookie);
    wire_put_str(&f->ours, kex.data, kex.len);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        wire_put_cstr(&f->ours, lists[i]);
    wire_put_bool(&f->ours, f->o.wrong_guess);
    wire_put_u32(&f->ours, 0);
    wire_write_done(&kex);
    far_send(f, f->ours.data, f->ours.len);
    if (f->o.wrong_guess)
        far_send_type(f, 33);
}

static void put_host_key(struct far *f, struct wire_writer *w)
{
    struct wire_writer blob;
    uint8_t raw[32];
    size_t n = sizeof raw;
    wire_write_init(&blob);
    wire_put_cstr(&blob, "ssh-ed25519");
    if (EVP_PKEY_get_raw_public_key(f->host_key, raw, &n) != 1)
        abort();
    wire_put_str(&blob, raw, n);
    wire_put_str(w, blob.data, blob.len);
    wire_write_done(&blob);
}

static void put_signature(struct far *f, struct wire_writer *w, const uint8_t *id, size_t len)
{
    struct wire_writer inner;
    uint8_t sig[64];
    size_t n = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, f->host_key) != 1 ||
        EVP_DigestSign(ctx, sig, &n, id, len) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    sig[7] ^= f->bad_signature;
    wire_write_init(&inner);
    wire_put_cstr(&inner, "ssh-ed25519");
    wire_put_str(&inner, sig, n);
    wire_put_str(w, inner.data, inner.len);
    wire_write_done(&inner);
}

static void derive(struct far *f, const struct wire_writer *secret, struct wire_str id, char letter,
                   uint8_t *out, size_t len)
{
    uint8_t made[4 * EXCHANGE_HASH_MAX];
    struct wire_str parts[] = {
        {secret->data, secret->len}, id, {(const uint8_t *)&letter, 1}, {f->session_id, f->session_len}};
    size_t have = 0;
    while (have < len) {
        have += (size_t)exchange_hash(f->method, parts, have == 0 ? 4 : 3, made + have);
        parts[2] = (struct wire_str){made, have};
    }
    memcpy(out, made, len);
}

static struct cipher_keys *keys_for(struct far *f, const struct wire_writer *secret, struct wire_str id,
                                    const char letters[3], bool encrypt)
{
    uint8_t iv[CIPHER_IV_MAX], key[CIPHER_KEY_MAX];
    size_t i = 0;
    while (strcmp(CIPHERS[i]->name, f->o.cipher) != 0)
        i++;
    const struct cipher *c = CIPHERS[i];
    derive(f, secret, id, letters[0], iv, c->iv_len);
    derive(f, secret, id, letters[1], key, c->key_len);
    derive(f, secret, id, letters[2], key + c->key_len, c->mac_key_len);
    struct cipher_keys *keys = cipher_keys_new(c, key, iv, encrypt);
    if (!keys)
        abort();
    return keys;
}

static int answer(struct far *f, struct wire_str theirs)
{
    struct wire_writer point, secret, said, reply;
    uint8_t id[EXCHANGE_HASH_MAX];
    void *key = NULL;
    struct err err;
    wire_write_init(&point);
    wire_write_init(&secret);
    wire_write_init(&said);
    wire_write_init(&reply);
    int rc = exchange_key_new(&key, f->method, &point, &err);
    if (rc == 0)
        rc = exchange_secret(key, theirs.data, theirs.len, &secret, &err);
    exchange_key_free(key);
    if (f->zero_point)
        memset(point.data, 0, point.len);
    wire_put_str(&said, f->client_version.data, f->client_version.len);
    wire_put_cstr(&said, FAR_VERSION);
    wire_put_str(&said, f->theirs.data, f->theirs.len);
    wire_put_str(&said, f->ours.data, f->ours.len);
    put_host_key(f, &said);
    wire_put_str(&said, theirs.data, theirs.len);
    wire_put_str(&said, point.data, point.len);
    wire_put_bytes(&said, secret.data, secret.len);
    struct wire_str all = {said.data, said.len};
    int len = exchange_hash(f->method, &all, 1, id);
    if (rc == 0 && len > 0) {
        if (f->session_len == 0) {
            memcpy(f->session_id, id, (size_t)len);
            f->session_len = (size_t)len;
        }
        struct wire_str hash = {id, (size_t)len};
        wire_put_u8(&reply, MSG_KEX_ECDH_REPLY);
        put_host_key(f, &reply);
        wire_put_str(&reply, point.data, point.len);
        put_signature(f, &reply, id, (size_t)len);
        at(f, FAR_REPLY);
        far_send(f, reply.data, reply.len);
        at(f, FAR_NEWKEYS);
        far_send_type(f, MSG_NEWKEYS);
        cipher_state_take(&f->to, keys_for(f, &secret, hash, "BDF", true));
        f->to.seq = f->o.strict ? 0 : f->to.seq;
        cipher_keys_free(f->next_from);
        f->next_from = keys_for(f, &secret, hash, "ACE", false);
        at(f, FAR_DONE);
    }
    wire_write_done(&point);
    wire_write_done(&secret);
    wire_write_done(&said);
    wire_write_done(&reply);
    return rc;
}

int far_keys_message(struct far *f, uint8_t type, const uint8_t *payload, size_t n)
{
    struct wire_reader r;
    wire_read_init(&r, payload, n);
    (void)wire_get_u8(&r);
    switch (type) {
    case MSG_KEXINIT:
        f->theirs.len = 0;
        wire_put_bytes(&f->theirs, payload, n);
        if (!f->silent_exchange)
            far_offer(f);
        return 0;
    case MSG_KEX_ECDH_INIT:
        return f->silent_exchange ? 0 : answer(f, wire_get_str(&r));
    case MSG_NEWKEYS:
        if (!f->next_from)
            return -1;
        cipher_state_take(&f->from, f->next_from);
        f->next_from = NULL;
        f->from.seq = f->o.strict ? 0 : f->from.seq;
        f->offered = false;
        f->exchanges++;
        return 0;
    default:
        return -1;
    }
}
