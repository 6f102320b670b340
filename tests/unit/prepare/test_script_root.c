/*
 * The scripts for Linux as root runs them on a VM: what a user's links can lead them to. Needs root, as in a
 * container; skipped otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "prepare/script.h"
#include "shell.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVWfA3Pu3gV9w7/w6DN5aHNHcXSKjO2+4oICBN+jXCB"
#define NOBODY 65534
#define USER "nobody"

static char *script_new(bool add, bool su)
{
    struct plan p = {.user = (char[]){USER}, .public_key = (char[]){KEY}};
    char *script = add ? script_key_add(&p) : script_key_remove(&p);
    struct strbuf b;
    strbuf_init(&b);
    const char *at = script, *next;
    while (su && (next = strstr(at, "command -v runuser"))) {
        strbuf_add(&b, at, (size_t)(next - at));
        strbuf_puts(&b, "command -v no-such-program");
        at = next + strlen("command -v runuser");
    }
    strbuf_puts(&b, at);
    mem_free(script);
    return strbuf_take(&b);
}

static int go(struct shell *s, bool add, bool su)
{
    char *script = script_new(add, su);
    int rc = shell_run(s, USER, script);
    mem_free(script);
    return rc;
}

static void begin(struct shell *s)
{
    if (geteuid() != 0)
        skip();
    shell_init(s, "sh");
    shell_become_real(s, NOBODY);
}

static void belongs(struct shell *s, const char *name, unsigned uid)
{
    char path[160];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", s->home, name);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_uid, uid);
    assert_int_equal(st.st_mode & 0077, 0);
}

static void test_files_belong_to_the_user(void **state)
{
    for (int su = 0; su < 2; su++) {
        struct shell s;
        begin(&s);
        if (go(&s, true, su) != 0)
            fail_msg("%s: %s", su ? "su" : "runuser", s.bad);
        assert_string_equal(s.out, "adit: added\n");
        belongs(&s, ".ssh", NOBODY);
        belongs(&s, ".ssh/authorized_keys", NOBODY);
        assert_int_equal(go(&s, false, su), 0);
        assert_string_equal(s.out, "adit: removed\n");
        belongs(&s, ".ssh/authorized_keys", NOBODY);
        shell_done(&s);
    }
}

/* ~/.ssh leads to a folder of root's. */
static void test_folder_is_a_link(void **state)
{
    struct shell s;
    char path[160], target[160], file[200];
    struct stat st;
    begin(&s);
    snprintf(path, sizeof path, "%s/.ssh", s.home);
    snprintf(target, sizeof target, "%s/root", s.dir);
    snprintf(file, sizeof file, "%s/authorized_keys", target);
    assert_int_equal(mkdir(target, 0755), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(lchown(path, NOBODY, NOBODY), 0);
    assert_int_not_equal(go(&s, true, false), 0);
    assert_non_null(strstr(s.bad, "does not belong to " USER));
    assert_int_not_equal(stat(file, &st), 0);
    shell_done(&s);
}

/* authorized_keys leads to a file of root's, which must stay as it is in bytes, owner and rights. */
static void test_file_is_a_link(void **state)
{
    struct shell s;
    char path[160], target[160];
    struct stat st;
    begin(&s);
    snprintf(path, sizeof path, "%s/.ssh", s.home);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    snprintf(path, sizeof path, "%s/.ssh/authorized_keys", s.home);
    snprintf(target, sizeof target, "%s/secret", s.dir);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(lchown(path, NOBODY, NOBODY), 0);
    FILE *f = fopen(target, "w");
    assert_non_null(f);
    fputs(KEY "\n", f);
    fclose(f);
    assert_int_equal(chmod(target, 0644), 0);
    assert_int_not_equal(go(&s, true, false), 0);
    assert_int_not_equal(go(&s, false, false), 0);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_size, strlen(KEY "\n"));
    shell_done(&s);
}

/* A folder that somebody else made in the user's home is not taken for the user's. */
static void test_folder_of_somebody_else(void **state)
{
    struct shell s;
    char path[160];
    begin(&s);
    snprintf(path, sizeof path, "%s/.ssh", s.home);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_not_equal(go(&s, true, false), 0);
    assert_non_null(strstr(s.bad, "does not belong to " USER));
    assert_null(shell_read(&s, ".ssh/authorized_keys", NULL));
    shell_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_belong_to_the_user),
        cmocka_unit_test(test_folder_is_a_link),
        cmocka_unit_test(test_file_is_a_link),
        cmocka_unit_test(test_folder_of_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
