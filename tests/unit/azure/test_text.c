/*
 * Server text in messages, form fields, GUIDs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "azure/text.h"

static void form_fields_are_encoded(void **state)
{
    struct blob form = {0};
    assert_int_equal(text_form_add(&form, "a", "x y&z=1+2%"), 0);
    assert_int_equal(text_form_add(&form, "b", "-._~Az09\xc3\xa9"), 0);
    assert_string_equal(form.data, "a=x%20y%26z%3D1%2B2%25&b=-._~Az09%C3%A9");
    blob_done(&form);
}

static void server_text_becomes_one_clean_line(void **state)
{
    char out[16];
    text_clean(out, sizeof(out), " a\r\n\tb\x1b[1m\x7f ");
    assert_string_equal(out, "a b [1m");
    text_clean(out, sizeof(out), NULL);
    assert_string_equal(out, "");
    text_clean(out, sizeof(out), "\xff\xc3");
    assert_string_equal(out, "");
    for (size_t size = 8; size < 40; size++) {
        char cut[40];
        text_clean(cut, size, "ééééééééééééééééé");
        assert_true(strlen(cut) < size);
        assert_int_equal((strlen(cut) - 3) % 2, strlen(cut) < 34 ? 0 : (strlen(cut) - 3) % 2);
    }
}

static void quoted_parts(void **state)
{
    static const char text[] =
        "does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read' over "
        "scope '/subscriptions/s' or the scope is invalid";
    char out[64];
    assert_true(text_quoted_after(text, "perform action", out, sizeof(out)));
    assert_string_equal(out, "Microsoft.Compute/virtualMachines/read");
    assert_true(text_quoted_after(text, "over scope", out, sizeof(out)));
    assert_string_equal(out, "/subscriptions/s");
    assert_false(text_quoted_after(text, "perform action", out, 8));
    assert_false(text_quoted_after("perform action 'x", "perform action", out, sizeof(out)));
    assert_false(text_quoted_after(text, "nothing", out, sizeof(out)));
}

static void guids_differ(void **state)
{
    char a[TEXT_GUID_SIZE], b[TEXT_GUID_SIZE];
    text_guid(a);
    text_guid(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_fields_are_encoded),
        cmocka_unit_test(server_text_becomes_one_clean_line),
        cmocka_unit_test(quoted_parts),
        cmocka_unit_test(guids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
