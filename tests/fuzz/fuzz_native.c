/*
 * fuzz_native: any server behind the native engine, and a connection above it that does anything its contract
 * allows.
 *
 * The first byte says how far an honest server goes first: raw bytes before the keys, or messages sealed with
 * real keys while the service is asked for, during the login, or after it. Then come steps, a byte each with
 * what belongs to it: a message of the server, something that the connection does, a key exchange. What the
 * engine tells is held against its contract by the rig.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "rig.h"

#define EXCHANGES_MAX 4     /* they take most of the time */
#define OUT_MAX (64u << 20) /* no input makes the engine say so much */

struct input {
    const uint8_t *p;
    size_t n;
};

static uint8_t next(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

static size_t bytes(struct input *in, size_t want, const uint8_t **out)
{
    size_t n = want < in->n ? want : in->n;
    *out = in->p;
    in->p += n;
    in->n -= n;
    return n;
}

static struct ssh_chan *some_chan(struct rig *r, uint8_t which)
{
    struct ssh_chan *ch = r->chan_count > 0 ? &r->chans[which % r->chan_count] : NULL;
    return ch && !ch->closed && !ch->let_go ? ch : NULL;
}

/* ---- what the connection does ---- */

static void on_channel(struct rig *r, struct ssh_chan *ch, uint8_t what, uint8_t how)
{
    if (!ch)
        return;
    switch (what % 6) {
    case 0:
        rig_let_go(ch);
        break;
    case 1:
        if (!ch->eof_sent)
            r->e->ops->eof(ch->ec);
        ch->eof_sent = true;
        break;
    case 2:
        if (!ch->incoming && ch->opened)
            (void)rig_commit(ch, (size_t)(how + 1) * 300);
        break;
    case 3:
        rig_consume(ch, (size_t)(how + 1) * 1000);
        break;
    case 4:
        ch->hold = how & 1;
        break;
    default:
        rig_accept(ch);
    }
}

/* Only what the login waits for: one attempt at a time is the connection's own promise. */
static int log_in(struct rig *r, uint8_t how, struct err *err)
{
    static const char *const answers[] = {"one", "two", "three"};
    static const uint8_t key[] = {0, 0, 0, 7, 's', 's', 'h', '-', 'r', 's', 'a', 1, 2, 3};
    const struct ssh_engine_ops *ops = r->e->ops;
    enum native_auth state = rig_native(r)->login.state;
    if (!r->is_ready || r->logged_in)
        return 0;
    if (state == AUTH_SIGNING)
        return ops->auth_signature(r->e, how & 1 ? key : NULL, sizeof key, err);
    if (state == AUTH_ANSWERING)
        return ops->auth_answers(r->e, how & 1 ? answers : NULL, how % 4, err);
    if (state != AUTH_NONE_YET)
        return 0;
    switch (how % 4) {
    case 0:
        return ops->auth_none(r->e, err);
    case 1:
        return ops->auth_password(r->e, "secret", err);
    case 2:
        return ops->auth_kbdint(r->e, err);
    default:
        return ops->auth_key(r->e, key, sizeof key, err);
    }
}

static void connection_does(struct rig *r, uint8_t what, uint8_t how)
{
    struct err err;
    int rc = 0;
    switch (what % 8) {
    case 0:
        rc = log_in(r, how, &err);
        break;
    case 1:
        if (r->logged_in && r->chan_count < RIG_CHANS)
            (void)rig_open(r);
        break;
    case 2:
        rc = r->logged_in ? r->e->ops->ping(r->e, &err) : 0;
        break;
    case 3:
        rc = r->logged_in ? rig_request(r) : 0;
        break;
    case 4:
        r->takes_incoming = how & 1;
        break;
    default:
        on_channel(r, some_chan(r, how), what >> 3, how);
    }
    if (rc < 0 && !r->failed)
        (void)rig_fail(r, &err);
}

/* In a callback: whatever the input says next. */
static void on_event(struct rig *r, enum rig_event event, struct ssh_chan *ch)
{
    struct input *in = r->arg;
    uint8_t what = next(in);
    if (what & 0x80)
        on_channel(r, ch && !ch->closed ? ch : NULL, what, (uint8_t)(what >> 3));
    else if (what & 0x40)
        connection_does(r, what, next(in));
    else if (event == RIG_SIGN || event == RIG_PROMPTS || event == RIG_REPLY || event == RIG_READY)
        connection_does(r, 0, what);
}

/* ---- what the server does ---- */

/* A message of a type that means something, about a channel that may be there. */
static void about_channel(struct rig *r, struct input *in)
{
    struct wire_writer w;
    const uint8_t *rest;
    uint8_t type = (uint8_t)(MSG_CHANNEL_OPEN_CONFIRMATION + next(in) % 10), id = next(in);
    wire_write_init(&w);
    wire_put_u8(&w, type);
    wire_put_u32(&w, id % 8);
    if (type == MSG_CHANNEL_DATA || type == MSG_CHANNEL_EXTENDED_DATA) {
        static const uint8_t data[40000];
        if (type == MSG_CHANNEL_EXTENDED_DATA)
            wire_put_u32(&w, 1);
        wire_put_str(&w, data, (size_t)next(in) * 200 % sizeof data);
    } else if (type == MSG_CHANNEL_OPEN_CONFIRMATION) {
        for (int i = 0; i < 3; i++)
            wire_put_u32(&w, (uint32_t)next(in) << (8 * i));
    } else {
        size_t n = bytes(in, next(in) % 16, &rest);
        wire_put_bytes(&w, rest, n);
    }
    far_send_writer(&r->far, &w);
}

static void run(struct rig *r, struct input *in)
{
    const uint8_t *part;
    while (in->n > 0 && !r->failed) {
        uint8_t what = next(in);
        size_t n = 0;
        switch (what % 8) {
        case 0:
            n = bytes(in, next(in), &part);
            far_send(&r->far, part, n);
            break;
        case 1:
            if (r->far.exchanges < EXCHANGES_MAX)
                far_offer(&r->far);
            break;
        case 2:
            n = bytes(in, next(in), &part);
            (void)rig_feed(r, part, n);
            break;
        case 3:
            far_send_type(&r->far, next(in));
            break;
        case 4:
            r->far.silent_exchange = what & 0x80;
            if (r->far.exchanges < EXCHANGES_MAX)
                rig_native(r)->in.bytes += (uint64_t)(what & 0x40) << 31;
            break;
        case 5:
            about_channel(r, in);
            break;
        default:
            connection_does(r, what >> 3, next(in));
        }
        if (what & 0x20 || in->n == 0)
            (void)rig_run(r);
        FUZZ_CHECK(r->out_len < OUT_MAX);
        r->far.heard.len = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ciphers[] = {"aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com",
                                          "aes128-ctr", "aes256-gcm@openssh.com"};
    static struct rig r;
    struct input in = {data, size};
    uint8_t how = next(&in), stage = how & 3;
    struct far_options o = {.cipher = ciphers[how >> 2 & 3],
                            .strict = how & 0x10,
                            .wrong_guess = how & 0x20,
                            .confirms = how & 0x40,
                            .lets_in = stage == 3};
    memset(&r, 0, sizeof r);
    r.may_allocate = how & 0x80 ? next(&in) : -1;
    uint8_t piece = next(&in);
    r.piece = piece < 64 ? piece : 0;
    rig_init(&r, &o);
    if (stage == 0) {
        r.far.offered = true; /* it says nothing of itself */
        wire_put_bytes(&r.far.out, in.p, in.n);
        in.n = 0;
        (void)rig_start(&r);
    } else if ((stage == 3 ? rig_up(&r) : rig_start(&r)) == 0) {
        if (stage == 2) {
            far_send(&r.far, "\6\0\0\0\0", 5); /* the service is accepted */
            (void)rig_run(&r);
        }
        r.on = on_event;
        r.arg = &in;
        run(&r, &in);
    }
    rig_done(&r);
    return 0;
}
