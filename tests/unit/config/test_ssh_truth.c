/*
 * test_ssh_truth: recorded output of `ssh -G` as settings: what a user set, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "config/overlay.h"
#include "config/ssh_truth.h"

static const struct ssh_truth_who WHO = {"/home/u", "u", "here", 1000};

static char *recorded(const char *name)
{
    char *path = mem_printf("%s/%s", ADIT_SSH_G, name), *text = NULL;
    size_t n;
    assert_int_equal(fs_read(path, 1 << 20, &text, &n, NULL), 0);
    mem_free(path);
    return text;
}

static void parse(struct ssh_truth *t, const char *host, const char *file, const char *builtin)
{
    char *text = recorded(file), *base = recorded(builtin);
    assert_int_equal(ssh_truth_parse(t, host, text, base, NULL, &WHO, NULL), 0);
    mem_free(text);
    mem_free(base);
}

/* Lines after a minimum that is always there, against lines that are built in. */
static void lines(struct ssh_truth *t, const char *said, const char *builtin)
{
    char *text = mem_printf("user u\nhostname win11\nport 22\n%s", said);
    char *base = mem_printf("user u\nhostname adit\nport 22\n%s", builtin);
    assert_int_equal(ssh_truth_parse(t, "win11", text, base, NULL, &WHO, NULL), 0);
    mem_free(text);
    mem_free(base);
}

static void check_win11(const char *file, const char *builtin)
{
    struct ssh_truth t;
    parse(&t, "win11", file, builtin);
    assert_string_equal(t.ssh.user, "bob");
    assert_int_equal(t.ssh.port, 2222);
    assert_string_equal(t.host_name, "10.0.0.win11");
    assert_int_equal(t.ssh.identity_count, 2);
    assert_string_equal(t.ssh.identities[0], "/home/u/.ssh/bob_10.0.0.win11_/home/u");
    assert_string_equal(t.ssh.identities[1], "/tmp/with space/id");
    assert_true(t.ssh.identities_only);
    assert_true(t.ssh.agent);
    assert_string_equal(t.ssh.agent_socket, "/home/u/agent-10.0.0.win11.sock");
    assert_int_equal(t.ssh.host_key_check, CONFIG_HOST_KEY_ACCEPT_NEW);
    assert_true(t.set & CONFIG_KEY_HOST_KEY_CHECK);
    assert_string_equal(t.ssh.known_hosts, "/home/u/.ssh/kh_10.0.0.win11");
    assert_string_equal(t.ssh.host_key_alias, "myalias");
    assert_string_equal(t.ssh.ciphers, "aes256-ctr,aes128-ctr");
    assert_non_null(strstr(t.ssh.kex, ",diffie-hellman-group14-sha1"));
    assert_null(strstr(t.ssh.macs, "hmac-sha1,"));
    assert_memory_equal(t.ssh.host_key_algorithms, "ssh-rsa,", 8);
    assert_non_null(strstr(t.ssh.key_algorithms, ",ssh-rsa"));
    assert_int_equal(t.ssh.keepalive_ms, 17000);
    assert_int_equal(t.ssh.keepalive_count, 5);
    assert_int_equal(t.ssh.connect_timeout_ms, 7000);
    assert_string_equal(t.jump, "alice@jump-10.0.0.win11:2200,[fe80::1]:24");
    assert_false(t.through_adit);
    assert_string_equal(t.unhonoured,
                        "UserKnownHostsFile (but for the first), RemoteCommand, ControlMaster, ControlPath, "
                        "LocalForward, RemoteForward, DynamicForward, CertificateFile, "
                        "GSSAPIDelegateCredentials, Compression, RekeyLimit");
    ssh_truth_done(&t);
}

static void test_all_keywords(void **state)
{
    check_win11("9.2-win11", "9.2-builtin");
    check_win11("8.9-win11", "8.9-builtin");
}

static void test_nothing_said(void **state)
{
    struct ssh_truth t;
    parse(&t, "win11", "9.2-builtin", "9.2-builtin");
    assert_int_equal(t.set, 0);
    assert_null(t.unhonoured);
    assert_null(t.jump);
    ssh_truth_done(&t);
}

static void test_own_proxy_command(void **state)
{
    struct ssh_truth t;
    parse(&t, "x.adit", "9.2-wildcard", "9.2-builtin");
    assert_true(t.through_adit);
    assert_string_equal(t.unhonoured, "BindAddress");
    assert_int_equal(t.ssh.identity_count, 0); /* PubkeyAuthentication no */
    assert_false(t.ssh.agent);
    assert_false(t.ssh.password); /* PreferredAuthentications publickey */
    assert_int_equal(t.ssh.family, CONFIG_FAMILY_IPV4);
    ssh_truth_done(&t);
    lines(&t, "proxycommand exec \"/opt/my adit/adit\" proxy --fdpass %h %p\n", "");
    assert_true(t.through_adit);
    assert_null(t.unhonoured);
    ssh_truth_done(&t);
    lines(&t, "proxycommand /usr/bin/readit proxy %h %p\nknownhostscommand /usr/bin/adit known-hosts %H\n",
          "");
    assert_false(t.through_adit);
    assert_string_equal(t.unhonoured, "ProxyCommand");
    ssh_truth_done(&t);
}

