/*
 * test_ops: the operations that answer at once or with what the proxy says, and arguments that are wrong.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/control.h"
#include "control/environment.h"
#include "rig.h"

static struct rig r;
static struct peer p;

static int setup(void **state)
{
    rig_start(&r, RIG_CONFIG);
    peer_open(&p, &r);
    return 0;
}

static int teardown(void **state)
{
    peer_close(&p);
    rig_stop(&r);
    return 0;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void test_version(void **state)
{
    json_t *ok = peer_call(&p, "version", "{}");
    assert_string_equal(text(ok, "version"), ADIT_VERSION);
    assert_int_equal(json_integer_value(json_object_get(ok, "pid")), getpid());
    assert_string_equal(text(ok, "config"), r.place.config);
    json_decref(ok);
}

static void test_up_says_what_became_of_each(void **state)
{
    json_t *ok = peer_call(&p, "up", "{'all':true}");
    json_t *want = json_loads("{\"vms\":[{\"vm\":\"win11\"},{\"vm\":\"web1\"}]}", 0, NULL);
    assert_true(json_equal(ok, want));
    json_decref(want);
    json_decref(ok);

    fake_proxy_fail_up(ERR_AUTH);
    ok = peer_call(&p, "up", "{'vms':['win11','rg/','WEB1']}");
    const json_t *vms = json_object_get(ok, "vms");
    assert_int_equal(json_array_size(vms), 3);
    assert_string_equal(text(json_object_get(json_array_get(vms, 0), "error"), "code"), "auth");
    assert_string_equal(text(json_object_get(json_array_get(vms, 1), "error"), "code"), "invalid");
    assert_string_equal(text(json_array_get(vms, 2), "vm"), "WEB1");
    json_decref(ok);
}

static void test_up_without_waiting(void **state)
{
    fake_proxy_hold(true);
    json_decref(peer_call(&p, "up", "{'vms':['win11'],'wait':false}"));
    rig_until(fake_proxy_waiting, 1);
    fake_proxy_release();
    rig_until(fake_proxy_waiting, 0);
}

static void test_progress_while_waiting(void **state)
{
    fake_proxy_hold(true);
    peer_send_op(&p, "up", "{'vms':['win11']}");
    json_t *line = peer_line(&p);
    assert_non_null(strstr(text(line, "progress"), "win11: connecting"));
    json_decref(line);
    fake_proxy_release();
    do {
        line = peer_line(&p);
        if (json_object_get(line, "ok"))
            break;
        json_decref(line);
    } while (true);
    json_decref(line);
}

static void test_signing_in_and_out(void **state)
{
    char path[160];
    peer_refused(&p, "login", "{'tenant':7}", "invalid", "tenant");
    peer_refused(&p, "login", "{'tenant':'../x'}", "invalid", "GUID");
    peer_refused(&p, "logout", "{}", "notfound", "nobody");
    snprintf(path, sizeof path, "%s/adit", r.dir);
    mkdir(path, 0700);
    assert_string_equal(r.place.login_file, strcat(path, "/login.json"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    json_decref(peer_call(&p, "logout", "{}"));
    assert_int_equal(access(path, F_OK), -1);
}

static void test_environment(void **state)
{
    setenv("AZURE_TENANT_ID", "here", 1);
    setenv("AZURE_CLIENT_SECRET", "very secret", 1);
    unsetenv("AZURE_CLIENT_ID");
    json_t *mine = environment_describe();
    char *sent = json_dumps(mine, JSON_COMPACT);
    assert_null(strstr(sent, "secret\""));
    setenv("AZURE_CLIENT_SECRET", "another secret", 1); /* what the daemon now has */
    setenv("AZURE_CLIENT_ID", "only the daemon's", 1);
    for (char *c = sent; *c; c++)
        *c = *c == '"' ? '\'' : *c;
    json_t *ok = peer_call(&p, "environment", sent);
    const json_t *differ = json_object_get(ok, "differ");
    assert_int_equal(json_array_size(differ), 1);
    assert_string_equal(json_string_value(json_array_get(differ, 0)), "AZURE_CLIENT_SECRET");
    json_decref(ok);
    free(sent);
    json_decref(mine);
    peer_refused(&p, "environment", "{'key':'no','sums':{}}", "invalid", "key");
    unsetenv("AZURE_TENANT_ID");
    unsetenv("AZURE_CLIENT_ID");
    unsetenv("AZURE_CLIENT_SECRET");
}

