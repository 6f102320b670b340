/*
 * test_commands: the command line as a user types it, as far as no daemon is needed: what is printed, where,
 * and the status.
 */
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/help_options.h"

static char out[65536], err[65536];

static int redirect(FILE *f, FILE *to)
{
    fflush(f);
    int saved = dup(fileno(f));
    dup2(fileno(to), fileno(f));
    return saved;
}

static void restore(FILE *f, int saved, FILE *from, char *text, size_t size)
{
    fflush(f);
    dup2(saved, fileno(f));
    close(saved);
    rewind(from);
    text[fread(text, 1, size - 1, from)] = '\0';
    fclose(from);
}

/* Runs "adit WORD…". */
static int adit(const char *const *words)
{
    char *argv[16] = {(char *)(uintptr_t) "adit"};
    int argc = 1;
    FILE *o = tmpfile(), *e = tmpfile();

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    int saved_out = redirect(stdout, o), saved_err = redirect(stderr, e);
    optind = 0; /* a fresh start for getopt's state between the runs */
    int status = cli_main(argc, argv);
    restore(stdout, saved_out, o, out, sizeof out);
    restore(stderr, saved_err, e, err, sizeof err);
    return status;
}

#define ADIT(...) adit((const char *const[]){__VA_ARGS__, NULL})

static void says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

static void test_table_is_complete(void **state)
{
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++) {
        assert_non_null(c->run);
        assert_true(strlen(c->summary) < 60);
        assert_true(c->summary[strlen(c->summary) - 1] != '.');
        assert_ptr_equal(cli_command_find(c->name), c);
        assert_int_equal(ADIT(c->name, "--help"), 0);
        says(out, c->name);
        says(out, c->summary);
        assert_string_equal(err, "");
        assert_int_equal(ADIT("help", c->name), 0);
        says(out, c->synopsis);
        for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 120);
    }
}

/* Every option that a command's help tells of is one that it takes, and takes with a value or without as it
 * is told. */
static void test_help_tells_what_there_is(void **state)
{
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++) {
        const char *at = c->help;
        for (struct help_option o; help_options_next(&at, &o);) {
            char word[80];
            bool value = o.value.n > 0 && !o.value_optional, show = strcmp(c->name, "config") == 0;
            if (o.name.n > 0)
                snprintf(word, sizeof word, "--%.*s%s", (int)o.name.n, o.name.p, value ? "=" : "");
            else
                snprintf(word, sizeof word, "-%c", o.letter);
            const char *words[] = {c->name, show ? "show" : word, show ? word : "--no-such", "--no-such",
                                   NULL};
            assert_int_not_equal(adit(words), 0);
            if (strstr(err, value ? "takes no value" : "needs a value") ||
                (strstr(err, "no option ") && !strstr(err, "no option --no-such")))
                fail_msg("%s %s: %s", c->name, word, err);
        }
    }
}

static void test_overview(void **state)
{
    assert_int_equal(ADIT("--help"), 0);
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++)
        says(out, c->summary);
    assert_int_equal(ADIT("help"), 0);
    assert_int_equal(ADIT("--version"), 0);
    assert_string_equal(out, "adit " ADIT_VERSION "\n");
}

static void wrong(int status, const char *part)
{
    assert_int_equal(status, EX_USAGE);
    assert_string_equal(out, "");
    assert_int_equal(strncmp(err, "adit: ", 6), 0);
    says(err, part);
}

static void test_usage(void **state)
{
    wrong(adit((const char *const[]){NULL}), "no command");
    wrong(ADIT("forwrad"), "did you mean `adit forward`");
    wrong(ADIT("frobnicate"), "adit help");
    wrong(ADIT("--nonsense"), "--nonsense");
    wrong(ADIT("\033[2J"), "\\x1B[2J");
    wrong(ADIT("up", "--nosuch"), "--nosuch");
    wrong(ADIT("up", "--tiemout", "5"), "did you mean --timeout");
    wrong(ADIT("up", "--timeout"), "--timeout needs a value");
    wrong(ADIT("up", "--timeout", "soon"), "soon");
    wrong(ADIT("up", "--timeout", "0"), "above 0");
    wrong(ADIT("up", "--json=x"), "takes no value");
    wrong(ADIT("up", "--all", "win11"), "not both");
    wrong(ADIT("down"), "which VM");
    wrong(ADIT("forward"), "which VM");
    wrong(ADIT("forward", "win11"), "-L");
    wrong(ADIT("forward", "win11", "-L"), "-L needs a value");
    wrong(ADIT("forward", "win11", "web1", "-L", "80"), "one VM");
    wrong(ADIT("forward", "win11", "-L", "80:a:b:c:d"), "80:a:b:c:d");
    wrong(ADIT("forward", "win11", "-x"), "-x");
    wrong(ADIT("cancel", "win11"), "adit status");
    wrong(ADIT("resolve"), "one name");
    wrong(ADIT("resolve", "--all", "win11"), "no name");
    wrong(ADIT("stop", "it"), "no argument");
    wrong(ADIT("logs", "-n", "many"), "many");
    wrong(ADIT("login", "contoso"), "--tenant");
    wrong(ADIT("login", "--tenant", ""), "domain");
    wrong(ADIT("logout", "all"), "no argument");
    wrong(ADIT("status", "--watch=never"), "never");
    wrong(ADIT("config"), "check, show or path");
    wrong(ADIT("config", "chekc"), "check, show or path");
    wrong(ADIT("help", "nonsense"), "nonsense");
    wrong(ADIT("completion"), "which shell");
    wrong(ADIT("completion", "tcsh"), "no completion for \"tcsh\"");
}

