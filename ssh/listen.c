/*
 * listen: places where the server listens for us, and the channels that come in there.
 *
 *   ASKED ──yes──▶ LISTENING ──let go──▶ LEAVING ──all answered──▶ freed
 *     │ └──no──▶ closed(refused)        ▲
 *     └──let go──────────────────────────────┘ at once, or, when the server is to choose the port, once it
 * has
 *
 * A channel is taken only for a place that the server said it listens at, named as we named it: everything
 * else that a server opens is refused. The engine brings answers in the order of the requests.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "conn.h"
#include "text.h"

#define NAME_MAX_BYTES 1024 /* of a host or a path */

enum listen_state { LISTEN_ASKED, LISTEN_LISTENING, LISTEN_LEAVING };

struct ssh_listen {
    struct list node; /* of the connection's listens */
    struct ssh_conn *conn;
    struct ssh_listen_events events;
    void *arg;
    enum listen_state state;
    bool let_go;       /* nobody is to be told any more */
    unsigned awaiting; /* answers */
    enum ssh_target_kind kind;
    char *name; /* host or path */
    uint16_t port;
};

static const struct {
    const char *listen, *leave, *channel;
} names[] = {
    [SSH_TARGET_TCP] = {"tcpip-forward", "cancel-tcpip-forward", "forwarded-tcpip"},
    [SSH_TARGET_UNIX] = {"streamlocal-forward@openssh.com", "cancel-streamlocal-forward@openssh.com",
                         "forwarded-streamlocal@openssh.com"},
};

static void listen_free(struct ssh_listen *l)
{
    list_remove(&l->node);
    l->conn->listen_count--;
    mem_free(l->name);
    mem_free(l);
}

static int ask(struct ssh_listen *l, const char *what, struct err *err)
{
    struct ssh_engine *e = l->conn->engine;
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_cstr(&w, l->name);
    if (l->kind == SSH_TARGET_TCP)
        wire_put_u32(&w, l->port);
    struct ssh_request req = {.name = what, .message = w.data, .message_len = w.len, .owner = l};
    int rc = wire_write_ok(&w) ? e->ops->request(e, &req, err) : err_set(err, ERR_NOMEM, "out of memory");
    wire_write_done(&w);
    l->awaiting += rc == 0;
    return rc;
}

/* Taking one of two back would end both. */
static bool is_there(const struct ssh_conn *c, const struct ssh_bind *bind, const char *name)
{
    const struct ssh_listen *l;
    list_each(l, &c->listens, struct ssh_listen, node)
    {
        if (!l->let_go && l->kind == bind->kind && strcmp(l->name, name) == 0 &&
            (l->kind == SSH_TARGET_UNIX || (l->port == bind->port && l->port != 0)))
            return true;
    }
    return false;
}

static int check(const struct ssh_conn *c, const struct ssh_bind *bind, struct err *err)
{
    const char *name = bind->kind == SSH_TARGET_TCP ? bind->host : bind->path;
    if (c->state != SSH_CONN_UP || c->failed || c->silent)
        return err_set(err, ERR_CLOSED, "the SSH connection is not up");
    if (!c->engine->ops->request)
        return err_set(err, ERR_UNSUPPORTED,
                       "remote forwards need the engine native, and this connection has %s",
                       c->engine->ops->name);
    if (!name || strlen(name) > NAME_MAX_BYTES || (bind->kind == SSH_TARGET_UNIX && !*name))
        return err_set(err, ERR_INVAL, "the name of the place to listen at is empty or too long");
    if (c->listen_count >= SSH_LISTENS_MAX)
        return err_set(err, ERR_LIMIT, "the SSH connection has %d remote forwards already", SSH_LISTENS_MAX);
    if (is_there(c, bind, name))
        return err_set(err, ERR_EXISTS, "the server listens there for us already");
    return 0;
}

