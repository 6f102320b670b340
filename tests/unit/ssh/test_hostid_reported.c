/*
 * test_hostid_reported: host keys that the control plane reports: recorded, replaced, and what they decide.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "ssh/hostid.h"

#define BLOB 51

struct place {
    char dir[40], file[80];
    struct ssh_hostid_want want;
    uint8_t a[BLOB], b[BLOB], c[BLOB];
    char line_a[128], line_b[128]; /* as reported */
};

static void make_key(uint8_t *blob, char *line, uint8_t seed)
{
    static const uint8_t head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
    char text[BASE64_SIZE(BLOB)];
    memcpy(blob, head, 19);
    memset(blob + 19, seed, 32);
    base64_encode(text, blob, BLOB);
    if (line)
        snprintf(line, 128, "ssh-ed25519 %s\n", text);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/adit-hostid-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->file, sizeof p->file, "%s/state/known_hosts", p->dir);
    p->want = (struct ssh_hostid_want){.file = p->file,
                                       .host = "/Sub/RG/vm",
                                       .vm_id = "id-1",
                                       .label = "vm win11",
                                       .policy = SSH_HOSTID_ARM};
    make_key(p->a, p->line_a, 1);
    make_key(p->b, p->line_b, 2);
    make_key(p->c, NULL, 3);
    log_set_level(LOG_ERROR);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    int rc = system(command);
    free(p);
    return rc;
}

static unsigned lines_with(struct place *p, const char *part)
{
    char *text;
    size_t n;
    unsigned count = 0;
    assert_int_equal(fs_read(p->file, 1 << 20, &text, &n, NULL), 0);
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    mem_free(text);
    return count;
}

static void learn(struct place *p, const char *keys, bool expect_changed)
{
    struct err err = {0};
    bool changed = !expect_changed;
    assert_int_equal(ssh_hostid_learn(&p->want, keys, &changed, &err), 0);
    assert_int_equal(err.code, 0);
    assert_true(changed == expect_changed);
}

static void test_only_what_was_reported_counts(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    char types[64];
    /* What was accepted at a first use is worth nothing under arm. */
    p->want.policy = SSH_HOSTID_ACCEPT_NEW;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), 0);
    assert_true(ssh_hostid_known(&p->want));
    p->want.policy = SSH_HOSTID_ARM;
    assert_false(ssh_hostid_known(&p->want));
    assert_int_equal(ssh_hostid_known_types(&p->want, types, sizeof types, &err), 0);
    assert_string_equal(types, "");
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "control plane has not reported"));
    learn(p, p->line_a, true);
    assert_true(ssh_hostid_known(&p->want));
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), 0);
    assert_int_equal(lines_with(p, "source=arm"), 1);
    assert_int_equal(lines_with(p, "/sub/rg/vm "), 1);
    /* The other policies believe it too. */
    p->want.policy = SSH_HOSTID_STRICT;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), 0);
}

static void test_another_key_is_refused_with_both(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    char a[128], b[128];
    learn(p, p->line_a, true);
    assert_int_equal(ssh_hostid_check(&p->want, p->b, BLOB, &err), ERR_HOSTKEY);
    ssh_hostid_fingerprint(p->a, BLOB, a, sizeof a);
    ssh_hostid_fingerprint(p->b, BLOB, b, sizeof b);
    assert_non_null(strstr(err.msg, a));
    assert_non_null(strstr(err.msg, b));
    assert_non_null(strstr(err.msg, "vm win11"));
}

static void test_learning_again_changes_nothing(void **state)
{
    struct place *p = *state;
    char both[300];
    snprintf(both, sizeof both, "# adit\n%s\n%s", p->line_a, p->line_b);
    learn(p, both, true);
    learn(p, both, false);
    assert_int_equal(lines_with(p, "source=arm"), 2);
    learn(p, p->line_b, true); /* a key fewer is a change */
    assert_int_equal(lines_with(p, "source=arm"), 1);
}

