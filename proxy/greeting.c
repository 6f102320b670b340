/*
 * greeting: hears out the client of a dynamic forward and gives it its answer.
 *
 *   start ─▶ LISTENING ─request complete─▶ [the flow gets in line, opens] ─opened─▶ "connected" ─▶ what came
 *              │   behind the request goes first ─▶ freed, an ordinary flow
 *              ├─not a request, or the flow fails before it is open─▶ the reason ─▶ farewell: the client is
 *              │   read to its end, or for FLOW_LINGER_MS, so that a reset does not overtake the reason
 *              └─GREETING_MS over, or too many greet and this is the oldest─▶ closed
 *
 * The reader stops with the request, so what follows mostly waits in the kernel; the rest of that one read is
 * kept here. Where the client wanted to go is written to the log at the level debug only.
 */
#include "greeting.h"

#include <string.h>

#include "base/mem.h"
#include "socks.h"
#include "vm.h"

struct greeting {
    struct list node; /* plane.greetings, while it is listened to */
    struct flow *flow;
    struct socks socks;
    char *early; /* what came behind the request, or NULL */
    size_t early_len, early_sent;
    struct err err; /* farewell: why */
};

void greeting_over(struct flow *f)
{
    struct greeting *g = f->greeting;
    if (!g || list_empty(&g->node))
        return;
    list_remove(&g->node);
    f->plane->greeting_count--;
}

void greeting_free(struct flow *f)
{
    greeting_over(f);
    if (f->greeting)
        mem_free(f->greeting->early);
    mem_free(f->greeting);
    f->greeting = NULL;
}

const struct err *greeting_error(const struct flow *f)
{
    return f->greeting && f->greeting->err.code ? &f->greeting->err : NULL;
}

/* Says it and lets the flow end as one whose target has ended. */
static void farewell(struct flow *f, const struct err *err, enum socks_outcome outcome)
{
    char reply[SOCKS_REPLY_MAX];
    struct greeting *g = f->greeting;
    g->err = *err;
    flow_detach(f);
    f->state = FLOW_OPEN;
    size_t n = socks_reply(&g->socks, outcome, reply);
    if (n > 0 && !flow_say(f, reply, n)) {
        flow_end(f, NULL, true);
        return;
    }
    f->down = FLOW_DOWN_DRAIN;
    flow_update(f);
}

void greeting_refuse(struct flow *f, const struct err *err)
{
    struct err why = *err;
    enum socks_outcome outcome = SOCKS_FAILED;
    if (f->state == FLOW_OPENING && !f->told)
        outcome = socks_outcome_of(err);
    if (outcome != SOCKS_FAILED) {
        f->told = true;
        err_wrap(&why, "%s port %u", f->o.target.host, f->o.target.port);
    }
    farewell(f, &why, outcome);
}

void greeting_expired(struct flow *f)
{
    struct err err = {0};
    bool began = f->greeting->socks.protocol != SOCKS_UNKNOWN;
    err_set(&err, ERR_TIMEOUT, "a client did not say within %u s where to connect to", GREETING_MS / 1000);
    f->told = true; /* those who connect ahead of their need do it all the time */
    flow_end(f, began ? &err : NULL, false);
}

static void stop_reading(struct flow *f)
{
    f->reading = false;
    uv_read_stop(&f->local.stream);
}

static void refuse_request(struct flow *f)
{
    struct err err = {0};
    enum socks_outcome outcome = f->greeting->socks.outcome;
    err_set(&err, ERR_PROTOCOL, "a client's request: %s", socks_outcome_text(outcome));
    farewell(f, &err, outcome);
}

static void take_request(struct flow *f, const char *rest, size_t n)
{
    struct greeting *g = f->greeting;
    struct err err = {0};
    flow_detach(f);
    if (n > 0 && !(g->early = mem_alloc(n))) {
        err_set(&err, ERR_NOMEM, "out of memory");
        greeting_refuse(f, &err);
        return;
    }
    if (n > 0)
        memcpy(g->early, rest, n);
    g->early_len = n;
    f->o.target = (struct ssh_target){.kind = SSH_TARGET_TCP, .host = g->socks.host, .port = g->socks.port};
    if (f->o.cls != POOL_BULK)
        f->o.cls = pool_policy_class(0, g->socks.port, false);
    if (vm_check(f->o.vm, &err) < 0 || flow_line_up(f, &err) < 0)
        greeting_refuse(f, &err);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct flow *f = h->data;
    *buf = uv_buf_init(f->plane->scratch, GREETING_READ);
}

static void on_read(uv_stream_t *s, ssize_t nread, const uv_buf_t *buf)
{
    struct flow *f = s->data;
    if (nread == 0)
        return;
    if (nread < 0) {
        flow_end(f, NULL, nread != UV_EOF);
        return;
    }
    const char *at = buf->base;
    size_t left = (size_t)nread, used;
    enum socks_progress p;
    while ((p = socks_feed(&f->greeting->socks, (const uint8_t *)at, left, &used)) == SOCKS_METHOD) {
        at += used;
        left -= used;
        if (!flow_say(f, SOCKS_METHOD_REPLY, sizeof SOCKS_METHOD_REPLY - 1)) {
            flow_end(f, NULL, true);
            return;
        }
    }
    if (p == SOCKS_MORE)
        return;
    stop_reading(f);
    if (p == SOCKS_BAD)
        refuse_request(f);
    else
        take_request(f, at + used, left - used);
}

/* Whoever means it says it at once: it is the oldest that waits for nothing. */
static void make_room(struct plane *p)
{
    if (p->greeting_count < GREETING_MAX)
        return;
    struct err err = {0};
    err_set(&err, ERR_LIMIT, "%u clients are connected and do not say where to: the oldest is closed",
            GREETING_MAX);
    struct greeting *oldest = container_of(list_first(&p->greetings), struct greeting, node);
    flow_end(oldest->flow, &err, true);
}

int greeting_start(struct flow *f, struct err *err)
{
    struct greeting *g = mem_zalloc(sizeof *g);
    if (!g)
        return err_set(err, ERR_NOMEM, "out of memory");
    make_room(f->plane);
    f->greeting = g;
    g->flow = f;
    list_init(&g->node);
    list_push(&f->plane->greetings, &g->node);
    f->plane->greeting_count++;
    f->state = FLOW_GREETING;
    int r = uv_read_start(&f->local.stream, on_alloc, on_read);
    if (r < 0)
        return err_uv(err, r, "read");
    f->reading = true;
    return timer_start(&f->timer, GREETING_MS) < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

bool greeting_opened(struct flow *f)
{
    char reply[SOCKS_REPLY_MAX];
    size_t n = socks_reply(&f->greeting->socks, SOCKS_CONNECTED, reply);
    if (flow_say(f, reply, n))
        return true;
    flow_end(f, NULL, true);
    return false;
}

void greeting_push(struct flow *f)
{
    struct greeting *g = f->greeting;
    if (g->err.code)
        return;
    f->starved = false;
    while (g->early_sent < g->early_len && f->chan && f->up == FLOW_UP_OPEN) {
        uv_buf_t room;
        if (!ssh_chan_tx_reserve(f->chan, &room)) {
            f->starved = true; /* nothing is read meanwhile */
            return;
        }
        size_t n = g->early_len - g->early_sent;
        n = n < room.len ? n : room.len;
        memcpy(room.base, g->early + g->early_sent, n);
        g->early_sent += n;
        f->o.counters->out += n;
        ssh_chan_tx_commit(f->chan, n);
    }
    greeting_free(f);
}
