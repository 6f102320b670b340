/*
 * Many look-ups at once: few queries, each caller its own VM, and what is refreshed with nobody waiting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define MANY 500

/* The Resource Graph knows vm0, vm1, … in the group "rg". */
static void many_rows(struct world *w, int count)
{
    size_t size = (size_t)count * 400 + 100, n = 0;
    char *body = malloc(size);
    n += (size_t)snprintf(body, size, "{\"data\":[");
    for (int i = 0; i < count; i++)
        n += (size_t)snprintf(body + n, size - n,
                              "%s{\"id\":\"" VM_PATH("rg", "vm%d") "\",\"power\":\"PowerState/running\","
                                                                   "\"publicIp\":\"20.0.%d.%d\"}",
                              i ? "," : "", i, i / 250, i % 250);
    snprintf(body + n, size - n, "]}");
    fake_arm_forget(w->rig->arm, GRAPH);
    fake_arm_on(w->rig->arm, GRAPH, 200, NULL, body);
    free(body);
}

static void ask_many(struct world *w, struct found *f, int count, bool qualified)
{
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), qualified && i % 2 ? "rg/vm%d" : "vm%d", i);
        world_ask(w, name, 0, 0, &f[i]);
    }
}

static void expect_many(struct world *w, struct found *f, int count)
{
    char ip[32];
    for (int i = 0; i < count; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
        snprintf(ip, sizeof(ip), "20.0.%d.%d", i / 250, i % 250);
        assert_string_equal(f[i].facts->addresses[0].ip, ip);
        found_done(&f[i]);
    }
}

static void many_at_once_are_one_query(void **state)
{
    struct world *w = *state;
    struct found *f = calloc(MANY, sizeof(*f));
    many_rows(w, MANY);
    ask_many(w, f, MANY, true);
    expect_many(w, f, MANY);
    assert_int_equal(world_requests(w), 1);
    ask_many(w, f, MANY, true);
    expect_many(w, f, MANY);
    assert_int_equal(world_requests(w), 1);
    free(f);
}

static void a_few_qualified_ones_are_asked_directly(void **state)
{
    struct world *w = *state;
    struct found f[2];
    world_vm(w, "rg", "a", "running", "10.0.0.4", "20.0.0.1");
    world_vm(w, "rg", "b", "running", "10.0.0.5", "20.0.0.2");
    world_ask(w, "rg/a", 0, 0, &f[0]);
    world_ask(w, "rg/b", 0, 0, &f[1]);
    for (int i = 0; i < 2; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].facts->source, RESOLVER_SOURCE_ARM);
        found_done(&f[i]);
    }
    assert_int_equal(fake_arm_hits(w->rig->arm, GRAPH), 0);
}

static void more_than_a_query_holds_are_two(void **state)
{
    struct world *w = *state;
    int count = 1200;
    struct found *f = calloc((size_t)count, sizeof(*f));
    many_rows(w, count);
    ask_many(w, f, count, false);
    expect_many(w, f, count);
    assert_int_equal(world_requests(w), 2);
    free(f);
}

/* One of a batch that the Resource Graph does not know yet, and one that it says is off. */
static void the_doubtful_ones_of_a_batch_are_confirmed(void **state)
{
    static const char *const names[] = {"rg/vm0", "rg/vm1", "rg/new", "rg/off"};
    struct world *w = *state;
    struct found f[4];
    world_graph(w, ROW(SUB, "rg", "vm0", "running", "20.0.0.1") "," ROW(
                       SUB, "rg", "vm1", "running", "20.0.0.2") "," ROW(SUB, "rg", "off", "deallocated", ""));
    world_vm(w, "rg", "new", "running", "10.0.0.4", "20.0.0.3");
    world_vm(w, "rg", "off", "running", "10.0.0.4", "20.0.0.4");
    for (int i = 0; i < 4; i++)
        world_ask(w, names[i], 0, 0, &f[i]);
    for (int i = 0; i < 4; i++) {
        char ip[32];
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
        snprintf(ip, sizeof(ip), "20.0.0.%d", i + 1);
        assert_string_equal(f[i].facts->addresses[0].ip, ip);
        found_done(&f[i]);
    }
    assert_int_equal(world_requests(w), 5);
}

static void without_the_graph_a_batch_is_asked_directly(void **state)
{
    struct world *w = *state;
    struct found f[6];
    char name[32];
    fake_arm_on(w->rig->arm, GRAPH, 403, NULL, NO_SUCH("AuthorizationFailed"));
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "vm%d", i);
        world_vm(w, "rg", name, "running", "10.0.0.4", "20.0.0.1");
        snprintf(name, sizeof(name), "rg/vm%d", i);
        world_ask(w, name, 0, 0, &f[i]);
    }
    for (int i = 0; i < 6; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
        found_done(&f[i]);
    }
    assert_int_equal(world_requests(w), 13);
}

