/*
 * Security rules: who decides about a packet, in every form in which ARM writes a rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "prepare/nsg.h"

#define ID "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n"
#define ME "203.0.113.7/32"

/* A rule as short as can be: "name priority Allow|Deny source ports [more members]"; single quotes are double
 * ones. */
#define RULE(name, priority, access, source, ports, more)                                                    \
    "{'name':'" name "','properties':{'priority':" #priority ",'access':'" access                            \
    "','direction':'Inbound','protocol':'Tcp','sourceAddressPrefix':'" source                                \
    "','sourcePortRange':'*','destinationAddressPrefix':'*','destinationPortRange':'" ports "'" more "}}"
#define DEFAULTS                                                                                             \
    RULE("AllowVnetInBound", 65000, "Allow", "VirtualNetwork", "*",                                          \
         ",'destinationAddressPrefix':'VirtualNetwork'")                                                     \
    "," RULE("AllowAzureLoadBalancerInBound", 65001, "Allow", "AzureLoadBalancer", "*",                      \
             "") "," RULE("DenyAllInBound", 65500, "Deny", "*", "*", "")
#define MEMBERS(name, members)                                                                               \
    "{'name':'" name "','properties':{'priority':300,'access':'Allow','direction':'Inbound'," members "}}"
#define ANYWHERE "'sourcePortRange':'*','destinationAddressPrefix':'*'"

static json_t *json_of(const char *text)
{
    char *copy = mem_strdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t error;
    json_t *j = json_loads(copy, 0, &error);
    if (!j)
        fail_msg("%s in %s", error.text, copy);
    mem_free(copy);
    return j;
}

static int parse(const char *rules, struct nsg *g, struct err *err)
{
    char *text = mem_printf(
        "{'id':'" ID "','properties':{'securityRules':[%s],'defaultSecurityRules':[" DEFAULTS "]}}", rules);
    json_t *j = json_of(text);
    int rc = nsg_from_resource(j, g, err);
    json_decref(j);
    mem_free(text);
    return rc;
}

