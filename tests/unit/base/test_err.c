/*
 * Tests of base/err.h: how messages grow on their way up, how they are cut, and what each code stands for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#include "base/err.h"

static void test_reads_from_the_outside_in(void **state)
{
    struct err e = {0};
    int r = err_set(&e, ERR_AUTH, "server refused key %s", "/home/u/.ssh/id_rsa");
    assert_int_equal(r, ERR_AUTH);
    assert_int_equal(err_wrap(&e, "ssh auth"), ERR_AUTH);
    err_wrap(&e, "vm %s", "win11");
    err_wrap(&e, "forward %d", 3389);
    err_hint(&e, "; add the key with %s", "adit prepare");
    assert_string_equal(e.msg, "forward 3389: vm win11: ssh auth: server refused key /home/u/.ssh/id_rsa; "
                               "add the key with adit prepare");
}

static void test_may_quote_itself(void **state)
{
    struct err e = {0};
    err_set(&e, ERR_CLOSED, "inner");
    err_set(&e, ERR_TIMEOUT, "gave up after: %s", e.msg);
    err_wrap(&e, "twice %s", e.msg);
    assert_string_equal(e.msg, "twice gave up after: inner: gave up after: inner");
}

static void test_null_keeps_the_code(void **state)
{
    assert_int_equal(err_set(NULL, ERR_LIMIT, "lost"), ERR_LIMIT);
    assert_int_equal(err_sys(NULL, ECONNREFUSED, "lost"), ERR_REFUSED);
    assert_int_equal(err_uv(NULL, UV_ETIMEDOUT, "lost"), ERR_TIMEOUT);
    assert_true(err_wrap(NULL, "lost") < 0);
    assert_true(err_hint(NULL, "lost") < 0);
    assert_int_equal(err_copy(NULL, NULL, ERR_CLOSED), ERR_CLOSED);
    err_clear(NULL);
}

static void test_empty_error_stays_empty(void **state)
{
    struct err e = {0};
    assert_int_equal(err_wrap(&e, "context"), 0);
    assert_int_equal(err_hint(&e, "hint"), 0);
    assert_string_equal(e.msg, "");
    err_set(&e, ERR_INVAL, "x");
    err_clear(&e);
    assert_int_equal(e.code, 0);
    assert_int_equal(err_wrap(&e, "context"), 0);
}

static void test_long_messages_are_cut_between_characters(void **state)
{
    char text[3 * ERR_MSG_MAX];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', sizeof text);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3); /* € */
        text[sizeof text - 1] = '\0';
        struct err e = {0};
        err_set(&e, ERR_SYSTEM, "%s", text);
        size_t n = strlen(e.msg);
        assert_true(n < ERR_MSG_MAX && n > ERR_MSG_MAX - 8);
        assert_string_equal(e.msg + n - 3, "\xe2\x80\xa6");
        assert_int_equal((n - 3 - shift) % 3, 0);
        err_wrap(&e, "context");
        assert_true(strlen(e.msg) < ERR_MSG_MAX);
        assert_memory_equal(e.msg, "context: ", 9);
    }
}

static void test_system_errors_carry_their_reason(void **state)
{
    struct err e = {0};
    assert_int_equal(err_sys(&e, ENOENT, "open %s", "/nowhere"), ERR_NOTFOUND);
    assert_string_equal(e.msg, "open /nowhere: No such file or directory");
    assert_int_equal(err_uv(&e, UV_EOF, "read"), ERR_CLOSED);
    assert_string_equal(e.msg, "read: end of file");
    assert_int_equal(err_uv(&e, UV_EAI_NONAME, "look up"), ERR_UNREACHABLE);
    assert_int_equal(err_uv(&e, UV_EADDRINUSE, "bind"), ERR_EXISTS);
    assert_int_equal(err_sys(&e, EACCES, "x"), ERR_DENIED);
    assert_int_equal(err_sys(&e, EMFILE, "x"), ERR_LIMIT);
    assert_int_equal(err_sys(&e, EIO, "x"), ERR_SYSTEM);
}

static void test_every_code_has_a_name_and_a_status(void **state)
{
    for (int code = ERR_NOMEM; code >= ERR_VERSION; code--) {
        const char *name = err_code_name(code);
        assert_string_not_equal(name, "unknown");
        assert_int_equal(err_code_of_name(name), code);
        int status = err_exit_status(code);
        assert_true(status >= 64 && status <= 78 && status != 70);
    }
    assert_int_equal(err_code_of_name("nonsense"), 0);
    assert_int_equal(err_exit_status(0), 0);
    assert_int_equal(err_exit_status(-999), 70);
    assert_int_equal(err_exit_status(ERR_CONFIG), 78);
    assert_int_equal(err_exit_status(ERR_INVAL), 64);
    assert_int_equal(err_exit_status(ERR_AUTH), 77);
    assert_true(err_is_transient(ERR_TIMEOUT) && err_is_transient(ERR_REFUSED) &&
                err_is_transient(ERR_CLOSED));
    assert_false(err_is_transient(ERR_AUTH) || err_is_transient(ERR_HOSTKEY) || err_is_transient(ERR_CONFIG));
}

static void test_copies(void **state)
{
    struct err a = {0}, b = {0};
    err_set(&a, ERR_PROTOCOL, "bad packet");
    assert_int_equal(err_copy(&b, &a, ERR_CLOSED), ERR_PROTOCOL);
    assert_string_equal(b.msg, "bad packet");
    assert_int_equal(err_copy(&b, NULL, ERR_CLOSED), ERR_CLOSED);
    assert_int_equal(b.code, ERR_CLOSED);
    assert_string_equal(b.msg, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_from_the_outside_in),
        cmocka_unit_test(test_may_quote_itself),
        cmocka_unit_test(test_null_keeps_the_code),
        cmocka_unit_test(test_empty_error_stays_empty),
        cmocka_unit_test(test_long_messages_are_cut_between_characters),
        cmocka_unit_test(test_system_errors_carry_their_reason),
        cmocka_unit_test(test_every_code_has_a_name_and_a_status),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