/* Every ten minutes all that is in use is asked for in one query, and nothing is confirmed one by one. */
static void all_in_use_is_refreshed_together(void **state)
{
    struct world *w = *state;
    struct found *f = calloc(MANY, sizeof(*f));
    many_rows(w, MANY);
    ask_many(w, f, MANY, true);
    expect_many(w, f, MANY);
    clock_test_freeze(w->rig->clock, clock_now(w->rig->clock));
    for (int round = 1; round <= 3; round++) {
        many_rows(w, round < 3 ? MANY : MANY - 1);     /* at last one is gone, perhaps */
        clock_test_advance(w->rig->clock, 530 * 1000); /* ten minutes, give or take a tenth */
        for (int i = 0; i < 140 && fake_arm_hits(w->rig->arm, GRAPH) < (unsigned)round + 1; i++) {
            clock_test_advance(w->rig->clock, 1000);
            rig_turns(w->rig, 2);
        }
        rig_turns(w->rig, 30);
        assert_int_equal(fake_arm_hits(w->rig->arm, GRAPH), round + 1);
        assert_int_equal(world_requests(w), round + 1);
    }
    /* The one that the Resource Graph no longer knows is asked for directly. */
    world_vm(w, "rg", "vm499", "running", "10.0.0.4", "20.0.9.9");
    world_ask(w, "rg/vm499", 0, 0, &f[0]);
    rig_advance_until(w->rig, &f[0].count, 1);
    assert_string_equal(f[0].facts->addresses[0].ip, "20.0.9.9");
    found_done(&f[0]);
    assert_int_equal(world_requests(w), 6);
    free(f);
}

/* A fleet of which nothing can be reached: ARM is asked directly, but not more often than it likes. */
static void direct_look_ups_keep_below_the_bucket(void **state)
{
    enum { VMS = 150 };
    struct world *w = *state;
    struct found *f = calloc(VMS, sizeof(*f));
    char name[32];
    clock_test_freeze(w->rig->clock, clock_now(w->rig->clock));
    for (int i = 0; i < VMS; i++) {
        snprintf(name, sizeof(name), "rg/vm%d", i);
        world_vm(w, "rg", name + strlen("rg/"), "running", NULL, NULL);
        world_ask(w, name, RESOLVER_DIRECT, 0, &f[i]);
    }
    for (int i = 0; i < 100; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
    }
    rig_turns(w->rig, 30);
    assert_int_equal(world_requests(w), 200);
    clock_test_advance(w->rig->clock, 1000);
    rig_until(w->rig, &f[109].count, 1);
    rig_turns(w->rig, 30);
    assert_int_equal(world_requests(w), 220);
    clock_test_advance(w->rig->clock, 4000);
    for (int i = 0; i < VMS; i++) {
        rig_until(w->rig, &f[i].count, 1);
        assert_int_equal(f[i].err.code, 0);
        found_done(&f[i]);
    }
    /* One whose turn would come too late is told so. */
    struct found late;
    world_ask(w, "rg/vm0", RESOLVER_DIRECT | RESOLVER_NO_CACHE, 10, &late);
    rig_advance_until(w->rig, &late.count, 1);
    assert_int_equal(late.err.code, ERR_THROTTLED);
    assert_contains(late.err.msg, "so many VMs");
    found_done(&late);
    free(f);
}

static void collect(void *arg, struct resolver_facts *const *vms, size_t count, const struct err *err)
{
    unsigned *told = arg;
    assert_null(err);
    assert_non_null(vms);
    told[1] = (unsigned)count;
    told[0] = 1;
}

static void every_vm_by_one_query(void **state)
{
    struct world *w = *state;
    struct resolver_list *l;
    struct err err;
    struct found f;
    unsigned told[2] = {0};
    many_rows(w, 40);
    assert_int_equal(resolver_all(w->resolver, 0, collect, told, &l, &err), 0);
    assert_int_equal(told[0], 0);
    rig_until(w->rig, &told[0], 1);
    assert_int_equal(told[1], 40);
    assert_null(strstr(fake_arm_last(w->rig->arm, GRAPH), "name in~"));
    world_find(w, "rg/vm7", 0, &f);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_CACHE);
    found_done(&f);
    assert_int_equal(world_requests(w), 1);
    assert_int_equal(resolver_all(w->resolver, 0, collect, told, &l, &err), 0);
    resolver_all_cancel(l);
    assert_int_equal(resolver_all(w->resolver, 0, collect, told, &l, &err), 0); /* goes with the resolver */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_at_once_are_one_query),
        TEST(a_few_qualified_ones_are_asked_directly),
        TEST(more_than_a_query_holds_are_two),
        TEST(the_doubtful_ones_of_a_batch_are_confirmed),
        TEST(without_the_graph_a_batch_is_asked_directly),
        TEST(direct_look_ups_keep_below_the_bucket),
        TEST(all_in_use_is_refreshed_together),
        TEST(every_vm_by_one_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
