/*
 * test_ssh_install: what --install and --uninstall do to files that a user has written, linked or broken.
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

#include "cli/ssh_install.h"

static char dir[] = "/tmp/adit-install-XXXXXX";
static char path[256], text[8192];

static const char *at(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *content, mode_t mode)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static const char *get(const char *name)
{
    FILE *f = fopen(at(name), "r");
    if (!f)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(lstat(at(name), &st), 0);
    return st.st_mode & 07777;
}

static int fresh(void **state)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s/.ssh && mkdir -m 700 %s/.ssh", dir, dir);
    return system(command);
}

static bool install(const char *blocks)
{
    struct err err = {0};
    bool changed = false;
    if (ssh_install(blocks, &changed, &err) != 0)
        fail_msg("%s", err.msg);
    return changed;
}

static bool uninstall(void)
{
    struct err err = {0};
    bool changed = false;
    if (ssh_uninstall(&changed, &err) != 0)
        fail_msg("%s", err.msg);
    return changed;
}

static void refuses(int code, const char *part)
{
    struct err err = {0};
    bool changed;
    assert_int_equal(ssh_install("Host a\n", &changed, &err), code);
    if (!strstr(err.msg, part))
        fail_msg("no \"%s\" in: %s", part, err.msg);
}

static void test_nothing_was_there(void **state)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s/.ssh", dir);
    assert_int_equal(system(command), 0);
    assert_true(install("Host *.adit\n"));
    assert_int_equal(mode_of(".ssh"), 0700);
    assert_int_equal(mode_of(".ssh/config"), 0600);
    assert_int_equal(mode_of(".ssh/adit.conf"), 0600);
    assert_non_null(strstr(get(".ssh/adit.conf"), "Host *.adit\n"));
    snprintf(command, sizeof command, "Include \"%s/.ssh/adit.conf\"\n", dir);
    assert_non_null(strstr(get(".ssh/config"), command));
    assert_true(uninstall());
    assert_null(get(".ssh/config"));
    assert_null(get(".ssh/adit.conf"));
    assert_false(uninstall());
}

static void test_foreign_text_stays_byte_by_byte(void **state)
{
    static const char MINE[] = "\tHost x\r\n  User y\n\n# no newline at the end";
    put(".ssh/config", MINE, 0644);
    assert_true(install("Host a\n"));
    assert_int_equal(mode_of(".ssh/config"), 0644);
    const char *now = get(".ssh/config");
    assert_string_equal(now + strlen(now) - strlen(MINE), MINE);
    assert_int_equal(strncmp(now, "# >>> adit >>>", 14), 0);
    assert_true(uninstall());
    assert_string_equal(get(".ssh/config"), MINE);
}

static void test_again_changes_nothing_and_new_blocks_only_theirs(void **state)
{
    char before[8192];
    put(".ssh/config", "Host x\n", 0600);
    assert_true(install("Host a\n"));
    snprintf(before, sizeof before, "%s", get(".ssh/config"));
    assert_false(install("Host a\n"));
    assert_true(install("Host b\n"));
    assert_string_equal(get(".ssh/config"), before);
    assert_null(strstr(get(".ssh/adit.conf"), "Host a"));
}

static void test_marks_that_were_moved_stay_there(void **state)
{
    char moved[8192], marked[4096];
    put(".ssh/config", "", 0600);
    install("Host a\n");
    snprintf(marked, sizeof marked, "%s", get(".ssh/config"));
    snprintf(moved, sizeof moved, "Host first\n  User me\nMatch all\n%sHost last\n", marked);
    put(".ssh/config", moved, 0600);
    assert_false(install("Host a\n"));
    assert_string_equal(get(".ssh/config"), moved);
    uninstall();
    assert_string_equal(get(".ssh/config"), "Host first\n  User me\nMatch all\nHost last\n");
}

static void test_half_of_the_marks(void **state)
{
    put(".ssh/config", "Host x\n# <<< adit <<<\n", 0600);
    refuses(ERR_INVAL, "opening mark is missing");
    assert_string_equal(get(".ssh/config"), "Host x\n# <<< adit <<<\n");
    put(".ssh/config", "# >>> adit >>> kept by `adit ssh-config --install`\nHost x\n", 0600);
    refuses(ERR_INVAL, "adit's closing mark is missing");
}

static void test_link_to_the_users_dotfiles_stays_a_link(void **state)
{
    struct stat st;
    char target[300], link_path[300];
    put(".ssh/dotfiles", "Host x\n", 0600);
    snprintf(target, sizeof target, "%s", at(".ssh/dotfiles"));
    snprintf(link_path, sizeof link_path, "%s", at(".ssh/config"));
    assert_int_equal(symlink(target, link_path), 0);
    install("Host a\n");
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_non_null(strstr(get(".ssh/dotfiles"), "Include"));
    uninstall();
    assert_string_equal(get(".ssh/dotfiles"), "Host x\n");
    unlink(target);
    refuses(ERR_NOTFOUND, "symbolic link");
}

static void test_files_that_are_not_adits(void **state)
{
    put(".ssh/adit.conf", "Host mine\n", 0600);
    refuses(ERR_EXISTS, "not adit's file");
    assert_string_equal(get(".ssh/adit.conf"), "Host mine\n");
    assert_null(get(".ssh/config"));
    unlink(at(".ssh/adit.conf"));
    char link_path[300];
    snprintf(link_path, sizeof link_path, "%s", at(".ssh/adit.conf"));
    put(".ssh/victim", "precious\n", 0600);
    assert_int_equal(symlink("victim", link_path), 0);
    refuses(ERR_EXISTS, "symbolic link");
    assert_string_equal(get(".ssh/victim"), "precious\n");
    fresh(NULL);
    assert_int_equal(mkdir(at(".ssh/config"), 0700), 0);
    refuses(ERR_EXISTS, "is no file: nothing has been changed");
}

static void test_what_is_no_text(void **state)
{
    FILE *f = fopen(at(".ssh/config"), "w");
    assert_non_null(f);
    assert_int_equal(fwrite("Host x\0\n", 1, 8, f), 8);
    fclose(f);
    refuses(ERR_INVAL, "has NUL bytes in it: nothing has been changed");
    assert_null(get(".ssh/adit.conf"));
}

static void test_a_home_that_ssh_config_cannot_carry(void **state)
{
    char home[300];
    snprintf(home, sizeof home, "%s/.ssh/a\"b", dir);
    assert_int_equal(mkdir(home, 0700), 0);
    setenv("HOME", home, 1);
    refuses(ERR_INVAL, "has a quote in it, which ssh_config cannot carry");
    setenv("HOME", dir, 1);
}

int main(void)
{
    char command[600];
    if (!mkdtemp(dir))
        return 1;
    setenv("HOME", dir, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_was_there, fresh),
        cmocka_unit_test_setup(test_foreign_text_stays_byte_by_byte, fresh),
        cmocka_unit_test_setup(test_again_changes_nothing_and_new_blocks_only_theirs, fresh),
        cmocka_unit_test_setup(test_marks_that_were_moved_stay_there, fresh),
        cmocka_unit_test_setup(test_half_of_the_marks, fresh),
        cmocka_unit_test_setup(test_link_to_the_users_dotfiles_stays_a_link, fresh),
        cmocka_unit_test_setup(test_files_that_are_not_adits, fresh),
        cmocka_unit_test_setup(test_what_is_no_text, fresh),
        cmocka_unit_test_setup(test_a_home_that_ssh_config_cannot_carry, fresh),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? rc : 1;
}
