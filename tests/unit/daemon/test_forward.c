/*
 * test_forward: forwards belong to their client, come all or not at all, and leave nothing behind.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "rig.h"

#define ONE "{'vm':'win11','forwards':[{'kind':'local','spec':'5000'}]"
#define TWO "{'vm':'win11','forwards':[{'kind':'local','spec':'5000:a:1'},{'kind':'local','spec':'5001:b:2'}]"

static struct rig r;
static struct peer p;

static int setup(void **state)
{
    rig_start(&r, RIG_CONFIG);
    peer_open(&p, &r);
    return 0;
}

static int teardown(void **state)
{
    peer_close(&p);
    rig_stop(&r);
    return 0;
}

static json_t *next(const char *member)
{
    for (;;) {
        json_t *line = peer_line(&p);
        assert_non_null(line);
        json_t *o = json_object_get(line, member);
        bool progress = json_object_get(line, "progress") != NULL;
        if (o) {
            json_incref(o);
            json_decref(line);
            return o;
        }
        if (!progress)
            fail_msg("no %s: %s", member, json_dumps(line, 0));
        json_decref(line);
    }
}

static void expect_error(const char *code, const char *part)
{
    json_t *error = next("error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    const char *message = json_string_value(json_object_get(error, "message"));
    if (!strstr(message, part))
        fail_msg("no \"%s\" in: %s", part, message);
    json_decref(error);
}

static void attach(const char *args)
{
    peer_send_op(&p, "forward", args);
    json_t *event = next("event");
    assert_string_equal(json_string_value(json_object_get(event, "vm")), "win11");
    json_decref(event);
}

static void test_detached(void **state)
{
    json_t *ok = peer_call(&p, "forward", TWO ",'detach':true}");
    const json_t *f = json_array_get(json_object_get(ok, "forwards"), 1);
    assert_string_equal(json_string_value(json_object_get(f, "listening")), "127.0.0.1:5001");
    assert_string_equal(json_string_value(json_object_get(f, "target")), "b:2");
    assert_string_equal(json_string_value(json_object_get(f, "spec")), "5001:b:2");
    json_decref(ok);
    struct peer other;
    peer_open(&other, &r);
    peer_close(&p); /* it does not belong to its client */
    p = other;
    assert_int_equal(fake_proxy_forwards(), 2);
    json_decref(peer_call(&p, "cancel", TWO "}"));
    assert_int_equal(fake_proxy_forwards(), 0);
    peer_refused(&p, "cancel", ONE "}", "notfound", "5000");
}

static void test_attached_goes_with_its_client(void **state)
{
    attach(TWO "}");
    assert_int_equal(fake_proxy_forwards(), 2);
    peer_close(&p);
    rig_until(fake_proxy_forwards, 0);
    peer_open(&p, &r);
}

static void test_attached_goes_when_cancelled(void **state)
{
    attach(ONE "}");
    assert_int_equal(send(p.fd, "{\"cancel\":1}\n", 13, MSG_NOSIGNAL), 13);
    expect_error("canceled", "");
    rig_until(fake_proxy_forwards, 0);
}

static void test_all_or_none(void **state)
{
    json_decref(peer_call(&p, "forward",
                          "{'vm':'web1','forwards':[{'kind':'local','spec':'5001:x:1'}],'detach':true}"));
    peer_refused(&p, "forward", TWO ",'detach':true}", "exists", "5001");
    rig_until(fake_proxy_forwards, 1);
    json_decref(peer_call(&p, "forward", ONE ",'detach':true}")); /* 5000 is free again */
    assert_int_equal(fake_proxy_forwards(), 2);
}

static void test_client_that_goes_before_it_is_there(void **state)
{
    fake_proxy_hold(true);
    peer_send_op(&p, "forward", TWO "}");
    rig_until(fake_proxy_waiting, 3);
    peer_close(&p);
    peer_open(&p, &r);
    json_decref(peer_call(&p, "version", "{}")); /* by now it knows that the other one is gone */
    fake_proxy_release();
    rig_until(fake_proxy_waiting, 0);
    rig_until(fake_proxy_forwards, 0);
}

static void test_somebody_elses_forward_is_not_cancelled(void **state)
{
    json_decref(peer_call(&p, "forward", ONE ",'detach':true}"));
    fake_proxy_hold(true);
    struct peer other;
    peer_open(&other, &r);
    peer_send_op(&other, "forward", ONE "}");
    rig_until(fake_proxy_waiting, 2);
    peer_close(&other); /* its attempt, at the same port, was still under way */
    json_decref(peer_call(&p, "version", "{}"));
    fake_proxy_release();
    rig_until(fake_proxy_waiting, 0);
    assert_int_equal(fake_proxy_forwards(), 1);
}

static void test_ended_by_cancel(void **state)
{
    struct peer other;
    attach(TWO "}");
    peer_open(&other, &r);
    json_decref(peer_call(&other, "cancel", ONE "}"));
    assert_int_equal(fake_proxy_forwards(), 1); /* the other one goes on */
    json_decref(peer_call(&other, "cancel", "{'vm':'win11','forwards':[{'kind':'local','spec':'5001'}]}"));
    peer_close(&other);
    expect_error("canceled", "adit cancel");
}

static void test_ended_by_down(void **state)
{
    struct peer other;
    attach(ONE "}");
    peer_open(&other, &r);
    json_decref(peer_call(&other, "down", "{'vms':['rg-desk/win11']}"));
    peer_close(&other);
    expect_error("canceled", "adit down");
}

static void test_vm_that_does_not_come_up(void **state)
{
    fake_proxy_fail_up(ERR_TIMEOUT);
    peer_refused(&p, "forward", TWO "}", "timeout", "win11");
    rig_until(fake_proxy_forwards, 0);
}

static void test_end_of_the_daemon(void **state)
{
    struct peer other;
    attach(ONE "}");
    peer_open(&other, &r);
    json_decref(peer_call(&other, "stop", "{}"));
    expect_error("unavailable", "ending");
    rig_join(&r);
    peer_close(&other);
    peer_close(&p);
    setup(state);
}

static void test_end_of_the_daemon_while_it_is_added(void **state)
{
    struct peer other;
    fake_proxy_hold(true);
    peer_send_op(&p, "forward", TWO "}");
    rig_until(fake_proxy_waiting, 3);
    peer_open(&other, &r);
    json_decref(peer_call(&other, "stop", "{}"));
    expect_error("unavailable", "ending");
    rig_join(&r);
    peer_close(&other);
    peer_close(&p);
    setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        EACH(test_detached),
        EACH(test_attached_goes_with_its_client),
        EACH(test_attached_goes_when_cancelled),
        EACH(test_all_or_none),
        EACH(test_client_that_goes_before_it_is_there),
        EACH(test_somebody_elses_forward_is_not_cancelled),
        EACH(test_ended_by_cancel),
        EACH(test_ended_by_down),
        EACH(test_vm_that_does_not_come_up),
        EACH(test_end_of_the_daemon),
        EACH(test_end_of_the_daemon_while_it_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
