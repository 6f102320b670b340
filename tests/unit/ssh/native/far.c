/*
 * far: the other end of the native engine: packets and what is answered; far_keys.c exchanges the keys.
 */
#include <stdlib.h>
#include <string.h>

#include "far_private.h"

void far_init(struct far *f, const struct far_options *o)
{
    memset(f, 0, sizeof *f);
    f->o = *o;
    if (!f->o.kex)
        f->o.kex = "curve25519-sha256";
    if (!f->o.cipher)
        f->o.cipher = "aes128-gcm@openssh.com";
    struct wire_writer *all[] = {&f->out, &f->in, &f->heard, &f->ours, &f->theirs, &f->client_version};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        wire_write_init(all[i]);
    far_keys_init(f);
}

void far_done(struct far *f)
{
    struct wire_writer *all[] = {&f->out, &f->in, &f->heard, &f->ours, &f->theirs, &f->client_version};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        wire_write_done(all[i]);
    cipher_keys_free(f->to.keys);
    cipher_keys_free(f->from.keys);
    cipher_keys_free(f->next_from);
    far_keys_done(f);
}

void far_start(struct far *f)
{
    static const char line[] = FAR_VERSION "\r\n";
    wire_put_bytes(&f->out, line, sizeof line - 1);
}

void far_send(struct far *f, const void *payload, size_t n)
{
    struct cipher_state *s = &f->to;
    size_t block = s->keys ? s->cipher->block : 8, before = s->keys ? 1 : 5;
    size_t pad = block - (before + n) % block;
    if (pad < 4)
        pad += block;
    size_t all = 1 + n + pad;
    uint8_t *body = calloc(1, all), *sealed = malloc(4 + all + CIPHER_TAG_MAX);
    if (!body || !sealed)
        abort();
    body[0] = (uint8_t)pad;
    if (n > 0)
        memcpy(body + 1, payload, n);
    if (!s->keys) {
        wire_put_str(&f->out, body, all);
    } else {
        if (s->cipher->seal(s->keys, s->seq, sealed, body, (uint32_t)all) < 0)
            abort();
        wire_put_bytes(&f->out, sealed, 4 + all + s->cipher->tag);
    }
    s->seq++;
    free(body);
    free(sealed);
}

void far_send_writer(struct far *f, struct wire_writer *w)
{
    far_send(f, w->data, w->len);
    wire_write_done(w);
}

void far_send_type(struct far *f, uint8_t type)
{
    far_send(f, &type, 1);
}

unsigned far_heard(const struct far *f, uint8_t type)
{
    struct wire_reader r;
    unsigned count = 0;
    wire_read_init(&r, f->heard.data, f->heard.len);
    while (r.p < r.end && wire_ok(&r)) {
        struct wire_str m = wire_get_str(&r);
        count += m.len > 0 && m.data[0] == type;
    }
    return count;
}

/* ---- from the client ---- */

void far_take(struct far *f, const void *data, size_t n)
{
    wire_put_bytes(&f->in, data, n);
}

static void confirm(struct far *f, struct wire_reader *r)
{
    struct wire_writer w;
    (void)wire_get_str(r);
    uint32_t id = wire_get_u32(r);
    wire_write_init(&w);
    wire_put_u8(&w, MSG_CHANNEL_OPEN_CONFIRMATION);
    wire_put_u32(&w, id);
    wire_put_u32(&w, id + FAR_CHAN);
    wire_put_u32(&w, f->o.window ? f->o.window : 1u << 20);
    wire_put_u32(&w, f->o.packet ? f->o.packet : 32768);
    far_send_writer(f, &w);
}

static void accept_service(struct far *f)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_SERVICE_ACCEPT);
    wire_put_cstr(&w, "ssh-userauth");
    far_send_writer(f, &w);
}

static int message(struct far *f, const uint8_t *payload, size_t n)
{
    struct wire_reader r;
    wire_read_init(&r, payload, n);
    uint8_t type = wire_get_u8(&r);
    if (type >= MSG_KEXINIT && type < MSG_USERAUTH_REQUEST)
        return far_keys_message(f, type, payload, n);
    wire_put_str(&f->heard, payload, n);
    if (type == MSG_SERVICE_REQUEST && f->o.lets_in)
        accept_service(f);
    if (type == MSG_USERAUTH_REQUEST && f->o.lets_in)
        far_send_type(f, MSG_USERAUTH_SUCCESS);
    if (type == MSG_CHANNEL_OPEN && f->o.confirms)
        confirm(f, &r);
    return 0;
}

/* The first packet of *in; 0: it is not whole yet. */
static int packet(struct far *f, const uint8_t *in, size_t have)
{
    struct cipher_state *s = &f->from;
    uint32_t len;
    if (have < 4)
        return 0;
    if (!s->keys)
        (void)cipher_length_clear(NULL, 0, in, &len);
    else if (s->cipher->length(s->keys, s->seq, in, &len) < 0)
        return -1;
    size_t tag = s->keys ? s->cipher->tag : 0;
    if (len < 5 || len > NATIVE_PACKET_MAX)
        return -1;
    if (have < 4 + len + tag)
        return 0;
    uint8_t *body = malloc(len);
    if (!body)
        abort();
    int rc = 0;
    if (!s->keys)
        memcpy(body, in + 4, len);
    else
        rc = s->cipher->open(s->keys, s->seq, body, in, len);
    s->seq++;
    if (rc == 0)
        rc = body[0] < 4 || body[0] >= len ? -1 : message(f, body + 1, len - 1 - body[0]);
    free(body);
    return rc < 0 ? -1 : (int)(4 + len + tag);
}

int far_run(struct far *f)
{
    size_t done = 0;
    if (!f->version_seen) {
        const uint8_t *end = f->in.len > 0 ? memchr(f->in.data, '\n', f->in.len) : NULL;
        if (!end)
            return 0;
        f->version_seen = true;
        done = (size_t)(end - f->in.data) + 1;
        wire_put_bytes(&f->client_version, f->in.data, done - 2);
    }
    int rc;
    while ((rc = packet(f, f->in.data + done, f->in.len - done)) > 0)
        done += (size_t)rc;
    memmove(f->in.data, f->in.data + done, f->in.len - done);
    f->in.len -= done;
    return rc;
}