static void test_proxy_fails_as_ssh_does(void **state)
{
    assert_int_equal(ADIT("proxy"), 255);
    assert_int_equal(ADIT("proxy", "win11"), 255);
    assert_int_equal(ADIT("proxy", "win11", "0"), 255);
    assert_int_equal(ADIT("proxy", "win11", "65536"), 255);
    assert_int_equal(ADIT("proxy", "win11", "ssh"), 255);
    says(err, "ssh");
}

static void test_without_a_daemon(void **state)
{
    assert_int_equal(ADIT("stop"), 0);
    says(err, "not running");
    static const char *const ASKING[][4] = {{"status"},
                                            {"reload"},
                                            {"down", "--all"},
                                            {"cancel", "vm", "-L", "80"},
                                            {"logs", "--level", "debug"}};
    for (size_t i = 0; i < sizeof ASKING / sizeof ASKING[0]; i++) {
        const char *words[5] = {ASKING[i][0], ASKING[i][1], ASKING[i][2], ASKING[i][3], NULL};
        assert_int_equal(adit(words), EX_UNAVAILABLE);
        says(err, "aditd is not running");
    }
    assert_int_equal(ADIT("version"), 0);
    says(out, "aditd is not running");
}

static void test_logout_without_a_daemon(void **state)
{
    char path[128];
    assert_int_equal(ADIT("logout"), 0);
    says(err, "nobody is signed in");
    snprintf(path, sizeof path, "%s/adit", getenv("XDG_STATE_HOME"));
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/adit/login.json", getenv("XDG_STATE_HOME"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(ADIT("logout"), 0);
    assert_string_equal(out, "signed out\n");
    assert_int_equal(access(path, F_OK), -1);
}

static void test_daemon_that_does_not_start(void **state)
{
    setenv("ADITD", "/nonexistent/aditd", 1);
    assert_int_not_equal(ADIT("up"), 0);
    says(err, "/nonexistent/aditd");
    assert_int_equal(ADIT("proxy", "vm", "22"), 255);
    assert_int_equal(strchr(err, '\n') - err, (long)strlen(err) - 1); /* one line */
    setenv("ADITD", "/bin/false", 1);
    assert_int_not_equal(ADIT("up"), 0);
    says(err, "aditd does not start");
    unsetenv("ADITD");
}

static void test_socket_path_too_long(void **state)
{
    char dir[160] = "/tmp/";
    memset(dir + 5, 'x', sizeof dir - 6);
    setenv("XDG_RUNTIME_DIR", dir, 1);
    assert_int_not_equal(ADIT("status"), 0);
    says(err, "XDG_RUNTIME_DIR");
    setenv("XDG_RUNTIME_DIR", getenv("XDG_STATE_HOME"), 1);
}

static void test_config(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/bad.yaml", getenv("XDG_STATE_HOME"));
    FILE *f = fopen(path, "w");
    fputs("vmz: []\nlog-level: loud\n", f);
    fclose(f);
    assert_int_equal(ADIT("config", "check", path), EX_CONFIG);
    says(err, "bad.yaml:1:1: ");
    says(err, "bad.yaml:2:");
    assert_int_equal(ADIT("--config", path, "config", "show"), EX_CONFIG);
    assert_int_equal(ADIT("--config", path, "config", "path"), 0);
    says(out, path);
    unlink(path);
    assert_int_equal(ADIT("config", "check", path), EX_CONFIG); /* it was named, and is not there */
    says(err, "bad.yaml");
    assert_int_equal(ADIT("config", "check"), 0); /* no default file is no mistake */
    assert_int_equal(ADIT("config", "show", "--json"), 0);
    assert_int_equal(out[0], '{');
}

int main(void)
{
    char dir[] = "/tmp/adit-cli-XXXXXX", command[64];
    if (!mkdtemp(dir))
        return 1;
    setenv("XDG_RUNTIME_DIR", dir, 1);
    setenv("XDG_STATE_HOME", dir, 1);
    setenv("XDG_CONFIG_HOME", dir, 1);
    unsetenv("ADIT_CONFIG");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_complete),
        cmocka_unit_test(test_help_tells_what_there_is),
        cmocka_unit_test(test_overview),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_proxy_fails_as_ssh_does),
        cmocka_unit_test(test_without_a_daemon),
        cmocka_unit_test(test_logout_without_a_daemon),
        cmocka_unit_test(test_daemon_that_does_not_start),
        cmocka_unit_test(test_socket_path_too_long),
        cmocka_unit_test(test_config),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? rc : 1;
}
