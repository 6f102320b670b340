/*
 * rig_events: what the engine tells, written down and held against its contract.
 */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static void tell(struct rig *r, enum rig_event event, struct ssh_chan *ch)
{
    MUST(r->inside);
    if (r->on && !r->failed)
        r->on(r, event, ch);
}

static int up_output(void *conn, const void *data, size_t n)
{
    struct rig *r = conn;
    if (r->out_len + n > r->out_cap) {
        r->out_cap = 2 * (r->out_len + n);
        r->out = realloc(r->out, r->out_cap);
        MUST(r->out);
    }
    memcpy(r->out + r->out_len, data, n);
    r->out_len += n;
    return 0;
}

static void up_soon(void *conn)
{
    ((struct rig *)conn)->soon = true;
}

static void up_fatal(void *conn, const struct err *err)
{
    (void)rig_fail(conn, err);
}

static int up_host_key(void *conn, const uint8_t *blob, size_t n, struct err *err)
{
    struct rig *r = conn;
    MUST(r->inside && n > 4 && blob[3] == 11 && !r->is_ready);
    r->host_keys++;
    return r->host_key_answer < 0 ? err_set(err, r->host_key_answer, "not this one") : 0;
}

static void up_ready(void *conn)
{
    struct rig *r = conn;
    MUST(!r->is_ready && r->host_keys == 1);
    r->is_ready = true;
    tell(r, RIG_READY, NULL);
}

static void up_auth_reply(void *conn, const struct ssh_auth_reply *reply)
{
    struct rig *r = conn;
    MUST(r->is_ready && !r->logged_in && reply->methods);
    r->replies++;
    r->logged_in = reply->ok;
    tell(r, RIG_REPLY, NULL);
}

static void up_auth_sign(void *conn, const char *alg, const uint8_t *data, size_t n)
{
    struct rig *r = conn;
    MUST(!r->logged_in && n > 4 + r->far.session_len);
    MUST(memcmp(data + 4, r->far.session_id, r->far.session_len) == 0);
    r->signs++;
    strncpy(r->sign_alg, alg, sizeof r->sign_alg - 1);
    tell(r, RIG_SIGN, NULL);
}

static void up_auth_prompts(void *conn, const char *title, const struct ssh_prompt *prompts, unsigned count)
{
    struct rig *r = conn;
    MUST(!r->logged_in && title && count > 0 && count <= SSH_PROMPTS_MAX);
    for (unsigned i = 0; i < count; i++)
        for (const char *p = prompts[i].text; *p; p++)
            MUST((unsigned char)*p >= 0x20);
    r->prompts++;
    tell(r, RIG_PROMPTS, NULL);
}

static void up_pong(void *conn)
{
    struct rig *r = conn;
    r->pongs++;
    tell(r, RIG_PONG, NULL);
}

static void up_opened(struct ssh_chan *ch)
{
    MUST(!ch->opened && !ch->closed && !ch->let_go && ch->rig->logged_in);
    ch->opened = true;
    tell(ch->rig, RIG_OPENED, ch);
}

static void up_data(struct ssh_chan *ch, const uv_buf_t *bufs, unsigned count)
{
    size_t total = 0;
    MUST(ch->opened && !ch->eof && !ch->closed && !ch->let_go && count > 0);
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < bufs[i].len && ch->got + total + k < sizeof ch->text - 1; k++)
            ch->text[ch->got + total + k] = bufs[i].base[k];
        total += bufs[i].len;
    }
    MUST(total > 0 && total <= SSH_RX_READ);
    ch->got += total;
    ch->held += total;
    MUST(ch->held <= SSH_RX_WINDOW_MAX);
    if (!ch->hold)
        rig_consume(ch, total);
    tell(ch->rig, RIG_DATA, ch);
}

static void up_eof(struct ssh_chan *ch)
{
    MUST(ch->opened && !ch->eof && !ch->closed && !ch->let_go);
    ch->eof = true;
    tell(ch->rig, RIG_EOF, ch);
}

static void up_closed(struct ssh_chan *ch, const struct err *err)
{
    MUST(!ch->closed && !ch->let_go && (err || ch->opened));
    ch->closed = true;
    ch->code = err ? err->code : 0;
    ch->ec = NULL;
    tell(ch->rig, RIG_CLOSED, ch);
}

static void up_answered(void *owner, const struct ssh_answer *answer)
{
    struct rig *r = owner;
    MUST(r->inside && r->logged_in && (answer->message || answer->message_len == 0));
    r->answers++;
    tell(r, RIG_ANSWERED, NULL);
}

/* Refused at once, or taken and left to the test. */
static void up_incoming(void *conn, const struct ssh_incoming *in)
{
    struct rig *r = conn;
    MUST(r->inside && r->logged_in && !in->chan->owner);
    if (!r->takes_incoming || r->chan_count == RIG_CHANS) {
        r->e->ops->refuse(in->chan, SSH_REFUSED_PROHIBITED, "no");
        return;
    }
    struct ssh_chan *ch = &r->chans[r->chan_count++];
    ch->rig = r;
    ch->ec = in->chan;
    ch->incoming = true;
    in->chan->owner = ch;
    tell(r, RIG_INCOMING, ch);
}

const struct ssh_engine_up rig_events = {
    .output = up_output,
    .soon = up_soon,
    .fatal = up_fatal,
    .host_key = up_host_key,
    .ready = up_ready,
    .auth_reply = up_auth_reply,
    .auth_sign = up_auth_sign,
    .auth_prompts = up_auth_prompts,
    .pong = up_pong,
    .opened = up_opened,
    .data = up_data,
    .eof = up_eof,
    .closed = up_closed,
    .answered = up_answered,
    .incoming = up_incoming,
};
