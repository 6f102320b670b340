/*
 * Cancelling, closing and running out of memory at every point of a request's life; and what the log must
 * never hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "azure/http.h"
#include "base/log.h"
#include "base/mem.h"
#include "rig.h"

#define TURNS 40

static void answers(struct rig *rig)
{
    fake_arm_on(rig->arm, "GET /x", 401, NULL, "{\"error\":{\"code\":\"ExpiredAuthenticationToken\"}}");
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
}

static void cancel_after_every_turn(void **state)
{
    struct rig *rig = *state;
    for (unsigned n = 0; n < TURNS; n++) {
        struct told told = {0};
        rig_reopen(rig, &(struct rig_options){0});
        fake_arm_forget(rig->arm, "GET /x");
        answers(rig);
        struct azure_req *req = rig_send(rig, "GET", "/x", 0, &told);
        for (unsigned i = 0; i < n && told.count == 0; i++)
            rig_turns(rig, 1);
        bool over = told.count > 0;
        if (!over)
            azure_cancel(req);
        rig_turns(rig, 3);
        assert_int_equal(told.count, over ? 1 : 0);
        told_done(&told);
    }
}

static void close_after_every_turn(void **state)
{
    struct rig *rig = *state;
    for (unsigned n = 0; n < TURNS; n++) {
        struct told told[3] = {{0}};
        rig_reopen(rig, &(struct rig_options){.requests_max = 2});
        fake_arm_forget(rig->arm, "GET /x");
        answers(rig);
        for (int i = 0; i < 3; i++)
            rig_send(rig, "GET", "/x", 0, &told[i]);
        rig_turns(rig, n);
        rig_close_azure(rig);
        for (int i = 0; i < 3; i++)
            told_done(&told[i]);
    }
}

struct closer {
    struct rig *rig;
    unsigned count, closed;
};

static void on_closed(void *arg)
{
    ((struct closer *)arg)->closed++;
}

static void close_at_reply(void *arg, const struct azure_reply *reply, const struct err *err)
{
    struct closer *c = arg;
    c->count++;
    azure_close(c->rig->azure, on_closed, c);
    c->rig->azure = NULL;
}

static void closed_by_its_own_callback(void **state)
{
    struct rig *rig = *state;
    struct azure_req *req;
    struct err err;
    struct azure_call call = {.method = "GET", .path = "/x"};
    fake_arm_on(rig->arm, "GET /x", 200, NULL, "{}");
    struct closer at_reply = {rig, 0, 0};
    struct told other = {0};
    assert_int_equal(azure_send(rig->azure, &call, close_at_reply, &at_reply, &req, &err), 0);
    rig_send(rig, "GET", "/y", 0, &other);
    rig_until(rig, &at_reply.closed, 1);
    assert_int_equal(at_reply.count, 1);
    told_done(&other);
    /* And by one that hears of a failed sign-in, while others wait for the same token. */
    fake_arm_forget(rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(rig->arm, RIG_TOKEN_ROUTE, 400, NULL, "{\"error\":\"invalid_client\"}");
    rig_reopen(rig, &(struct rig_options){0});
    struct closer at_refusal = {rig, 0, 0};
    memset(&other, 0, sizeof(other));
    assert_int_equal(azure_send(rig->azure, &call, close_at_reply, &at_refusal, &req, &err), 0);
    rig_send(rig, "GET", "/y", 0, &other);
    rig_until(rig, &at_refusal.closed, 1);
    assert_int_equal(at_refusal.count, 1);
    assert_int_equal(other.count, 0);
}

#define GROUP 6

struct member {
    struct member *all; /* GROUP of them */
    struct http_req *req;
};

static unsigned group_told, group_closed;

/* Whoever is told first cancels all the others, whose results are there already. */
static void cancel_the_others(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct member *self = arg;
    group_told++;
    assert_non_null(err);
    assert_int_equal(reply->failure, HTTP_IMPOSSIBLE);
    for (int i = 0; i < GROUP; i++)
        if (&self->all[i] != self)
            http_cancel(self->all[i].req);
}

static void on_group_closed(void *arg)
{
    group_closed++;
}

/* Plain http is refused by curl before any socket is made, so that all of them end in the same turn of the
 * loop. */
static void ended_together_cancelled_by_the_first(void **state)
{
    struct rig *rig = *state;
    struct readyq *ready;
    struct http *http;
    struct err err;
    struct member members[GROUP];
    struct http_call call = {.method = "GET", .url = "http://127.0.0.1:1/x", .timeout_ms = 1000};
    assert_int_equal(readyq_new(&ready, &rig->loop), 0);
    struct http_options options = {.loop = &rig->loop, .ready = ready};
    assert_int_equal(http_new(&http, &options, &err), 0);
    group_told = group_closed = 0;
    for (int i = 0; i < GROUP; i++) {
        members[i].all = members;
        assert_int_equal(http_send(http, &call, cancel_the_others, &members[i], &members[i].req, &err), 0);
    }
    rig_until(rig, &group_told, 1);
    rig_turns(rig, 5);
    assert_int_equal(group_told, 1);
    http_close(http, on_group_closed, NULL);
    rig_until(rig, &group_closed, 1);
    readyq_close(ready, on_group_closed, NULL);
    rig_until(rig, &group_closed, 2);
}

/* The k-th allocation of the request's whole life fails: it is told, or was refused at once, and all goes on.
 */
static void no_memory_at_any_point(void **state)
{
    struct rig *rig = *state;
    long k, taken = 1;
    for (k = 0; k < 200 && taken; k++) {
        struct told told = {0};
        struct azure_req *req;
        struct err err;
        struct azure_call call = {.method = "GET", .path = "/x", .deadline_ms = 400};
        rig_reopen(rig, &(struct rig_options){0});
        fake_arm_forget(rig->arm, "GET /x");
        answers(rig);
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = azure_send(rig->azure, &call, told_cb, &told, &req, &err);
        if (rc == 0)
            rig_until(rig, &told.count, 1);
        else
            assert_int_equal(rc, ERR_NOMEM);
        taken = mem_allocations() - before > k;
        mem_fail_after(-1);
        if (rc == 0 && told.err.code)
            assert_true(told.err.code == ERR_NOMEM || told.err.code == ERR_UNAVAILABLE ||
                        told.err.code == ERR_TIMEOUT);
        told_done(&told);
    }
    assert_true(k > 20 && k < 200);
}

static void log_holds_no_secret(void **state)
{
    struct rig *rig = *state;
    struct told told = {0};
    char text[65536];
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    log_init(fd[1], LOG_DEBUG, LOG_TEXT);
    answers(rig);
    rig_send(rig, "GET", "/x?sig=signature", 0, &told);
    rig_until(rig, &told.count, 1);
    told_done(&told);
    log_init(STDERR_FILENO, LOG_WARN, LOG_TEXT);
    close(fd[1]);
    ssize_t n = read(fd[0], text, sizeof(text) - 1);
    close(fd[0]);
    assert_true(n > 0);
    text[n] = 0;
    assert_contains(text, "GET /x: 200");
    assert_null(strstr(text, RIG_SECRET));
    assert_null(strstr(text, "s3cr3t"));
    assert_null(strstr(text, RIG_TOKEN));
    assert_null(strstr(text, "signature"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cancel_after_every_turn, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(close_after_every_turn, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(closed_by_its_own_callback, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(ended_together_cancelled_by_the_first, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(no_memory_at_any_point, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(log_holds_no_secret, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
