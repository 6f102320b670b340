/*
 * rig: sets the common parts up and takes them down.
 */
#include "rig.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000u

static void on_tick(uv_timer_t *t)
{
}

static void mark(void *arg)
{
    ++*(unsigned *)arg;
}

void rig_close_azure(struct rig *rig)
{
    unsigned closed = 0;
    if (!rig->azure)
        return;
    azure_close(rig->azure, mark, &closed);
    rig->azure = NULL;
    rig_until(rig, &closed, 1);
}

void rig_reopen(struct rig *rig, const struct rig_options *o)
{
    struct azure_options options = {.loop = &rig->loop,
                                    .clock = rig->clock,
                                    .ca_file = o->no_ca ? NULL : fake_arm_ca_file(rig->arm),
                                    .credential = o->credential ? o->credential : "auto",
                                    .tenant = o->tenant,
                                    .login_file = o->login_file,
                                    .requests_max = o->requests_max};
    struct err err;
    rig_close_azure(rig);
    const char *url = fake_arm_url(rig->arm);
    if (azure_cloud_custom(&options.cloud, o->arm_url ? o->arm_url : url, url, &err) ||
        azure_new(&rig->azure, &options, &err))
        fail_msg("%s", err.msg);
}

int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    static const char *const cleared[] = {"HTTPS_PROXY",
                                          "https_proxy",
                                          "ALL_PROXY",
                                          "all_proxy",
                                          "AZURE_SUBSCRIPTION_ID",
                                          "AZURE_AUTHORITY_HOST",
                                          "AZURE_TOKEN_CREDENTIALS",
                                          "AZURE_CLIENT_CERTIFICATE_PATH",
                                          "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                          "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
                                          "AZURE_FEDERATED_TOKEN_FILE",
                                          "IDENTITY_ENDPOINT",
                                          "IDENTITY_HEADER",
                                          "IDENTITY_SERVER_THUMBPRINT",
                                          "IMDS_ENDPOINT"};
    for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
        unsetenv(cleared[i]);
    /* No credential but the environment's may be found here, whatever machine this is. */
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1", 1);
    setenv("PATH", "/nonexistent", 1);
    setenv("AZURE_TENANT_ID", RIG_TENANT, 1);
    setenv("AZURE_CLIENT_ID", "22222222-2222-2222-2222-222222222222", 1);
    setenv("AZURE_CLIENT_SECRET", RIG_SECRET, 1);
    uv_loop_init(&rig->loop);
    uv_timer_init(&rig->loop, &rig->tick);
    uv_timer_start(&rig->tick, on_tick, 5, 5);
    if (clock_new(&rig->clock, &rig->loop))
        return -1;
    rig->arm = fake_arm_new(&rig->loop);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 200, NULL, RIG_TOKEN_BODY(RIG_TOKEN));
    rig_reopen(rig, &(struct rig_options){0});
    *state = rig;
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    unsigned closed = 0;
    rig_close_azure(rig);
    fake_arm_close(rig->arm);
    clock_close(rig->clock, mark, &closed);
    rig_until(rig, &closed, 1);
    uv_close((uv_handle_t *)&rig->tick, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&rig->loop);
    free(rig);
    return rc;
}

void rig_until(struct rig *rig, const unsigned *flag, unsigned n)
{
    uint64_t end = uv_hrtime() / 1000000 + PATIENCE_MS;
    while (*flag < n) {
        if (uv_hrtime() / 1000000 > end)
            fail_msg("waited in vain for %u, have %u", n, *flag);
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

void rig_until_hits(struct rig *rig, const char *prefix, unsigned n)
{
    uint64_t end = uv_hrtime() / 1000000 + PATIENCE_MS;
    while (fake_arm_hits(rig->arm, prefix) < n) {
        if (uv_hrtime() / 1000000 > end)
            fail_msg("waited in vain for %u of %s, have %u", n, prefix, fake_arm_hits(rig->arm, prefix));
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

void rig_turns(struct rig *rig, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        uv_run(&rig->loop, UV_RUN_ONCE);
}

uint64_t rig_advance_until(struct rig *rig, const unsigned *flag, unsigned n)
{
    uint64_t start = clock_now(rig->clock), end = uv_hrtime() / 1000000 + PATIENCE_MS;
    while (*flag < n) {
        if (uv_hrtime() / 1000000 > end)
            fail_msg("waited in vain for %u, have %u", n, *flag);
        rig_turns(rig, 4);
        if (*flag < n)
            clock_test_advance(rig->clock, 50);
    }
    return clock_now(rig->clock) - start;
}

void told_done(struct told *t)
{
    json_decref(t->json);
    t->json = NULL;
}

void told_cb(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct told *t = arg;
    t->count++;
    t->has_reply = reply != NULL;
    t->status = reply ? reply->status : 0;
    t->json = reply ? json_incref(reply->json) : NULL;
    err_clear(&t->err);
    if (err)
        t->err = *err;
}

struct azure_req *rig_send(struct rig *rig, const char *method, const char *path, uint32_t deadline_ms,
                           struct told *told)
{
    struct azure_call call = {.method = method, .path = path, .deadline_ms = deadline_ms};
    struct azure_req *req = NULL;
    struct err err;
    err_clear(&err);
    if (azure_send(rig->azure, &call, told_cb, told, &req, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(told->count, 0);
    return req;
}
