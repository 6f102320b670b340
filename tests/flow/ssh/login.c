/*
 * login: keys, agents and host keys, and what is said when there is no way in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "login_side.h"

static void make_key(const struct setting *s, const char *name, const char *options, char *path)
{
    snprintf(path, 128, "%s/%s", s->sshd.dir, name);
    server_run("test -f %s || (ssh-keygen -q %s -C %s -f %s && cat %s.pub >> %s/authorized_keys)", path,
               options, name, path, path, s->sshd.dir);
}

static void test_key_files(void **state)
{
    static const char *const kinds[][2] = {
        {"ed", "-t ed25519 -N ''"},         {"ec256", "-t ecdsa -b 256 -N ''"},
        {"ec384", "-t ecdsa -b 384 -N ''"}, {"ec521", "-t ecdsa -b 521 -N ''"},
        {"ecpem", "-t ecdsa -m PEM -N ''"}, {"ec8", "-t ecdsa -m PKCS8 -N ''"},
    };
    struct setting *s = *state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[128], how[128];
        struct err why;
        make_key(s, kinds[i][0], kinds[i][1], path);
        struct link_options o = to_sshd(s);
        o.key = path;
        if (!login_attempt(&o, NULL, how, &why))
            fail_msg("%s: %s", path, why.msg);
        assert_non_null(strstr(how, path));
    }
}

static bool native(void)
{
    return strcmp(world_engine(), "native") == 0;
}

/* libssh2 signs with SHA-1 only. */
static void test_rsa_key_is_explained(void **state)
{
    struct setting *s = *state;
    char path[128], how[128];
    if (native())
        skip();
    struct err why = {0};
    make_key(s, "rsa", "-t rsa -b 2048 -N ''", path);
    struct link_options o = to_sshd(s);
    o.key = path;
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "ssh auth: "));
    assert_non_null(strstr(why.msg, path));
    assert_non_null(strstr(why.msg, "SHA-1"));
    assert_non_null(strstr(why.msg, "ed25519"));
}

static void test_rsa_keys(void **state)
{
    static const char *const bits[] = {"1024", "2048", "4096"};
    struct setting *s = *state;
    char name[32], options[64], path[128], how[128];
    if (!native())
        skip();
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        struct err why;
        snprintf(name, sizeof name, "rsa%s", bits[i]);
        snprintf(options, sizeof options, "-t rsa -b %s -N ''", bits[i]);
        make_key(s, name, options, path);
        struct link_options o = to_sshd(s);
        o.key = path;
        if (!login_attempt(&o, NULL, how, &why))
            fail_msg("%s: %s", path, why.msg);
        assert_non_null(strstr(how, path));
    }
}

static void test_useless_keys_are_explained(void **state)
{
    struct setting *s = *state;
    char locked[128], open[128], missing[128], unknown[128], how[128];
    struct err why = {0};
    make_key(s, "locked", "-t ed25519 -N secret", locked);
    make_key(s, "open", "-t ed25519 -N ''", open);
    chmod(open, 0644);
    snprintf(missing, sizeof missing, "%s/no-such-key", s->sshd.dir);
    snprintf(unknown, sizeof unknown, "%s/unknown", s->sshd.dir);
    server_run("test -f %s || ssh-keygen -q -t ed25519 -N '' -f %s", unknown, unknown);
    const char *keys[] = {locked, open, missing, unknown};
    struct link_options o = to_sshd(s);
    o.keys = keys;
    o.key_count = 4;
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "passphrase and no agent has it: ssh-add"));
    assert_non_null(strstr(why.msg, "chmod 600"));
    assert_non_null(strstr(why.msg, "no-such-key"));
    assert_non_null(strstr(why.msg, "server refused key"));
    assert_non_null(strstr(why.msg, unknown));
    assert_non_null(strstr(why.msg, "publickey"));
}

