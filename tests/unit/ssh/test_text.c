/*
 * test_text: what a server says is shown without its tricks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ssh/text.h"

static void expect(const char *in, size_t n, size_t size, const char *want)
{
    char *out = malloc(size);
    assert_ptr_equal(ssh_text_clean(out, size, in, n), out);
    assert_string_equal(out, want);
    free(out);
}

static void test_clean(void **state)
{
    expect("plain", 5, 32, "plain");
    expect("grüße €😀", strlen("grüße €😀"), 32, "grüße €😀");
    expect("a\x1b[2Jb\x07", 7, 32, "a?[2Jb?");
    expect("line\nnext\tx\r\n", 13, 32, "line next x");
    expect("nul\0in", 6, 32, "nul?in");
    expect("\xc2\x9b"
           "c1",
           4, 32, "??c1");
    expect("\xff\xfe", 2, 32, "??");
    expect("\xc0\xaf", 2, 32, "??");
    expect("\xed\xa0\x80", 3, 32, "???");
    expect("\xe2\x80\xae"
           "rtl",
           6, 32, "???rtl");
    expect("cut\xe2\x82", 5, 32, "cut??");
    expect("", 0, 32, "");
}

static void test_cut(void **state)
{
    expect("0123456789", 10, 11, "0123456789");
    expect("0123456789", 10, 10, "012345…");
    expect("äöüäöü", 12, 8, "äö…");
    expect("abc", 3, 3, "ab");
    expect("abc", 3, 1, "");
}

static void test_lists(void **state)
{
    assert_true(ssh_text_lists("a,bc,d", "bc"));
    assert_true(ssh_text_lists("a,bc,d", "d"));
    assert_true(ssh_text_lists("a", "a"));
    assert_false(ssh_text_lists("a,bc,d", "b"));
    assert_false(ssh_text_lists("", "a"));
    assert_false(ssh_text_lists("abc", "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clean), cmocka_unit_test(test_cut),
                                       cmocka_unit_test(test_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
