/*
 * Tests of base/map.h against a plain array of the same entries, with and without case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

static int numbers[1000];

static void test_sets_and_replaces(void **state)
{
    struct map *m = map_new(false);
    assert_non_null(m);
    void *old = &m;
    assert_null(map_get(m, "a"));
    assert_null(map_remove(m, "a"));
    assert_int_equal(map_set(m, "a", &numbers[1], &old), 0);
    assert_null(old);
    assert_int_equal(map_set(m, "a", &numbers[2], &old), 0);
    assert_ptr_equal(old, &numbers[1]);
    assert_int_equal(map_set(m, "", &numbers[3], NULL), 0);
    assert_ptr_equal(map_get(m, ""), &numbers[3]);
    assert_null(map_get(m, "A"));
    assert_int_equal(map_count(m), 2);
    map_free(m, NULL);
    map_free(NULL, NULL);
}

static void test_case_does_not_count(void **state)
{
    struct map *m = map_new(true);
    assert_int_equal(map_set(m, "Rg-Desk/WIN11", &numbers[1], NULL), 0);
    assert_ptr_equal(map_get(m, "rg-desk/win11"), &numbers[1]);
    assert_ptr_equal(map_get(m, "RG-DESK/Win11"), &numbers[1]);
    assert_null(map_get(m, "rg-desk/win1"));
    assert_null(map_get(m, "rg-desk/win111"));
    /* Neighbours of the letters differ by the same bit and are not letters. */
    assert_int_equal(map_set(m, "[@]", &numbers[2], NULL), 0);
    assert_null(map_get(m, "{`}"));
    assert_ptr_equal(map_remove(m, "rG-dEsK/wIn11"), &numbers[1]);
    assert_int_equal(map_count(m), 1);
    map_free(m, NULL);
}

static void test_keys_are_copied(void **state)
{
    char key[] = "key";
    struct map *m = map_new(false);
    assert_int_equal(map_set(m, key, &numbers[0], NULL), 0);
    key[0] = 'X';
    assert_ptr_equal(map_get(m, "key"), &numbers[0]);
    map_free(m, NULL);
}

static int count_up(void *arg, const char *key, void *value)
{
    int n = atoi(key);
    assert_ptr_equal(value, &numbers[n]);
    numbers[n]++;
    ++*(size_t *)arg;
    return 0;
}

static int stop_at_third(void *arg, const char *key, void *value)
{
    return ++*(size_t *)arg == 3 ? 77 : 0;
}

/* A fixed sequence of sets and removals; removal has to leave every other entry reachable. */
static void test_like_an_array(void **state)
{
    bool present[1000] = {false};
    size_t count = 0;
    uint32_t seed = 12345;
    struct map *m = map_new(false);
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        size_t n = (seed >> 8) % 1000;
        char key[16];
        snprintf(key, sizeof key, "%zu", n);
        if ((seed >> 30) != 0 && step % 5000 < 2500) {
            assert_int_equal(map_set(m, key, &numbers[n], NULL), 0);
            count += !present[n];
            present[n] = true;
        } else {
            assert_ptr_equal(map_remove(m, key), present[n] ? &numbers[n] : NULL);
            count -= present[n];
            present[n] = false;
        }
        assert_int_equal(map_count(m), count);
        if (step % 97 != 0)
            continue;
        for (size_t i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "%zu", i);
            assert_ptr_equal(map_get(m, key), present[i] ? &numbers[i] : NULL);
        }
    }
    memset(numbers, 0, sizeof numbers);
    size_t visited = 0;
    assert_int_equal(map_each(m, count_up, &visited), 0);
    assert_int_equal(visited, count);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], present[i]);
    assert_true(count > 3);
    visited = 0;
    assert_int_equal(map_each(m, stop_at_third, &visited), 77);
    assert_int_equal(visited, 3);
    map_free(m, NULL);
}

static void test_frees_values(void **state)
{
    struct map *m = map_new(false);
    for (int i = 0; i < 50; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(map_set(m, key, mem_alloc(4), NULL), 0);
    }
    map_free(m, mem_free); /* the leak checker counts */
}

static void test_out_of_memory_changes_nothing(void **state)
{
    mem_fail_after(0);
    assert_null(map_new(false));
    struct map *m = map_new(false);
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        for (long k = 0;; k++) {
            void *old = &m;
            mem_fail_after(k);
            int r = map_set(m, key, &numbers[i], &old);
            mem_fail_after(-1);
            assert_null(old);
            if (r == 0)
                break;
            assert_int_equal(r, ERR_NOMEM);
            assert_true(k < 2);
            assert_null(map_get(m, key));
            assert_int_equal(map_count(m), i);
        }
        assert_ptr_equal(map_get(m, "0"), &numbers[0]);
    }
    mem_fail_after(0);
    assert_int_equal(map_set(m, "5", &numbers[6], NULL), 0); /* replacing needs no memory */
    mem_fail_after(-1);
    map_free(m, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_and_replaces), cmocka_unit_test(test_case_does_not_count),
        cmocka_unit_test(test_keys_are_copied),   cmocka_unit_test(test_like_an_array),
        cmocka_unit_test(test_frees_values),      cmocka_unit_test(test_out_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
