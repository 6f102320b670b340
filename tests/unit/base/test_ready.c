/*
 * Tests of base/ready.h: order, one turn at a time, and items that change the queue while it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/ready.h"

struct work {
    struct ready ready;
    int ran;
    int again_max;
    struct work *pushes, *cancels;
    bool closes;
};

static uv_loop_t loop;
static struct readyq *q;
static int closed;

static void on_q_closed(void *arg)
{
    closed++;
}

static int set_up(void **state)
{
    closed = 0;
    uv_loop_init(&loop);
    return readyq_new(&q, &loop);
}

static int tear_down(void **state)
{
    if (q)
        readyq_close(q, on_q_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    q = NULL;
    return uv_loop_close(&loop);
}

static void on_work(struct ready *r)
{
    struct work *w = container_of(r, struct work, ready);
    assert_false(ready_queued(r));
    w->ran++;
    if (w->cancels)
        ready_cancel(&w->cancels->ready);
    if (w->pushes)
        ready_push(q, &w->pushes->ready);
    if (w->ran < w->again_max)
        ready_push(q, r);
    if (w->closes) {
        readyq_close(q, on_q_closed, NULL);
        ready_push(q, r); /* too late: nothing happens */
        assert_false(ready_queued(r));
        q = NULL;
    }
}

static void work_init(struct work *w)
{
    memset(w, 0, sizeof *w);
    ready_init(&w->ready, on_work);
}

static void test_later_and_once(void **state)
{
    struct work w;
    work_init(&w);
    ready_push(q, &w.ready);
    ready_push(q, &w.ready);
    assert_int_equal(w.ran, 0);
    assert_true(ready_queued(&w.ready));
    uv_run(&loop, UV_RUN_DEFAULT); /* neither waits while something is queued nor stays when nothing is */
    assert_int_equal(w.ran, 1);
}

static void test_round_robin_one_turn_each(void **state)
{
    struct work greedy, other;
    work_init(&greedy);
    work_init(&other);
    greedy.again_max = 5;
    other.again_max = 3;
    ready_push(q, &greedy.ready);
    ready_push(q, &other.ready);
    for (int turn = 1; turn <= 5; turn++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(greedy.ran, turn);
        assert_int_equal(other.ran, turn < 3 ? turn : 3);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(greedy.ran, 5);
}

static void test_items_push_and_cancel_each_other(void **state)
{
    struct work a, b, c;
    work_init(&a);
    work_init(&b);
    work_init(&c);
    a.cancels = &b;
    a.pushes = &c;
    ready_push(q, &a.ready);
    ready_push(q, &b.ready);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(a.ran, 1);
    assert_int_equal(b.ran, 0);
    assert_int_equal(c.ran, 0); /* pushed in this turn: the next one's */
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(c.ran, 1);
    ready_cancel(&b.ready);
}

static void on_work_free(struct ready *r)
{
    free(container_of(r, struct work, ready));
}

static void test_item_may_free_its_owner(void **state)
{
    struct work *w = malloc(sizeof *w);
    assert_non_null(w);
    ready_init(&w->ready, on_work_free);
    ready_push(q, &w->ready);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_close_in_a_callback_drops_the_rest(void **state)
{
    struct work a, b, c;
    work_init(&a);
    work_init(&b);
    work_init(&c);
    a.pushes = &c;
    a.closes = true;
    ready_push(q, &a.ready);
    ready_push(q, &b.ready);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(a.ran, 1);
    assert_int_equal(b.ran + c.ran, 0);
    assert_false(ready_queued(&b.ready));
    assert_false(ready_queued(&c.ready));
    assert_int_equal(closed, 1);
}

static void on_uv_timer(uv_timer_t *t)
{
    ready_push(q, t->data);
    uv_close((uv_handle_t *)t, NULL);
}

/* Pushed while the loop is about to poll, with a far-off timer as the only other reason to wake up. */
static void test_pushed_from_a_timer_runs_without_waiting(void **state)
{
    struct work w;
    static uv_timer_t soon, far; /* closed by the tear-down's turn of the loop */
    work_init(&w);
    uv_timer_init(&loop, &soon);
    uv_timer_init(&loop, &far);
    soon.data = &w.ready;
    uv_timer_start(&far, on_uv_timer, 1000000, 0);
    uv_timer_start(&soon, on_uv_timer, 1, 0);
    uint64_t begin = uv_hrtime();
    while (w.ran == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_true(uv_hrtime() - begin < UINT64_C(30000000000));
    uv_close((uv_handle_t *)&far, NULL);
}

static void test_out_of_memory(void **state)
{
    struct readyq *none;
    mem_fail_after(0);
    assert_int_equal(readyq_new(&none, &loop), ERR_NOMEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_later_and_once),
        TEST(test_round_robin_one_turn_each),
        TEST(test_items_push_and_cancel_each_other),
        TEST(test_item_may_free_its_owner),
        TEST(test_close_in_a_callback_drops_the_rest),
        TEST(test_pushed_from_a_timer_runs_without_waiting),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
