/*
 * test_config_problems: what a user reads about a file that is wrong, and that all of it comes at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "config/config_load.h"
#include "text.h"

static void test_keys(void **state)
{
    text_problems("wokers: 1\n", "1:1: unknown key \"wokers\"; did you mean \"workers\"?");
    text_problems("xyzzy: 1\n", "1:1: unknown key \"xyzzy\"");
    text_problems("vms:\n  - name: win11\n  - name: db1\n    lcoal: [1]\n",
                  "4:5: vms[2] \"db1\": unknown key \"lcoal\"; did you mean \"local\"?");
    text_problems("azure: {tenent: x}\n", "1:9: azure: unknown key \"tenent\"; did you mean \"tenant\"?");
    text_problems("vms:\n- name: a\n  port: 1\n  port: 2\n",
                  "4:3: vms[1] \"a\": key \"port\" is given twice; the first is in line 3");
    text_problems("vms: [{vm: g/v}]\n", "1:7: vms[1]: key \"name\" is missing");
    text_problems("? [a]\n: 1\n", "1:3: a key is a single word, not a list");
}

static void test_types(void **state)
{
    text_problems("[]\n", "1:1: keys and values belong here (key: value), not a list");
    text_problems(
        "vms: x\n",
        "1:6: vms: a list belongs here, not a single value; write it as [A, B] or as lines \"- A\"");
    text_problems("vms:\n",
                  "1:5: vms: a list belongs here, not nothing; write it as [A, B] or as lines \"- A\"");
    text_problems("vms: [x]\n", "1:7: vms[1]: keys and values belong here (key: value), not a single value");
    text_problems(
        "defaults: {user: [a]}\n",
        "1:18: defaults: user: a single value belongs here, not a list; quote text that begins with [ or {");
    text_problems("defaults: {port: 022}\n",
                  "1:18: defaults: port: \"022\" is not a whole number from 0 to 65535");
    text_problems("defaults: {port: 65536}\n",
                  "1:18: defaults: port: \"65536\" is not a whole number from 0 to 65535");
    text_problems("workers: -1\n", "1:10: workers: \"-1\" is not a whole number from 0 to 4294967295");
    text_problems("defaults: {agent: on}\n", "1:19: defaults: agent: \"on\" is neither true nor false");
    text_problems("defaults: {user: }\n",
                  "1:18: defaults: user: no value is given; write one or remove the key");
    text_problems("defaults: {user: ~}\n",
                  "1:18: defaults: user: no value is given; write one or remove the key");
    text_problems("defaults: {user: \"\"}\n", "1:18: defaults: user: this text may not be empty");
    text_problems("defaults: {user: \"a\\0b\"}\n", "1:18: defaults: user: the value holds a NUL character");
    text_problems("defaults: {identity: []}\n",
                  "1:22: defaults: identity: the list may not be empty; remove the key instead");
    text_problems("log-level: warning\n",
                  "1:12: log-level: \"warning\" is not one of: debug, info, warn, error");
    text_problems("defaults: {host-key-check: acept-new}\n",
                  "1:28: defaults: host-key-check: \"acept-new\" is not one of: strict, accept-new, ask, "
                  "arm; did you mean "
                  "\"accept-new\"?");
}

static void test_values(void **state)
{
    text_problems("workers: 65\n", "1:10: workers: 65 is out of range: 0 to 64");
    text_problems("defaults: {port: 0}\n", "1:18: defaults: port: 0 is out of range: 1 to 65535");
    text_problems("defaults: {keepalive: 30}\n",
                  "1:23: defaults: keepalive: the time \"30\" lacks its unit (ms, s, m or h), like 30s");
    text_problems(
        "defaults: {keepalive: 30 s}\n",
        "1:23: defaults: keepalive: \"30 s\" is not a time; write a number and ms, s, m or h, like 30s");
    text_problems("defaults: {keepalive: 500ms}\n",
                  "1:23: defaults: keepalive: 500ms is out of range: 1s to 24h, or 0 for off");
    text_problems("defaults: {connect-timeout: 0}\n",
                  "1:29: defaults: connect-timeout: 0 is out of range: 100ms to 1h");
    text_problems("defaults: {idle-timeout: 4294967h}\n",
                  "1:26: defaults: idle-timeout: the time \"4294967h\" is longer than 1000h");
    text_problems("defaults: {identity: [~no-such-user-x/k]}\n",
                  "1:23: defaults: identity[1]: there is no user \"no-such-user-x\" on this machine, so "
                  "~no-such-user-x "
                  "means nothing");
    text_problems("defaults: {user: -oProxyCommand}\n",
                  "1:18: defaults: user: a user name does not begin with \"-\"");
    text_problems("vms: [{name: a, vm: \"g v\"}]\n",
                  "1:21: vms[1] \"a\": VM name \"g v\": the VM \"g v\" holds a character other than letters, "
                  "digits, - . _; "
                  "write VM, GROUP/VM, SUBSCRIPTION/GROUP/VM, a resource ID or an address");
    text_problems("vms: [{name: 10.0.0.400}]\n", "1:14: vms[1] \"10.0.0.400\": VM name \"10.0.0.400\": this "
                                                 "is not an IPv4 address; write VM, GROUP/VM, "
                                                 "SUBSCRIPTION/GROUP/VM, a resource ID or an address");
    text_problems("vms: [{name: a, vm: g/v, address: 10.0.0.1}]\n",
                  "1:26: vms[1] \"a\": address is given although vm says which VM it is");
    text_problems("vms: [{name: a, id: g/v}]\n",
                  "1:21: vms[1] \"a\": id is a resource ID, which begins with /subscriptions/");
    text_problems(
        "vms: [{name: a/b}]\n",
        "1:14: vms[1] \"a/b\": \"a/b\" cannot be a name; it begins with a letter or digit and has at most 80 "
        "letters, digits, - . _");
    text_problems("vms: [{name: a, local: [\"3389:localhost\"]}]\n",
                  "1:25: vms[1] \"a\": local[1]: forward \"3389:localhost\": it does not say where to go as "
                  "HOST:PORT or as "
                  "a socket path; write it like 3389:localhost:3389");
}

static void test_azure(void **state)
{
    text_problems("azure: {subscription: a, subscriptions: [b]}\n",
                  "1:26: azure: give either subscription or subscriptions, not both");
    text_problems("azure: {arm-endpoint: \"https://a\"}\n",
                  "1:9: azure: arm-endpoint is given without login-endpoint; a custom cloud needs both");
    text_problems("azure: {cloud: custom}\n",
                  "1:16: azure: cloud custom needs arm-endpoint and login-endpoint");
    text_problems("azure: {cloud: usgov, arm-endpoint: \"https://a\", login-endpoint: \"https://b\"}\n",
                  "1:23: azure: endpoints are given, but cloud is \"usgov\"; make it custom or leave it out");
    text_problems("azure: {arm-endpoint: \"http://a\", login-endpoint: \"https://b/c\"}\n",
                  "1:23: azure: arm-endpoint: \"http://a\" is not an endpoint; write https://HOST or "
                  "https://HOST:PORT\n"
                  "1:51: azure: login-endpoint: \"https://b/c\" is not an endpoint; write https://HOST or "
                  "https://HOST:PORT");
}

static void test_between_vms(void **state)
{
    text_problems("vms:\n- name: a\n- name: A\n", "3:9: vms[2] \"A\": the name is taken by the VM in line 2");
    text_problems("vms:\n- {name: win11, local: [\"3389\"]}\n- {name: b, local: [\"1\", \"*:3389:h:1\"]}\n",
                  "3:26: vms[2] \"b\": local[2]: \"*:3389:h:1\" listens where \"3389\" of win11 (line 2) "
                  "does; choose another "
                  "port or address");
    text_problems("vms:\n- {name: a, local: [\"1080\"], dynamic: [\"1080\"]}\n",
                  "2:40: vms[1] \"a\": dynamic[1]: \"1080\" listens where \"1080\" of a (line 2) does; "
                  "choose another port "
                  "or address");
    text_problems("vms:\n- {name: a, local: [\"1\"], bulk: [1, 2]}\n",
                  "2:37: vms[1] \"a\": bulk: no forward of this VM listens on port 2");
}

static void test_via(void **state)
{
    text_problems("vms: [{name: jump}, {name: b, via: jmup}]\n",
                  "1:36: vms[2] \"b\": via: no VM of this file is named \"jmup\"; did you mean \"jump\"?; "
                  "name one, or write "
                  "GROUP/VM");
    text_problems("vms: [{name: a, via: A}]\n",
                  "1:22: vms[1] \"a\": via: the way leads back to the VM itself: a → a");
    /* One circle is told once; a VM that only leads into it is not to blame. */
    text_problems("vms: [{name: x, via: a}, {name: a, via: b}, {name: b, vm: g/b, via: g/c}, {name: c, vm: "
                  "g/c, via: a}]\n",
                  "1:41: vms[2] \"a\": via: the way leads back to the VM itself: a → b → c → a");
    text_problems("vms: [{name: a, via: \"x y\"}]\n",
                  "1:22: vms[1] \"a\": via: VM name \"x y\": the VM \"x y\" holds a character other than "
                  "letters, digits, - . "
                  "_; write VM, GROUP/VM, SUBSCRIPTION/GROUP/VM, a resource ID or an address");
    struct strbuf chain;
    strbuf_init(&chain);
    strbuf_puts(&chain, "vms:\n- name: v0\n");
    for (int i = 1; i <= 9; i++)
        strbuf_printf(&chain, "- {name: v%d, via: v%d}\n", i, i - 1);
    char *text = strbuf_take(&chain);
    text_problems(text, "11:19: vms[10] \"v9\": via: more than 8 VMs lie on the way");
    mem_free(text);
    config_unref(
        text_load("vms: [{name: a, via: g/elsewhere}, {name: b, via: 10.0.0.1}, {name: c, via: a}]"));
}

