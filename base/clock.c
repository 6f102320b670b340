/*
 * clock: a binary heap of timers over one uv_timer_t.
 *
 * The uv timer is armed for the earliest one. When that is moved later or stopped, it stays armed: one
 * wake-up too many is cheaper than re-arming at every move of an idle timeout. Time is read from the system,
 * not from the loop's cached value, which is old after a long callback and would make timers fire early.
 * Timers that are due together fire in the order in which they were started. What is due already waits for no
 * uv timer, which would take a millisecond or two: an idle handle fires it on the loop's next turn.
 */
#include "clock.h"

#include <assert.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

struct clock {
    uv_timer_t uv;
    uv_idle_t soon; /* active: something is due at once */
    struct timer **heap;
    size_t count, cap;
    uint64_t next_seq;
    uint64_t armed_ms; /* when the uv timer fires; meaningful while it is active */
    uint64_t frozen_ms;
    bool frozen, firing, closing;
    int open_handles;
    clock_closed_cb closed_cb;
    void *closed_arg;
};

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void place(struct clock *c, struct timer *t, size_t i)
{
    c->heap[i] = t;
    t->index = i;
}

static void sift_up(struct clock *c, struct timer *t, size_t i)
{
    for (; i > 0 && earlier(t, c->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(c, c->heap[(i - 1) / 2], i);
    place(c, t, i);
}

static void sift_down(struct clock *c, struct timer *t, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < c->count; i = child) {
        if (child + 1 < c->count && earlier(c->heap[child + 1], c->heap[child]))
            child++;
        if (!earlier(c->heap[child], t))
            break;
        place(c, c->heap[child], i);
    }
    place(c, t, i);
}

/* Puts t at place i and restores the order in whichever direction it is broken. */
static void settle(struct clock *c, struct timer *t, size_t i)
{
    if (i > 0 && earlier(t, c->heap[(i - 1) / 2]))
        sift_up(c, t, i);
    else
        sift_down(c, t, i);
}

static void heap_remove(struct clock *c, struct timer *t)
{
    size_t i = t->index;
    struct timer *last = c->heap[--c->count];
    t->index = SIZE_MAX;
    if (last != t)
        settle(c, last, i);
}

uint64_t clock_now(const struct clock *c)
{
    return c->frozen ? c->frozen_ms : uv_hrtime() / 1000000;
}

static void on_timer(uv_timer_t *h);
static void on_soon(uv_idle_t *h);

static void arm(struct clock *c)
{
    if (c->frozen || c->firing || c->closing)
        return;
    bool active = uv_is_active((uv_handle_t *)&c->uv);
    if (c->count == 0) {
        if (active)
            uv_timer_stop(&c->uv);
        uv_idle_stop(&c->soon);
        return;
    }
    uint64_t due = c->heap[0]->due_ms, now = clock_now(c);
    if (due <= now) {
        uv_idle_start(&c->soon, on_soon);
        return;
    }
    uv_idle_stop(&c->soon);
    if (active && c->armed_ms <= due)
        return;
    /* uv counts from the loop's cached time, and a stale one wakes us too early, to arm again. */
    uv_update_time(c->uv.loop);
    uv_timer_start(&c->uv, on_timer, due - now, 0);
    c->armed_ms = due;
}

/* Fires what is due at now_ms and was started before this call. */
static void fire_due(struct clock *c, uint64_t now_ms)
{
    uint64_t seq_end = c->next_seq;
    c->firing = true;
    while (c->count > 0 && c->heap[0]->due_ms <= now_ms && c->heap[0]->seq < seq_end) {
        struct timer *t = c->heap[0];
        heap_remove(c, t);
        t->cb(t);
    }
    c->firing = false;
}

static void on_timer(uv_timer_t *h)
{
    struct clock *c = h->data;
    fire_due(c, clock_now(c));
    arm(c);
}

/* Once a turn, before the loop polls: a timer that restarts itself with 0 leaves every socket its turn. */
static void on_soon(uv_idle_t *h)
{
    struct clock *c = h->data;
    fire_due(c, clock_now(c));
    arm(c);
}

int clock_new(struct clock **out, uv_loop_t *loop)
{
    struct clock *c = mem_zalloc(sizeof *c);
    if (!c)
        return ERR_NOMEM;
    if (uv_timer_init(loop, &c->uv) != 0) {
        mem_free(c);
        return ERR_SYSTEM;
    }
    uv_idle_init(loop, &c->soon);
    c->uv.data = c->soon.data = c;
    c->open_handles = 2;
    *out = c;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct clock *c = h->data;
    if (--c->open_handles > 0)
        return;
    clock_closed_cb cb = c->closed_cb;
    void *arg = c->closed_arg;
    mem_free(c->heap);
    mem_free(c);
    if (cb)
        cb(arg);
}

void clock_close(struct clock *c, clock_closed_cb cb, void *arg)
{
    assert(!c->closing);
    c->closing = true;
    c->closed_cb = cb;
    c->closed_arg = arg;
    while (c->count > 0)
        c->heap[--c->count]->index = SIZE_MAX;
    uv_close((uv_handle_t *)&c->uv, on_closed);
    uv_close((uv_handle_t *)&c->soon, on_closed);
}

void clock_test_freeze(struct clock *c, uint64_t now_ms)
{
    uv_timer_stop(&c->uv);
    uv_idle_stop(&c->soon);
    c->frozen = true;
    c->frozen_ms = now_ms;
}

void clock_test_advance(struct clock *c, uint64_t ms)
{
    assert(c->frozen);
    uint64_t end = c->frozen_ms + ms;
    while (c->count > 0 && c->heap[0]->due_ms <= end) {
        if (c->heap[0]->due_ms > c->frozen_ms)
            c->frozen_ms = c->heap[0]->due_ms;
        fire_due(c, c->frozen_ms);
    }
    c->frozen_ms = end;
}

void timer_init(struct timer *t, struct clock *c, timer_cb cb)
{
    t->clock = c;
    t->cb = cb;
    t->due_ms = 0;
    t->seq = 0;
    t->index = SIZE_MAX;
}

int timer_start(struct timer *t, uint64_t after_ms)
{
    struct clock *c = t->clock;
    if (c->closing)
        return ERR_CLOSED;
    if (!timer_active(t) && c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        struct timer **heap = mem_realloc(c->heap, cap * sizeof(struct timer *));
        if (!heap)
            return ERR_NOMEM;
        c->heap = heap;
        c->cap = cap;
    }
    uint64_t now = clock_now(c);
    t->due_ms = after_ms > UINT64_MAX - now ? UINT64_MAX : now + after_ms;
    t->seq = c->next_seq++;
    settle(c, t, timer_active(t) ? t->index : c->count++);
    arm(c);
    return 0;
}

void timer_stop(struct timer *t)
{
    if (!timer_active(t))
        return;
    heap_remove(t->clock, t);
    arm(t->clock);
}

uint64_t clock_wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* splitmix64: enough to keep clients from knocking in step, and never asked to keep a secret. */
static uint64_t random_next(void)
{
    static _Thread_local uint64_t state;
    if (state == 0 && (uv_random(NULL, NULL, &state, sizeof state, 0, NULL) != 0 || state == 0))
        state = uv_hrtime() ^ (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)&state;
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t clock_jitter(uint64_t after_ms, unsigned percent)
{
    if (percent > 100)
        percent = 100;
    uint64_t part = after_ms / 100 * percent + after_ms % 100 * percent / 100;
    if (part > (UINT64_MAX - 1) / 2 || after_ms > UINT64_MAX - part)
        return after_ms;
    return after_ms - part + random_next() % (2 * part + 1);
}
