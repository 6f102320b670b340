/*
 * packet: the version lines, then binary packets, in and out (RFC 4253 §4.2, §6).
 *
 * A whole packet in the input is decrypted from where it lies; only one that is cut off is kept and
 * completed.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "native.h"

#define TEXT_MAX 1024 /* before the version; the version itself is shorter */
#define LINES_MAX 100
#define HEAD 4
#define PLAIN_BLOCK 8
#define PADDING_MIN 4
#define SEQ_COUNT (1ull << 32)
#define ARENA (NATIVE_PACKET_MAX + SSH_RX_READ)

/* Each loop has its thread, and nothing in them outlives the call that filled them. */
static _Thread_local uint8_t arena[ARENA];
static _Thread_local uint8_t plain[NATIVE_PACKET_MAX];
static _Thread_local uint8_t sealed[HEAD + NATIVE_PACKET_MAX + CIPHER_TAG_MAX];

int native_wrong(const char *what, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "the server broke the protocol: %s", what);
}

/* ---- out ---- */

bool native_may_send(const struct native *n)
{
    return n->kex.state == KEX_IDLE || n->kex.state == KEX_SEALED;
}

int native_send_body(struct native *n, uint8_t *body, size_t len, struct err *err)
{
    struct cipher_state *s = &n->out;
    size_t block = s->keys ? s->cipher->block : PLAIN_BLOCK;
    size_t before = s->keys ? 1 : HEAD + 1; /* a length in the clear, or alone, is not padded to the block */
    size_t pad = block - (before + len) % block;
    if (pad < PADDING_MIN)
        pad += block;
    size_t all = 1 + len + pad, total = HEAD + all + (s->keys ? s->cipher->tag : 0);
    body[0] = (uint8_t)pad;
    memset(body + 1 + len, 0, pad); /* with these ciphers it need not be random */
    if (s->keys) {
        if (s->cipher->seal(s->keys, s->seq, sealed, body, (uint32_t)all) < 0)
            return err_set(err, ERR_SYSTEM, "encrypting a packet failed");
    } else {
        const uint8_t head[HEAD] = {0, (uint8_t)(all >> 16), (uint8_t)(all >> 8), (uint8_t)all};
        memcpy(sealed, head, HEAD);
        memcpy(sealed + HEAD, body, all);
    }
    s->seq++;
    s->packets++;
    s->bytes += total;
    int rc = n->base.up->output(n->base.conn, sealed, total);
    return rc < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

int native_send_now(struct native *n, const uint8_t *payload, size_t len, struct err *err)
{
    if (len > NATIVE_PACKET_MAX - 1 - NATIVE_PADDING_MAX)
        return err_set(err, ERR_LIMIT, "a message of %zu bytes is too long for a packet", len);
    memcpy(plain + 1, payload, len);
    int rc = native_send_body(n, plain, len, err);
    mem_wipe(plain, 1 + len); /* it may have been a password */
    return rc;
}

int native_send(struct native *n, const struct wire_writer *message, struct err *err)
{
    if (!wire_write_ok(message))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (native_may_send(n))
        return native_send_now(n, message->data, message->len, err);
    if (n->held.len + message->len > NATIVE_HELD_MAX)
        return err_set(err, ERR_LIMIT, "the server does not come to an end with exchanging keys");
    wire_put_str(&n->held, message->data, message->len);
    return wire_write_ok(&n->held) ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int native_send_held(struct native *n, struct err *err)
{
    struct wire_writer held = n->held;
    struct wire_reader r;
    int rc = 0;
    wire_write_init(&n->held);
    wire_read_init(&r, held.data, held.len);
    while (rc == 0 && r.p < r.end) {
        struct wire_str message = wire_get_str(&r);
        rc = native_send_now(n, message.data, message.len, err);
    }
    wire_write_done(&held);
    return rc;
}

/* ---- in ---- */

static int keep(struct native *n, const uint8_t *in, size_t len, struct err *err)
{
    size_t need = n->partial_len + len;
    if (len == 0)
        return 0;
    if (need > n->partial_cap) {
        size_t cap = need < 1024 ? 1024 : need;
        uint8_t *bigger = mem_realloc(n->partial, cap);
        if (!bigger)
            return err_set(err, ERR_NOMEM, "out of memory");
        n->partial = bigger;
        n->partial_cap = cap;
    }
    memcpy(n->partial + n->partial_len, in, len);
    n->partial_len = need;
    return 0;
}

/* The line without its end; RFC 4253 §4.2. */
static int take_line(struct native *n, char *line, size_t len, struct err *err)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len < 4 || memcmp(line, "SSH-", 4) != 0)
        return ++n->lines <= LINES_MAX ? 0 : native_wrong("no version after a hundred lines", err);
    if (len > NATIVE_VERSION_MAX || memchr(line, '\0', len))
        return native_wrong("its version is no text of at most 255 bytes", err);
    memcpy(n->server_version, line, len);
    n->server_version[len] = '\0';
    if (strncmp(n->server_version, "SSH-2.0-", 8) != 0 && strncmp(n->server_version, "SSH-1.99-", 9) != 0) {
        char clean[80];
        ssh_text_clean(clean, sizeof clean, line, len);
        return err_set(err, ERR_UNSUPPORTED, "the server speaks another protocol than SSH 2: \"%s\"", clean);
    }
    n->phase = NATIVE_KEYS;
    return 0;
}

