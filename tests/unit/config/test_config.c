/*
 * test_config: what a file means once it is loaded, and what changes from one snapshot to the next.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "text.h"

static int set_home(void **state)
{
    return setenv("HOME", "/nonexistent/u", 1);
}

static void test_builtin(void **state)
{
    const struct config *c = NULL;
    struct err err = {0};
    assert_int_equal(config_load(&c, NULL, NULL, &err), 0);
    assert_null(c->path);
    assert_int_equal(c->vm_count, 0);
    assert_int_equal(c->workers, 0);
    assert_string_equal(c->log_level, "info");
    assert_string_equal(c->azure.credential, "auto");
    assert_int_equal(c->azure.cloud, CONFIG_CLOUD_PUBLIC);
    assert_int_equal(c->azure.subscription_count, 0);
    const struct config_ssh *s = &c->defaults;
    assert_true(s->user && *s->user);
    assert_int_equal(s->port, 22);
    assert_int_equal(s->identity_count, 0); /* no ~/.ssh there */
    assert_true(s->agent && s->password && !s->prefer_private_ip);
    assert_int_equal(s->host_key_check, CONFIG_HOST_KEY_ACCEPT_NEW);
    assert_int_equal(s->connect_timeout_ms, 15000);
    assert_int_equal(s->keepalive_ms, 30000);
    assert_int_equal(s->keepalive_count, 3);
    assert_int_equal(s->connections_max, 4);
    assert_int_equal(s->idle_timeout_ms, 0);
    config_unref(c);
}

static void test_empty_files(void **state)
{
    static const char *const texts[] = {"",     "# nothing yet\n", "---\n",
                                        "{}\n", "vms: []\n",       "azure: {}\ndefaults: {}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct config *c = text_load(texts[i]);
        assert_int_equal(c->vm_count, 0);
        assert_string_equal(c->path, "/etc/adit-test/adit.yaml");
        config_unref(c);
    }
}

static void test_everything(void **state)
{
    const struct config *c = text_load(text_everything);
    assert_int_equal(c->workers, 3);
    assert_string_equal(c->log_level, "debug");
    assert_int_equal(c->azure.subscription_count, 2);
    assert_string_equal(c->azure.subscriptions[1], "Production West");
    assert_string_equal(c->azure.tenant, "contoso.onmicrosoft.com");
    assert_int_equal(c->azure.cloud, CONFIG_CLOUD_CUSTOM);
    assert_string_equal(c->azure.arm_endpoint, "https://127.0.0.1:8443");
    assert_string_equal(c->azure.login_endpoint, "https://[::1]:8444");
    assert_string_equal(c->azure.ca_file, "/etc/adit-test/ca.pem");
    assert_string_equal(c->azure.credential, "managed-identity");
    const struct config_ssh *s = &c->defaults;
    assert_int_equal(s->identity_count, 3);
    assert_string_equal(s->identities[0], "/nonexistent/u/keys/one");
    assert_string_equal(s->identities[1], "/keys/two");
    assert_string_equal(s->identities[2], "/etc/adit-test/three");
    assert_true(!s->agent && !s->password && s->prefer_private_ip);
    assert_int_equal(s->host_key_check, CONFIG_HOST_KEY_STRICT);
    assert_int_equal(s->family, CONFIG_FAMILY_IPV6);
    assert_int_equal(s->engine, CONFIG_ENGINE_NATIVE);
    assert_int_equal(s->wake_session, CONFIG_WAKE_OFF);
    assert_int_equal(s->connect_timeout_ms, 120000);
    assert_int_equal(s->keepalive_ms, 90000);
    assert_int_equal(s->keepalive_count, 7);
    assert_int_equal(s->connections_max, 9);
    assert_int_equal(s->idle_timeout_ms, 3600000);
    assert_int_equal(c->vm_count, 4);
    config_unref(c);
}

