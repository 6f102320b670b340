/*
 * packet: what the native engine's packets cost: one of data, encrypted and decrypted, for each cipher.
 */
#include <string.h>

#include "base/mem.h"
#include "micro.h"
#include "ssh/native/cipher.h"

#define BODY (32768u + 16) /* of a full packet of data: head and padding make it whole blocks */

struct work {
    const struct cipher *cipher;
    struct cipher_keys *out, *in;
    uint32_t seq;
    uint8_t body[BODY], sealed[4 + BODY + CIPHER_TAG_MAX], opened[BODY];
};

static void done(void *ctx)
{
    struct work *w = ctx;
    cipher_keys_free(w->out);
    cipher_keys_free(w->in);
    mem_free(w);
}

static int setup(const struct cipher *cipher, void **ctx, struct err *err)
{
    static const uint8_t key[CIPHER_KEY_MAX] = {1, 2, 3}, iv[CIPHER_IV_MAX] = {4, 5, 6};
    struct work *w = mem_zalloc(sizeof *w);
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    w->cipher = cipher;
    w->out = cipher_keys_new(cipher, key, iv, true);
    w->in = cipher_keys_new(cipher, key, iv, false);
    if (!w->out || !w->in) {
        done(w);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    memset(w->body, 7, sizeof w->body);
    *ctx = w;
    return 0;
}

static int run(void *ctx, uint32_t ops)
{
    struct work *w = ctx;
    uint32_t len = 0;
    for (; ops > 0; ops--, w->seq++) {
        if (w->cipher->seal(w->out, w->seq, w->sealed, w->body, BODY) < 0 ||
            w->cipher->length(w->in, w->seq, w->sealed, &len) < 0 || len != BODY ||
            w->cipher->open(w->in, w->seq, w->opened, w->sealed, len) < 0)
            return -1;
    }
    return memcmp(w->opened, w->body, BODY) == 0 ? 0 : -1;
}

#define PIECE(id, text)                                                                                      \
    static int setup_##id(void **ctx, struct err *err)                                                       \
    {                                                                                                        \
        return setup(&cipher_##id, ctx, err);                                                                \
    }                                                                                                        \
    const struct micro micro_packet_##id = {.name = "packet-" text,                                          \
                                            .what = "32 KiB encrypted and decrypted with " text,             \
                                            .bytes = BODY,                                                   \
                                            .guard_ops = 20,                                                 \
                                            .setup = setup_##id,                                             \
                                            .run = run,                                                      \
                                            .done = done}

PIECE(aes128_gcm, "aes128-gcm");
PIECE(aes256_gcm, "aes256-gcm");
PIECE(chacha, "chacha20-poly1305");
PIECE(aes128_ctr, "aes128-ctr");
PIECE(aes256_ctr, "aes256-ctr");