static const struct {
    const char *rules, *source, *destination;
    unsigned port;
    const char *decides; /* NULL: none */
} judged[] = {
    /* the defaults */
    {"", ME, NULL, 22, "DenyAllInBound"},
    {"", "10.1.2.3", "10.1.2.4", 22, "AllowVnetInBound"},
    {"", "10.1.2.3", "203.0.113.9", 22, "DenyAllInBound"},
    {"", "VirtualNetwork", NULL, 22, "AllowVnetInBound"},
    {"", "virtualnetwork", NULL, 22, "AllowVnetInBound"},
    {"", "168.63.129.16", NULL, 22, "AllowAzureLoadBalancerInBound"},
    {"", "fd00::5", NULL, 22, "AllowVnetInBound"},
    {"", "2001:db8::5", NULL, 22, "DenyAllInBound"},
    {"", "Internet", NULL, 22, "DenyAllInBound"},
    {"", "not an address", NULL, 22, NULL},
    {"", ME, "not an address", 22, NULL},

    /* priority: the lower number first, wherever in the list it stands */
    {RULE("late", 400, "Allow", "*", "22", "") "," RULE("early", 100, "Deny", "*", "22", ""), ME, NULL, 22,
     "early"},
    {RULE("late", 400, "Deny", "*", "22", "") "," RULE("early", 100, "Allow", "*", "22", ""), ME, NULL, 22,
     "early"},
    {RULE("other", 100, "Deny", "*", "3389", "") "," RULE("a", 200, "Allow", "*", "22", ""), ME, NULL, 22,
     "a"},

    /* ports */
    {RULE("a", 100, "Allow", "*", "20-25", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22-22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "23-25", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "0-65535", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "*", ""), ME, NULL, 65535, "a"},
    {RULE("a", 100, "Allow", "*", "22-", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "-22", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "0x16", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "65558", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "30-20", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "", ",'destinationPortRanges':['80','22']"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "", ",'destinationPortRanges':'22'"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'sourcePortRange':'22'"), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Deny", "*", "22", ",'sourcePortRange':'80'") "," RULE("b", 200, "Allow", "*", "22", ""),
     ME, NULL, 22, "b"},
    {RULE("a", 100, "Allow", "*", "22", ",'sourcePortRange':'0-65535'"), ME, NULL, 22, "a"},

    /* sources */
    {RULE("a", 100, "Allow", "203.0.113.7", "22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "203.0.113.0/24", "22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "203.0.113.8/31", "22", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "0.0.0.0/0", "22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "0.0.0.0/0", "22", ""), "*", NULL, 22, "a"},
    {RULE("a", 100, "Allow", "::/0", "22", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "::/0", "22", ""), "2001:db8::5/128", NULL, 22, "a"},
    {RULE("a", 100, "Allow", "2001:DB8::/32", "22", ""), "2001:db8:7::/64", NULL, 22, "a"},
    {RULE("a", 100, "Allow", "203.0.113.7", "22", ""), "::ffff:203.0.113.7", NULL, 22, "a"},
    {RULE("a", 100, "Allow", "Any", "22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "INTERNET", "22", ""), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "Internet", "22", ""), "10.0.0.9", NULL, 22, "AllowVnetInBound"},
    {RULE("a", 100, "Deny", "Internet", "22", ""), "10.0.0.9", NULL, 22, "AllowVnetInBound"},
    {RULE("a", 100, "Allow", "Internet", "22", ""), "Internet", NULL, 22, "a"},
    {RULE("a", 100, "Allow", "Internet", "22", ""), "*", NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "Storage", "22", ""), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "", "22", ",'sourceAddressPrefixes':['198.51.100.0/24','203.0.113.7/32']"), ME,
     NULL, 22, "a"},
    {RULE("a", 100, "Allow", "Storage", "22", ",'expandedSourceAddressPrefix':['203.0.113.0/29']"), ME, NULL,
     22, "a"},
    {RULE("a", 100, "Deny", "Storage", "22",
          ",'expandedSourceAddressPrefix':['203.0.113.0/29']") "," RULE("b", 200, "Allow", "*", "22", ""),
     ME, NULL, 22, "a"},

    /* a prefix: all of it must be let in, and no part of it refused before */
    {RULE("a", 100, "Allow", "203.0.113.0/25", "22", ""), "203.0.113.0/24", NULL, 22, "DenyAllInBound"},
    {RULE("d", 100, "Deny", "203.0.113.128/25", "22", "") "," RULE("a", 200, "Allow", "*", "22", ""),
     "203.0.113.0/24", NULL, 22, "d"},
    {RULE("d", 100, "Deny", "203.0.113.128/25", "22", "") "," RULE("a", 200, "Allow", "*", "22", ""), ME,
     NULL, 22, "a"},
    {RULE("d", 100, "Deny", "203.0.113.0/24", "22", "") "," RULE("a", 200, "Allow", "*", "22", ""), "*", NULL,
     22, "d"},
    {RULE("d", 100, "Deny", "10.0.0.0/8", "22", "") "," RULE("a", 200, "Allow", "*", "22", ""), "Internet",
     NULL, 22, "a"},

    /* destinations */
    {RULE("a", 100, "Allow", "*", "22", ",'destinationAddressPrefix':'10.0.0.5'"), ME, "10.0.0.4", 22,
     "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "22", ",'destinationAddressPrefix':'10.0.0.4'"), ME, "10.0.0.4", 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'destinationAddressPrefix':'10.0.0.5'"), ME, NULL, 22, "a"},

    /* protocol, direction, casing */
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':'Udp'"), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':'*'"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':'All'"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':'TCP'"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':'6'"), ME, NULL, 22, "a"},
    {RULE("a", 100, "Allow", "*", "22", ",'protocol':null"), ME, NULL, 22, "DenyAllInBound"},
    {RULE("a", 100, "Deny", "*", "22", ",'direction':'Outbound'") "," RULE("b", 100, "Allow", "*", "22", ""),
     ME, NULL, 22, "b"},
    {RULE("a", 100, "allow", "*", "22", ",'direction':'INBOUND'"), ME, NULL, 22, "a"},

    /* members that are missing or of another type match nothing */
    {MEMBERS("a", "'protocol':'Tcp'"), ME, NULL, 22, "DenyAllInBound"},
    {MEMBERS("a", "'protocol':'Tcp','sourceAddressPrefix':'*','destinationPortRange':22," ANYWHERE), ME, NULL,
     22, "DenyAllInBound"},
    {MEMBERS("a", "'protocol':'Tcp','sourceAddressPrefix':{},'destinationPortRange':'22'," ANYWHERE), ME,
     NULL, 22, "DenyAllInBound"},
    {MEMBERS("a",
             "'protocol':'Tcp','sourceAddressPrefixes':[1,null,'*'],'destinationPortRange':'22'," ANYWHERE),
     ME, NULL, 22, "a"},
};

static void test_who_decides(void **state)
{
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
        struct nsg g;
        struct err err = {0};
        if (parse(judged[i].rules, &g, &err) < 0)
            fail_msg("%zu: %s", i, err.msg);
        const struct nsg_rule *r =
            nsg_judge(&g, judged[i].source, judged[i].destination, (uint16_t)judged[i].port);
        if (strcmp(r ? r->name : "none", judged[i].decides ? judged[i].decides : "none") != 0)
            fail_msg("%zu: %s decides, not %s: %s from %s", i, r ? r->name : "none", judged[i].decides,
                     judged[i].rules, judged[i].source);
        nsg_done(&g);
    }
}