static void test_vms(void **state)
{
    const struct config *c = text_load(text_everything);
    const struct config_vm *win = config_vm_by_alias(c, "WIN11"), *db = config_vm_by_alias(c, "db1");
    assert_ptr_equal(win, &c->vms[0]);
    assert_ptr_equal(config_vm_by_alias(c, "win11.adit"), win);
    assert_null(config_vm_by_alias(c, "win12"));
    assert_null(config_vm_by_alias(c, ".adit"));
    assert_string_equal(win->ssh.user, "migreene");
    assert_int_equal(win->ssh.port, 2222); /* from defaults */
    assert_int_equal(win->vm.kind, VM_NAME_GROUP);
    assert_true(win->up);
    assert_int_equal(win->forward_count, 4);
    assert_string_equal(win->forwards[0].text, "3389:localhost:3389");
    assert_string_equal(win->forwards[1].target.path, "/run/app.sock");
    assert_int_equal(win->forwards[2].kind, FORWARD_DYNAMIC);
    assert_int_equal(win->forwards[3].kind, FORWARD_REMOTE);
    assert_true(config_vm_is_bulk(win, 1080) && config_vm_is_bulk(win, 9000) &&
                !config_vm_is_bulk(win, 3389));
    assert_string_equal(db->vm.subscription, "abc");
    assert_string_equal(db->via, "WIN11");
    assert_string_equal(db->ssh.user, "azureuser");
    assert_int_equal(db->ssh.identity_count, 1); /* a VM's list replaces that of the defaults */
    assert_int_equal(db->ssh.connect_timeout_ms, 500);
    assert_int_equal(db->ssh.keepalive_ms, 0);
    assert_false(db->up);
    assert_int_equal(c->vms[2].vm.kind, VM_NAME_ADDRESS);
    assert_int_equal(c->vms[3].vm.kind, VM_NAME_BARE);
    assert_string_equal(c->vms[3].vm.name, "web1");
    config_unref(c);
}

static void test_usual_identities(void **state)
{
    char dir[] = "/tmp/adit-test-XXXXXX", command[128];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(command, sizeof command, "mkdir %s/.ssh && touch %s/.ssh/id_rsa", dir, dir);
    assert_int_equal(system(command), 0);
    (void)setenv("HOME", dir, 1);
    const struct config *c = text_load("vms: [{name: a}, {name: b, identity: [/k]}]");
    assert_int_equal(c->vms[0].ssh.identity_count, 1);
    assert_non_null(strstr(c->vms[0].ssh.identities[0], "/.ssh/id_rsa"));
    assert_string_equal(c->vms[1].ssh.identities[0], "/k");
    config_unref(c);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    (void)set_home(NULL);
}

static void test_references(void **state)
{
    const struct config *c = text_load("vms: [{name: a}]");
    assert_ptr_equal(config_ref(c), c);
    config_unref(c);
    assert_string_equal(c->vms[0].alias, "a"); /* the second reference keeps it */
    config_unref(c);
    config_unref(NULL);
}

static void test_adhoc(void **state)
{
    const struct config *c = text_load(text_everything);
    struct config_vm *vm = NULL, *copy = NULL;
    struct err err = {0};
    assert_int_equal(config_vm_adhoc(c, "vm9.rg.adit", "me", &vm, &err), 0);
    assert_string_equal(vm->alias, "rg/vm9");
    assert_string_equal(vm->ssh.user, "me");
    assert_int_equal(vm->ssh.port, 2222);
    assert_int_equal(vm->ssh.identity_count, 3);
    assert_true(vm->up);
    config_vm_free(vm);
    assert_int_equal(config_vm_adhoc(c, "a b", NULL, &vm, &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, "a b"));
    assert_int_equal(config_vm_copy(&c->vms[0], &copy), 0);
    config_unref(c);
    assert_int_equal(copy->forward_count, 4); /* independent of the snapshot */
    assert_string_equal(copy->forwards[0].text, "3389:localhost:3389");
    assert_true(config_vm_is_bulk(copy, 9000));
    config_vm_free(copy);
}

