/*
 * test_help_options: options as a help text writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/help_options.h"

static void is(struct help_text t, const char *text)
{
    assert_int_equal(t.n, strlen(text));
    assert_memory_equal(t.p, text, t.n);
}

static void test_each_form(void **state)
{
    const char *at = "What it is for:  -x is no option here.\n"
                     "\n"
                     "  -L, --local SPEC       listen here\n"
                     "  -w, --watch[=TIME]     stay\n"
                     "      --all              every VM\n"
                     "  -g, --group GROUP, -n, --name VM   the VM\n"
                     "      --type TYPE, -y                for az's sake\n"
                     "  -i, --key FILE\n"
                     "With nothing but -N it waits.\n";
    static const struct {
        char letter;
        const char *name, *value, *text;
        bool optional;
    } WANTED[] = {
        {'L', "local", "SPEC", "listen here", false}, {'w', "watch", "TIME", "stay", true},
        {'\0', "all", "", "every VM", false},         {'g', "group", "GROUP", "the VM", false},
        {'n', "name", "VM", "the VM", false},         {'\0', "type", "TYPE", "for az's sake", false},
        {'y', "", "", "for az's sake", false},        {'i', "key", "FILE", "", false}};
    struct help_option o;

    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        assert_true(help_options_next(&at, &o));
        assert_int_equal(o.letter, WANTED[i].letter);
        is(o.name, WANTED[i].name);
        is(o.value, WANTED[i].value);
        is(o.text, WANTED[i].text);
        assert_int_equal(o.value_optional, WANTED[i].optional);
    }
    assert_false(help_options_next(&at, &o));
    assert_false(help_options_next(&at, &o));
}

static void test_cut_anywhere(void **state)
{
    static const char TEXT[] = "  -w, --watch[=TIME]  stay\n  -g, --group GROUP, -n, --name VM   the VM\n";
    char cut[sizeof TEXT];
    struct help_option o;

    for (size_t n = 0; n < sizeof TEXT; n++) {
        memcpy(cut, TEXT, n);
        cut[n] = '\0';
        const char *at = cut;
        for (int i = 0; help_options_next(&at, &o); i++) {
            assert_true(i < 4);
            assert_true(at <= cut + n);
        }
    }
}

static void test_words_of_a_synopsis(void **state)
{
    assert_true(help_text_has("[--json] [VM...]", "VM"));
    assert_true(help_text_has("VM", "VM"));
    assert_false(help_text_has("[VMS...]", "VM"));
    assert_false(help_text_has("--VM", "VM"));
    assert_true(help_text_has("VMS VM", "VM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_words_of_a_synopsis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
