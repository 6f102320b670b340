/*
 * Bare names: the Resource Graph, its lag, its absence, and names that fit several VMs or none.
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

static void one_request_cold_none_warm(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.1"));
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_GRAPH);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.1");
    assert_string_equal(f.facts->vm_id, "vmid-web1");
    found_done(&f);
    world_find(w, "WEB1", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    world_find(w, SUB "/rg-web/web1", 0, &f);
    assert_int_equal(f.err.code, 0);
    found_done(&f);
    assert_int_equal(world_requests(w), 1);
    const char *sent = fake_arm_last(w->rig->arm, GRAPH);
    assert_contains(sent, "\"subscriptions\":[\"" SUB "\"]");
    assert_contains(sent, "name in~ ('web1')");
    assert_contains(sent, "\"resultFormat\":\"objectArray\"");
}

static void all_visible_subscriptions_when_none_is_configured(void **state)
{
    struct world *w = *state;
    struct found f;
    world_reopen(w, NULL, 0);
    world_graph(w, ROW(SUB, "rg-web", "web1", "running", "20.0.0.1"));
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_null(strstr(fake_arm_last(w->rig->arm, GRAPH), "\"subscriptions\""));
    assert_int_equal(world_requests(w), 1);
    found_done(&f);
}

static void several_are_listed_in_order(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg-z", "web1", "running", "20.0.0.1") "," ROW(SUB, "rg-a", "web1", "running",
                                                                           "20.0.0.2"));
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, ERR_AMBIGUOUS);
    assert_contains(f.err.msg, "rg-a/web1, rg-z/web1");
    found_done(&f);
    world_reopen(w, (const char *const[]){SUB, SUB2}, 2);
    world_graph(
        w, ROW(SUB2, "rg", "web1", "running", "20.0.0.1") "," ROW(SUB, "rg", "web1", "running", "20.0.0.2"));
    world_find(w, "web1", 0, &f);
    assert_int_equal(f.err.code, ERR_AMBIGUOUS);
    assert_contains(f.err.msg, SUB "/rg/web1, " SUB2 "/rg/web1");
    found_done(&f);
}

static void none_says_what_to_check(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, "");
    for (int i = 0; i < 2; i++) {
        world_find(w, "wbe1", 0, &f);
        assert_int_equal(f.err.code, ERR_NOTFOUND);
        assert_contains(f.err.msg, "no VM named wbe1");
        assert_contains(f.err.msg, "spelling");
        found_done(&f);
    }
    assert_int_equal(world_requests(w), 2); /* the second one for a hint */
}

static void a_vm_said_to_be_off_is_confirmed(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg", "vm", "deallocated", ""));
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.9");
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->power, RESOLVER_POWER_RUNNING);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.9");
    assert_int_equal(world_requests(w), 3);
    found_done(&f);
}

static void an_unconfirmed_answer_is_better_than_none(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg", "vm", "deallocated", ""));
    fake_arm_on(w->rig->arm, "GET " VM_PATH("rg", "vm"), 403, NULL, NO_SUCH("AuthorizationFailed"));
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.facts->power, RESOLVER_POWER_DEALLOCATED);
    found_done(&f);
    world_find(w, "vm", RESOLVER_DIRECT, &f);
    assert_int_equal(f.err.code, ERR_DENIED);
    found_done(&f);
}

static void after_a_failed_connect_arm_is_asked_where_it_was(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg", "vm", "running", "20.0.0.1"));
    world_find(w, "vm", 0, &f);
    found_done(&f);
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    world_invalidate(w, "vm");
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    assert_int_equal(fake_arm_hits(w->rig->arm, GRAPH), 1);
    found_done(&f);
    /* Told by its full name, it holds for the bare one as well. */
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.3");
    world_invalidate(w, SUB "/rg/vm");
    world_find(w, "vm", 0, &f);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.3");
    found_done(&f);
}

static void a_vm_that_moved_is_searched_again(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "old", "vm", "running", "20.0.0.1"));
    world_find(w, "vm", 0, &f);
    found_done(&f);
    world_no_vm(w, "old", "vm");
    world_graph(w, ROW(SUB, "new", "vm", "running", "20.0.0.1"));
    world_vm(w, "new", "vm", "running", "10.0.0.4", "20.0.0.5");
    world_invalidate(w, "vm");
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->group, "new");
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.5");
    found_done(&f);
}

static void invalidated_while_the_graph_is_asked(void **state)
{
    struct world *w = *state;
    struct found f, warm;
    world_vm(w, "rg", "warm", "running", "10.0.0.9", "20.0.0.9");
    world_find(w, "rg/warm", 0, &warm);
    found_done(&warm);
    world_graph(w, ROW(SUB, "rg", "vm", "running", "20.0.0.1"));
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    fake_arm_hold(w->rig->arm, true);
    world_ask(w, "vm", 0, 0, &f);
    rig_until_hits(w->rig, GRAPH, 1);
    world_invalidate(w, "vm");
    fake_arm_hold(w->rig->arm, false);
    rig_until(w->rig, &f.count, 1);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    found_done(&f);
}

