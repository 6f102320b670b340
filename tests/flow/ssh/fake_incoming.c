/*
 * fake_incoming: the fake engine's requests and the channels that its server opens.
 */
#include <string.h>

#include "base/mem.h"
#include "fake_engine.h"

struct request {
    struct list node;
    void *owner;
};

int fake_request(struct ssh_engine *e, const struct ssh_request *req, struct err *err)
{
    struct fake *f = fake_of(e);
    size_t len = strlen(req->name) + 1;
    struct request *q = mem_zalloc(sizeof *q);
    uint8_t *text = mem_alloc(len + req->message_len);
    int rc = ERR_NOMEM;
    if (q && text) {
        memcpy(text, req->name, len);
        memcpy(text + len, req->message, req->message_len);
        rc = fake_frame(f, FAKE_REQUEST, 0, text, len + req->message_len);
    }
    mem_free(text);
    if (rc < 0) {
        mem_free(q);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    q->owner = req->owner;
    list_init(&q->node);
    list_push(&f->requests, &q->node);
    return 0;
}

int fake_answered(struct fake *f, bool ok, const uint8_t *data, size_t n, struct err *err)
{
    struct list *node = list_pop(&f->requests);
    if (!node)
        return err_set(err, ERR_PROTOCOL, "an answer to no request");
    struct request *q = container_of(node, struct request, node);
    void *owner = q->owner;
    mem_free(q);
    struct ssh_answer a = {.ok = ok, .message = data, .message_len = n};
    f->base.up->answered(owner, &a);
    return 0;
}

int fake_incoming(struct fake *f, uint32_t id, const uint8_t *data, size_t n, struct err *err)
{
    size_t len = strnlen((const char *)data, n);
    struct fake_chan *c = mem_zalloc(sizeof *c);
    if (!c || len == n) {
        mem_free(c);
        return err_set(err, ERR_PROTOCOL, "a channel that makes no sense");
    }
    c->base.engine = &f->base;
    c->id = id;
    list_init(&c->node);
    list_push(&f->chans, &c->node);
    struct ssh_incoming in = {.chan = &c->base,
                              .type = data,
                              .type_len = len,
                              .message = data + len + 1,
                              .message_len = n - len - 1};
    f->base.up->incoming(f->base.conn, &in);
    return 0;
}

int fake_accept(struct ssh_echan *ec, struct err *err)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    struct fake *f = fake_of(ec->engine);
    c->open = true;
    c->window = FAKE_WINDOW;
    int rc = fake_frame(f, FAKE_ACCEPTED, c->id, NULL, 0);
    return rc < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

void fake_refuse(struct ssh_echan *ec, enum ssh_refusal code, const char *why)
{
    struct fake_chan *c = (struct fake_chan *)ec;
    fake_send(fake_of(ec->engine), FAKE_TURNED_DOWN, c->id, why, strlen(why));
    fake_chan_free(c);
}

void fake_requests_done(struct fake *f)
{
    struct list *node;
    while ((node = list_pop(&f->requests)) != NULL)
        mem_free(container_of(node, struct request, node));
}