static void test_names_of_one_vm(void **state)
{
    static const char *const SAME[] = {
        "win11", "WIN11", "rg-desk/win11", "RG-DESK/WIN11", "win11.adit", "win11.rg-desk.adit", "me@win11"};
    size_t before = fake_proxy_vms();
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++) {
        char args[128];
        snprintf(args, sizeof args, "{'vms':['%s']}", SAME[i]);
        json_decref(peer_call(&p, "up", args));
        if (fake_proxy_vms() != before)
            fail_msg("%s is another VM", SAME[i]);
        json_t *ok = peer_call(&p, "status", args);
        assert_string_equal(text(json_array_get(json_object_get(ok, "vms"), 0), "vm"), "win11");
        json_decref(ok);
    }
    json_decref(peer_call(&p, "up", "{'vms':['bob@win11','rg-other/win11']}"));
    assert_int_equal(fake_proxy_vms(), before + 2); /* another user has connections of its own */
    json_decref(peer_call(&p, "down", "{'vms':['bob@win11']}"));
    assert_int_equal(fake_proxy_vms(), before + 1);
}

static void test_down(void **state)
{
    json_decref(peer_call(&p, "down", "{'vms':['web1']}"));
    json_t *ok = peer_call(&p, "down", "{'vms':['web1']}");
    const json_t *item = json_array_get(json_object_get(ok, "vms"), 0);
    assert_string_equal(text(json_object_get(item, "error"), "code"), "notfound");
    json_decref(ok);
}

static void test_status(void **state)
{
    json_t *ok = peer_call(&p, "status", "{}");
    assert_int_equal(json_array_size(json_object_get(ok, "vms")), 2);
    const json_t *d = json_object_get(ok, "daemon");
    assert_int_equal(json_integer_value(json_object_get(d, "workers")), 2);
    assert_true(json_is_boolean(json_object_get(json_object_get(d, "azure"), "ready")));
    json_decref(ok);
    peer_refused(&p, "status", "{'vms':['rg/nobody']}", "notfound", "rg/nobody");
}

static void test_proxy_gives_a_descriptor(void **state)
{
    struct control_client *c = NULL;
    struct err err = {0};
    char banner[32] = "";
    int fd = -1;
    assert_int_equal(control_client_open(&c, r.place.socket, 5000, &err), 0);
    assert_int_equal(control_call(c, "proxy", json_pack("{s:s, s:i}", "host", "win11.adit", "port", 22), 5000,
                                  NULL, NULL, NULL, &fd, &err),
                     0);
    assert_int_equal(read(fd, banner, sizeof banner - 1), 14);
    assert_string_equal(banner, "SSH-2.0-fake\r\n");
    close(fd);
    control_client_close(c);
}

