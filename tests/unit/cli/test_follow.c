/*
 * test_follow: the last lines of a file, what is added, and the file that takes its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/follow.h"

static char path[64], moved[80];

static void write_file(const char *text, const char *mode)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect(char **text, size_t *size, FILE *out, const char *want)
{
    fflush(out);
    assert_string_equal(*text, want);
    rewind(out);
    (void)size;
    memset(*text, 0, *size);
}

static void test_last_lines(void **state)
{
    static const struct {
        uint32_t lines;
        const char *want;
    } CASES[] = {
        {0, ""}, {1, "three\n"}, {2, "two\nthree\n"}, {3, "one\ntwo\nthree\n"}, {99, "one\ntwo\nthree\n"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char *text = NULL;
        size_t size = 0;
        struct follow f;
        FILE *out = open_memstream(&text, &size);
        write_file("one\ntwo\nthree\n", "w");
        assert_int_equal(follow_begin(&f, path, CASES[i].lines, out, NULL), 0);
        fclose(out);
        assert_string_equal(text, CASES[i].want);
        free(text);
        follow_end(&f);
    }
}

static void test_longer_than_a_block(void **state)
{
    char *text = NULL, line[1002];
    size_t size = 0;
    struct follow f;

    memset(line, 'x', sizeof line);
    line[1000] = '\n';
    line[1001] = '\0';
    write_file("first\n", "w");
    for (int i = 0; i < 200; i++)
        write_file(line, "a");
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(follow_begin(&f, path, 150, out, NULL), 0);
    fclose(out);
    assert_int_equal(size, 150 * 1001);
    free(text);
    follow_end(&f);
}

static void test_added_and_replaced(void **state)
{
    char *text = NULL;
    size_t size = 0;
    struct follow f;
    FILE *out = open_memstream(&text, &size);

    write_file("old\n", "w");
    assert_int_equal(follow_begin(&f, path, 0, out, NULL), 0);
    write_file("a\n", "a");
    assert_int_equal(follow_more(&f, out, NULL), 0);
    assert_int_equal(follow_more(&f, out, NULL), 0);
    expect(&text, &size, out, "a\n");
    write_file("b\n", "a");
    assert_int_equal(rename(path, moved), 0); /* what was still added before it was moved counts too */
    write_file("c\n", "w");
    assert_int_equal(follow_more(&f, out, NULL), 0);
    expect(&text, &size, out, "b\nc\n");
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(follow_more(&f, out, NULL), 0);
    write_file("d\n", "a");
    assert_int_equal(follow_more(&f, out, NULL), 0);
    expect(&text, &size, out, "d\n");
    fclose(out);
    free(text);
    follow_end(&f);
    unlink(moved);
}

static void test_missing(void **state)
{
    struct follow f;
    struct err err = {0};
    unlink(path);
    assert_int_equal(follow_begin(&f, path, 5, stdout, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, path));
    follow_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_lines),
        cmocka_unit_test(test_longer_than_a_block),
        cmocka_unit_test(test_added_and_replaced),
        cmocka_unit_test(test_missing),
    };
    snprintf(path, sizeof path, "/tmp/adit-follow-%ld", (long)getpid());
    snprintf(moved, sizeof moved, "%s.1", path);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
