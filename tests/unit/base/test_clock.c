/*
 * Tests of base/clock.h: order and fairness with frozen time, then the same timers on the real clock of a
 * loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"

struct probe {
    struct timer timer;
    uint64_t fired_at; /* 0: not yet */
    int fired;
    int place; /* the how manyth of all */
    uint64_t again_ms;
    int again_max;
    struct probe *stops, *starts;
};

static uv_loop_t loop;
static struct clock *clk;
static int fired_total;

static int set_up(void **state)
{
    fired_total = 0;
    uv_loop_init(&loop);
    return clock_new(&clk, &loop);
}

static void on_clock_closed(void *arg)
{
    *(int *)arg += 1;
}

static int tear_down(void **state)
{
    int closed = 0;
    if (clk)
        clock_close(clk, on_clock_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, clk != NULL);
    clk = NULL;
    return uv_loop_close(&loop);
}

static void on_probe(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    assert_false(timer_active(t));
    p->fired_at = clock_now(clk);
    p->fired++;
    p->place = ++fired_total;
    if (p->stops)
        timer_stop(&p->stops->timer);
    if (p->starts)
        assert_int_equal(timer_start(&p->starts->timer, 0), 0);
    if (p->fired < p->again_max)
        assert_int_equal(timer_start(t, p->again_ms), 0);
}

static void probe_init(struct probe *p)
{
    memset(p, 0, sizeof *p);
    timer_init(&p->timer, clk, on_probe);
}

static void test_fires_in_order_at_its_time(void **state)
{
    enum { COUNT = 500 };
    static struct probe probes[COUNT];
    clock_test_freeze(clk, 1000);
    for (size_t i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        assert_int_equal(timer_start(&probes[i].timer, i * 7919 % COUNT), 0);
    }
    for (size_t i = 0; i < COUNT; i += 3)
        timer_stop(&probes[i].timer);
    for (size_t i = 1; i < COUNT; i += 3)
        assert_int_equal(timer_start(&probes[i].timer, 2 * COUNT - i), 0);
    clock_test_advance(clk, COUNT);
    assert_int_equal(clock_now(clk), 1000 + COUNT);
    clock_test_advance(clk, 2 * COUNT);
    int last_place = 0;
    uint64_t last_at = 0;
    for (int place = 1; place <= fired_total; place++)
        for (size_t i = 0; i < COUNT; i++)
            if (probes[i].place == place) {
                assert_true(probes[i].fired_at >= last_at);
                last_at = probes[i].fired_at;
                last_place = place;
            }
    assert_int_equal(last_place, fired_total);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(probes[i].fired, i % 3 != 0);
        if (i % 3 == 1)
            assert_int_equal(probes[i].fired_at, 1000 + 2 * COUNT - i);
        if (i % 3 == 2)
            assert_int_equal(probes[i].fired_at, 1000 + i * 7919 % COUNT);
    }
}

static void test_equal_times_fire_in_order_of_starting(void **state)
{
    static struct probe probes[40];
    clock_test_freeze(clk, 1);
    for (int i = 0; i < 40; i++) {
        probe_init(&probes[i]);
        assert_int_equal(timer_start(&probes[i].timer, 10), 0);
    }
    assert_int_equal(timer_start(&probes[0].timer, 10), 0); /* moved to the end */
    clock_test_advance(clk, 10);
    for (int i = 1; i < 40; i++)
        assert_int_equal(probes[i].place, i);
    assert_int_equal(probes[0].place, 40);
}

static void test_never_inside_start(void **state)
{
    struct probe p;
    clock_test_freeze(clk, 1);
    probe_init(&p);
    assert_false(timer_active(&p.timer));
    assert_int_equal(timer_start(&p.timer, 0), 0);
    assert_true(timer_active(&p.timer));
    assert_int_equal(p.fired, 0);
    clock_test_advance(clk, 0);
    assert_int_equal(p.fired, 1);
    timer_stop(&p.timer);
}

static void test_callbacks_may_stop_and_start_others(void **state)
{
    struct probe first, victim, late;
    clock_test_freeze(clk, 1);
    probe_init(&first);
    probe_init(&victim);
    probe_init(&late);
    first.stops = &victim;
    first.starts = &late;
    first.again_ms = 5;
    first.again_max = 3;
    assert_int_equal(timer_start(&first.timer, 10), 0);
    assert_int_equal(timer_start(&victim.timer, 10), 0);
    clock_test_advance(clk, 100);
    assert_int_equal(first.fired, 3);
    assert_int_equal(first.fired_at, 1 + 10 + 5 + 5);
    assert_int_equal(victim.fired, 0);
    assert_int_equal(late.fired, 3);
    assert_int_equal(timer_start(&first.timer, UINT64_MAX), 0); /* far away, not wrapped round */
    clock_test_advance(clk, 1000000);
    assert_int_equal(first.fired, 3);
}

static void test_growing_out_of_memory(void **state)
{
    static struct probe probes[100];
    clock_test_freeze(clk, 1);
    int refused = 0;
    for (int i = 0; i < 100; i++) {
        probe_init(&probes[i]);
        mem_fail_after(0);
        int r = timer_start(&probes[i].timer, 5);
        mem_fail_after(-1);
        if (r == 0)
            continue;
        assert_int_equal(r, ERR_NOMEM);
        assert_false(timer_active(&probes[i].timer));
        refused++;
        assert_int_equal(timer_start(&probes[i].timer, 5), 0);
        mem_fail_after(0);
        assert_int_equal(timer_start(&probes[i].timer, 5), 0); /* moving needs no memory */
        mem_fail_after(-1);
    }
    assert_true(refused > 0);
    clock_test_advance(clk, 5);
    assert_int_equal(fired_total, 100);
    struct clock *none;
    mem_fail_after(0);
    assert_int_equal(clock_new(&none, &loop), ERR_NOMEM);
    mem_fail_after(-1);
}

