/*
 * test_nearest: typing mistakes find their word, other words find none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/nearest.h"

static const char *const WORDS[] = {"up",    "down", "status", "forward", "cancel",
                                    "proxy", "stop", "logs",   NULL};

static void test_mistakes(void **state)
{
    static const char *const CASES[][2] = {
        {"forwrad", "forward"}, {"foward", "forward"}, {"stauts", "status"},
        {"stat", "status"},     {"dwon", "down"},      {"pu", "up"},
        {"log", "logs"},        {"prxy", "proxy"},     {"sotp", "stop"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *found = nearest_word(CASES[i][0], WORDS);
        if (!found || strcmp(found, CASES[i][1]) != 0)
            fail_msg("%s gives %s", CASES[i][0], found ? found : "nothing");
    }
}

static void test_other_words(void **state)
{
    static const char *const CASES[] = {"", "x", "frobnicate", "win11",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_null(nearest_word(CASES[i], WORDS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes), cmocka_unit_test(test_other_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