static void note(void *arg, enum config_change change, const struct config_vm *before,
                 const struct config_vm *after)
{
    assert_true((change == CONFIG_VM_ADDED) == !before);
    assert_true((change == CONFIG_VM_REMOVED) == !after);
    strbuf_printf(arg, "%c%s ", "=+-rf"[change], (after ? after : before) -> alias);
}

static void differ(const char *before, const char *after, const char *expected)
{
    const struct config *a = text_load(before), *b = text_load(after);
    struct strbuf got;
    strbuf_init(&got);
    config_diff(a, b, note, &got);
    char *text = strbuf_take(&got);
    assert_string_equal(text, expected);
    mem_free(text);
    config_unref(a);
    config_unref(b);
}

static void test_diff(void **state)
{
    differ(text_everything, text_everything, "");
    differ("vms: [{name: a}]", "vms: [{name: A}]", "");
    differ("vms: [{name: a}, {name: b}]", "vms: [{name: c}, {name: b}]", "-a +c ");
    differ("vms: [{name: a, vm: g/a}]", "vms: [{name: a, vm: G/A}]", "");
    differ("vms: [{name: a, vm: g/a}]", "vms: [{name: a, vm: h/a}]", "ra ");
    differ("vms: [{name: a}]", "defaults: {port: 23}\nvms: [{name: a}]", "ra ");
    differ("vms: [{name: a}, {name: b}]", "vms: [{name: a, via: b}, {name: b}]", "ra ");
    differ("vms: [{name: a}]", "vms: [{name: a, local: [\"1\"]}]", "fa ");
    differ("vms: [{name: a, local: [\"1\"]}]", "vms: [{name: a, local: [\"1\"], bulk: [1]}]", "fa ");
    differ("vms: [{name: a}]", "vms: [{name: a, up: false}]", "fa ");
    differ("vms: [{name: a, local: [\"1\"]}]", "vms: [{name: a, user: x, local: [\"2\"]}]", "ra ");
}

/* Each setting alone makes a VM reconnect. */
static void test_diff_of_each_setting(void **state)
{
    static const char *const settings[] = {
        "user: u",
        "port: 23",
        "identity: [/k]",
        "agent: false",
        "password: false",
        "host-key-check: arm",
        "address-family: ipv4",
        "prefer-private-ip: true",
        "engine: libssh2",
        "wake-session: off",
        "connect-timeout: 1s",
        "keepalive: 1s",
        "keepalive-count: 4",
        "connections-max: 5",
        "idle-timeout: 1s",
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char *after = mem_printf("vms: [{name: a, %s}]", settings[i]);
        differ("vms: [{name: a}]", after, "ra ");
        differ(after, after, "");
        mem_free(after);
    }
}

static void test_files(void **state)
{
    const struct config *c = NULL;
    struct err err = {0};
    char path[] = "/tmp/adit-test-XXXXXX";
    assert_int_equal(config_load(&c, "/nonexistent/adit.yaml", NULL, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "/nonexistent/adit.yaml"));
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "workers: 2\n", 11), 11);
    assert_int_equal(config_load(&c, path, NULL, &err), 0);
    assert_int_equal(c->workers, 2);
    assert_string_equal(c->path, path);
    config_unref(c);
    assert_int_equal(write(fd, "wokers: 2\n", 10), 10);
    assert_int_equal(config_load(&c, path, NULL, &err), ERR_CONFIG);
    char *expected = mem_printf("%s:2:1: unknown key \"wokers\"; did you mean \"workers\"?", path);
    assert_string_equal(err.msg, expected);
    mem_free(expected);
    struct config_problems problems = {0};
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    assert_int_equal(config_load(&c, path, &problems, &err), ERR_CONFIG);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].line, 0);
    assert_non_null(strstr(err.msg, "larger than 1048576 bytes"));
    config_problems_done(&problems);
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_empty_files),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_vms),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_usual_identities),
        cmocka_unit_test(test_adhoc),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_diff_of_each_setting),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, set_home, NULL);
}
