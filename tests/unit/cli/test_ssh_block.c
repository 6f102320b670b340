/*
 * test_ssh_block: Host blocks, and values that ssh_config reads in ways of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ssh_block.h"

static void test_block(void **state)
{
    char user[] = "migreene", one[] = "/home/u/.ssh/id_rsa", two[] = "/home/u/50% of \"my\" keys\\x";
    char *identities[] = {one, two};
    const struct config_ssh ssh = {
        .user = user, .port = 2222, .identities = identities, .identity_count = 2, .agent = true};
    const struct ssh_block block = {"win11 win11.adit", "/usr/bin/adit", &ssh, true, "/subscriptions/s"};
    struct strbuf out;
    struct err err = {0};

    strbuf_init(&out);
    assert_int_equal(ssh_block_add(&out, &block, &err), 0);
    assert_string_equal(out.data, "Host win11 win11.adit\n"
                                  "    User migreene\n"
                                  "    Port 2222\n"
                                  "    IdentityFile /home/u/.ssh/id_rsa\n"
                                  "    IdentityFile \"/home/u/50%% of \\\"my\\\" keys\\\\x\"\n"
                                  "    ProxyCommand /usr/bin/adit proxy --fdpass %h %p\n"
                                  "    ProxyUseFdpass yes\n"
                                  "    HostKeyAlias /subscriptions/s\n"
                                  "    KnownHostsCommand /usr/bin/adit known-hosts %H\n");
    strbuf_done(&out);
}

static void test_what_is_usual_is_not_said(void **state)
{
    char user[] = "me";
    struct config_ssh ssh = {.user = user, .port = 22, .agent = false};
    const struct ssh_block block = {.patterns = "*.adit", .command = "adit", .ssh = &ssh};
    struct strbuf out;
    struct err err = {0};

    strbuf_init(&out);
    assert_int_equal(ssh_block_add(&out, &block, &err), 0);
    assert_string_equal(out.data, "Host *.adit\n"
                                  "    IdentityAgent none\n"
                                  "    ProxyCommand adit proxy --fdpass %h %p\n"
                                  "    ProxyUseFdpass yes\n"
                                  "    KnownHostsCommand adit known-hosts %H\n");
    strbuf_done(&out);
}

static void test_keys_by_arm_are_never_a_question(void **state)
{
    char user[] = "me";
    struct config_ssh ssh = {.user = user, .port = 22, .agent = true, .host_key_check = CONFIG_HOST_KEY_ARM};
    const struct ssh_block block = {.patterns = "*.adit", .command = "adit", .ssh = &ssh};
    struct strbuf out;
    struct err err = {0};

    strbuf_init(&out);
    assert_int_equal(ssh_block_add(&out, &block, &err), 0);
    assert_non_null(strstr(out.data, "    KnownHostsCommand adit known-hosts %H %t %K\n"
                                     "    StrictHostKeyChecking yes\n"));
    strbuf_done(&out);
}

static void test_value_cannot_add_a_line(void **state)
{
    char user[] = "me\n    ProxyCommand evil";
    const struct config_ssh ssh = {.user = user, .port = 22, .agent = true};
    const struct ssh_block block = {.patterns = "a", .command = "adit", .ssh = &ssh, .user = true};
    struct strbuf out;
    struct err err = {0};

    strbuf_init(&out);
    assert_int_equal(ssh_block_add(&out, &block, &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, "User"));
    strbuf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_what_is_usual_is_not_said),
        cmocka_unit_test(test_keys_by_arm_are_never_a_question),
        cmocka_unit_test(test_value_cannot_add_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