static void test_all_at_once(void **state)
{
    text_problems(
        "log-level: loud\n"
        "defaults:\n"
        "  port: ssh\n"
        "  keepalive: soon\n"
        "vms:\n"
        "  - name: a\n"
        "    via: nowhere\n"
        "    local: [bad, 7]\n"
        "    lokal: []\n"
        "  - vm: g/b\n"
        "    local: [7]\n",
        "1:12: log-level: \"loud\" is not one of: debug, info, warn, error\n"
        "3:9: defaults: port: \"ssh\" is not a whole number from 0 to 65535\n"
        "4:14: defaults: keepalive: \"soon\" is not a time; write a number and ms, s, m or h, like 30s\n"
        "7:10: vms[1] \"a\": via: no VM of this file is named \"nowhere\"; name one, or write GROUP/VM\n"
        "8:13: vms[1] \"a\": local[1]: forward \"bad\": port \"bad\" is not a number from 1 to 65535; write "
        "it "
        "like 3389:localhost:3389\n"
        "9:5: vms[1] \"a\": unknown key \"lokal\"; did you mean \"local\"?\n"
        "10:5: vms[2]: key \"name\" is missing\n"
        "11:13: vms[2]: local[1]: \"7\" listens where \"7\" of a (line 8) does; choose another port or "
        "address");
}

