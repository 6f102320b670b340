/*
 * global: requests about the whole connection (RFC 4254 §4): the server's, none of which we follow, and ours.
 *
 * Answers carry no number: they come in the order of the requests, so each of ours waits in a line for the
 * one at the head, a sign of life like any other.
 */
#include "../text.h"
#include "base/mem.h"
#include "native.h"

struct native_request {
    struct list node; /* native.requests */
    void *owner;      /* NULL: a ping */
    uint64_t sent_ns;
};

static int answer(struct native *n, struct wire_reader *r, struct err *err)
{
    struct wire_writer w;
    (void)wire_get_str(r);
    bool wanted = wire_get_bool(r);
    if (!wire_ok(r))
        return native_wrong("a malformed request", err);
    if (!wanted)
        return 0;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_REQUEST_FAILURE);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    return rc;
}

int global_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err)
{
    if (type == MSG_GLOBAL_REQUEST)
        return answer(n, r, err);
    struct list *node = list_pop(&n->requests);
    if (!node)
        return native_wrong("an answer to no request", err);
    struct native_request *q = container_of(node, struct native_request, node);
    void *owner = q->owner;
    uint64_t took = uv_hrtime() - q->sent_ns;
    struct ssh_answer a = {.ok = type == MSG_REQUEST_SUCCESS,
                           .message = r->p,
                           .message_len = (size_t)(r->end - r->p),
                           .said = n->said[0] && n->in.seq == n->said_seq ? n->said : NULL};
    mem_free(q);
    if (owner) {
        n->base.up->answered(owner, &a);
        return 0;
    }
    n->rtt_ns = n->rtt_ns == 0 || took < n->rtt_ns ? took : n->rtt_ns;
    n->base.up->pong(n->base.conn);
    return 0;
}

static int send_request(struct native *n, const struct ssh_request *req, struct err *err)
{
    struct wire_writer w;
    struct native_request *q = mem_zalloc(sizeof *q);
    if (!q)
        return err_set(err, ERR_NOMEM, "out of memory");
    wire_write_init(&w);
    wire_put_u8(&w, MSG_GLOBAL_REQUEST);
    wire_put_cstr(&w, req->name);
    wire_put_bool(&w, true);
    wire_put_bytes(&w, req->message, req->message_len);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    if (rc < 0) {
        mem_free(q);
        return rc;
    }
    q->owner = req->owner;
    q->sent_ns = uv_hrtime();
    list_init(&q->node);
    list_push(&n->requests, &q->node);
    return 0;
}

int native_request(struct ssh_engine *e, const struct ssh_request *req, struct err *err)
{
    return send_request(native_of(e), req, err);
}

/* OpenSSH's PROTOCOL: any answer will do, and the usual one is "failure". */
int native_ping(struct ssh_engine *e, struct err *err)
{
    struct ssh_request req = {.name = "keepalive@openssh.com"};
    int rc = send_request(native_of(e), &req, err);
    return rc < 0 ? rc : 1;
}

/* RFC 4253 §11.3; with one right before its answer, sshd says why it does not listen. */
void global_said(struct native *n, struct wire_reader *r)
{
    (void)wire_get_bool(r);
    struct wire_str text = wire_get_str(r);
    if (!wire_ok(r) || list_empty(&n->requests))
        return;
    ssh_text_clean(n->said, sizeof n->said, text.data, text.len);
    n->said_seq = n->in.seq + 1;
}

void global_done(struct native *n)
{
    struct list *node;
    while ((node = list_pop(&n->requests)) != NULL)
        mem_free(container_of(node, struct native_request, node));
}
