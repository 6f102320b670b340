/*
 * test_forward_spec: the forward grammar of ssh(1), and which forwards cannot listen side by side.
 */
#include "config/forward_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/forward_listener.h"

static struct forward_spec parsed(enum forward_kind kind, const char *text)
{
    struct forward_spec s = {0};
    struct err err = {0};
    if (forward_spec_parse(&s, kind, text, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    assert_string_equal(s.text, text);
    assert_int_equal(s.kind, kind);
    return s;
}

static void canonical(enum forward_kind kind, const char *text, const char *expected)
{
    struct forward_spec s = parsed(kind, text);
    char *c = forward_spec_canonical(&s);
    assert_string_equal(c, expected);
    /* Written canonically, the same forward comes out again. */
    struct forward_spec again = parsed(kind, c);
    char *c2 = forward_spec_canonical(&again);
    assert_string_equal(c2, c);
    assert_true(s.listen.port == 0 ? !s.listen.path || forward_spec_same_listener(&s, &again)
                                   : forward_spec_same_listener(&s, &again));
    mem_free(c2);
    mem_free(c);
    forward_spec_done(&again);
    forward_spec_done(&s);
}

static void refused(enum forward_kind kind, const char *text, const char *because)
{
    struct forward_spec s = {.text = NULL};
    struct err err = {0};
    assert_int_equal(forward_spec_parse(&s, kind, text, &err), ERR_INVAL);
    assert_null(s.text); /* nothing was filled */
    if (!strstr(err.msg, because))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, err.msg, because);
    assert_non_null(strstr(err.msg, "; write it like "));
}

static void test_local(void **state)
{
    struct forward_spec s = parsed(FORWARD_LOCAL, "3389");
    assert_null(s.listen.host);
    assert_int_equal(s.listen.port, 3389);
    assert_string_equal(s.target.host, "localhost");
    assert_int_equal(s.target.port, 3389);
    forward_spec_done(&s);

    s = parsed(FORWARD_LOCAL, "[2001:db8::1]:1:[fe80::1%eth0]:2");
    assert_string_equal(s.listen.host, "2001:db8::1");
    assert_string_equal(s.target.host, "fe80::1%eth0");
    forward_spec_done(&s);

    s = parsed(FORWARD_LOCAL, "/run/a.sock:/run/b.sock");
    assert_string_equal(s.listen.path, "/run/a.sock");
    assert_string_equal(s.target.path, "/run/b.sock");
    forward_spec_done(&s);

    canonical(FORWARD_LOCAL, "3389", "localhost:3389:localhost:3389");
    canonical(FORWARD_LOCAL, "localhost:3389:LocalHost:3389", "localhost:3389:localhost:3389");
    canonical(FORWARD_LOCAL, "127.0.0.1:8080:web.internal:80", "127.0.0.1:8080:web.internal:80");
    canonical(FORWARD_LOCAL, ":8080:h:80", "*:8080:h:80");
    canonical(FORWARD_LOCAL, "*:8080:h:80", "*:8080:h:80");
    canonical(FORWARD_LOCAL, "0:h:80", "localhost:0:h:80");
    canonical(FORWARD_LOCAL, "[2001:DB8:0::1]:1:[::1]:2", "[2001:db8::1]:1:[::1]:2");
    canonical(FORWARD_LOCAL, "9000:/run/app.sock", "localhost:9000:/run/app.sock");
    canonical(FORWARD_LOCAL, "*:9000:/run/app.sock", "*:9000:/run/app.sock");
    canonical(FORWARD_LOCAL, "/run/a b.sock:h:80", "/run/a b.sock:h:80");
}

static void test_dynamic_and_remote(void **state)
{
    struct forward_spec s = parsed(FORWARD_DYNAMIC, "1080");
    assert_int_equal(s.listen.port, 1080);
    assert_null(s.target.host);
    assert_int_equal(s.target.port, 0);
    forward_spec_done(&s);
    canonical(FORWARD_DYNAMIC, "[::1]:1080", "[::1]:1080");
    canonical(FORWARD_DYNAMIC, "0", "localhost:0");
    canonical(FORWARD_REMOTE, "8080:localhost:80", "localhost:8080:localhost:80");
    canonical(FORWARD_REMOTE, "/run/r.sock:localhost:80", "/run/r.sock:localhost:80");
    canonical(FORWARD_REMOTE, "1080", "localhost:1080"); /* a SOCKS proxy at the VM */
    canonical(FORWARD_REMOTE, "*:1080", "*:1080");
}

static void test_refused(void **state)
{
    refused(FORWARD_LOCAL, "", "1 to 512");
    refused(FORWARD_LOCAL, "abc", "port \"abc\"");
    refused(FORWARD_LOCAL, "70000", "port \"70000\"");
    refused(FORWARD_LOCAL, "0", "from 1 to 65535"); /* the target needs a port */
    refused(FORWARD_LOCAL, "-1:h:80", "port \"-1\"");
    refused(FORWARD_LOCAL, "3389:localhost", "where to go");
    refused(FORWARD_LOCAL, "1:h:0", "port \"0\"");
    refused(FORWARD_LOCAL, "1:h:http", "port \"http\"");
    refused(FORWARD_LOCAL, "1::80", "host is empty");
    refused(FORWARD_LOCAL, "1:*:80", "host \"*\"");
    refused(FORWARD_LOCAL, "1:a b:80", "no host name has");
    refused(FORWARD_LOCAL, "::1:3389:localhost:3389", "IPv6 address stands in brackets");
    refused(FORWARD_LOCAL, "[::1:3389:h:80", "bracket");
    refused(FORWARD_LOCAL, "[::1]x:3389:h:80", "bracket");
    refused(FORWARD_LOCAL, "[nonsense]:3389:h:80", "not an IPv6 address");
    refused(FORWARD_LOCAL, "[]:3389:h:80", "host is empty");
    refused(FORWARD_LOCAL, "/run/a.sock", "where to go");
    refused(FORWARD_LOCAL, "/run/a.sock:80", "where to go");
    refused(FORWARD_LOCAL, "a:b:1:/x", "before the socket path");
    refused(FORWARD_LOCAL, "1:/", "not a socket path");
    refused(FORWARD_LOCAL, "1:h:80\n", "control character");
    refused(FORWARD_LOCAL,
            "1:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
            "12345678901234567890",
            "longer than 107");
    refused(FORWARD_DYNAMIC, "1080:h:80", "[BIND:]PORT");
    refused(FORWARD_DYNAMIC, "/run/x.sock", "[BIND:]PORT");
    char huge[600];
    (void)memset(huge, '1', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    refused(FORWARD_LOCAL, huge, "1 to 512");
}

/* Both ways to find a clash must agree. */
static void clash(enum forward_kind k1, const char *t1, enum forward_kind k2, const char *t2, bool expected)
{
    struct forward_spec a = parsed(k1, t1), b = parsed(k2, t2);
    assert_int_equal(forward_spec_same_listener(&a, &b), expected);
    assert_int_equal(forward_spec_same_listener(&b, &a), expected);
    for (int turn = 0; turn < 2 && (k1 == FORWARD_REMOTE) == (k2 == FORWARD_REMOTE); turn++) {
        struct listener_set set;
        void *found = NULL;
        assert_int_equal(listener_set_init(&set), 0);
        assert_int_equal(listener_set_add(&set, 0, turn ? &a.listen : &b.listen, &a, &found), 0);
        assert_null(found);
        assert_int_equal(listener_set_add(&set, 0, turn ? &b.listen : &a.listen, &b, &found), 0);
        if ((found == &a) != expected)
            fail_msg("%s and %s", t1, t2);
        listener_set_done(&set);
    }
    forward_spec_done(&a);
    forward_spec_done(&b);
}

static void test_same_listener(void **state)
{
    const enum forward_kind l = FORWARD_LOCAL, d = FORWARD_DYNAMIC, r = FORWARD_REMOTE;
    clash(l, "3389", l, "3389:other:1", true);
    clash(l, "3389", l, "3390", false);
    clash(l, "3389", d, "127.0.0.1:3389", true);
    clash(l, "3389", d, "[::1]:3389", true);
    clash(l, "127.0.0.1:1:h:1", l, "[::1]:1:h:1", false);
    clash(l, "127.0.0.1:1:h:1", l, "127.0.0.2:1:h:1", false);
    clash(l, "*:1:h:1", l, "127.0.0.2:1:h:1", true);
    clash(l, "*:1:h:1", l, "1:h:1", true);
    clash(l, "0.0.0.0:1:h:1", l, "[::1]:1:h:1", false);
    clash(l, "0.0.0.0:1:h:1", l, "1:h:1", true);
    clash(l, "[::]:1:h:1", l, "[0:0::1]:1:h:1", true);
    clash(l, "Me.example:1:h:1", l, "me.example:1:h:1", true);
    clash(l, "me.example:1:h:1", l, "127.0.0.1:1:h:1", false);
    clash(l, "me.example:1:h:1", l, "*:1:h:1", true);
    clash(l, "0:h:1", l, "0:h:1", false);
    clash(l, "/a.sock:h:1", l, "/a.sock:/b.sock", true);
    clash(l, "/a.sock:h:1", l, "/b.sock:h:1", false);
    clash(l, "/a.sock:h:1", l, "1:h:1", false);
    clash(l, "1:h:1", r, "1:h:1", false);
    clash(r, "1:h:1", r, "1", true);
}

static void test_copy_without_memory(void **state)
{
    struct forward_spec a = parsed(FORWARD_LOCAL, "*:1:/run/x.sock");
    for (long k = 0;; k++) {
        struct forward_spec b = {.text = NULL};
        mem_fail_after(k);
        int rc = forward_spec_copy(&b, &a);
        mem_fail_after(-1);
        if (rc == 0) {
            assert_true(k > 0);
            assert_string_equal(b.text, a.text);
            assert_string_equal(b.listen.host, "*");
            assert_string_equal(b.target.path, "/run/x.sock");
            forward_spec_done(&b);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(b.text);
    }
    forward_spec_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_dynamic_and_remote),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_same_listener),
        cmocka_unit_test(test_copy_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