static void test_syntax(void **state)
{
    text_problems("vms: [\n",
                  "2:1: not YAML: did not find expected node content, while parsing a flow node (check the "
                  "indentation and the brackets above)");
    text_problems(
        "a: b: c\n",
        "1:5: not YAML: mapping values are not allowed in this context (is a line above not closed, "
        "or text with \": \" not quoted?)");
    text_problems("vms:\n\t- name: a\n",
                  "2:1: not YAML: found character that cannot start any token, while scanning for the next "
                  "token (indent "
                  "with spaces, not tabs, and quote text that begins with a special character)");
    text_problems("workers: 1\n--- \nworkers: 2\n",
                  "2:1: a second document begins here; the file holds only one");
    text_problems("user: \xff\n", "0:0: not UTF-8 text: invalid leading UTF-8 octet at byte 6");
    text_problems("\"a\\e[2Jb\": 1\n", "1:1: unknown key \"a?[2Jb\"");
}

static void test_bombs(void **state)
{
    text_problems("a: &a [x]\nb: *a\nc: *a\n",
                  "2:4: YAML aliases like *a are not allowed; write the value out\n"
                  "3:4: YAML aliases like *a are not allowed; write the value out");
    text_problems("vms: &v [*v]\n", "1:10: YAML aliases like *v are not allowed; write the value out");
    text_problems("[[[[[[[[[[[[[[[[[[[[\n", "1:9: lists and mappings are nested deeper than 8");
}

/* A file of the largest size, wrong in as many places as fit: quick, and a bounded list. */
static void test_many(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    while (b.len < CONFIG_FILE_MAX - 64)
        strbuf_printf(&b, "key%zu: 1\n", b.len);
    struct config_problems problems = {0};
    struct err err = {0};
    const struct config *c = NULL;
    assert_int_equal(config_load_text(&c, b.data, b.len, "x", &problems, &err), ERR_CONFIG);
    assert_int_equal(problems.count, 100);
    assert_string_equal(problems.items[99].text, "more problems follow; mend those above first");
    config_problems_done(&problems);
    strbuf_clear(&b);
    strbuf_puts(&b, "vms:\n");
    for (int i = 0; i <= CONFIG_VMS_MAX; i++)
        strbuf_printf(&b, "- name: v%d\n", i);
    text_problems(b.data, "4098:3: vms: the list has 4097 entries, at most 4096 are allowed");
    strbuf_clear(&b);
    strbuf_puts(&b, "vms: [{name: a, local: [\"1\"");
    for (int i = 2; i <= CONFIG_FORWARDS_MAX; i++)
        strbuf_printf(&b, ", \"%d\"", i);
    strbuf_puts(&b, "],\n dynamic: [9999]}]");
    text_problems(b.data, "2:11: vms[1] \"a\": more than 1024 forwards");
    strbuf_done(&b);
}

int main(void)
{
    (void)setenv("HOME", "/nonexistent/u", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),   cmocka_unit_test(test_types),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_azure),  cmocka_unit_test(test_between_vms), cmocka_unit_test(test_via),
        cmocka_unit_test(test_syntax), cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