int ssh_listen_open(struct ssh_listen **out, struct ssh_conn *c, const struct ssh_bind *bind,
                    const struct ssh_listen_events *events, void *arg, struct err *err)
{
    int rc = check(c, bind, err);
    if (rc < 0)
        return rc;
    struct ssh_listen *l = mem_zalloc(sizeof *l);
    char *name = mem_strdup(bind->kind == SSH_TARGET_TCP ? bind->host : bind->path);
    if (!l || !name) {
        mem_free(l);
        mem_free(name);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    l->conn = c;
    l->events = *events;
    l->arg = arg;
    l->kind = bind->kind;
    l->name = name;
    l->port = bind->kind == SSH_TARGET_TCP ? bind->port : 0;
    list_init(&l->node);
    list_push(&c->listens, &l->node);
    c->listen_count++;
    rc = ask(l, names[l->kind].listen, err);
    if (rc < 0)
        listen_free(l);
    else
        *out = l;
    return rc;
}

static void leave(struct ssh_listen *l)
{
    struct err err;
    l->state = LISTEN_LEAVING;
    if (ask(l, names[l->kind].leave, &err) < 0)
        ssh_conn_fail(l->conn, &err);
}

void ssh_listen_close(struct ssh_listen *l)
{
    struct ssh_conn *c = l->conn;
    l->let_go = true;
    bool known = l->kind == SSH_TARGET_UNIX || l->port != 0;
    if (known && c->state == SSH_CONN_UP && !c->failed && !c->silent)
        leave(l);
}

static void refused(struct ssh_listen *l, const struct ssh_answer *answer)
{
    struct err why;
    if (answer->said)
        err_set(&why, ERR_DENIED, "%s", answer->said);
    else
        err_set(&why, ERR_REFUSED, "no reason was given");
    void (*closed)(void *arg, const struct err *err) = l->events.closed;
    void *arg = l->arg;
    listen_free(l);
    closed(arg, &why);
}

/* RFC 4254 §7.1: only where the server chose the port, the answer names it. */
static int take_port(struct ssh_listen *l, const struct ssh_answer *answer)
{
    struct wire_reader r;
    if (l->kind != SSH_TARGET_TCP || l->port != 0)
        return 0;
    wire_read_init(&r, answer->message, answer->message_len);
    uint32_t port = wire_get_u32(&r);
    if (!wire_ok(&r) || port == 0 || port > UINT16_MAX)
        return ERR_PROTOCOL;
    l->port = (uint16_t)port;
    return 0;
}

void ssh_listen_up_answered(void *owner, const struct ssh_answer *answer)
{
    struct ssh_listen *l = owner;
    struct err err;
    l->awaiting--;
    if (l->state == LISTEN_LEAVING || (l->let_go && !answer->ok)) {
        if (l->awaiting == 0)
            listen_free(l);
    } else if (!answer->ok) {
        refused(l, answer);
    } else if (take_port(l, answer) < 0) {
        err_set(&err, ERR_PROTOCOL, "the server listens, and does not say on which port");
        ssh_conn_fail(l->conn, &err);
    } else if (l->let_go) {
        leave(l);
    } else {
        l->state = LISTEN_LISTENING;
        l->events.listening(l->arg, l->port);
    }
}

/* ---- channels that come in ---- */

static bool str_is(const uint8_t *data, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(data, text, len) == 0;
}

static struct ssh_listen *find(struct ssh_conn *c, const struct ssh_incoming *in, char *host, size_t size,
                               struct ssh_origin *from)
{
    struct ssh_listen *l;
    struct wire_reader r;
    wire_read_init(&r, in->message, in->message_len);
    struct wire_str name = wire_get_str(&r), who = {0};
    bool tcp = str_is(in->type, in->type_len, names[SSH_TARGET_TCP].channel);
    uint32_t port = tcp ? wire_get_u32(&r) : 0;
    if (tcp) {
        who = wire_get_str(&r);
        from->port = (uint16_t)wire_get_u32(&r);
    }
    ssh_text_clean(host, size, who.data, who.len);
    from->host = host;
    if (!wire_ok(&r))
        return NULL;
    list_each(l, &c->listens, struct ssh_listen, node)
    {
        if (l->state == LISTEN_LISTENING && !l->let_go && port == l->port &&
            str_is(in->type, in->type_len, names[l->kind].channel) && str_is(name.data, name.len, l->name))
            return l;
    }
    return NULL;
}

void ssh_listen_up_incoming(void *conn, const struct ssh_incoming *in)
{
    struct ssh_conn *c = conn;
    const struct ssh_engine_ops *ops = c->engine->ops;
    struct ssh_origin from = {0};
    char host[128];
    struct ssh_listen *l = c->failed || c->silent ? NULL : find(c, in, host, sizeof host, &from);
    if (!l) {
        ops->refuse(in->chan, SSH_REFUSED_PROHIBITED, "nothing was asked to be forwarded from there");
        return;
    }
    struct ssh_chan *ch = c->chan_count < SSH_CHANNELS_MAX ? mem_zalloc(sizeof *ch) : NULL;
    if (!ch) {
        ops->refuse(in->chan, SSH_REFUSED_SHORTAGE, "too many channels");
        return;
    }
    ch->incoming = true;
    ch->ec = in->chan;
    ch->since_ms = clock_now(c->opt.clock);
    in->chan->owner = ch;
    ssh_chan_enter(ch, c);
    if (!l->events.incoming(l->arg, ch, &from))
        ssh_chan_refuse(ch, "no connection more is taken");
}

void ssh_chan_take(struct ssh_chan *ch, const struct ssh_chan_events *events, void *arg)
{
    ch->events = *events;
    ch->arg = arg;
}

void ssh_chan_accept(struct ssh_chan *ch)
{
    struct ssh_conn *c = ch->conn;
    struct err err;
    ch->incoming = false;
    ch->open = true;
    if (!ch->ended && !c->failed && !c->silent && c->engine->ops->accept(ch->ec, &err) < 0)
        ssh_conn_fail(c, &err);
}

void ssh_chan_refuse(struct ssh_chan *ch, const char *why)
{
    if (ch->ended)
        return;
    struct ssh_conn *c = ch->conn;
    ssh_chan_leave(ch);
    c->engine->ops->refuse(ch->ec, SSH_REFUSED_CONNECT, why);
    mem_free(ch);
}

void ssh_listen_end_all(struct ssh_conn *c, const struct err *err)
{
    struct list *node;
    while ((node = list_first(&c->listens)) != NULL) {
        struct ssh_listen *l = container_of(node, struct ssh_listen, node);
        void (*closed)(void *arg, const struct err *err) = l->let_go ? NULL : l->events.closed;
        void *arg = l->arg;
        listen_free(l);
        if (closed)
            closed(arg, err);
    }
}