static void test_identities(void **state)
{
    struct ssh_truth t;
    const char *builtin = "identityfile ~/.ssh/id_rsa\nidentityfile ~/.ssh/id_ed25519\n";
    lines(&t, builtin, builtin);
    assert_int_equal(t.set & CONFIG_KEY_IDENTITY, 0);
    ssh_truth_done(&t);
    lines(&t, "identityfile ~/.ssh/id_ed25519\n", builtin); /* one of the usual ones, said */
    assert_int_equal(t.ssh.identity_count, 1);
    assert_string_equal(t.ssh.identities[0], "/home/u/.ssh/id_ed25519");
    ssh_truth_done(&t);
    lines(&t, "identityfile none\n", builtin);
    assert_true(t.set & CONFIG_KEY_IDENTITY);
    assert_int_equal(t.ssh.identity_count, 0);
    ssh_truth_done(&t);
    lines(&t, "identityfile /k/%h-%i-%%\nidentityfile /k/%C\n", builtin);
    assert_int_equal(t.ssh.identity_count, 1);
    assert_string_equal(t.ssh.identities[0], "/k/win11-1000-%");
    assert_string_equal(t.unhonoured, "IdentityFile (%C)");
    ssh_truth_done(&t);
}

static void test_agent(void **state)
{
    struct ssh_truth t;
    lines(&t, "identityagent none\n", "");
    assert_true(t.set & CONFIG_KEY_AGENT);
    assert_false(t.ssh.agent);
    ssh_truth_done(&t);
    lines(&t, "identityagent SSH_AUTH_SOCK\n", "");
    assert_int_equal(t.set, 0);
    ssh_truth_done(&t);
    (void)setenv("MY_AGENT", "/run/agent", 1);
    lines(&t, "identityagent $MY_AGENT\n", "");
    assert_string_equal(t.ssh.agent_socket, "/run/agent");
    ssh_truth_done(&t);
}

static void test_host_keys_stay_checked(void **state)
{
    struct ssh_truth t;
    lines(&t, "stricthostkeychecking false\nuserknownhostsfile /dev/null\n", "stricthostkeychecking ask\n");
    assert_int_equal(t.set, 0);
    assert_string_equal(t.unhonoured, "StrictHostKeyChecking no, UserKnownHostsFile (adit always remembers)");
    ssh_truth_done(&t);
    lines(&t, "stricthostkeychecking true\n", "stricthostkeychecking ask\n");
    assert_int_equal(t.ssh.host_key_check, CONFIG_HOST_KEY_STRICT);
    ssh_truth_done(&t);
}

static void test_what_distributions_set(void **state)
{
    struct ssh_truth t;
    const char *text = "user u\nhostname h\nport 22\ngssapiauthentication yes\nproxycommand nc %h %p\n";
    const char *builtin = "user u\nport 22\ngssapiauthentication no\n";
    assert_int_equal(ssh_truth_parse(&t, "h", text, builtin, text, &WHO, NULL), 0);
    assert_string_equal(t.unhonoured, "ProxyCommand");
    ssh_truth_done(&t);
    assert_int_equal(ssh_truth_parse(&t, "h", text, builtin, NULL, &WHO, NULL), 0);
    assert_string_equal(t.unhonoured, "ProxyCommand, GSSAPIAuthentication");
    ssh_truth_done(&t);
}

static void test_not_ssh(void **state)
{
    struct ssh_truth t;
    struct err err = {0};
    assert_int_equal(ssh_truth_parse(&t, "h", "usage: ssh [-46]\n", "", NULL, &WHO, &err), ERR_PROTOCOL);
    assert_int_equal(ssh_truth_parse(&t, "h", "", "", NULL, &WHO, &err), ERR_PROTOCOL);
}

static void jump(const char *text, const char *host, const char *user, unsigned port)
{
    struct overlay_jump j;
    int rc = overlay_jump_parse(&j, text, strlen(text), NULL);
    assert_int_equal(rc, host ? 0 : ERR_INVAL);
    if (!host)
        return;
    assert_string_equal(j.host, host);
    assert_string_equal(j.user, user);
    assert_int_equal(j.port, port);
}

static void test_jump(void **state)
{
    jump("jump", "jump", "", 0);
    jump("bob@jump:2200", "jump", "bob", 2200);
    jump("a@b@c", "c", "a@b", 0);
    jump("[fe80::1]:24", "fe80::1", "", 24);
    jump("2001:db8::1", "2001:db8::1", "", 0);
    jump("ssh://u@h:1", "h", "u", 1);
    jump("", NULL, NULL, 0);
    jump("@h", NULL, NULL, 0);
    jump("-oProxyCommand=x", NULL, NULL, 0);
    jump("u@-h", NULL, NULL, 0);
    jump("h:", NULL, NULL, 0);
    jump("h:99999", NULL, NULL, 0);
    jump("h:22x", NULL, NULL, 0);
    jump("[h", NULL, NULL, 0);
}

static void test_memory(void **state)
{
    char *text = recorded("9.2-win11"), *base = recorded("9.2-builtin");
    int rc = ERR_NOMEM;
    for (long k = 0; rc == ERR_NOMEM; k++) {
        struct ssh_truth t;
        mem_fail_after(k);
        rc = ssh_truth_parse(&t, "win11", text, base, NULL, &WHO, NULL);
        mem_fail_after(-1);
        ssh_truth_done(&t);
        assert_true(k < 200);
    }
    assert_int_equal(rc, 0);
    mem_free(text);
    mem_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_keywords),
        cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_own_proxy_command),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_host_keys_stay_checked),
        cmocka_unit_test(test_what_distributions_set),
        cmocka_unit_test(test_not_ssh),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
