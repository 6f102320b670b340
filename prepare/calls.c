/*
 * calls: keeps what is under way in a list, takes each answer off it, and wakes the run.
 */
#include "calls.h"

#include <jansson.h>

#include "base/mem.h"
#include "ref.h"
#include "run.h"
#include "write.h"

struct call {
    struct list node; /* prepare_run.calls */
    struct prepare_run *run;
    struct azure_req *req; /* one of these four is set */
    struct azure_lro *lro;
    struct write *write;
    void *hand;
    call_cb done;
    call_text_cb done_text;
    size_t tag;
};

static struct call *call_new(struct prepare_run *run, call_cb done, size_t tag, struct err *err)
{
    struct call *c = mem_zalloc(sizeof(*c));
    if (!c) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    c->run = run;
    c->done = done;
    c->tag = tag;
    list_push(&run->calls, &c->node);
    return c;
}

static void call_free(struct call *c)
{
    list_remove(&c->node);
    mem_free(c);
}

static void finish(struct call *c, const json_t *doc, const struct err *err)
{
    struct prepare_run *run = c->run;
    call_cb done = c->done;
    size_t tag = c->tag;
    call_free(c);
    run_wake(run);
    done(run, tag, err ? NULL : doc, err);
}

static void on_reply(void *arg, const struct azure_reply *reply, const struct err *err)
{
    finish(arg, reply ? reply->json : NULL, err);
}

static void on_result(void *arg, const json_t *result, const struct err *err)
{
    finish(arg, result, err);
}

static void on_text(void *arg, const char *text, const struct err *err)
{
    struct call *c = arg;
    struct prepare_run *run = c->run;
    call_text_cb done = c->done_text;
    call_free(c);
    run_wake(run);
    done(run, err ? NULL : text, err);
}

enum kind { GET, POST_READ, WRITE };

static int begin(struct call *c, enum kind kind, const struct call_change *change, struct err *err)
{
    struct prepare_run *run = c->run;
    char *path = ref_path(change->id, change->below, change->query);
    struct azure_call call = {
        .method = change->method, .path = path, .body = change->body, .deadline_ms = change->deadline_ms};
    int rc = ERR_NOMEM;
    if (!path)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (kind == GET)
        rc = azure_send(run->o.azure, &call, on_reply, c, &c->req, err);
    else if (kind == POST_READ)
        rc = azure_lro_start(run->o.azure, &call, on_result, c, &c->lro, err);
    else
        rc = write_start(&c->write, run->o.azure, run->o.clock, &call, on_result, c, err);
    mem_free(path);
    if (rc < 0)
        call_free(c);
    return rc;
}

int call_get(struct prepare_run *run, const char *id, const char *below, const char *query, call_cb done,
             size_t tag, struct err *err)
{
    struct call *c = call_new(run, done, tag, err);
    struct call_change get = {.method = "GET", .id = id, .below = below, .query = query};
    return c ? begin(c, GET, &get, err) : ERR_NOMEM;
}

int call_post_read(struct prepare_run *run, const char *id, const char *below, const char *query,
                   call_cb done, size_t tag, struct err *err)
{
    struct call *c = call_new(run, done, tag, err);
    struct call_change post = {
        .method = "POST", .id = id, .below = below, .query = query, .deadline_ms = 120000};
    return c ? begin(c, POST_READ, &post, err) : ERR_NOMEM;
}

int call_write(struct prepare_run *run, const struct call_change *change, call_cb done, size_t tag,
               struct err *err)
{
    struct call *c = call_new(run, done, tag, err);
    return c ? begin(c, WRITE, change, err) : ERR_NOMEM;
}

void call_write_note(const struct prepare_run *run, char *out, size_t size)
{
    struct call *c;
    out[0] = 0;
    list_each(c, &run->calls, struct call, node)
    {
        if (c->write && !out[0])
            write_note(c->write, out, size);
    }
}

int call_locate(struct prepare_run *run, call_text_cb done, struct err *err)
{
    struct call *c = call_new(run, NULL, 0, err);
    if (!c)
        return ERR_NOMEM;
    c->done_text = done;
    c->hand = run->o.hands.locate(run->o.hands.self, on_text, c, err);
    if (c->hand)
        return 0;
    call_free(c);
    return err->code;
}

int call_knock(struct prepare_run *run, uint32_t deadline_ms, call_text_cb done, struct err *err)
{
    struct call *c = call_new(run, NULL, 0, err);
    if (!c)
        return ERR_NOMEM;
    c->done_text = done;
    c->hand = run->o.hands.knock(run->o.hands.self, deadline_ms, on_text, c, err);
    if (c->hand)
        return 0;
    call_free(c);
    return err->code;
}

void calls_cancel(struct prepare_run *run)
{
    struct call *c;
    list_each(c, &run->calls, struct call, node)
    {
        if (c->req)
            azure_cancel(c->req);
        else if (c->lro)
            azure_lro_cancel(c->lro);
        else if (c->write)
            write_cancel(c->write);
        else if (c->hand)
            run->o.hands.cancel(run->o.hands.self, c->hand);
        call_free(c);
    }
}
