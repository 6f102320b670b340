/*
 * test_paths: where files are looked for under which environment.
 */
#include "config/paths.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

typedef char *(*path_cb)(struct err *err);

static int clean(void **state)
{
    static const char *const vars[] = {"ADIT_CONFIG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
                                       "XDG_CACHE_HOME"};
    for (size_t i = 0; i < sizeof vars / sizeof vars[0]; i++)
        (void)unsetenv(vars[i]);
    (void)setenv("HOME", "/home/u", 1);
    return 0;
}

static void gives(path_cb path, const char *expected)
{
    struct err err = {0};
    char *got = path(&err);
    if (!got)
        fail_msg("no path: %s", err.msg);
    assert_string_equal(got, expected);
    mem_free(got);
}

static void fails(path_cb path, int code, const char *because)
{
    struct err err = {0};
    assert_null(path(&err));
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, because))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, because);
}

static void test_home(void **state)
{
    gives(paths_config_file, "/home/u/.config/adit/adit.yaml");
    gives(paths_state_dir, "/home/u/.local/state/adit");
    gives(paths_known_hosts, "/home/u/.local/state/adit/known_hosts");
    gives(paths_log_file, "/home/u/.local/state/adit/aditd.log");
    gives(paths_cache_dir, "/home/u/.cache/adit");
    gives(paths_runtime_dir, "/home/u/.local/state/adit/run");
    gives(paths_socket, "/home/u/.local/state/adit/run/aditd.sock");
    (void)setenv("XDG_CACHE_HOME", "", 1); /* empty counts as not set */
    gives(paths_cache_dir, "/home/u/.cache/adit");
    (void)unsetenv("HOME");
    fails(paths_config_file, ERR_INVAL, "$HOME");
}

static void test_xdg(void **state)
{
    (void)setenv("XDG_CONFIG_HOME", "/c", 1);
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    (void)setenv("XDG_STATE_HOME", "/s", 1);
    (void)setenv("XDG_CACHE_HOME", "/k", 1);
    gives(paths_config_file, "/c/adit/adit.yaml");
    gives(paths_runtime_dir, "/run/user/7/adit");
    gives(paths_socket, "/run/user/7/adit/aditd.sock");
    gives(paths_known_hosts, "/s/adit/known_hosts");
    gives(paths_login_file, "/s/adit/login.json");
    gives(paths_cache_dir, "/k/adit");
    (void)setenv("XDG_STATE_HOME", "relative", 1);
    fails(paths_state_dir, ERR_INVAL, "$XDG_STATE_HOME is not an absolute path");
}

static void test_adit_config(void **state)
{
    char dir[1024];
    (void)setenv("ADIT_CONFIG", "/x/y.yaml", 1);
    gives(paths_config_file, "/x/y.yaml");
    (void)setenv("ADIT_CONFIG", "here.yaml", 1);
    assert_non_null(getcwd(dir, sizeof dir));
    char *expected = mem_printf("%s/here.yaml", dir);
    gives(paths_config_file, expected);
    mem_free(expected);
}

static void test_socket_too_long(void **state)
{
    char dir[128] = "/";
    (void)memset(dir + 1, 'x', 100);
    (void)setenv("XDG_RUNTIME_DIR", dir, 1);
    fails(paths_socket, ERR_INVAL, "XDG_RUNTIME_DIR");
}

static void expands(const char *path, const char *base, const char *expected)
{
    struct err err = {0};
    char *got = paths_expand(path, base, &err);
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
    assert_true(got || err.code < 0);
    mem_free(got);
}

static void test_expand(void **state)
{
    expands("/a/b", NULL, "/a/b");
    expands("~", NULL, "/home/u");
    expands("~/.ssh/id", NULL, "/home/u/.ssh/id");
    expands("k", "/etc/adit", "/etc/adit/k");
    expands("k", "/", "/k");
    expands("k", NULL, NULL);
    expands("", "/etc", NULL);
    expands("~no-such-user-at-all/x", "/etc", NULL);
    struct passwd *me = getpwuid(geteuid());
    if (me) {
        char *path = mem_printf("~%s/x", me->pw_name), *expected = mem_printf("%s/x", me->pw_dir);
        expands(path, NULL, expected);
        mem_free(path);
        mem_free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_home, clean),        cmocka_unit_test_setup(test_xdg, clean),
        cmocka_unit_test_setup(test_adit_config, clean), cmocka_unit_test_setup(test_socket_too_long, clean),
        cmocka_unit_test_setup(test_expand, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
