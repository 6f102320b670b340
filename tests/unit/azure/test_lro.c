/*
 * Long-running operations: which of ARM's ways to follow them is taken, when, and what their ends are.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure/lro.h"
#include "rig.h"

struct end {
    unsigned count;
    json_t *result;
    struct err err;
};

static void on_end(void *arg, const json_t *result, const struct err *err)
{
    struct end *e = arg;
    e->count++;
    e->result = result ? json_deep_copy(result) : NULL;
    if (err)
        e->err = *err;
}

static struct azure_lro *start(struct rig *rig, const char *method, uint32_t deadline_ms, struct end *e)
{
    struct azure_lro *l;
    struct err err = {0};
    struct azure_call call = {.method = method, .path = "/vm/op?api-version=1", .deadline_ms = deadline_ms};
    memset(e, 0, sizeof *e);
    assert_int_equal(azure_lro_start(rig->azure, &call, on_end, e, &l, &err), 0);
    assert_int_equal(e->count, 0);
    return l;
}

static void end_done(struct end *e)
{
    assert_int_equal(e->count, 1);
    json_decref(e->result);
    e->result = NULL;
}

/* "Name: URL of path" lines; path is longer than any buffer of a guess. */
static const char *header(struct rig *rig, const char *name, const char *path, const char *more)
{
    static char text[16000];
    static char signature[5000];
    memset(signature, 'f', sizeof signature - 1);
    snprintf(text, sizeof text, "%s: %s%s?t=%s\r\n%s", name, fake_arm_url(rig->arm), path, signature, more);
    return text;
}

static void status_document_comes_before_location(void **state)
{
    struct rig *rig = *state;
    struct end e;
    char more[1200], both[16000];
    snprintf(more, sizeof more, "Location: %s/never\r\nRetry-After: 0\r\n", fake_arm_url(rig->arm));
    snprintf(both, sizeof both, "%s", header(rig, "Azure-AsyncOperation", "/ops/1", more));
    fake_arm_on(rig->arm, "POST /vm/op", 202, both, "");
    fake_arm_on(rig->arm, "GET /ops/1", 200, "Retry-After: 0\r\n", "{\"status\":\"InProgress\"}");
    fake_arm_on(rig->arm, "GET /ops/1", 200, "Retry-After: 0\r\n", "{\"status\":\"Working on it\"}");
    fake_arm_on(rig->arm, "GET /ops/1", 200, NULL,
                "{\"status\":\"succeeded\",\"properties\":{\"output\":7}}");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(e.result, "properties"), "output")),
                     7);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /ops/1?t=fff"), 3);
    assert_int_equal(fake_arm_hits(rig->arm, "GET /never"), 0);
    end_done(&e);
}

static void location_is_followed_until_it_is_not_202(void **state)
{
    struct rig *rig = *state;
    struct end e;
    char moved[16000];
    fake_arm_on(rig->arm, "POST /vm/op", 202, header(rig, "Location", "/at/1", "Retry-After: 0\r\n"), "");
    snprintf(moved, sizeof moved, "%s", header(rig, "Location", "/at/2", "Retry-After: 0\r\n"));
    fake_arm_on(rig->arm, "GET /at/1", 202, moved, "");
    fake_arm_on(rig->arm, "GET /at/2", 202, "Retry-After: 0\r\n", "");
    fake_arm_on(rig->arm, "GET /at/2", 200, NULL, "{\"value\":[1,2]}");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    assert_int_equal(json_array_size(json_object_get(e.result, "value")), 2);
    end_done(&e);
    fake_arm_forget(rig->arm, "GET /at/1");
    fake_arm_on(rig->arm, "GET /at/1", 204, NULL, "");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    assert_null(e.result);
    end_done(&e);
}

static void a_put_without_a_url_is_followed_by_its_resource(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "PUT /vm/op", 201, "Retry-After: 0\r\n",
                "{\"properties\":{\"provisioningState\":\"Creating\"}}");
    fake_arm_on(rig->arm, "GET /vm/op?api-version=1", 200, "Retry-After: 0\r\n",
                "{\"properties\":{\"provisioningState\":\"Updating\"}}");
    fake_arm_on(rig->arm, "GET /vm/op?api-version=1", 200, NULL,
                "{\"name\":\"op\",\"properties\":{\"provisioningState\":\"Succeeded\"}}");
    start(rig, "PUT", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    assert_string_equal(json_string_value(json_object_get(e.result, "name")), "op");
    assert_int_equal(fake_arm_hits(rig->arm, "GET /vm/op"), 2);
    end_done(&e);
}

static void final_at_once(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "POST /vm/op", 200, NULL, "{\"a\":1}");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    assert_non_null(json_object_get(e.result, "a"));
    end_done(&e);
}

