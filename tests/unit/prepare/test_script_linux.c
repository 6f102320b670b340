/*
 * The scripts for Linux, run by real shells: what they do to authorized_keys, and what nobody can make them
 * do.
 */
#include <errno.h>
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
#include "prepare/script.h"
#include "shell.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVWfA3Pu3gV9w7/w6DN5aHNHcXSKjO2+4oICBN+jXCB"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define FILE_NAME ".ssh/authorized_keys"

static const char *const programs[] = {"dash", "bash"};
#define EACH_SHELL(s)                                                                                        \
    struct shell s;                                                                                          \
    for (size_t each = 0; each < 2 && (shell_init(&s, programs[each]), 1); shell_done(&s), each++)

static int go(struct shell *s, bool add, const char *user, const char *key)
{
    char *copy_user = mem_strdup(user), *copy_key = mem_strdup(key);
    struct plan p = {.user = copy_user, .public_key = copy_key};
    char *script = add ? script_key_add(&p) : script_key_remove(&p);
    assert_non_null(script);
    int rc = shell_run(s, user, script);
    mem_free(script), mem_free(copy_user), mem_free(copy_key);
    return rc;
}

static void expect(struct shell *s, int rc, const char *out)
{
    if (rc != 0 || strcmp(s->out, out) != 0)
        fail_msg("%s: %d '%s' '%s'", s->program, rc, s->out, s->bad);
    assert_string_equal(s->bad, "");
}

static void expect_refusal(struct shell *s, int rc, const char *why)
{
    assert_int_not_equal(rc, 0);
    assert_string_equal(s->out, "");
    if (!strstr(s->bad, why))
        fail_msg("%s: '%s' does not say '%s'", s->program, s->bad, why);
}

static void keys_are(struct shell *s, const char *text)
{
    const char *have = shell_read(s, FILE_NAME, NULL);
    assert_non_null(have);
    assert_string_equal(have, text);
}

static void keys_begin(struct shell *s, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/.ssh", s->home);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    shell_write(s, FILE_NAME, text, strlen(text), 0644);
}

static void test_first_key(void **state)
{
    EACH_SHELL(s)
    {
        expect(&s, go(&s, true, "ann", KEY " ann@home"), "adit: added\n");
        keys_are(&s, KEY " ann@home\n");
        assert_int_equal(shell_mode(&s, ".ssh"), 0700);
        assert_int_equal(shell_mode(&s, FILE_NAME), 0600);
        expect(&s, go(&s, true, "ann", KEY " ann@home"), "adit: present\n");
        keys_are(&s, KEY " ann@home\n");
    }
}

static void test_beside_others(void **state)
{
    EACH_SHELL(s)
    {
        keys_begin(&s, OTHER " without an end");
        expect(&s, go(&s, true, "ann", KEY), "adit: added\n");
        keys_are(&s, OTHER " without an end\n" KEY "\n");
        assert_int_equal(shell_mode(&s, FILE_NAME), 0600);
    }
}

static void test_same_key_in_other_words(void **state)
{
    static const char *const lines[] = {KEY "\n", KEY " another comment\n",
                                        "from=\"10.0.0.0/8\",no-pty " KEY " c\n", ("\n# mine:\n  " KEY)};
    EACH_SHELL(s)
    {
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            keys_begin(&s, lines[i]);
            expect(&s, go(&s, true, "ann", KEY " ann"), "adit: present\n");
            keys_are(&s, lines[i]);
        }
        keys_begin(&s, "# " KEY "\n" KEY "AAAA longer\n");
        expect(&s, go(&s, true, "ann", KEY), "adit: added\n");
        keys_are(&s, "# " KEY "\n" KEY "AAAA longer\n" KEY "\n");
    }
}

static void test_hostile_comments(void **state)
{
    static const char *const comments[] = {"it's",
                                           "' ; touch pwned ; '",
                                           "\"; touch pwned; \"",
                                           "$(touch pwned)",
                                           "`touch pwned`",
                                           "; touch pwned",
                                           "| touch pwned",
                                           "&& touch pwned &",
                                           "ADIT_END",
                                           "%s %n \\n \\c \\",
                                           "* ? [a-z] ~ ~root",
                                           "Ännä ’key’ \xf0\x9f\x94\x91",
                                           "-n -e --",
                                           "${IFS}touch${IFS}pwned",
                                           "!! #no",
                                           "\\'\\\"",
                                           "> pwned"};
    EACH_SHELL(s)
    {
        for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
            char *key = mem_printf(KEY " %s", comments[i]), *line = mem_printf(OTHER "\n%s\n", key);
            keys_begin(&s, OTHER "\n");
            expect(&s, go(&s, true, "ann", key), "adit: added\n");
            keys_are(&s, line);
            expect(&s, go(&s, false, "ann", key), "adit: removed\n");
            keys_are(&s, OTHER "\n");
            mem_free(key), mem_free(line);
        }
    }
}

