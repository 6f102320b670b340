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
    assert_true((answer == CACHE_FRESH || answer == CACHE_STALE || answer == CACHE_HINT) ? facts == b->facts
                                                                                         : true);
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
    assert_int_equal(ask(b, "s/g/v"), CACHE_STALE);
    clock_test_advance(b->clock, CACHE_STALE_MS - 60001);
    assert_int_equal(ask(b, "s/g/v"), CACHE_STALE);
    clock_test_advance(b->clock, 1);
    assert_int_equal(ask(b, "s/g/v"), CACHE_NOTHING);
    assert_ptr_equal(cache_last_resort(b->cache, "s/g/v"), b->facts);
}

static void refreshes_keep_apart(void **state)
{
    struct bench *b = *state;
    assert_false(cache_refresh_due(b->cache, "s/g/v"));
    cache_put(b->cache, "s/g/v", b->facts);
    assert_true(cache_refresh_due(b->cache, "s/g/v"));
    assert_false(cache_refresh_due(b->cache, "s/g/v"));
    clock_test_advance(b->clock, CACHE_AGAIN_MS);
    assert_true(cache_refresh_due(b->cache, "s/g/v"));
}

static void what_was_put_meanwhile_is_told(void **state)
{
    struct bench *b = *state;
    uint64_t now = clock_now(b->clock);
    assert_false(cache_put_since(b->cache, "s/g/v", now));
    cache_put(b->cache, "s/g/v", b->facts);
    assert_true(cache_put_since(b->cache, "s/g/v", now));
    assert_false(cache_put_since(b->cache, "s/g/v", now + 1));
    cache_suspect(b->cache, "s/g/v");
    assert_false(cache_put_since(b->cache, "s/g/v", now));
}

/* What comes from the disk is as old as it is. */
static void loaded_facts_have_their_age(void **state)
{
    struct bench *b = *state;
    uint64_t wall = clock_wall_ms();
    b->facts->fetched_wall_ms = wall - 30000;
    cache_load(b->cache, "young", b->facts, true, false);
    assert_int_equal(ask(b, "young"), CACHE_FRESH);
    clock_test_advance(b->clock, 40000);
    assert_int_equal(ask(b, "young"), CACHE_STALE);
    b->facts->fetched_wall_ms = wall - 3600000;
    cache_load(b->cache, "old", b->facts, true, false);
    assert_int_equal(ask(b, "old"), CACHE_STALE);
    cache_load(b->cache, "doubtful", b->facts, true, true);
    assert_int_equal(ask(b, "doubtful"), CACHE_HINT);
    cache_load(b->cache, "unsure", b->facts, false, false);
    assert_int_equal(ask(b, "unsure"), CACHE_NOTHING);
    assert_non_null(cache_last_resort(b->cache, "unsure"));
    b->facts->fetched_wall_ms = wall - 2 * (uint64_t)CACHE_STALE_MS;
    cache_load(b->cache, "very old", b->facts, true, false);
    assert_int_equal(ask(b, "very old"), CACHE_NOTHING);
    assert_non_null(cache_last_resort(b->cache, "very old"));
    b->facts->fetched_wall_ms = wall + 3600000; /* the clock was set back */
    cache_load(b->cache, "future", b->facts, true, false);
    assert_int_equal(ask(b, "future"), CACHE_NOTHING);
    b->facts->fetched_wall_ms = 1;
    cache_load(b->cache, "ancient", b->facts, true, false);
    assert_null(cache_last_resort(b->cache, "ancient"));
    /* What is known already is better. */
    cache_put(b->cache, "known", b->facts);
    cache_load(b->cache, "known", b->facts, true, true);
    assert_int_equal(ask(b, "known"), CACHE_FRESH);
}

static void a_vm_that_is_off_is_no_last_resort(void **state)
{
    struct bench *b = *state;
    b->facts->power = RESOLVER_POWER_DEALLOCATED;
    cache_put(b->cache, "s/g/v", b->facts);
    assert_null(cache_last_resort(b->cache, "s/g/v"));
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
        cmocka_unit_test_setup_teardown(refreshes_keep_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_put_meanwhile_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(loaded_facts_have_their_age, setup, teardown),
        cmocka_unit_test_setup_teardown(a_vm_that_is_off_is_no_last_resort, setup, teardown),
        cmocka_unit_test_setup_teardown(off_is_soon_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_for_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(suspect_is_a_hint, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_recently_used_go_first, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
