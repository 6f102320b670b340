/*
 * assertion: one job of the thread pool, which owns all that it works on and so may outlive who asked for it.
 */
#include "assertion.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct assertion {
    uv_work_t work;
    char *path, *password, *client, *audience;
    enum jwt_alg alg;
    bool with_chain;
    struct blob jwt;
    struct err err;
    assertion_cb cb; /* NULL once canceled */
    void *arg;
};

static void assertion_free(struct assertion *a)
{
    if (a->password)
        mem_free_secret(a->password, strlen(a->password));
    blob_done(&a->jwt);
    mem_free(a->path);
    mem_free(a->client);
    mem_free(a->audience);
    mem_free(a);
}

static void on_work(uv_work_t *work)
{
    struct assertion *a = work->data;
    struct cert_file cert;
    struct jwt_claims claims = {a->client, a->audience, clock_wall_ms() / 1000, a->with_chain};
    if (cert_file_read(&cert, a->path, a->password, &a->err))
        return;
    jwt_sign(&a->jwt, &cert, a->alg, &claims, &a->err);
    cert_file_done(&cert);
}

static void on_done(uv_work_t *work, int status)
{
    struct assertion *a = work->data;
    (void)status; /* a canceled one has no callback any more */
    if (a->cb)
        a->cb(a->arg, a->err.code ? NULL : &a->jwt, a->err.code ? &a->err : NULL);
    assertion_free(a);
}

int assertion_start(uv_loop_t *loop, const struct assertion_ask *ask, assertion_cb cb, void *arg,
                    struct assertion **out, struct err *err)
{
    struct assertion *a = mem_zalloc(sizeof(*a));
    if (!a)
        return err_set(err, ERR_NOMEM, "out of memory");
    a->path = mem_strdup(ask->path);
    a->password = mem_strdup(ask->password);
    a->client = mem_strdup(ask->client);
    a->audience = mem_strdup(ask->audience);
    a->alg = ask->alg;
    a->with_chain = ask->with_chain;
    a->cb = cb;
    a->arg = arg;
    a->work.data = a;
    int rc = !a->path || !a->client || !a->audience || (ask->password && !a->password)
                 ? err_set(err, ERR_NOMEM, "out of memory")
                 : 0;
    int queued = rc ? 0 : uv_queue_work(loop, &a->work, on_work, on_done);
    if (queued)
        rc = err_uv(err, queued, "certificate");
    if (rc)
        assertion_free(a);
    else
        *out = a;
    return rc;
}

void assertion_cancel(struct assertion *a)
{
    a->cb = NULL;
    uv_cancel((uv_req_t *)&a->work); /* on_done comes either way */
}