/* A descriptor after a failure that waiting may mend, and after one dial only when nobody asked to wait. */
static void test_proxy_waits_when_asked_to(void **state)
{
    struct control_client *c = NULL;
    struct err err = {0};
    int fd = -1;
    fake_proxy_fail_dials(2, ERR_REFUSED);
    unsigned before = fake_proxy_dials();
    assert_int_equal(control_client_open(&c, r.place.socket, 5000, &err), 0);
    assert_int_equal(control_call(c, "proxy",
                                  json_pack("{s:s, s:i, s:b}", "host", "win11", "port", 22, "wait", 1), 20000,
                                  NULL, NULL, NULL, &fd, &err),
                     0);
    assert_int_equal(fake_proxy_dials() - before, 3);
    close(fd);
    control_client_close(c);
    fake_proxy_fail_dials(1, ERR_REFUSED);
    peer_refused(&p, "proxy", "{'host':'win11','port':22}", "refused", "win11");
    fake_proxy_fail_dials(1, ERR_NOTFOUND); /* no waiting mends that */
    peer_refused(&p, "proxy", "{'host':'win11','port':22,'wait':true}", "notfound", "win11");
    fake_proxy_fail_dials(100, ERR_TIMEOUT);
    peer_refused(&p, "proxy", "{'host':'win11','port':22,'wait':true,'timeout_ms':300}", "timeout",
                 "tried for");
    /* An address has to run as it is: nobody is asked to start it. */
    peer_refused(&p, "proxy", "{'host':'web1','port':22,'start':true,'timeout_ms':300}", "timeout",
                 "tried for");
    fake_proxy_fail_dials(0, 0);
}

/* The client goes while the daemon pauses: no dial comes after it. */
static void test_proxy_stops_waiting_with_its_client(void **state)
{
    struct peer q;
    fake_proxy_fail_dials(1000, ERR_REFUSED);
    unsigned before = fake_proxy_dials();
    peer_open(&q, &r);
    peer_send_op(&q, "proxy", "{'host':'win11','port':22,'wait':true}");
    for (int i = 0; i < 5000 && fake_proxy_dials() == before; i++)
        usleep(1000);
    assert_true(fake_proxy_dials() > before);
    peer_close(&q);
    json_decref(peer_call(&p, "version", "{}"));
    unsigned after = fake_proxy_dials();
    usleep(2500000); /* two pauses and a half: nothing can be waited for where nothing is to happen */
    assert_int_equal(fake_proxy_dials(), after);
    fake_proxy_fail_dials(0, 0);
}

static void test_resolve_of_an_address(void **state)
{
    json_t *ok = peer_call(&p, "resolve", "{'name':'web1'}");
    assert_string_equal(text(json_array_get(json_object_get(ok, "addresses"), 0), "ip"), "127.0.0.1");
    json_decref(ok);
}

static void test_reload(void **state)
{
    unsigned applied = fake_proxy_applied();
    rig_config(&r, "vmz: []\nlog-level: loud\n");
    json_t *ok = peer_call(&p, "reload", "{}");
    assert_true(json_is_false(json_object_get(ok, "applied")));
    assert_int_equal(json_array_size(json_object_get(ok, "problems")), 2);
    assert_int_equal(fake_proxy_applied(), applied);
    json_decref(ok);

    rig_config(
        &r,
        "defaults: {user: me}\nazure: {tenant: 11111111-1111-1111-1111-111111111111}\nvms:\n  - name: web1\n"
        "    address: 127.0.0.1\n    local: ['80']\n  - name: new\n    address: 127.0.0.2\n");
    ok = peer_call(&p, "reload", "{}");
    assert_true(json_is_true(json_object_get(ok, "applied")));
    assert_int_equal(json_integer_value(json_object_get(ok, "added")), 1);
    assert_int_equal(json_integer_value(json_object_get(ok, "removed")), 1);
    assert_int_equal(json_integer_value(json_object_get(ok, "changed")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(ok, "restart"), 0)), "azure");
    assert_int_equal(fake_proxy_applied(), applied + 1);
    json_decref(ok);

    ok = peer_call(&p, "config", "{}");
    assert_int_equal(json_array_size(json_object_get(json_object_get(ok, "config"), "vms")), 2);
    json_decref(ok);
}

static bool says_changed(void)
{
    json_t *version = peer_call(&p, "version", "{}"), *status = peer_call(&p, "status", "{}");
    const json_t *changed = json_object_get(version, "config_changed");
    assert_true(json_is_boolean(changed));
    assert_true(json_equal(changed, json_object_get(json_object_get(status, "daemon"), "config_changed")));
    bool says = json_is_true(changed);
    json_decref(version);
    json_decref(status);
    return says;
}