/* sshd hangs up after six: that is a refusal, not a broken connection. */
static void test_too_many_keys(void **state)
{
    enum { COUNT = 8 };
    struct setting *s = *state;
    char paths[COUNT][128], how[128];
    const char *keys[COUNT];
    struct err why = {0};
    for (int i = 0; i < COUNT; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/many%d", s->sshd.dir, i);
        server_run("ssh-keygen -q -t ed25519 -N '' -f %s", paths[i]);
        keys[i] = paths[i];
    }
    struct link_options o = to_sshd(s);
    o.keys = keys;
    o.key_count = COUNT;
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "Too many authentication failures"));
    assert_non_null(strstr(why.msg, paths[0]));
}

static void test_agent(void **state)
{
    struct setting *s = *state;
    char socket[128], locked[128], how[128], pid[128], log[160];
    struct err why;
    make_key(s, "inagent", "-t ed25519 -N ''", locked);
    snprintf(socket, sizeof socket, "%s/agent.sock", s->sshd.dir);
    snprintf(pid, sizeof pid, "%s/agent.pid", s->sshd.dir);
    snprintf(log, sizeof log, "%s/agent.log", s->sshd.dir);
    server_run("ssh-agent -a %s > %s && sed -n 's/SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p' %s > %s", socket, log,
               log, pid);
    server_run("SSH_AUTH_SOCK=%s ssh-add -q %s", socket, locked);
    /* from now on only the agent can sign with it */
    server_run("ssh-keygen -q -p -P '' -N secret -f %s >/dev/null", locked);
    struct link_options o = to_sshd(s);
    o.agent = socket;
    if (!login_attempt(&o, NULL, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "publickey (agent: inagent)");
    o.key = locked;
    if (!login_attempt(&o, NULL, how, &why))
        fail_msg("%s", why.msg);
    assert_non_null(strstr(how, "agent: "));
    assert_non_null(strstr(how, locked));
    server_run("kill $(cat %s)", pid);
    /* its socket stays behind or goes: either way the key is the one that is locked */
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "passphrase"));
    assert_non_null(strstr(why.msg, "agent.sock"));
}

static void test_nothing_to_log_in_with(void **state)
{
    struct setting *s = *state;
    char how[128];
    struct err why = {0};
    struct link_options o = to_sshd(s);
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "no key"));
}

static void test_host_key(void **state)
{
    struct setting *s = *state;
    char how[128], known[128];
    struct err why = {0};
    struct link_options o = to_sshd(s);
    o.key = s->sshd.key;
    snprintf(known, sizeof known, "%s/strict/known", s->sshd.dir);
    o.known_hosts = known;
    o.strict = true;
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_HOSTKEY);
    o.strict = false;
    assert_true(login_attempt(&o, NULL, how, &why));
    o.strict = true;
    assert_true(login_attempt(&o, NULL, how, &why));
    server_run(
        "rm -f %s/other; ssh-keygen -q -t ed25519 -N '' -f %s/other && { printf '/subscriptions/0/vm/test '; "
        "cut -d' ' -f1,2 %s/other.pub | tr -d '\\n'; echo ' vmId=ID-1'; } > %s",
        s->sshd.dir, s->sshd.dir, s->sshd.dir, known);
    o.strict = false;
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_HOSTKEY);
    assert_non_null(strstr(why.msg, "has changed"));
    assert_non_null(strstr(why.msg, "line 1"));
    server_run("sed -i s/ID-1/id-0/ %s", known);
    assert_true(login_attempt(&o, NULL, how, &why)); /* re-created */
    server_run("grep -q 'vmId=id-1' %s && ! grep -q id-0 %s", known, known);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_rsa_key_is_explained),
        cmocka_unit_test(test_rsa_keys),
        cmocka_unit_test(test_useless_keys_are_explained),
        cmocka_unit_test(test_too_many_keys),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_nothing_to_log_in_with),
        cmocka_unit_test(test_host_key),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("login", tests, login_start, login_stop);
}
