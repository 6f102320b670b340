/*
 * test_questions: who is asked what a login wants to know, and what happens when nobody answers.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "rig.h"

#define UP "{'vms':['win11'],'ask':true}"
#define KEY "Passphrase of /k: "

static struct rig r;
static struct peer p;

static int setup(void **state)
{
    rig_start(&r, RIG_CONFIG);
    fake_proxy_hold(true);
    peer_open(&p, &r);
    return 0;
}

static int teardown(void **state)
{
    fake_proxy_release();
    peer_close(&p);
    rig_stop(&r);
    return 0;
}

/* The next line of this kind; progress is passed over. */
static json_t *next(struct peer *of, const char *member)
{
    for (;;) {
        json_t *line = peer_line(of);
        assert_non_null(line);
        json_t *o = json_object_get(line, member);
        if (o) {
            json_incref(o);
            json_decref(line);
            return o;
        }
        if (!json_object_get(line, "progress"))
            fail_msg("no %s: %s", member, json_dumps(line, 0));
        json_decref(line);
    }
}

static json_int_t expect_question(struct peer *of, const char *vm, const char *kind, const char *prompt)
{
    json_t *q = next(of, "question");
    assert_string_equal(json_string_value(json_object_get(q, "vm")), vm);
    assert_string_equal(json_string_value(json_object_get(q, "kind")), kind);
    assert_string_equal(json_string_value(json_object_get(q, "prompt")), prompt);
    json_int_t number = json_integer_value(json_object_get(q, "number"));
    assert_true(number > 0);
    json_decref(q);
    return number;
}

static void expect_withdrawn(struct peer *of, json_int_t number)
{
    json_t *w = next(of, "withdrawn");
    assert_int_equal(json_integer_value(w), number);
    json_decref(w);
}

static void send_line(struct peer *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void send_line(struct peer *to, const char *fmt, ...)
{
    static char line[8192];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    assert_int_equal(send(to->fd, line, (size_t)n, MSG_NOSIGNAL), n);
}

static void expect_answer(uint64_t id, size_t count, int code, const char *part)
{
    rig_until(fake_proxy_answers, count);
    struct fake_answer a = fake_proxy_answer(id);
    assert_true(a.given);
    assert_int_equal(a.code, code);
    if (code ? !strstr(a.text, part) : strcmp(a.text, part))
        fail_msg("not \"%s\" but: %s", part, a.text);
}

/* So that the daemon has seen all that was sent before. */
static void settle(struct peer *of)
{
    json_decref(peer_call(of, "version", "{}"));
}

/* The request is under way on return. */
static int begin(struct peer *of, const char *op, const char *args)
{
    int id = peer_send_op(of, op, args);
    settle(of);
    return id;
}

static void test_answered(void **state)
{
    int id = begin(&p, "up", UP);
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    json_int_t number = expect_question(&p, "win11", "passphrase", KEY);
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", id,
              (long long)number + 1); /* no such */
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", id, (long long)number);
    expect_answer(1, 1, 0, "sesame");
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", id,
              (long long)number); /* once more */
    fake_proxy_ask(2, "win11", "password", "Password: ");
    number = expect_question(&p, "win11", "password", "Password: ");
    send_line(&p, "{\"answer\":%d,\"number\":%lld}\n", id, (long long)number);
    expect_answer(2, 2, ERR_CANCELED, "none was given");
}

static void test_long_answer(void **state)
{
    static char text[3000];
    int id = begin(&p, "up", UP);
    fake_proxy_ask(1, "win11", "password", "Password: ");
    json_int_t number = expect_question(&p, "win11", "password", "Password: ");
    memset(text, 'A', sizeof text - 1);
    text[2000] = '\0';
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"%s\"}\n", id, (long long)number, text);
    expect_answer(1, 1, ERR_LIMIT, "1024");
}

static void test_nobody(void **state)
{
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    expect_answer(1, 1, ERR_NOTFOUND, "`adit up win11` on a terminal");
    begin(&p, "up", "{'vms':['win11']}");           /* says nothing of questions */
    begin(&p, "up", "{'vms':['web1'],'ask':true}"); /* another VM's */
    fake_proxy_ask(2, "win11", "passphrase", KEY);
    expect_answer(2, 2, ERR_NOTFOUND, "`adit up win11` on a terminal");
}

static void test_batch(void **state)
{
    begin(&p, "up", "{'vms':['win11'],'ask':false}");
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    expect_answer(1, 1, ERR_DENIED, "batch");
    begin(&p, "up", UP); /* another may be asked all the same */
    fake_proxy_ask(2, "win11", "passphrase", KEY);
    expect_question(&p, "win11", "passphrase", KEY);
}

