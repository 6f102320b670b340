/*
 * The Resource Graph query and its rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/graph_rows.h"
#include "resolver/kql.h"

#define S "33333333-3333-3333-3333-333333333333"
#define VM(g, n) "/subscriptions/" S "/resourceGroups/" g "/providers/Microsoft.Compute/virtualMachines/" n

static void literals_cannot_be_left(void **state)
{
    struct strbuf s;
    strbuf_init(&s);
    kql_literal_add(&s, "a'b\\c\n'; Resources | count");
    assert_string_equal(s.data, "'a\\'b\\\\c\\u000a\\'; Resources | count'");
    strbuf_clear(&s);
    kql_vms_named(&s, (const char *const[]){"web1", "o'x"}, 2);
    assert_non_null(strstr(s.data, "name in~ ('web1', 'o\\'x')"));
    strbuf_done(&s);
}

static int add(struct graph_rows *g, const char *text)
{
    struct err err;
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    int rc = graph_rows_add(g, j, &err);
    json_decref(j);
    return rc;
}

static void rows_become_vms(void **state)
{
    struct graph_rows g;
    graph_rows_init(&g);
    assert_int_equal(
        add(&g,
            "[{\"id\":\"" VM(
                "a", "web1") "\",\"vmId\":\"v1\",\"osType\":\"Linux\",\"power\":\"PowerState/running\","
                             "\"adminUser\":\"u\",\"provisioning\":\"Succeeded\",\"location\":\"w\","
                             "\"nicId\":\"/n/2\","
                             "\"nicPrimary\":false,\"ipPrimary\":true,\"privateIp\":\"10.0.1.4\","
                             "\"publicIp\":\"\"},"
                             "{\"id\":\"" VM(
                                 "a", "web1") "\",\"nicId\":\"/n/1\",\"nicPrimary\":true,\"ipPrimary\":false,"
                                              "\"privateIp\":\"10.0.0.5\",\"publicIp\":null}]"),
        0);
    /* The same VM goes on on the next page, in another case. */
    assert_int_equal(
        add(&g,
            "[{\"id\":\"" VM(
                "A",
                "WEB1") "\",\"nicId\":\"/n/1\",\"nicPrimary\":true,\"ipPrimary\":true,"
                        "\"privateIp\":\"10.0.0.4\",\"publicIp\":\"20.0.0.1\"},"
                        "{\"id\":\"" VM(
                            "b",
                            "web1") "\",\"nicId\":\"/n/3\",\"nicPrimary\":null,\"privateIp\":\"10.1.0.4\"}]"),
        0);
    graph_rows_end(&g);
    assert_int_equal(g.count, 2);
    const struct resolver_facts *f = g.vms[0];
    assert_int_equal(f->address_count, 4);
    assert_string_equal(f->addresses[0].ip, "20.0.0.1");
    assert_string_equal(f->addresses[1].ip, "10.0.0.4");
    assert_string_equal(f->addresses[2].ip, "10.0.0.5");
    assert_string_equal(f->addresses[3].ip, "10.0.1.4");
    assert_string_equal(f->vm_id, "v1");
    assert_int_equal(f->power, RESOLVER_POWER_RUNNING);
    assert_int_equal(f->source, RESOLVER_SOURCE_GRAPH);
    assert_string_equal(g.vms[1]->group, "b");
    assert_true(g.vms[1]->addresses[0].primary_nic && g.vms[1]->addresses[0].primary_ip);
    assert_int_equal(g.vms[1]->power, RESOLVER_POWER_UNKNOWN);
    graph_rows_done(&g);
}

static void senseless_rows_are_skipped(void **state)
{
    struct graph_rows g;
    graph_rows_init(&g);
    assert_int_equal(
        add(&g,
            "[null,1,\"x\",[],{},{\"id\":5},{\"id\":\"web1\"},{\"id\":\"" VM(
                "a", "w") "\",\"power\":{},"
                          "\"nicId\":[],\"nicPrimary\":\"true\",\"publicIp\":\"not one\",\"privateIp\":7}]"),
        0);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.vms[0]->address_count, 0);
    assert_int_equal(add(&g, "{}"), ERR_PROTOCOL);
    graph_rows_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_cannot_be_left),
        cmocka_unit_test(rows_become_vms),
        cmocka_unit_test(senseless_rows_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
