/*
 * clock: monotonic time and timers over one uv loop, with a time source that tests can replace.
 *
 * Many timers share one uv_timer_t through a heap. A timer is embedded in its owner, needs no close, and may
 * be started, moved or stopped from any callback of the same loop. Thread: the loop's.
 */
#ifndef ADIT_BASE_CLOCK_H
#define ADIT_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct clock;
struct timer;

typedef void (*timer_cb)(struct timer *t);
typedef void (*clock_closed_cb)(void *arg);

struct timer {
    struct clock *clock; /* private from here on */
    timer_cb cb;
    uint64_t due_ms;
    uint64_t seq; /* order of starting, for those due together */
    size_t index; /* place in the heap, SIZE_MAX when idle */
};

int clock_new(struct clock **out, uv_loop_t *loop); /* ERR_NOMEM, ERR_SYSTEM */
void clock_close(struct clock *c, clock_closed_cb cb,
                 void *arg); /* timers still running are dropped silently */

uint64_t clock_now(const struct clock *c); /* milliseconds, monotonic */

/* Tests: from now on time moves only by clock_test_advance, which fires what is due, in order, before it
 * returns. */
void clock_test_freeze(struct clock *c, uint64_t now_ms);
void clock_test_advance(struct clock *c, uint64_t ms);

void timer_init(struct timer *t, struct clock *c, timer_cb cb);
/* Moves a running one. With 0 it fires on the loop's next turn, never in here. ERR_NOMEM (the heap must grow)
 */
int timer_start(struct timer *t, uint64_t after_ms);
void timer_stop(struct timer *t); /* silent; an idle one may be given */
static inline bool timer_active(const struct timer *t)
{
    return t->index != SIZE_MAX;
}

/* Milliseconds since the epoch, for people and for tokens: never for deadlines. */
uint64_t clock_wall_ms(void);

/* after_ms spread evenly over [after_ms·(1−part), after_ms·(1+part)], part in percent. */
uint64_t clock_jitter(uint64_t after_ms, unsigned percent);

#endif