static void test_hostile_users(void **state)
{
    static const char *const users[] = {
        "-x", "--help", "$(touch pwned)", "'; touch pwned; '", "a b", "`touch pwned`", "Änn", "*"};
    EACH_SHELL(s)
    {
        for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
            keys_begin(&s, "");
            expect(&s, go(&s, true, users[i], KEY), "adit: added\n");
        }
        /* What getent finds by another name than the one asked for is somebody else. */
        expect_refusal(&s, go(&s, true, "0", KEY), "there is no user 0");
        struct plan p = {.user = (char[]){"bob"}, .public_key = (char[]){KEY}};
        char *script = script_key_add(&p);
        expect_refusal(&s, shell_run(&s, "ann", script), "there is no user bob");
        mem_free(script);
    }
}

static void test_removal(void **state)
{
    static const char before[] = "# mine\n" KEY " ann\n\n" KEY " bob\n" KEY " ann\nno end \xff \\n %s";
    static const char after[] = "# mine\n\n" KEY " bob\nno end \xff \\n %s\n";
    EACH_SHELL(s)
    {
        expect(&s, go(&s, false, "ann", KEY " ann"), "adit: absent\n");
        keys_begin(&s, before);
        expect(&s, go(&s, false, "ann", KEY), "adit: absent\n");
        keys_are(&s, before);
        expect(&s, go(&s, false, "ann", KEY " ann"), "adit: removed\n");
        keys_are(&s, after);
        assert_int_equal(shell_mode(&s, FILE_NAME), 0600);
        expect(&s, go(&s, false, "ann", KEY " ann"), "adit: absent\n");
        keys_begin(&s, KEY "\n");
        expect(&s, go(&s, false, "ann", KEY), "adit: removed\n");
        keys_are(&s, "");
    }
}

static void test_no_place_for_it(void **state)
{
    char path[128];
    EACH_SHELL(s)
    {
        snprintf(path, sizeof path, "%s/.ssh", s.home);
        assert_int_equal(symlink("/nowhere/at/all", path), 0);
        expect_refusal(&s, go(&s, true, "ann", KEY), "does not belong to ann");
        assert_int_equal(unlink(path), 0);
        shell_write(&s, ".ssh", "", 0, 0600);
        assert_int_not_equal(go(&s, true, "ann", KEY), 0);
        assert_string_not_equal(s.bad, "");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(s.home), 0);
        expect_refusal(&s, go(&s, true, "ann", KEY), "has no home directory");
    }
}

/* A link of the user's own is followed and stays one. */
static void test_own_link(void **state)
{
    char path[128];
    struct stat st;
    EACH_SHELL(s)
    {
        keys_begin(&s, "");
        snprintf(path, sizeof path, "%s/" FILE_NAME, s.home);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("../dotfiles", path), 0);
        shell_write(&s, "dotfiles", OTHER "\n", strlen(OTHER "\n"), 0600);
        expect(&s, go(&s, true, "ann", KEY), "adit: added\n");
        expect(&s, go(&s, false, "ann", KEY), "adit: removed\n");
        assert_string_equal(shell_read(&s, "dotfiles", NULL), OTHER "\n");
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
    }
}

static void test_host_keys(void **state)
{
    EACH_SHELL(s)
    {
        shell_write(&s, "one.pub", KEY " root@vm\n", strlen(KEY " root@vm\n"), 0644);
        shell_write(&s, "two.pub", OTHER "\n", strlen(OTHER "\n"), 0644);
        shell_program(&s, "sshd",
                      "#!/bin/sh\n[ \"$*\" = -T ] || exit 64\n"
                      "printf 'port 22\\nhostkey %s/one\\nhostkey %s/two\\nhostkey /none\\n' \"$TEST_HOME\" "
                      "\"$TEST_HOME\"\n");
        char *script = script_host_keys(false);
        expect(&s, shell_run(&s, "ann", script), "adit: host keys\n" KEY "\n" OTHER "\nadit: end\n");
        mem_free(script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_key),
        cmocka_unit_test(test_beside_others),
        cmocka_unit_test(test_same_key_in_other_words),
        cmocka_unit_test(test_hostile_comments),
        cmocka_unit_test(test_hostile_users),
        cmocka_unit_test(test_removal),
        cmocka_unit_test(test_no_place_for_it),
        cmocka_unit_test(test_own_link),
        cmocka_unit_test(test_host_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