static int take_version(struct native *n, const uint8_t **in, size_t *len, struct err *err)
{
    while (n->phase == NATIVE_VERSION && *len > 0) {
        const uint8_t *end = memchr(*in, '\n', *len);
        size_t part = end ? (size_t)(end - *in) : *len;
        if (n->partial_len + part > TEXT_MAX)
            return native_wrong("a line before its version is too long", err);
        int rc = keep(n, *in, part, err);
        *in += part + (end != NULL);
        *len -= part + (end != NULL);
        if (rc == 0 && end) {
            rc = take_line(n, (char *)n->partial, n->partial_len, err);
            n->partial_len = 0;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* How many bytes the packet has that begins with these four. */
static int packet_size(struct native *n, const uint8_t *head, size_t *size, struct err *err)
{
    struct cipher_state *s = &n->in;
    uint32_t len;
    if (!s->keys) {
        len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    } else if (s->cipher->length(s->keys, s->seq, head, &len) < 0) {
        return err_set(err, ERR_SYSTEM, "decrypting a packet failed");
    }
    size_t block = s->keys ? s->cipher->block : PLAIN_BLOCK, before = s->keys ? 0 : HEAD;
    if (len < 1 + PADDING_MIN || len > NATIVE_PACKET_MAX || (before + len) % block != 0)
        return native_wrong("a packet's length makes no sense", err);
    *size = HEAD + len + (s->keys ? s->cipher->tag : 0);
    return 0;
}

static int take_packet(struct native *n, const uint8_t *p, size_t size, struct err *err)
{
    struct cipher_state *s = &n->in;
    uint32_t len = (uint32_t)(size - HEAD - (s->keys ? s->cipher->tag : 0));
    if (n->arena_len + len > ARENA) {
        rx_tell(n);
        n->arena_len = 0;
    }
    uint8_t *body = arena + n->arena_len;
    if (!s->keys)
        memcpy(body, p + HEAD, len);
    else if (s->cipher->open(s->keys, s->seq, body, p, len) < 0)
        return native_wrong("a packet was changed on the way (its tag is wrong)", err);
    if (s->packets >= SEQ_COUNT)
        return native_wrong("it does not change its keys before the packets' numbers come again", err);
    s->seq++;
    s->packets++;
    s->bytes += size;
    if (body[0] < PADDING_MIN || body[0] >= len)
        return native_wrong("a packet's padding makes no sense", err);
    int rc = native_dispatch(n, body + 1, len - 1 - body[0], err);
    n->arena_len = n->batch.chan ? n->arena_len + len : 0; /* what waits to be told stays where it is */
    return rc;
}

/* Completes the packet that was cut off, as far as the input allows. */
static int take_rest(struct native *n, const uint8_t **in, size_t *len, struct err *err)
{
    size_t want = HEAD;
    for (int i = 0; i < 2; i++) {
        if (n->partial_len < want) {
            size_t part = want - n->partial_len < *len ? want - n->partial_len : *len;
            int rc = keep(n, *in, part, err);
            *in += part;
            *len -= part;
            if (rc < 0 || n->partial_len < want)
                return rc;
        }
        if (i == 0 && packet_size(n, n->partial, &want, err) < 0)
            return err->code;
    }
    n->partial_len = 0;
    return take_packet(n, n->partial, want, err);
}

int native_receive(struct native *n, const uint8_t *in, size_t len, struct err *err)
{
    int rc = take_version(n, &in, &len, err);
    n->arena_len = 0;
    while (rc == 0 && len > 0) {
        size_t size = 0;
        if (n->partial_len > 0) {
            rc = take_rest(n, &in, &len, err);
            continue;
        }
        if (len >= HEAD)
            rc = packet_size(n, in, &size, err);
        if (rc < 0)
            break;
        if (len < HEAD || len < size) {
            rc = keep(n, in, len, err);
            len = 0;
        } else {
            const uint8_t *p = in;
            in += size;
            len -= size;
            rc = take_packet(n, p, size, err);
        }
    }
    rx_tell(n); /* also what came before a failure */
    return rc;
}
