/*
 * What is remembered, how long, and what an invalidation leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resolver/cache.h"
#include "resolver/facts_build.h"

#define ID                                                                                                   \
    "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/g/providers/Microsoft.Compute/"      \
    "virtualMachines/v"

struct bench {
    uv_loop_t loop;
    struct clock *clock;
    struct cache *cache;
    struct resolver_facts *facts;
};

static int setup(void **state)
{
    static struct bench b;
    struct err err;
    uv_loop_init(&b.loop);
    if (clock_new(&b.clock, &b.loop) || cache_new(&b.cache, b.clock, 60000, &err) ||
        facts_new(&b.facts, ID, RESOLVER_SOURCE_ARM, &err))
        return -1;
    clock_test_freeze(b.clock, 5000);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    cache_free(b->cache);
    resolver_facts_unref(b->facts);
    clock_close(b->clock, NULL, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&b->loop);
}

static enum cache_answer ask(struct bench *b, const char *key)
{
    const struct resolver_facts *facts = NULL;
    const struct err *missing = NULL;
    enum cache_answer answer = cache_get(b->cache, key, &facts, &missing);
    assert_true((answer == CACHE_FRESH || answer == CACHE_HINT) ? facts == b->facts : true);
    assert_true(answer == CACHE_MISSING ? missing != NULL : true);
    return answer;
}

static void fresh_for_its_time(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ask(b, "s/g/v"), CACHE_NOTHING);
    cache_put(b->cache, "s/g/v", b->facts);
    assert_int_equal(ask(b, "S/G/V"), CACHE_FRESH);
    clock_test_advance(b->clock, 59999);
    assert_int_equal(ask(b, "s/g/v"), CACHE_FRESH);
    clock_test_advance(b->clock, 1);
    assert_int_equal(ask(b, "s/g/v"), CACHE_NOTHING);
}

static void off_is_soon_asked_again(void **state)
{
    struct bench *b = *state;
    b->facts->power = RESOLVER_POWER_DEALLOCATED;
    cache_put(b->cache, "s/g/v", b->facts);
    clock_test_advance(b->clock, 9999);
    assert_int_equal(ask(b, "s/g/v"), CACHE_FRESH);
    clock_test_advance(b->clock, 1);
    assert_int_equal(ask(b, "s/g/v"), CACHE_NOTHING);
}

static void missing_for_ten_seconds(void **state)
{
    struct bench *b = *state;
    struct err err;
    err_set(&err, ERR_NOTFOUND, "no such VM");
    cache_put_missing(b->cache, "*/v", &err);
    assert_int_equal(ask(b, "*/v"), CACHE_MISSING);
    clock_test_advance(b->clock, 10000);
    assert_int_equal(ask(b, "*/v"), CACHE_NOTHING);
    cache_put_missing(b->cache, "*/v", &err);
    cache_put(b->cache, "*/v", b->facts);
    assert_int_equal(ask(b, "*/v"), CACHE_FRESH);
    cache_put_missing(b->cache, "*/v", &err);
    assert_int_equal(ask(b, "*/v"), CACHE_MISSING);
    cache_suspect(b->cache, "*/v");
    assert_int_equal(ask(b, "*/v"), CACHE_NOTHING);
}

static void suspect_is_a_hint(void **state)
{
    struct bench *b = *state;
    cache_put(b->cache, "*/v", b->facts);
    cache_suspect(b->cache, "*/V");
    assert_int_equal(ask(b, "*/v"), CACHE_HINT);
    clock_test_advance(b->clock, 3600000);
    assert_int_equal(ask(b, "*/v"), CACHE_HINT);
    cache_put(b->cache, "*/v", b->facts);
    assert_int_equal(ask(b, "*/v"), CACHE_FRESH);
    cache_suspect(b->cache, "never seen");
}

static void the_least_recently_used_go_first(void **state)
{
    struct bench *b = *state;
    char key[32];
    for (int i = 0; i < CACHE_ENTRIES_MAX; i++) {
        snprintf(key, sizeof(key), "s/g/%d", i);
        cache_put(b->cache, key, b->facts);
    }
    assert_int_equal(ask(b, "s/g/0"), CACHE_FRESH);
    cache_put(b->cache, "s/g/new", b->facts);
    assert_int_equal(ask(b, "s/g/0"), CACHE_FRESH);
    assert_int_equal(ask(b, "s/g/1"), CACHE_NOTHING);
    assert_int_equal(ask(b, "s/g/2"), CACHE_FRESH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fresh_for_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(off_is_soon_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_for_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(suspect_is_a_hint, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_recently_used_go_first, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
