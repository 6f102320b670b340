/*
 * test_table: columns align by characters, lines are cut at the terminal's edge, and no text plays with the
 * terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output.h"
#include "cli/table.h"

static void expect(const struct table *t, unsigned columns, bool colours, const char *want)
{
    struct strbuf out;
    strbuf_init(&out);
    table_print(t, columns, colours, &out);
    assert_false(out.bad);
    assert_string_equal(out.data, want);
    strbuf_done(&out);
}

static void row(struct table *t, unsigned group, unsigned indent, const char *a, const char *b, const char *c)
{
    table_row(t, group, indent);
    table_cell(t, "31", a);
    table_cell(t, NULL, b);
    table_cell(t, NULL, c);
}

static void test_alignment(void **state)
{
    struct table t;
    table_init(&t);
    row(&t, 0, 0, "NAME", "N", "REST");
    row(&t, 0, 0, "käse", "100", "a very long last cell");
    row(&t, 1, 2, "other widths", "1", "");
    row(&t, 0, 0, "x", NULL, "");
    expect(&t, 0, false,
           "NAME  N    REST\n"
           "käse  100  a very long last cell\n"
           "  other widths  1\n"
           "x     -\n");
    table_done(&t);
}

static void test_cut(void **state)
{
    struct table t;
    table_init(&t);
    row(&t, 0, 0, "käse", "12345", "tail");
    expect(&t, 17, false, "käse  12345  tail\n");
    expect(&t, 16, false, "käse  12345  ta…\n");
    expect(&t, 14, false, "käse  12345  …\n");
    expect(&t, 8, false, "käse  1…\n");
    expect(&t, 3, false, "kä…\n");
    expect(&t, 1, false, "…\n");
    table_done(&t);
}

static void test_colours_do_not_move_columns(void **state)
{
    struct table t;
    table_init(&t);
    row(&t, 0, 0, "a", "b", "c");
    row(&t, 0, 0, "aaa", "b", "c");
    expect(&t, 0, true, "\033[31ma\033[0m    b  c\n\033[31maaa\033[0m  b  c\n");
    expect(&t, 2, true, "\033[31ma\033[0m \n\033[31ma…\033[0m\n");
    table_done(&t);
}

static void test_control_characters(void **state)
{
    struct table t;
    table_init(&t);
    row(&t, 0, 0, "\033[2J", "a\nb\t", "\x7f\xc2\x9b\xff ok \xe2\x86\x92");
    expect(&t, 0, false, "\\x1B[2J  a\\x0Ab\\x09  \\x7F\\xC2\\x9B\\xFF ok →\n");
    table_done(&t);
}

static void test_width(void **state)
{
    assert_int_equal(output_width("käse →"), 6);
    assert_int_equal(output_width(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_colours_do_not_move_columns),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
