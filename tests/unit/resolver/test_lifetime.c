/*
 * Cancelling, freeing and running out of memory at every point of a look-up's life.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "world.h"

#define TURNS 40

static void scene(struct world *w)
{
    world_graph(w, ROW(SUB, "rg", "vm", "deallocated", ""));
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.1");
    fake_arm_on(w->rig->arm, "GET /subscriptions?", 200, NULL,
                "{\"value\":[{\"subscriptionId\":\"" SUB "\"}]}");
}

static const char *const names[] = {"vm", "rg/vm"};

static void cancel_after_every_turn(void **state)
{
    struct world *w = *state;
    scene(w);
    for (unsigned n = 0; n < 2 * TURNS; n++) {
        struct found f;
        world_reopen(w, NULL, 0);
        struct resolver_req *req = world_ask(w, names[n % 2], 0, 0, &f);
        for (unsigned i = 0; i < n / 2 && f.count == 0; i++)
            rig_turns(w->rig, 1);
        bool over = f.count > 0;
        if (!over)
            resolver_cancel(req);
        rig_turns(w->rig, 2);
        assert_int_equal(f.count, over ? 1 : 0);
        found_done(&f);
    }
}

static void free_after_every_turn(void **state)
{
    struct world *w = *state;
    scene(w);
    for (unsigned n = 0; n < TURNS; n++) {
        struct found f[4];
        world_reopen(w, NULL, 0);
        for (int i = 0; i < 4; i++)
            world_ask(w, names[i % 2], 0, 0, &f[i]);
        rig_turns(w->rig, n);
        world_reopen(w, NULL, 0);
        rig_turns(w->rig, 2);
        for (int i = 0; i < 4; i++)
            found_done(&f[i]);
    }
}

struct freer {
    struct world *world;
    unsigned count;
};

static void free_at_answer(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct freer *f = arg;
    f->count++;
    resolver_free(f->world->resolver);
    f->world->resolver = NULL;
}

/* The first of several who wait takes the resolver down; the others hear nothing. */
static void freed_by_its_own_callback(void **state)
{
    struct world *w = *state;
    struct resolver_name bare = {.name = "vm"}, direct = {.group = "rg", .name = "vm"},
                         missing = {.group = "rg", .name = "no"};
    const struct resolver_name *const asked[] = {&bare, &direct, &missing};
    scene(w);
    for (int i = 0; i < 3; i++) {
        struct freer f = {w, 0};
        struct found others[2];
        struct resolver_req *req;
        struct err err;
        world_reopen(w, NULL, 0);
        assert_int_equal(resolver_lookup(w->resolver, asked[i], 0, 0, free_at_answer, &f, &req, &err), 0);
        memset(others, 0, sizeof(others));
        for (int k = 0; k < 2; k++)
            assert_int_equal(resolver_lookup(w->resolver, asked[i], 0, 0, found_cb, &others[k], &req, &err),
                             0);
        rig_until(w->rig, &f.count, 1);
        rig_turns(w->rig, 3);
        assert_int_equal(others[0].count + others[1].count, 0);
    }
}

static void no_memory_at_any_point(void **state)
{
    struct world *w = *state;
    long k, taken = 1;
    scene(w);
    for (k = 0; k < 400 && taken; k++) {
        struct found f = {0};
        struct resolver_req *req;
        struct resolver_name name = {.name = "vm"};
        struct err err;
        err_clear(&err);
        world_reopen(w, NULL, 0);
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = resolver_lookup(w->resolver, &name, 0, 500, found_cb, &f, &req, &err);
        if (rc == 0)
            rig_until(w->rig, &f.count, 1);
        taken = mem_allocations() - before > k;
        mem_fail_after(-1);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(f.err.code == 0 || f.err.code == ERR_NOMEM || f.err.code == ERR_UNAVAILABLE ||
                    f.err.code == ERR_TIMEOUT);
        found_done(&f);
    }
    assert_true(k > 30 && k < 400);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cancel_after_every_turn),
        TEST(free_after_every_turn),
        TEST(freed_by_its_own_callback),
        TEST(no_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
