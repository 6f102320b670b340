/*
 * test_siphash: the authors' test vectors (their paper's appendix A, and vectors.h of their code).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"

static void test_vectors(void **state)
{
    static const uint64_t KEY[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    unsigned char text[15];
    for (unsigned char i = 0; i < sizeof text; i++)
        text[i] = i;
    assert_true(siphash(KEY, text, 0) == 0x726fdb47dd0e0e31u);
    assert_true(siphash(KEY, text, 1) == 0x74f839c593dc67fdu);
    assert_true(siphash(KEY, text, 8) == 0x93f5f5799a932462u);
    assert_true(siphash(KEY, text, 15) == 0xa129ca6149be45e5u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
