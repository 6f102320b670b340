/*
 * test_hostid: known, unknown, changed, revoked and re-created.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "ssh/hostid.h"

struct place {
    char dir[40], file[80];
    struct ssh_hostid_want want;
    uint8_t a[51], b[51];
};

static void make_blob(uint8_t *out, uint8_t seed)
{
    static const uint8_t head[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
    memcpy(out, head, 19);
    memset(out + 19, seed, 32);
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
                                       .policy = SSH_HOSTID_ACCEPT_NEW};
    make_blob(p->a, 1);
    make_blob(p->b, 2);
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

static void expect_text(struct place *p, const char *want, bool there)
{
    char *text;
    size_t n;
    assert_int_equal(fs_read(p->file, 1 << 20, &text, &n, NULL), 0);
    assert_true((strstr(text, want) != NULL) == there);
    mem_free(text);
}

static void write_file(struct place *p, const char *text)
{
    assert_int_equal(fs_mkdirs(p->dir, 0700, NULL), 0);
    snprintf(p->file, sizeof p->file, "%s/known_hosts", p->dir);
    assert_int_equal(fs_replace(p->file, text, strlen(text), 0600, NULL), 0);
}

static void test_first_and_again(void **state)
{
    struct place *p = *state;
    struct err err;
    char types[64];
    struct stat st;
    assert_int_equal(ssh_hostid_known_types(&p->want, types, sizeof types, &err), 0);
    assert_string_equal(types, "");
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    expect_text(p, "/sub/rg/vm ssh-ed25519 ", true);
    expect_text(p, " vmId=id-1\n", true);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(ssh_hostid_known_types(&p->want, types, sizeof types, &err), 0);
    assert_string_equal(types, "ssh-ed25519");
}

static void test_changed(void **state)
{
    struct place *p = *state;
    struct err err;
    char a[128], b[128];
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), ERR_HOSTKEY);
    ssh_hostid_fingerprint(p->a, 51, a, sizeof a);
    ssh_hostid_fingerprint(p->b, 51, b, sizeof b);
    assert_non_null(strstr(err.msg, a));
    assert_non_null(strstr(err.msg, b));
    assert_non_null(strstr(err.msg, "vm win11"));
    assert_non_null(strstr(err.msg, p->file));
    assert_non_null(strstr(err.msg, "line 1"));
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
}

static void test_strict(void **state)
{
    struct place *p = *state;
    struct err err;
    p->want.policy = SSH_HOSTID_STRICT;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), ERR_HOSTKEY);
    assert_int_not_equal(access(p->file, F_OK), 0);
    p->want.policy = SSH_HOSTID_ACCEPT_NEW;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    p->want.policy = SSH_HOSTID_STRICT;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    p->want.vm_id = "id-2";
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "re-created"));
}

static void test_recreated(void **state)
{
    struct place *p = *state;
    struct err err;
    struct ssh_hostid_want other = p->want;
    other.host = "/sub/rg/vm2";
    other.vm_id = "id-9";
    assert_int_equal(ssh_hostid_check(&other, p->a, 51, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    p->want.vm_id = "ID-2";
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), 0);
    expect_text(p, "vmId=id-1", false);
    expect_text(p, "vmId=ID-2", true);
    expect_text(p, "/sub/rg/vm2 ", true);
    p->want.vm_id = "id-2";
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), ERR_HOSTKEY);
}

static void test_revoked(void **state)
{
    struct place *p = *state;
    struct err err;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    char *text, *line;
    size_t n;
    assert_int_equal(fs_read(p->file, 1 << 20, &text, &n, NULL), 0);
    line = mem_printf("@revoked %s%s", text, text);
    write_file(p, line);
    mem_free(line);
    mem_free(text);
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "revoked"));
}

static void test_damaged_lines_are_passed_over(void **state)
{
    struct place *p = *state;
    struct err err;
    write_file(p, "nonsense\n/sub/rg/vm ssh-ed25519 ???\n# no line end at the end");
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    expect_text(p, "# no line end at the end\n/sub/rg/vm ssh-ed25519 ", true);
    expect_text(p, "nonsense\n", true);
}

static void test_many_at_once(void **state)
{
    struct place *p = *state;
    struct err err;
    char host[32];
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            for (int k = 0; k < 10; k++) {
                snprintf(host, sizeof host, "/vm/%d-%d", i, k);
                p->want.host = host;
                if (ssh_hostid_check(&p->want, p->a, 51, &err) < 0)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int i = 0, status; i < 8; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < 80; i++) {
        snprintf(host, sizeof host, "/vm/%d-%d ", i / 10, i % 10);
        expect_text(p, host, true);
    }
}

static void test_folder_that_cannot_be_made(void **state)
{
    struct place *p = *state;
    struct err err;
    p->want.file = "/proc/no/known_hosts";
    assert_true(ssh_hostid_check(&p->want, p->a, 51, &err) < 0);
    assert_non_null(strstr(err.msg, "/proc/no"));
}

static void test_ask(void **state)
{
    struct place *p = *state;
    struct err err;
    p->want.policy = SSH_HOSTID_ASK;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 1);
    assert_non_null(strstr(err.msg, "vm win11 is not known: it shows ssh-ed25519 SHA256:"));
    assert_int_not_equal(access(p->file, F_OK), 0); /* nothing is written before somebody said yes */
    p->want.policy = SSH_HOSTID_ACCEPT_NEW;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    p->want.policy = SSH_HOSTID_ASK;
    assert_int_equal(ssh_hostid_check(&p->want, p->a, 51, &err), 0);
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), ERR_HOSTKEY);
    assert_non_null(strstr(err.msg, "has changed"));
    p->want.vm_id = "id-2";
    assert_int_equal(ssh_hostid_check(&p->want, p->b, 51, &err), 1);
    assert_non_null(strstr(err.msg, "the VM was re-created"));
    expect_text(p, "vmId=id-1", true);
}

int main(void)
{
#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {AT_A_PLACE(test_ask),
                                       AT_A_PLACE(test_first_and_again),
                                       AT_A_PLACE(test_changed),
                                       AT_A_PLACE(test_strict),
                                       AT_A_PLACE(test_recreated),
                                       AT_A_PLACE(test_revoked),
                                       AT_A_PLACE(test_damaged_lines_are_passed_over),
                                       AT_A_PLACE(test_many_at_once),
                                       AT_A_PLACE(test_folder_that_cannot_be_made)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