static void test_no_rule_is_a_refusal(void **state)
{
    struct nsg g;
    json_t *j = json_of("{'id':'" ID "','properties':{}}");
    assert_int_equal(nsg_from_resource(j, &g, NULL), 0);
    assert_int_equal(g.count, 0);
    assert_null(nsg_judge(&g, ME, NULL, 22));
    assert_int_equal(nsg_priority_free(&g, 1000, 65500), 1000);
    nsg_done(&g);
    json_decref(j);
}

/* Real replies prefix the names and give ranges in full. */
static void test_effective(void **state)
{
    json_t *j = json_of(
        "{'value':[{'networkSecurityGroup':{'id':'" ID "'},'association':{'networkInterface':{'id':'x'}},"
        "'effectiveSecurityRules':[{'name':'defaultSecurityRules/"
        "DenyAllInBound','protocol':'All','sourcePortRange':'0-65535',"
        "'destinationPortRange':'0-65535','sourcePortRanges':['0-65535'],'destinationPortRanges':['0-65535'],"
        "'sourceAddressPrefix':'0.0.0.0/0','destinationAddressPrefix':'0.0.0.0/"
        "0','sourceAddressPrefixes':['0.0.0.0/0','::/0'],"
        "'access':'Deny','priority':65500,'direction':'Inbound'},"
        "{'name':'securityRules/"
        "allow-SSH','protocol':'Tcp','sourcePortRange':'0-65535','destinationPortRange':'22-22',"
        "'sourceAddressPrefix':'203.0.113.7/32','destinationAddressPrefix':'0.0.0.0/"
        "0','access':'Allow','priority':1000,"
        "'direction':'Inbound'}]},{'networkSecurityGroup':{'id':'" ID
        "2'},'association':{'subnet':{'id':'y'}}}]}");
    struct nsg *all;
    size_t n;
    struct err err = {0};
    if (nsg_from_effective(j, &all, &n, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(n, 2);
    assert_string_equal(all[0].id, ID);
    assert_string_equal(nsg_judge(&all[0], ME, "10.0.0.4", 22)->name, "allow-SSH");
    assert_string_equal(nsg_judge(&all[0], "203.0.113.8", NULL, 22)->name, "DenyAllInBound");
    assert_string_equal(nsg_judge(&all[0], "2001:db8::1", NULL, 22)->name, "DenyAllInBound");
    assert_string_equal(all[1].id, ID "2");
    assert_null(nsg_judge(&all[1], ME, NULL, 22));
    nsg_done(&all[0]), nsg_done(&all[1]);
    mem_free(all);
    json_decref(j);
}

static void test_hostile_documents(void **state)
{
    static const char *const rules[] = {
        "7",
        "null",
        "[]",
        "{}",
        "{'name':'a','properties':{}}",
        "{'name':'a','properties':7}",
        "{'name':1,'properties':{'priority':1,'access':'Deny','direction':'Inbound'}}",
        "{'name':'a','properties':{'priority':'1','access':'Deny','direction':'Inbound'}}",
        "{'name':'a','properties':{'priority':-1,'access':'Deny','direction':'Inbound'}}",
        "{'name':'a','properties':{'priority':4294967396,'access':'Deny','direction':'Inbound'}}",
        "{'name':'a','properties':{'priority':1,'direction':'Inbound'}}"};
    static const char *const resources[] = {"7", "{}", "{'id':7}",
                                            "{'id':'x','properties':{'securityRules':{}}}",
                                            "{'id':'x','properties':{'securityRules':'text'}}"};
    struct nsg g;
    struct err err;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        err_clear(&err);
        assert_int_equal(parse(rules[i], &g, &err), ERR_PROTOCOL);
        assert_non_null(strstr(err.msg, "network security group n: "));
    }
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        char *copy = mem_strdup(resources[i]);
        for (char *c = copy; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        json_t *j = json_loads(copy, JSON_DECODE_ANY, NULL);
        struct nsg *all;
        size_t n;
        assert_int_equal(nsg_from_resource(j, &g, &err), ERR_PROTOCOL);
        assert_int_equal(nsg_from_effective(j, &all, &n, &err), ERR_PROTOCOL);
        json_decref(j);
        mem_free(copy);
    }
}

static void test_limits(void **state)
{
    struct nsg g, *all;
    size_t n;
    json_t *rule = json_of(RULE("a", 100, "Deny", "*", "22", "")), *rules = json_array(),
           *groups = json_array();
    for (int i = 0; i <= NSG_RULES_MAX; i++)
        json_array_append(rules, rule);
    json_t *j = json_pack("{s:s,s:{s:O}}", "id", ID, "properties", "securityRules", rules);
    assert_int_equal(nsg_from_resource(j, &g, NULL), ERR_LIMIT);
    json_array_remove(rules, 0);
    assert_int_equal(nsg_from_resource(j, &g, NULL), 0);
    assert_int_equal(g.count, NSG_RULES_MAX);
    nsg_done(&g);
    json_decref(j);
    for (int i = 0; i < 65; i++)
        json_array_append_new(groups, json_pack("{s:{s:s}}", "networkSecurityGroup", "id", ID));
    j = json_pack("{s:o}", "value", groups);
    assert_int_equal(nsg_from_effective(j, &all, &n, NULL), ERR_LIMIT);
    json_decref(j);
    json_array_clear(rules);
    json_t *many = json_array();
    for (int i = 0; i < 20000; i++)
        json_array_append_new(many, json_string("10.0.0.0/8"));
    json_object_set_new(json_object_get(rule, "properties"), "sourceAddressPrefixes", many);
    json_array_append(rules, rule);
    j = json_pack("{s:s,s:{s:O}}", "id", ID, "properties", "securityRules", rules);
    assert_int_equal(nsg_from_resource(j, &g, NULL), ERR_LIMIT);
    json_decref(j);
    json_decref(rules), json_decref(rule);
}

static void test_priority(void **state)
{
    static const struct {
        int wanted, before, free;
    } cases[] = {{1000, 65500, 1003}, {1000, 1002, 999},   {1000, 999, 998},    {1000, 65500, 1003},
                 {500, 501, 500},     {1000, 100, 0},      {1000, 101, 0},      {1000, 102, 0},
                 {1000, 104, 103},    {4096, 65500, 4096}, {5000, 65500, 4096}, {1, 65500, 103},
                 {1000, 0, 0}};
    struct nsg g;
    assert_int_equal(
        parse(RULE("a", 1000, "Deny", "*", "22", "") "," RULE("b", 1001, "Allow", "*", "1", "") "," RULE(
                  "c", 1002, "Allow", "*", "1",
                  "") "," RULE("d", 100, "Allow", "*", "1",
                               "") "," RULE("e", 101, "Allow", "*", "1",
                                            "") "," RULE("f", 102, "Allow", "*", "1",
                                                         "") "," RULE("g", 500, "Allow", "*", "1",
                                                                      ",'direction':'Outbound'"),
              &g, NULL),
        0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (nsg_priority_free(&g, cases[i].wanted, cases[i].before) != cases[i].free)
            fail_msg("%d before %d: %d", cases[i].wanted, cases[i].before,
                     nsg_priority_free(&g, cases[i].wanted, cases[i].before));
    nsg_done(&g);
}

static void test_source(void **state)
{
    static const char *const good[][2] = {{"203.0.113.7", "203.0.113.7/32"},
                                          {"203.0.113.7/24", "203.0.113.0/24"},
                                          {"*", "*"},
                                          {"internet", "Internet"},
                                          {"2001:DB8::5", "2001:db8::5/128"},
                                          {"2001:db8:ff::/33", "2001:db8::/33"},
                                          {"0.0.0.0/0", "0.0.0.0/0"},
                                          {"::ffff:203.0.113.7", "203.0.113.7/32"}};
    static const char *const bad[] = {"",
                                      "/",
                                      "203.0.113",
                                      "203.0.113.7/33",
                                      "203.0.113.7/",
                                      "203.0.113.7/-1",
                                      "203.0.113.7/08x",
                                      "::1/129",
                                      "host.example",
                                      "203.0.113.7 ",
                                      "any",
                                      "VirtualNetwork",
                                      "AzureLoadBalancer",
                                      "203.0.113.7/32/1",
                                      "1.2.3.4'; reboot"};
    char out[64];
    struct err err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(nsg_source_normal(good[i][0], out, sizeof out, &err), 0);
        assert_string_equal(out, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nsg_source_normal(bad[i], out, sizeof out, &err) != ERR_INVAL)
            fail_msg("'%s' became '%s'", bad[i], out);
    assert_int_equal(nsg_source_normal("203.0.113.7", out, 14, &err), ERR_INVAL);
    assert_int_equal(nsg_source_normal("203.0.113.7", out, 15, &err), 0);
}

static void test_out_of_memory(void **state)
{
    json_t *j = json_of("{'id':'" ID "','properties':{'securityRules':[" DEFAULTS "]}}");
    struct nsg g;
    long k = 0;
    for (int rc = -1; rc < 0; k++) {
        mem_fail_after(k);
        rc = nsg_from_resource(j, &g, NULL);
        assert_true(rc == 0 || rc == ERR_NOMEM);
    }
    mem_fail_after(-1);
    assert_true(k > 3);
    nsg_done(&g);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_decides), cmocka_unit_test(test_no_rule_is_a_refusal),
        cmocka_unit_test(test_effective),   cmocka_unit_test(test_hostile_documents),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_priority),
        cmocka_unit_test(test_source),      cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