static void failures_carry_arms_words(void **state)
{
    struct rig *rig = *state;
    struct end e;
    const char *op = header(rig, "Azure-AsyncOperation", "/ops/1", "Retry-After: 0\r\n");
    static const struct {
        int status;
        const char *body;
        int code;
        const char *part;
    } CASES[] = {
        {200, "{\"status\":\"Failed\",\"error\":{\"code\":\"AllocationFailed\",\"message\":\"No room.\"}}",
         ERR_UNAVAILABLE, "Failed: AllocationFailed: No room."},
        {200, "{\"status\":\"Canceled\"}", ERR_UNAVAILABLE, "Canceled: no reason is given"},
        {200, "{}", ERR_PROTOCOL, "state of the operation is missing"},
        {404, "{\"error\":{\"code\":\"NotFound\",\"message\":\"Gone.\"}}", ERR_NOTFOUND, "Gone."},
    };
    fake_arm_on(rig->arm, "POST /vm/op", 202, op, "");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        fake_arm_forget(rig->arm, "GET /ops/1");
        fake_arm_on(rig->arm, "GET /ops/1", CASES[i].status, NULL, CASES[i].body);
        start(rig, "POST", 0, &e);
        rig_until(rig, &e.count, 1);
        assert_int_equal(e.err.code, CASES[i].code);
        assert_contains(e.err.msg, CASES[i].part);
        end_done(&e);
    }
    fake_arm_forget(rig->arm, "POST /vm/op");
    fake_arm_on(rig->arm, "POST /vm/op", 202, NULL, "");
    fake_arm_on(rig->arm, "POST /vm/op", 409, NULL,
                "{\"error\":{\"code\":\"Conflict\",\"message\":\"It is being deleted.\"}}");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, ERR_PROTOCOL);
    end_done(&e);
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_contains(e.err.msg, "It is being deleted.");
    end_done(&e);
}

/* The token must not follow a URL that leads elsewhere. */
static void a_foreign_url_is_refused(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "POST /vm/op", 202,
                "Azure-AsyncOperation: https://evil.example/ops\r\nRetry-After: 0\r\n", "");
    start(rig, "POST", 0, &e);
    rig_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, ERR_DENIED);
    assert_contains(e.err.msg, "evil.example");
    end_done(&e);
}

static void paced_as_arm_says_and_until_the_deadline(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "POST /vm/op", 202,
                header(rig, "Azure-AsyncOperation", "/ops/1", "Retry-After: 7\r\n"), "");
    fake_arm_on(rig->arm, "GET /ops/1", 200, NULL, "{\"status\":\"InProgress\"}");
    clock_test_freeze(rig->clock, 1000);
    start(rig, "POST", 15000, &e);
    rig_until_hits(rig, "POST /vm/op", 1);
    uint64_t took = rig_advance_until(rig, &e.count, 1);
    assert_true(took >= 14900 && took < 17000);
    assert_int_equal(e.err.code, ERR_TIMEOUT);
    assert_contains(e.err.msg, "InProgress");
    assert_contains(e.err.msg, "goes on in Azure");
    unsigned polls = fake_arm_hits(rig->arm, "GET /ops/1"); /* after 7, 9 and 12 s */
    assert_int_equal(polls, 3);
    end_done(&e);
}

/* The operation goes on although nobody could say so for a moment. */
static void a_poll_without_an_answer_is_one_pause_more(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "POST /vm/op", 202,
                header(rig, "Azure-AsyncOperation", "/ops/1", "Retry-After: 0\r\n"), "");
    for (int i = 0; i < 7; i++) /* more than azure_send() tries by itself */
        fake_arm_on(rig->arm, "GET /ops/1", 503, NULL, "");
    fake_arm_on(rig->arm, "GET /ops/1", 200, NULL, "{\"status\":\"Succeeded\"}");
    clock_test_freeze(rig->clock, 1000);
    start(rig, "POST", 0, &e);
    rig_until_hits(rig, "POST /vm/op", 1);
    rig_advance_until(rig, &e.count, 1);
    assert_int_equal(e.err.code, 0);
    end_done(&e);
}

static void cancelled_in_each_state(void **state)
{
    struct rig *rig = *state;
    struct end e;
    fake_arm_on(rig->arm, "POST /vm/op", 202,
                header(rig, "Azure-AsyncOperation", "/ops/1", "Retry-After: 0\r\n"), "");
    fake_arm_on(rig->arm, "GET /ops/1", FAKE_HANG, NULL, NULL);
    azure_lro_cancel(start(rig, "POST", 0, &e));
    struct azure_lro *l = start(rig, "POST", 0, &e);
    rig_until_hits(rig, "POST /vm/op", 1);
    azure_lro_cancel(l);
    l = start(rig, "POST", 0, &e);
    rig_until_hits(rig, "GET /ops/1", 1);
    azure_lro_cancel(l);
    rig_turns(rig, 20);
    assert_int_equal(e.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_document_comes_before_location),
        TEST(location_is_followed_until_it_is_not_202),
        TEST(a_put_without_a_url_is_followed_by_its_resource),
        TEST(final_at_once),
        TEST(failures_carry_arms_words),
        TEST(a_foreign_url_is_refused),
        TEST(paced_as_arm_says_and_until_the_deadline),
        TEST(a_poll_without_an_answer_is_one_pause_more),
        TEST(cancelled_in_each_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
