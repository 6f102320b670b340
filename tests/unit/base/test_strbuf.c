/*
 * Tests of base/strbuf.h: growing text, taking it away, running out of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"

static void test_grows(void **state)
{
    struct strbuf s;
    strbuf_init(&s);
    char expected[6000] = "";
    for (int i = 0; i < 1000; i++) {
        strbuf_printf(&s, "%d,", i);
        snprintf(expected + strlen(expected), 16, "%d,", i);
    }
    strbuf_add(&s, "tailXX", 4);
    strbuf_puts(&s, "");
    strcat(expected, "tail");
    assert_false(s.bad);
    assert_string_equal(s.data, expected);
    assert_int_equal(s.len, strlen(expected));
    strbuf_clear(&s);
    assert_string_equal(s.data, "");
    strbuf_puts(&s, "again");
    char *text = strbuf_take(&s);
    assert_string_equal(text, "again");
    mem_free(text);
    assert_null(s.data);
    text = strbuf_take(&s);
    assert_string_equal(text, "");
    mem_free(text);
    strbuf_done(&s);
}

static void test_every_size_at_the_edge(void **state)
{
    for (size_t n = 0; n < 300; n++) {
        struct strbuf s;
        strbuf_init(&s);
        for (size_t i = 0; i < n; i++)
            strbuf_add(&s, "x", 1);
        strbuf_printf(&s, "%0*d", (int)n + 1, 7);
        assert_int_equal(s.len, 2 * n + 1);
        assert_int_equal(strlen(s.data), s.len);
        strbuf_done(&s);
    }
}

static void test_stays_bad(void **state)
{
    for (long k = 0;; k++) {
        struct strbuf s;
        strbuf_init(&s);
        mem_fail_after(k);
        for (int i = 0; i < 200; i++)
            strbuf_printf(&s, "line %d\n", i);
        mem_fail_after(-1);
        bool bad = s.bad;
        strbuf_puts(&s, "more");
        assert_int_equal(s.bad, bad);
        strbuf_clear(&s);
        assert_int_equal(s.bad, bad);
        char *text = strbuf_take(&s);
        assert_int_equal(text == NULL, bad);
        mem_free(text);
        if (!bad) {
            assert_true(k > 2);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_every_size_at_the_edge),
        cmocka_unit_test(test_stays_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