static void test_an_earlier_vm_is_replaced_and_others_stay(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    struct ssh_hostid_want other = p->want;
    other.host = "/sub/rg/vm2";
    assert_int_equal(ssh_hostid_learn(&other, p->line_b, NULL, &err), 0);
    learn(p, p->line_a, true);
    p->want.vm_id = "id-2";
    assert_false(ssh_hostid_known(&p->want));
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "re-created"));
    learn(p, p->line_b, true);
    assert_int_equal(lines_with(p, "vmId=id-2"), 1);
    assert_int_equal(lines_with(p, "vmId=id-1"), 1); /* vm2's */
    assert_int_equal(ssh_hostid_check(&p->want, p->b, BLOB, &err), 0);
}

static void test_given_keys_decide_and_the_file_is_not_written(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    char both[300], types[64], a[128];
    p->want.policy = SSH_HOSTID_ACCEPT_NEW;
    snprintf(both, sizeof both, "%s%s", p->line_a, p->line_b);
    p->want.keys = both;
    assert_int_equal(ssh_hostid_known_types(&p->want, types, sizeof types, &err), 0);
    assert_string_equal(types, "ssh-ed25519");
    assert_int_equal(ssh_hostid_check(&p->want, p->b, BLOB, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->c, BLOB, &err), ERR_HOSTKEY);
    ssh_hostid_fingerprint(p->a, BLOB, a, sizeof a);
    assert_non_null(strstr(err.msg, a));
    assert_int_not_equal(access(p->file, F_OK), 0);
}

static void test_revoked_stays_revoked(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    char text[256];
    snprintf(text, sizeof text, "%s/state", p->dir);
    assert_int_equal(fs_mkdirs(text, 0700, NULL), 0);
    snprintf(text, sizeof text, "@revoked /sub/rg/vm %s", p->line_a);
    assert_int_equal(fs_replace(p->file, text, strlen(text), 0600, NULL), 0);
    learn(p, p->line_a, true);
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "revoked"));
    p->want.keys = p->line_a;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), ERR_HOSTKEY);
}

static void test_what_is_no_key_is_not_learned(void **state)
{
    struct place *p = *state;
    static const char *const bad[] = {"",
                                      "\n# nothing\n",
                                      "ssh-ed25519",
                                      "ssh-ed25519 AAAA",
                                      "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQ==\n",
                                      "@revoked x y z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        assert_int_equal(ssh_hostid_learn(&p->want, bad[i], NULL, &err), ERR_PROTOCOL);
        p->want.keys = bad[i];
        assert_int_equal(ssh_hostid_check(&p->want, p->a, BLOB, &err), ERR_PROTOCOL);
    }
    assert_int_not_equal(access(p->file, F_OK), 0);
}

static void test_without_memory_nothing_is_lost(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    int rc = ERR_NOMEM;
    learn(p, p->line_a, true);
    for (long k = 0; rc < 0; k++) {
        mem_fail_after(k);
        rc = ssh_hostid_learn(&p->want, p->line_b, NULL, &err);
        mem_fail_after(-1);
        assert_true(rc == 0 || lines_with(p, "source=arm") == 1);
        assert_true(k < 200);
    }
    assert_int_equal(ssh_hostid_check(&p->want, p->b, BLOB, &err), 0);
}

int main(void)
{
#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        AT_A_PLACE(test_only_what_was_reported_counts),
        AT_A_PLACE(test_another_key_is_refused_with_both),
        AT_A_PLACE(test_learning_again_changes_nothing),
        AT_A_PLACE(test_an_earlier_vm_is_replaced_and_others_stay),
        AT_A_PLACE(test_given_keys_decide_and_the_file_is_not_written),
        AT_A_PLACE(test_revoked_stays_revoked),
        AT_A_PLACE(test_what_is_no_key_is_not_learned),
        AT_A_PLACE(test_without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
