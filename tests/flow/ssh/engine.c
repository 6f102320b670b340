/*
 * engine: which engine "auto" takes for a server, and what is said when none will do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "world.h"

struct setting {
    struct server now, old;
};

static int start(void **state)
{
    struct setting *s = calloc(1, sizeof *s);
    server_start_sshd(&s->now, "");
    server_start_sshd(&s->old, "Ciphers aes128-cbc,aes256-cbc\n");
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct setting *s = *state;
    server_stop(&s->now);
    server_stop(&s->old);
    free(s);
    return 0;
}

static bool decided(void *arg)
{
    const struct link *l = arg;
    return l->up || l->closed;
}

/* True: it came up; by which engine is in `used`. Why not is in *why. */
static bool attempt(const struct server *to, const char *engine, char used[32], struct err *why)
{
    struct world w;
    struct link l;
    struct ssh_conn_info info;
    char known[128];
    snprintf(known, sizeof known, "%s/known", to->dir);
    struct link_options o = {
        .port = to->port, .engine = engine, .user = to->user, .key = to->key, .known_hosts = known};
    world_open(&w);
    assert_int_equal(link_open(&w, &l, &o, why), 0);
    assert_true(world_run_until(&w, decided, &l, 10000));
    bool up = l.up;
    if (up) {
        ssh_conn_info(l.conn, &info);
        snprintf(used, 32, "%s", info.engine);
    } else {
        *why = l.why;
    }
    link_close(&w, &l);
    world_close(&w);
    return up;
}

static void test_auto_takes_native(void **state)
{
    struct setting *s = *state;
    char used[32];
    struct err why;
    assert_true(attempt(&s->now, "auto", used, &why));
    assert_string_equal(used, "native");
}

static void test_an_old_server_and_native_alone(void **state)
{
    struct setting *s = *state;
    char used[32];
    struct err why;
    assert_false(attempt(&s->old, "native", used, &why));
    assert_int_equal(why.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(why.msg, "no cipher in common"));
    assert_non_null(strstr(why.msg, "aes128-cbc"));
    assert_non_null(strstr(why.msg, "aes128-gcm@openssh.com"));
    assert_false(attempt(&s->old, "native", used, &why)); /* asked for by name it stays */
}

/* The last: from then on the host of all these tests is known for an old one. */
static void test_auto_falls_back(void **state)
{
    struct setting *s = *state;
    char used[32];
    struct err why;
    assert_false(attempt(&s->old, "auto", used, &why));
    assert_int_equal(why.code, ERR_CLOSED); /* trying again is worth it */
    assert_non_null(strstr(why.msg, "no cipher in common"));
    assert_non_null(strstr(why.msg, "engine libssh2"));
    assert_true(attempt(&s->old, "auto", used, &why));
    assert_string_equal(used, "libssh2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto_takes_native),
        cmocka_unit_test(test_an_old_server_and_native_alone),
        cmocka_unit_test(test_auto_falls_back),
    };
    return cmocka_run_group_tests_name("engine", tests, start, stop);
}
