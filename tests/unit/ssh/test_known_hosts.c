/*
 * test_known_hosts: one line of the file at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ssh/known_hosts.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"

static int parse(struct known_host *k, const char *line, const char *host)
{
    return known_hosts_parse(k, line, strlen(line), host);
}

static void test_entry(void **state)
{
    struct known_host k;
    assert_int_equal(parse(&k, "h ssh-ed25519 " KEY, "h"), 1);
    assert_string_equal(k.type, "ssh-ed25519");
    assert_int_equal(k.blob_len, 51);
    assert_string_equal(k.vm_id, "");
    assert_false(k.revoked || k.authority);
    assert_int_equal(
        parse(&k, "\t other,/Sub/RG/VM  ssh-ed25519\t" KEY " note vmId=AB-1 more\r", "/sub/rg/vm"), 1);
    assert_string_equal(k.vm_id, "AB-1");
    assert_int_equal(parse(&k, "@revoked [127.0.0.1]:22 ssh-ed25519 " KEY, "[127.0.0.1]:22"), 1);
    assert_true(k.revoked);
    assert_int_equal(parse(&k, "@cert-authority h ssh-ed25519 " KEY, "h"), 1);
    assert_true(k.authority);
}

static void test_not_this_host(void **state)
{
    static const char *const lines[] = {"",
                                        "  ",
                                        "# comment",
                                        "hh ssh-ed25519 " KEY,
                                        "|1|abc=|def= ssh-ed25519 " KEY,
                                        "a,hx ssh-ed25519 " KEY};
    struct known_host k;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(parse(&k, lines[i], "h"), 0);
}

static void test_malformed(void **state)
{
    static const char *const lines[] = {"h",
                                        "h ssh-ed25519",
                                        "@what h ssh-ed25519 " KEY,
                                        "h ssh-ed25519 !!!!",
                                        "h ssh-rsa " KEY,
                                        "h ssh-ed25519 AAAA",
                                        "@revoked",
                                        "h ssh-ed25519 " KEY "A"};
    struct known_host k;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(parse(&k, lines[i], "h"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_entry), cmocka_unit_test(test_not_this_host),
                                       cmocka_unit_test(test_malformed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
