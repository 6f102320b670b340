/*
 * hand_enter: one SSH connection to the VM, as far as it is wanted, told stage by stage.
 *
 *   LOOKING ─▶ DIALLING ─▶ KEYS ──verified──▶ LOGIN ──up──▶ FORWARD ──opened──▶ RDP ──confirmed──▶ over
 *
 * Happy path: the port connects, the server's host key is one of those expected, a key logs in, a channel to
 * the target opens, RDP's request is answered. Failure modes: each state's failure is told as that of its
 * stage (no connection and no handshake are the host key's) and ends it. A stage that takes too long fails:
 * the dial and the login by their own deadlines, the others by the timer here. The next step is taken on a
 * later turn than the one in which a stage is told: whoever is told may cancel it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "hands_private.h"
#include "probe_rdp.h"
#include "proxy/ssh_options.h"
#include "ssh/ssh.h"

#define DIAL_MS 20000
#define LOOK_MS 30000
#define OPEN_MS 20000
#define ANSWER_MS 15000

enum enter_state { ENTER_LOOKING, ENTER_DIALLING, ENTER_KEYS, ENTER_LOGIN, ENTER_FORWARD, ENTER_RDP };

struct enter {
    struct hand hand;
    enum enter_state state;
    enum prepare_stage until;
    char *keys, *host;
    uint16_t port;
    struct resolver_req *lookup;
    struct proxy_req *dial;
    struct ssh_conn *ssh;
    struct ssh_chan *chan;
    struct probe_rdp rdp;
    size_t sent;           /* of RDP's request */
    struct timer deadline; /* of FORWARD and RDP */
    struct ready step;
    prepare_stage_cb cb;
    void *arg;
};

static void enter_free(struct enter *e)
{
    mem_free(e->keys);
    mem_free(e->host);
    mem_free(e);
}

static void on_ssh_gone(void *arg)
{
    struct enter *e = arg;
    struct hands *h = e->hand.hands;
    enter_free(e);
    hand_gone(h);
}

static void let_go(struct enter *e)
{
    if (e->lookup)
        resolver_cancel(e->lookup);
    if (e->dial)
        proxy_cancel(e->dial);
    if (e->chan)
        ssh_chan_close(e->chan);
    timer_stop(&e->deadline);
    ready_cancel(&e->step);
    hand_ask_stop(e->hand.hands);
    hand_end(&e->hand, e->ssh != NULL);
    if (e->ssh)
        ssh_conn_close(e->ssh, on_ssh_gone, e);
    else
        enter_free(e);
}

static void enter_cancel(struct hand *hand)
{
    let_go(container_of(hand, struct enter, hand));
}

static enum prepare_stage stage_of(const struct enter *e)
{
    switch (e->state) {
    case ENTER_LOGIN:
        return PREPARE_STAGE_LOGIN;
    case ENTER_FORWARD:
        return PREPARE_STAGE_FORWARD;
    case ENTER_RDP:
        return PREPARE_STAGE_RDP;
    case ENTER_LOOKING:
    case ENTER_DIALLING:
    case ENTER_KEYS:
        break;
    }
    return PREPARE_STAGE_HOST_KEY;
}

static void fail(struct enter *e, const struct err *err)
{
    prepare_stage_cb cb = e->cb;
    void *arg = e->arg;
    enum prepare_stage stage = stage_of(e);
    struct err why = *err;
    let_go(e);
    cb(arg, stage, "", &why);
}

/* The stage of this state is passed; `next` begins on a later turn unless this was the last one wanted. */
static void passed(struct enter *e, enum enter_state next, const char *detail)
{
    prepare_stage_cb cb = e->cb;
    void *arg = e->arg;
    enum prepare_stage stage = stage_of(e);
    char text[256];
    snprintf(text, sizeof text, "%s", detail);
    if (stage == e->until) {
        let_go(e);
    } else {
        e->state = next;
        timer_stop(&e->deadline);
        if (next != ENTER_LOGIN) /* which comes by itself */
            ready_push(e->hand.hands->ready, &e->step);
    }
    cb(arg, stage, text, NULL);
}

/* ---- RDP ---- */

static void send_request(struct enter *e)
{
    uv_buf_t room;
    while (e->sent < PROBE_RDP_REQUEST_SIZE && ssh_chan_tx_reserve(e->chan, &room)) {
        size_t left = PROBE_RDP_REQUEST_SIZE - e->sent, n = room.len < left ? room.len : left;
        memcpy(room.base, PROBE_RDP_REQUEST + e->sent, n);
        ssh_chan_tx_commit(e->chan, n);
        e->sent += n;
    }
}

/* ---- the channel ---- */

static void on_chan_opened(void *arg)
{
    struct enter *e = arg;
    char text[300];
    snprintf(text, sizeof text, "%s:%u", e->host, e->port);
    passed(e, ENTER_RDP, text);
}

static void on_chan_data(void *arg, const uv_buf_t *bufs, unsigned count)
{
    struct enter *e = arg;
    struct err err = {0};
    int answers = 0;
    for (unsigned i = 0; i < count && answers == 0; i++)
        answers = probe_rdp_feed(&e->rdp, (const uint8_t *)bufs[i].base, bufs[i].len, &err);
    if (answers < 0) {
        err_wrap(&err, "%s:%u", e->host, e->port);
        fail(e, &err);
    } else if (answers > 0) {
        char text[sizeof e->rdp.text];
        memcpy(text, e->rdp.text, sizeof text);
        passed(e, ENTER_RDP, text);
    }
}

static void on_chan_writable(void *arg)
{
    struct enter *e = arg;
    if (e->state == ENTER_RDP && !ready_queued(&e->step))
        send_request(e);
}