static void test_an_edited_file_is_noticed_until_it_is_read(void **state)
{
    char path[128];
    assert_false(says_changed());
    rig_config(&r, "log-level: error\nvms: []\n");
    assert_true(says_changed());
    json_decref(peer_call(&p, "reload", "{}"));
    assert_false(says_changed());

    rig_config(&r, "vmz: []\n"); /* a wrong one is not taken, so it stays news */
    json_decref(peer_call(&p, "reload", "{}"));
    assert_true(says_changed());

    rig_config(&r, "log-level: error\nvms: []\n");
    json_decref(peer_call(&p, "reload", "{}"));
    snprintf(path, sizeof path, "%s/adit.yaml", r.dir);
    assert_false(says_changed());
    assert_int_equal(unlink(path), 0);
    assert_true(says_changed());
}

static void test_log_level(void **state)
{
    json_t *ok = peer_call(&p, "log-level", "{'level':'error'}");
    assert_string_equal(text(ok, "level"), "error");
    json_decref(ok);
    peer_refused(&p, "log-level", "{'level':'loud'}", "invalid", "loud");
}

static void test_wrong_arguments(void **state)
{
    static const char *const CASES[][3] = {
        {"up", "{}", "either"},
        {"up", "{'all':true,'vms':['a']}", "either"},
        {"up", "{'all':1}", "\"all\""},
        {"up", "{'vms':'win11'}", "\"vms\""},
        {"up", "{'vms':['']}", "\"vms\""},
        {"up", "{'vms':[5]}", "\"vms\""},
        {"up", "{'vms':['win11'],'timeout_ms':0}", "\"timeout_ms\""},
        {"up", "{'vms':['win11'],'timeout_ms':-1}", "\"timeout_ms\""},
        {"up", "{'vms':['win11'],'timeout_ms':4294967296}", "\"timeout_ms\""},
        {"forward", "{}", "\"vm\""},
        {"forward", "{'vm':'win11'}", "\"forwards\""},
        {"forward", "{'vm':'win11','forwards':[]}", "\"forwards\""},
        {"forward", "{'vm':'win11','forwards':[7]}", "\"kind\""},
        {"forward", "{'vm':'win11','forwards':[{'kind':'odd','spec':'1'}]}", "local"},
        {"forward", "{'vm':'win11','forwards':[{'kind':'local','spec':'1:2'}]}", "1:2"},
        {"cancel", "{'vm':'win11'}", "\"forwards\""},
        {"proxy", "{'host':'win11'}", "\"port\""},
        {"proxy", "{'host':'win11','port':65536}", "\"port\""},
        {"proxy", "{'host':'win11','port':22,'wait':7}", "\"wait\""},
        {"proxy", "{'port':22}", "\"host\""},
        {"resolve", "{}", "\"name\""},
        {"resolve", "{'all':true,'name':'web1'}", "\"all\""},
        {"resolve", "{'all':'yes'}", "\"all\""},
        {"stop", "{'grace_ms':'now'}", "\"grace_ms\""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        peer_refused(&p, CASES[i][0], CASES[i][1], "invalid", CASES[i][2]);
    peer_refused(&p, "dance", "{}", "unsupported", "dance");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        EACH(test_version),
        EACH(test_up_says_what_became_of_each),
        EACH(test_up_without_waiting),
        EACH(test_progress_while_waiting),
        EACH(test_signing_in_and_out),
        EACH(test_environment),
        EACH(test_names_of_one_vm),
        EACH(test_down),
        EACH(test_status),
        EACH(test_proxy_gives_a_descriptor),
        EACH(test_proxy_waits_when_asked_to),
        EACH(test_proxy_stops_waiting_with_its_client),
        EACH(test_resolve_of_an_address),
        EACH(test_reload),
        EACH(test_an_edited_file_is_noticed_until_it_is_read),
        EACH(test_log_level),
        EACH(test_wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
