/*
 * test_line: lines come out whole however their bytes come in, and none beyond the limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "control/line.h"

static void put(struct line_buf *b, const char *text, size_t n)
{
    while (n > 0) {
        char *room;
        size_t size;
        assert_int_equal(line_buf_room(b, &room, &size), 0);
        size = size < n ? size : n;
        memcpy(room, text, size);
        line_buf_fill(b, size);
        text += size;
        n -= size;
    }
}

static void test_byte_by_byte(void **state)
{
    static const char TEXT[] = "one\n\ntwo words\nrest";
    static const char *const WANT[] = {"one", "", "two words"};
    struct line_buf b;
    char *line;
    size_t len, seen = 0;

    line_buf_init(&b, 100);
    for (size_t i = 0; i < sizeof TEXT - 1; i++) {
        put(&b, TEXT + i, 1);
        while (line_buf_next(&b, &line, &len, NULL) == 1) {
            assert_true(seen < 3);
            assert_string_equal(line, WANT[seen]);
            assert_int_equal(len, strlen(WANT[seen++]));
        }
    }
    assert_int_equal(seen, 3);
    line_buf_done(&b);
}

static void test_many_at_once(void **state)
{
    struct line_buf b;
    char *line;
    size_t len;
    line_buf_init(&b, 100);
    put(&b, "a\nbb\nccc\nd", 10);
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_string_equal(line, "a");
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_string_equal(line, "bb");
    put(&b, "d\n", 2); /* in the middle of reading */
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_string_equal(line, "ccc");
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_string_equal(line, "dd");
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 0);
    line_buf_done(&b);
}

static void test_limit(void **state)
{
    struct line_buf b;
    struct err err = {0};
    char *line;
    size_t len;

    line_buf_init(&b, 5);
    put(&b, "1234\n", 5); /* with its LF exactly as long as allowed */
    assert_int_equal(line_buf_next(&b, &line, &len, &err), 1);
    put(&b, "12345", 5); /* can never become a good line */
    assert_int_equal(line_buf_next(&b, &line, &len, &err), ERR_LIMIT);
    line_buf_done(&b);

    line_buf_init(&b, 5);
    put(&b, "12345\n", 6);
    assert_int_equal(line_buf_next(&b, &line, &len, &err), ERR_LIMIT);
    line_buf_done(&b);
}

static void test_large_buffer_is_given_back(void **state)
{
    static char text[200001];
    struct line_buf b;
    char *line, *room;
    size_t len, size;

    memset(text, 'x', sizeof text);
    text[200000] = '\n';
    line_buf_init(&b, sizeof text);
    put(&b, text, sizeof text);
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_int_equal(len, 200000);
    assert_int_equal(line_buf_room(&b, &room, &size), 0);
    assert_true(b.cap < 65536);
    line_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_large_buffer_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