static void test_handed_on(void **state)
{
    struct peer other;
    peer_open(&other, &r);
    int id = begin(&p, "up", UP);
    int other_id = begin(&other, "up", UP);
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    expect_question(&p, "win11", "passphrase", KEY);
    send_line(&p, "{\"cancel\":%d}\n", id);
    json_int_t number = expect_question(&other, "win11", "passphrase", KEY);
    send_line(&other, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", other_id,
              (long long)number);
    expect_answer(1, 1, 0, "sesame");
    fake_proxy_ask(2, "win11", "passphrase", KEY);
    expect_question(&other, "win11", "passphrase", KEY);
    peer_close(&other); /* and nobody else is there */
    expect_answer(2, 2, ERR_CANCELED, "has ended: `adit up win11`");
}

static void test_one_at_a_time(void **state)
{
    int id = begin(&p, "up", "{'vms':['win11','web1'],'ask':true}");
    fake_proxy_ask(1, "win11", "password", "Password A: ");
    fake_proxy_ask(2, "web1", "password", "Password B: ");
    json_int_t first = expect_question(&p, "win11", "password", "Password A: ");
    settle(&p); /* nothing but that answer came */
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"YQ==\"}\n", id, (long long)first);
    json_int_t second = expect_question(&p, "web1", "password", "Password B: ");
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"Yg==\"}\n", id, (long long)second);
    expect_answer(1, 2, 0, "a");
    expect_answer(2, 2, 0, "b");
}

static void test_one_passphrase_for_all(void **state)
{
    int id = begin(&p, "up", "{'vms':['win11','web1'],'ask':true}");
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    fake_proxy_ask(2, "web1", "passphrase", KEY);
    json_int_t number = expect_question(&p, "win11", "passphrase", KEY);
    settle(&p);
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", id, (long long)number);
    expect_answer(1, 2, 0, "sesame");
    expect_answer(2, 2, 0, "sesame");
}

static void test_withdrawn(void **state)
{
    int id = begin(&p, "up", UP);
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    json_int_t number = expect_question(&p, "win11", "passphrase", KEY);
    fake_proxy_withdraw(1);
    expect_withdrawn(&p, number);
    send_line(&p, "{\"answer\":%d,\"number\":%lld,\"base64\":\"c2VzYW1l\"}\n", id, (long long)number);
    settle(&p);
    assert_int_equal(fake_proxy_answers(), 0);
}

/* A client that reads the question and then nothing more holds up nobody. */
static void test_silent_client(void **state)
{
    struct peer other;
    peer_open(&other, &r);
    begin(&p, "up", UP);
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    json_int_t number = expect_question(&p, "win11", "passphrase", KEY);
    for (int i = 0; i < 20; i++)
        json_decref(peer_call(&other, "status", "{}"));
    fake_proxy_advance(119000);
    settle(&other);
    assert_int_equal(fake_proxy_answers(), 0);
    fake_proxy_advance(2000);
    expect_answer(1, 1, ERR_TIMEOUT, "120 s");
    expect_withdrawn(&p, number);
    peer_close(&other);
}

static void test_forward_and_proxy_are_asked(void **state)
{
    begin(&p, "forward", "{'vm':'win11','forwards':[{'kind':'local','spec':'5000'}],'ask':true}");
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    expect_question(&p, "win11", "passphrase", KEY);
    struct peer other;
    peer_open(&other, &r);
    fake_proxy_hold_dials(true);
    begin(&other, "proxy", "{'host':'web1','port':22,'ask':true}");
    fake_proxy_ask(2, "web1", "password", "Password: ");
    expect_question(&other, "web1", "password", "Password: ");
    fake_proxy_hold_dials(false);
    expect_answer(2, 1, ERR_CANCELED, "web1"); /* connected without: the command has ended */
    peer_close(&other);
}

static void test_reload_forgets(void **state)
{
    unsigned before = fake_proxy_forgotten();
    json_decref(peer_call(&p, "reload", "{}"));
    assert_int_equal(fake_proxy_forgotten(), before + 1);
}

static void test_daemon_ends_while_it_asks(void **state)
{
    begin(&p, "up", UP);
    fake_proxy_ask(1, "win11", "passphrase", KEY);
    expect_question(&p, "win11", "passphrase", KEY);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_answered),
        EACH(test_long_answer),
        EACH(test_nobody),
        EACH(test_batch),
        EACH(test_handed_on),
        EACH(test_one_at_a_time),
        EACH(test_one_passphrase_for_all),
        EACH(test_withdrawn),
        EACH(test_silent_client),
        EACH(test_forward_and_proxy_are_asked),
        EACH(test_reload_forgets),
        EACH(test_daemon_ends_while_it_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
