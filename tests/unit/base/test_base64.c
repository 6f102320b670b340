/*
 * test_base64: the alphabet there and back, and what is malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void test_vectors(void **state) /* RFC 4648 §10 */
{
    static const char *const v[][2] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        char text[32];
        uint8_t back[32];
        size_t n = strlen(v[i][0]);
        assert_int_equal(base64_encode(text, (const uint8_t *)v[i][0], n), strlen(v[i][1]));
        assert_string_equal(text, v[i][1]);
        assert_int_equal(base64_decode(back, text, strlen(text)), n);
        assert_memory_equal(back, v[i][0], n);
    }
}

static void test_every_byte(void **state)
{
    uint8_t all[256], back[256];
    char text[BASE64_SIZE(256)];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= 256; n++) {
        size_t len = base64_encode(text, all, n);
        assert_int_equal(base64_decode(back, text, len), n);
        assert_memory_equal(back, all, n);
    }
}

static void test_lines(void **state)
{
    uint8_t back[16];
    assert_int_equal(base64_decode(back, " Zm9v\r\nYmFy\n", 12), 6);
    assert_memory_equal(back, "foobar", 6);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg===", "Zm9v=", "Zg==Zg==", "Zm!v", "====", "=", "Zm9=v"};
    uint8_t back[32];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(base64_decode(back, bad[i], strlen(bad[i])), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_every_byte),
                                       cmocka_unit_test(test_lines), cmocka_unit_test(test_malformed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
