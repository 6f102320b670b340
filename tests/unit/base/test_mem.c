/*
 * Tests of base/mem.h: the allocation hook and the helpers over it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#include "base/mem.h"

static void test_fails_exactly_once_where_told(void **state)
{
    mem_fail_after(2);
    void *a = mem_alloc(1), *b = mem_zalloc(1), *c = mem_calloc(1, 1), *d = mem_alloc(1);
    mem_fail_after(-1);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_non_null(d);
    mem_free(a);
    mem_free(b);
    mem_free(d);
}

static void test_every_door_can_fail(void **state)
{
    void *kept = mem_alloc(8);
    assert_non_null(kept);
    memcpy(kept, "content", 8);
    mem_fail_after(0);
    assert_null(mem_alloc(1));
    mem_fail_after(0);
    assert_null(mem_zalloc(1));
    mem_fail_after(0);
    assert_null(mem_realloc(kept, 100));
    assert_string_equal(kept, "content");
    mem_fail_after(0);
    assert_null(mem_strdup("x"));
    mem_fail_after(0);
    assert_null(mem_strndup("x", 1));
    mem_fail_after(0);
    assert_null(mem_printf("%d", 1));
    mem_fail_after(-1);
    mem_free(kept);
}

static void count_elsewhere(void *arg)
{
    mem_free(mem_alloc(1));
    *(long *)arg = mem_allocations();
}

static void test_counts_each_thread_alone(void **state)
{
    long before = mem_allocations(), there = -1;
    mem_free(mem_alloc(1));
    assert_int_equal(mem_allocations() - before, 1);
    mem_fail_after(0);
    uv_thread_t thread;
    assert_int_equal(uv_thread_create(&thread, count_elsewhere, &there), 0);
    uv_thread_join(&thread);
    assert_int_equal(there, 1);
    assert_null(mem_alloc(1));
}

static void test_nothing_is_still_something(void **state)
{
    void *p = mem_alloc(0), *q = mem_calloc(0, 8);
    assert_non_null(p);
    assert_non_null(q);
    p = mem_realloc(p, 0);
    assert_non_null(p);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
    mem_free_secret(NULL, 0);
    mem_wipe(NULL, 0);
    assert_null(mem_strdup(NULL));
    volatile size_t huge = SIZE_MAX / 2; /* hidden from the compiler, which would warn */
    assert_null(mem_calloc(huge, 4));
}

static void test_text(void **state)
{
    char *s = mem_strndup("abcdef", 3), *t = mem_strndup("ab", 9), *u = mem_printf("%s-%d", "x", 42);
    assert_string_equal(s, "abc");
    assert_string_equal(t, "ab");
    assert_string_equal(u, "x-42");
    mem_wipe(s, 3);
    assert_memory_equal(s, "\0\0\0", 3);
    mem_free(s);
    mem_free(t);
    mem_free_secret(u, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fails_exactly_once_where_told),
        cmocka_unit_test(test_every_door_can_fail),
        cmocka_unit_test(test_counts_each_thread_alone),
        cmocka_unit_test(test_nothing_is_still_something),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