static void test_close_drops_silently(void **state)
{
    struct probe a, b;
    probe_init(&a);
    probe_init(&b);
    assert_int_equal(timer_start(&a.timer, 0), 0);
    assert_int_equal(timer_start(&b.timer, 100000), 0);
    int closed = 0;
    clock_close(clk, on_clock_closed, &closed);
    assert_int_equal(closed, 0);
    assert_false(timer_active(&a.timer));
    assert_true(timer_start(&a.timer, 1) < 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    clk = NULL;
    timer_stop(&b.timer); /* an idle timer does not look at its clock */
    assert_int_equal(fired_total, 0);
}

static void test_real_time(void **state)
{
    struct probe soon, later, never;
    probe_init(&soon);
    probe_init(&later);
    probe_init(&never);
    uint64_t start = clock_now(clk);
    assert_int_equal(timer_start(&never.timer, 5), 0);
    assert_int_equal(timer_start(&later.timer, 60), 0);
    assert_int_equal(timer_start(&soon.timer, 20), 0);
    timer_stop(&never.timer);
    uv_run(&loop, UV_RUN_DEFAULT); /* ends by itself: an idle clock does not hold the loop */
    assert_int_equal(never.fired, 0);
    assert_int_equal(soon.place, 1);
    assert_int_equal(later.place, 2);
    assert_true(soon.fired_at - start >= 20);
    assert_true(later.fired_at - start >= 60);
    assert_true(clock_now(clk) - start < 20000);
}

static void test_a_sooner_one_is_not_kept_waiting(void **state)
{
    struct probe far, soon;
    probe_init(&far);
    probe_init(&soon);
    soon.stops = &far;
    uint64_t start = clock_now(clk);
    assert_int_equal(timer_start(&far.timer, 30000), 0);
    assert_int_equal(timer_start(&soon.timer, 10), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(soon.fired, 1);
    assert_int_equal(far.fired, 0);
    assert_true(soon.fired_at - start < 25000);
}

static void test_not_early_after_a_long_callback(void **state)
{
    struct probe p;
    probe_init(&p);
    uv_update_time(&loop);
    uint64_t begin = uv_hrtime();
    while (uv_hrtime() - begin < 40u * 1000000) /* the loop's own idea of now falls behind */
        ;
    uint64_t start = clock_now(clk);
    assert_int_equal(timer_start(&p.timer, 30), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(p.fired_at - start >= 30);
}

static void on_idle_count(uv_idle_t *idle)
{
    ++*(int *)idle->data;
}

/* A timer that restarts itself with no delay must leave the loop its turns. */
static void test_does_not_starve_the_loop(void **state)
{
    static uv_idle_t idle; /* closed by the tear-down's turn of the loop */
    struct probe p;
    probe_init(&p);
    p.again_max = 1000000000;
    int turns = 0;
    uv_idle_init(&loop, &idle);
    idle.data = &turns;
    uv_idle_start(&idle, on_idle_count);
    assert_int_equal(timer_start(&p.timer, 0), 0);
    while (p.fired < 5)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(p.fired <= turns);
    timer_stop(&p.timer);
    uv_close((uv_handle_t *)&idle, NULL);
}

/* What is due at once costs turns of the loop, not milliseconds, even one after the other. */
static void test_without_delay_takes_no_time(void **state)
{
    struct probe p, far;
    uint64_t best = UINT64_MAX;
    for (int tries = 0; tries < 50; tries++) { /* a busy machine may spoil some */
        probe_init(&p);
        probe_init(&far);
        p.again_max = 20;
        p.stops = &far;
        uint64_t start = uv_hrtime();
        assert_int_equal(timer_start(&far.timer, 30000), 0);
        assert_int_equal(timer_start(&p.timer, 0), 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        uint64_t took = uv_hrtime() - start;
        assert_int_equal(p.fired, 20);
        assert_int_equal(far.fired, 0);
        best = took < best ? took : best;
    }
    assert_true(best < 10u * 1000000); /* with a millisecond each it would be 20 at least */
}

static void test_jitter_stays_inside(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 5000; i++) {
        uint64_t v = clock_jitter(1000, 20);
        assert_true(v >= 800 && v <= 1200);
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    assert_true(least < 840 && most > 1160);
    assert_int_equal(clock_jitter(1000, 0), 1000);
    assert_int_equal(clock_jitter(0, 50), 0);
    assert_true(clock_jitter(1000, 900) <= 2000);
    assert_true(clock_jitter(UINT64_MAX, 100) == UINT64_MAX);
    assert_true(clock_wall_ms() > UINT64_C(1600000000000));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fires_in_order_at_its_time),
        TEST(test_equal_times_fire_in_order_of_starting),
        TEST(test_never_inside_start),
        TEST(test_callbacks_may_stop_and_start_others),
        TEST(test_growing_out_of_memory),
        TEST(test_close_drops_silently),
        TEST(test_real_time),
        TEST(test_a_sooner_one_is_not_kept_waiting),
        TEST(test_not_early_after_a_long_callback),
        TEST(test_does_not_starve_the_loop),
        TEST(test_without_delay_takes_no_time),
        TEST(test_jitter_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