static void on_chan_eof(void *arg)
{
    struct enter *e = arg;
    struct err err = {0};
    if (e->state != ENTER_RDP)
        return;
    err_set(&err, ERR_CLOSED,
            "%s:%u connects, but hangs up without an answer: what listens there is no RDP server", e->host,
            e->port);
    fail(e, &err);
}

static void on_chan_closed(void *arg, const struct err *err)
{
    struct enter *e = arg;
    struct err why = {0};
    e->chan = NULL;
    if (!err && e->state == ENTER_RDP) {
        err_set(&why, ERR_CLOSED, "%s:%u hangs up without an answer: what listens there is no RDP server",
                e->host, e->port);
    } else {
        err_copy(&why, err, ERR_CLOSED);
        err_wrap(&why, "%s:%u", e->host, e->port);
    }
    fail(e, &why);
}

static const struct ssh_chan_events CHAN_EVENTS = {.opened = on_chan_opened,
                                                   .data = on_chan_data,
                                                   .writable = on_chan_writable,
                                                   .eof = on_chan_eof,
                                                   .closed = on_chan_closed};

static void on_step(struct ready *r)
{
    struct enter *e = container_of(r, struct enter, step);
    const struct ssh_target target = {.kind = SSH_TARGET_TCP, .host = e->host, .port = e->port};
    struct err err = {0};
    if (timer_start(&e->deadline, e->state == ENTER_FORWARD ? OPEN_MS : ANSWER_MS) < 0)
        err_set(&err, ERR_NOMEM, "out of memory");
    else if (e->state == ENTER_FORWARD)
        ssh_chan_open(&e->chan, e->ssh, &target, &CHAN_EVENTS, e, &err);
    else
        send_request(e);
    if (err.code)
        fail(e, &err);
}

static void on_deadline(struct timer *t)
{
    struct enter *e = container_of(t, struct enter, deadline);
    struct err err = {0};
    if (e->state == ENTER_RDP)
        err_set(&err, ERR_TIMEOUT, "%s:%u connects, but does not answer", e->host, e->port);
    else
        err_set(&err, ERR_TIMEOUT, "the VM does not say whether it can connect to %s:%u", e->host, e->port);
    fail(e, &err);
}

/* ---- the connection ---- */

static void on_verified(void *arg)
{
    struct enter *e = arg;
    struct ssh_conn_info info;
    ssh_conn_info(e->ssh, &info);
    passed(e, ENTER_LOGIN, info.host_key);
}

static void on_up(void *arg)
{
    struct enter *e = arg;
    struct ssh_conn_info info;
    ssh_conn_info(e->ssh, &info);
    e->state = ENTER_LOGIN;
    passed(e, ENTER_FORWARD, info.auth);
}

static void on_closed(void *arg, const struct err *err)
{
    struct enter *e = arg;
    e->ssh = NULL;
    fail(e, err);
}

static int begin_ssh(struct enter *e, int fd, struct err *err)
{
    static const struct ssh_conn_events EVENTS = {.verified = on_verified, .up = on_up, .closed = on_closed};
    struct hands *h = e->hand.hands;
    const struct ssh_options_place place = {.known_hosts = h->d->place->known_hosts,
                                            .agent_socket = getenv("SSH_AUTH_SOCK")};
    struct ssh_options_text text;
    struct ssh_conn_options options;
    ssh_options_fill(&options, &text, h->vm, h->facts, &place);
    options.loop = &h->d->loop;
    options.clock = h->d->clock;
    options.ready = h->ready;
    options.pool = &h->chunks;
    options.ask = hand_ask(h);
    options.host.keys = e->keys;
    options.wake = false;
    e->state = ENTER_KEYS;
    return ssh_conn_new(&e->ssh, fd, &options, &EVENTS, e, err);
}

static void on_dialled(void *arg, int fd, const struct err *err)
{
    struct enter *e = arg;
    struct err why = {0};
    e->dial = NULL;
    if (!err && begin_ssh(e, fd, &why) < 0)
        close(fd);
    if (err || why.code)
        fail(e, err ? err : &why);
}

static int dial(struct enter *e, struct err *err)
{
    const struct hands *h = e->hand.hands;
    e->state = ENTER_DIALLING;
    return proxy_dial(h->d->proxy, h->vm, h->vm->ssh.port, DIAL_MS, on_dialled, e, &e->dial, err);
}

static void on_looked(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct enter *e = arg;
    struct err why = {0};
    e->lookup = NULL;
    if (facts)
        hands_looked(e->hand.hands, facts);
    if (!facts)
        fail(e, err);
    else if (dial(e, &why) < 0)
        fail(e, &why);
}

static int begin(struct enter *e, struct err *err)
{
    struct hands *h = e->hand.hands;
    if (h->facts || hands_is_address(h))
        return dial(e, err);
    return hands_look(h, LOOK_MS, on_looked, e, &e->lookup, err);
}

void *hand_enter(void *hands, const char *keys, const char *target_host, uint16_t target_port,
                 enum prepare_stage until, prepare_stage_cb cb, void *arg, struct err *err)
{
    struct hands *h = hands;
    struct enter *e = mem_zalloc(sizeof *e);
    if (!e) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    e->until = until;
    e->keys = mem_strdup(keys);
    e->host = mem_strdup(target_host);
    e->port = target_port;
    e->cb = cb;
    e->arg = arg;
    timer_init(&e->deadline, h->d->clock, on_deadline);
    ready_init(&e->step, on_step);
    hand_begin(&e->hand, h, enter_cancel);
    int rc = !e->host || (keys && !e->keys) ? err_set(err, ERR_NOMEM, "out of memory") : begin(e, err);
    if (rc < 0) {
        e->dial = NULL;
        e->lookup = NULL;
        let_go(e);
        return NULL;
    }
    return &e->hand;
}
