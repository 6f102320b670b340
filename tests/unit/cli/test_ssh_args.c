/*
 * test_ssh_args: az ssh vm's options as users have them in scripts, and which command lines need no ssh.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "cli/ssh_args.h"

static struct ssh_args a;
static char buffer[1024];
static char *words[32];

/* Parses "ssh LINE", whose words stand apart by one space. */
static int parse(const char *line)
{
    struct cli cli = {.command = cli_command_find("ssh")};
    int n = 0;
    char *save = NULL;
    snprintf(buffer, sizeof buffer, "ssh %s", line);
    for (char *p = strtok_r(buffer, " ", &save); p; p = strtok_r(NULL, " ", &save))
        words[n++] = p;
    words[n] = NULL;
    optind = 0;
    return ssh_args_parse(&a, &cli, n, words);
}

static void test_options_of_az(void **state)
{
    assert_int_equal(parse("-g rg-web -n web1 --local-user me -i k -p k.pub -c k-cert.pub --port 2222 "
                           "--prefer-private-ip --resource-type Microsoft.Compute/virtualMachines "
                           "--ssh-client-folder /opt/ssh -y -- -v uptime"),
                     0);
    assert_string_equal(a.vm, "rg-web/web1");
    assert_string_equal(a.user, "me");
    assert_string_equal(a.identity, "k");
    assert_string_equal(a.public_key, "k.pub");
    assert_string_equal(a.certificate, "k-cert.pub");
    assert_int_equal(a.port, 2222);
    assert_true(a.private_ip);
    assert_string_equal(a.client_folder, "/opt/ssh");
    assert_int_equal(a.word_count, 2);
    assert_string_equal(a.words[0], "-v");
    ssh_args_done(&a);
    assert_int_equal(parse("--resource-group rg --vm-name web1 --private-key-file k"), 0);
    assert_string_equal(a.vm, "rg/web1");
    ssh_args_done(&a);
    assert_int_equal(parse("--hostname 10.0.0.4"), 0);
    assert_string_equal(a.vm, "10.0.0.4");
    ssh_args_done(&a);
    assert_int_equal(parse("-n web1"), 0);
    assert_string_equal(a.vm, "web1");
    ssh_args_done(&a);
}

static void test_plain_name(void **state)
{
    assert_int_equal(parse("me@rg/web1 -i k -- -n"), 0);
    assert_string_equal(a.vm, "rg/web1");
    assert_string_equal(a.user, "me");
    assert_string_equal(a.identity, "k");
    ssh_args_done(&a);
}

static void test_forwards_that_need_no_ssh(void **state)
{
    static const struct {
        const char *line;
        bool only;
    } LINES[] = {
        {"web1 -- -N -L 80:localhost:80", true},
        {"web1 -- -NL80:localhost:80 -L 81:localhost:81", true},
        {"web1 -- -L 80:localhost:80 -NN", true},
        {"web1 -- -L 80:localhost:80", false}, /* a shell, too */
        {"web1 -- -N", false},
        {"web1", false},
        {"web1 -- -N -L 80:a:80 uptime", false},
        {"web1 -- -N -D 1080", true},
        {"web1 -- -ND1080 -L 80:a:80", true},
        {"web1 -- -D 1080", false},
        {"web1 -- -N -D", false},
        {"web1 -- -N -L 80:a:80 -R 81:b:81", true},
        {"web1 -- -NR /run/x.sock:/run/y.sock", true},
        {"web1 -- -N -L 80:a:80 -R 1080", false},
        {"web1 -- -R 81:b:81", false},
        {"web1 -- -N -v -L 80:a:80", false},
        {"web1 -- -N -L", false},
        {"web1 -- - -N -L 80:a:80", false},
        {"web1 -i k -- -N -L 80:a:80", false},
        {"web1 --port 2222 -- -N -L 80:a:80", false},
    };
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        assert_int_equal(parse(LINES[i].line), 0);
        if (ssh_args_only_forwards(&a, NULL, NULL) != LINES[i].only)
            fail_msg("%s", LINES[i].line);
        ssh_args_done(&a);
    }
}

static void append(void *arg, char option, char *spec)
{
    strbuf_printf(arg, "-%c %s ", option, spec);
}

static void test_specs_are_told(void **state)
{
    struct strbuf out;
    strbuf_init(&out);
    assert_int_equal(parse("web1 -- -N -L 1:a:1 -D 3 -L2:b:2 -R5:c:5 -D4"), 0);
    assert_true(ssh_args_only_forwards(&a, append, &out));
    assert_string_equal(out.data, "-L 1:a:1 -D 3 -L 2:b:2 -R 5:c:5 -D 4 ");
    strbuf_done(&out);
    ssh_args_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_of_az),
        cmocka_unit_test(test_plain_name),
        cmocka_unit_test(test_forwards_that_need_no_ssh),
        cmocka_unit_test(test_specs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