static void direct_means_direct(void **state)
{
    struct world *w = *state;
    struct found f;
    world_graph(w, ROW(SUB, "rg", "vm", "running", "20.0.0.1"));
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    world_find(w, "vm", RESOLVER_DIRECT, &f);
    assert_int_equal(f.facts->source, RESOLVER_SOURCE_ARM);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    found_done(&f);
    world_find(w, "vm", RESOLVER_DIRECT, &f);
    assert_int_equal(fake_arm_hits(w->rig->arm, GRAPH), 1);
    found_done(&f);
}

static void pages_are_followed(void **state)
{
    struct world *w = *state;
    struct found f;
    fake_arm_on(w->rig->arm, GRAPH, 200, NULL,
                "{\"data\":[" ROW(SUB, "rg-a", "vm", "running", "20.0.0.1") "],\"$skipToken\":\"page two\"}");
    fake_arm_on(w->rig->arm, GRAPH, 200, NULL,
                "{\"data\":[" ROW(SUB, "rg-b", "vm", "running", "20.0.0.2") "]}");
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, ERR_AMBIGUOUS);
    assert_contains(fake_arm_last(w->rig->arm, GRAPH), "\"$skipToken\":\"page two\"");
    found_done(&f);
}

static void without_the_graph_the_vms_are_listed(void **state)
{
    struct world *w = *state;
    struct found f;
    static const char *const both[] = {SUB, SUB2};
    world_reopen(w, both, 2);
    fake_arm_on(w->rig->arm, GRAPH, 403, NULL, NO_SUCH("AuthorizationFailed"));
    fake_arm_on(w->rig->arm, "GET /subscriptions/" SUB2 "/providers/Microsoft.Compute/virtualMachines?", 403,
                NULL, NO_SUCH("AuthorizationFailed"));
    char body[1024];
    snprintf(body, sizeof(body),
             "{\"value\":[{\"id\":\"" VM_PATH("rg", "other") "\"},null],\"nextLink\":\"%s/page2\"}",
             fake_arm_url(w->rig->arm));
    fake_arm_on(w->rig->arm, "GET /subscriptions/" SUB "/providers/Microsoft.Compute/virtualMachines?", 200,
                NULL, body);
    fake_arm_on(w->rig->arm, "GET /page2", 200, NULL, "{\"value\":[{\"id\":\"" VM_PATH("rg", "VM") "\"}]}");
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    world_find(w, "vm", 0, &f);
    assert_int_equal(f.err.code, 0);
    assert_string_equal(f.facts->addresses[0].ip, "20.0.0.2");
    found_done(&f);
    world_find(w, "third", 0, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    found_done(&f);
    /* No subscription may be read at all: that is the answer. */
    fake_arm_forget(w->rig->arm, "GET /subscriptions/" SUB "/providers/Microsoft.Compute/virtualMachines?");
    fake_arm_on(w->rig->arm, "GET /subscriptions/" SUB "/providers/Microsoft.Compute/virtualMachines?", 403,
                NULL, NO_SUCH("AuthorizationFailed"));
    world_find(w, "fourth", 0, &f);
    assert_int_equal(f.err.code, ERR_DENIED);
    found_done(&f);
}

static void a_graph_that_answers_nonsense(void **state)
{
    static const char *const bodies[] = {"[]", "{}", "{\"data\":5}", "<html>", ""};
    struct world *w = *state;
    struct found f;
    fake_arm_on(w->rig->arm, "GET /subscriptions/" SUB "/providers/Microsoft.Compute/virtualMachines?", 200,
                NULL, "{\"value\":[{\"id\":\"" VM_PATH("rg", "vm") "\"}]}");
    world_vm(w, "rg", "vm", "running", "10.0.0.4", "20.0.0.2");
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        fake_arm_forget(w->rig->arm, GRAPH);
        fake_arm_on(w->rig->arm, GRAPH, 200, NULL, bodies[i]);
        world_find(w, "vm", RESOLVER_NO_CACHE, &f);
        assert_int_equal(f.err.code, 0);
        assert_int_equal(f.facts->source, RESOLVER_SOURCE_ARM);
        found_done(&f);
    }
    fake_arm_forget(w->rig->arm, GRAPH);
    fake_arm_on(w->rig->arm, GRAPH, 200, NULL, "{\"data\":[],\"$skipToken\":7}");
    world_find(w, "vm", RESOLVER_NO_CACHE, &f);
    assert_int_equal(f.err.code, ERR_NOTFOUND);
    found_done(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request_cold_none_warm),
        TEST(all_visible_subscriptions_when_none_is_configured),
        TEST(several_are_listed_in_order),
        TEST(none_says_what_to_check),
        TEST(a_vm_said_to_be_off_is_confirmed),
        TEST(an_unconfirmed_answer_is_better_than_none),
        TEST(after_a_failed_connect_arm_is_asked_where_it_was),
        TEST(a_vm_that_moved_is_searched_again),
        TEST(invalidated_while_the_graph_is_asked),
        TEST(direct_means_direct),
        TEST(pages_are_followed),
        TEST(without_the_graph_the_vms_are_listed),
        TEST(a_graph_that_answers_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
