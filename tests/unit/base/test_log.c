/*
 * Tests of base/log.h: the shape of lines in both formats, texts that try to forge lines, rate limits,
 * several threads.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"

static FILE *file;
static char text[1 << 20];

static int set_up(void **state)
{
    file = tmpfile();
    assert_non_null(file);
    assert_true(fcntl(fileno(file), F_SETFL, O_APPEND) == 0);
    log_init(fileno(file), LOG_INFO, LOG_TEXT);
    return 0;
}

static int tear_down(void **state)
{
    log_init(STDERR_FILENO, LOG_INFO, LOG_TEXT);
    return fclose(file);
}

/* All that was written so far; the file is empty again afterwards. */
static const char *written(void)
{
    ssize_t n = pread(fileno(file), text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    return text;
}

static int line_count(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += *s == '\n';
    return n;
}

/* Every digit of the time becomes a 0, so that the rest can be compared. */
static const char *without_time(const char *line)
{
    static char out[8192];
    snprintf(out, sizeof out, "%s", line);
    char *p = out[0] == '{' ? out + 9 : out;
    for (int i = 0; i < 24 && *p; i++, p++)
        if (*p >= '0' && *p <= '9')
            *p = '0';
    return out;
}

static const struct log_ctx full = {"proxy", "win11", "3389:localhost:3389", 4, 17};

static void test_text(void **state)
{
    log_info(&full, "opened %d", 1);
    assert_string_equal(without_time(written()), "0000-00-00T00:00:00.000Z info  proxy vm=win11 "
                                                 "forward=3389:localhost:3389 conn=4 flow=17: opened 1\n");
    log_error(NULL, "plain");
    assert_string_equal(without_time(written()), "0000-00-00T00:00:00.000Z error plain\n");
    log_warn(&(struct log_ctx){.module = "arm"}, "slow");
    assert_string_equal(without_time(written()), "0000-00-00T00:00:00.000Z warn  arm: slow\n");
}

static void test_json(void **state)
{
    log_init(fileno(file), LOG_INFO, LOG_JSON);
    log_info(&full, "said \"%s\"", "c:\\x");
    assert_string_equal(
        without_time(written()),
        "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":\"info\",\"module\":\"proxy\",\"vm\":\"win11\","
        "\"forward\":\"3389:localhost:3389\",\"conn\":4,\"flow\":17,\"msg\":\"said \\\"c:\\\\x\\\"\"}\n");
    log_warn(NULL, "a\nb\x01\xff\xc2\x9b");
    assert_string_equal(without_time(written()), "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":\"warn\","
                                                 "\"msg\":\"a\\nb\\u0001\\\\xff\\u009b\"}\n");
}

static void test_levels(void **state)
{
    log_debug(NULL, "hidden");
    assert_string_equal(written(), "");
    assert_false(log_enabled(LOG_DEBUG));
    log_set_level(LOG_DEBUG);
    log_debug(NULL, "seen");
    assert_int_equal(line_count(written()), 1);
    log_set_level(LOG_ERROR);
    log_warn(NULL, "hidden");
    assert_string_equal(written(), "");
    enum log_level level;
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
        assert_int_equal(level, i);
    }
    assert_true(log_level_parse("loud", &level) < 0);
}

static void test_lines_cannot_be_forged(void **state)
{
    static const char *const evil[] = {
        "x\n2026-01-02T03:04:05.678Z info  daemon: all is well",
        "x\r\nfoo",
        "\x1b[2K\x1b[1Ghidden",
        "\xc2\x9b[31m",                             /* CSI as one character */
        "\xe2\x80\xa8next line",                    /* U+2028 */
        "\xe2\x80\xaereversed",                     /* U+202E */
        "\xff\xfe\xc0\x8a\xe0\x80\xaf\xed\xa0\x80", /* not UTF-8: overlong forms and a surrogate
                                                     */
        "cut short \xe2\x80",
    };
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        for (int json = 0; json < 2; json++) {
            log_init(fileno(file), LOG_INFO, json ? LOG_JSON : LOG_TEXT);
            struct log_ctx ctx = {.module = "proxy", .vm = evil[i], .forward = evil[i]};
            log_info(&ctx, "server said %s", evil[i]);
            const char *line = written();
            assert_int_equal(line_count(line), 1);
            assert_non_null(strstr(line, "server said"));
            for (const char *p = line; p[1]; p++)
                assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
        }
    }
    log_init(fileno(file), LOG_INFO, LOG_TEXT);
    struct log_ctx tricky = {.vm = "a forward=1: b\"", .forward = ""};
    log_info(&tricky, "caf\xc3\xa9");
    assert_string_equal(without_time(written()), "0000-00-00T00:00:00.000Z info  vm=\"a forward=1: b\\\"\" "
                                                 "forward=\"\": caf\xc3\xa9\n");
}

static void test_long_lines_stay_whole_lines(void **state)
{
    char *big = mem_alloc(20000);
    assert_non_null(big);
    for (int json = 0; json < 2; json++) {
        log_init(fileno(file), LOG_INFO, json ? LOG_JSON : LOG_TEXT);
        for (int fill = 0; fill < 3; fill++) {
            for (size_t i = 0; i < 19998; i += 2)
                memcpy(big + i, fill == 0 ? "aa" : fill == 1 ? "\xc3\xa9" : "\n\"", 2);
            big[19998] = '\0';
            log_info(&full, "%s", big);
            log_info(&(struct log_ctx){.vm = big}, "short");
            const char *lines = written();
            assert_int_equal(line_count(lines), 2);
            assert_true(strlen(lines) < (size_t)2 * 4096);
            const char *end = json ? "\xe2\x80\xa6\"}\n" : "\xe2\x80\xa6\n";
            assert_string_equal(lines + strlen(lines) - strlen(end), end);
        }
    }
    mem_free(big);
}

static void test_rate_limit_counts_what_it_held_back(void **state)
{
    static struct log_rate rate = {.burst = 3, .every_ms = 100000};
    for (int i = 0; i < 10; i++)
        log_write(LOG_WARN, NULL, &rate, "again %d", i);
    assert_int_equal(line_count(written()), 3);
    assert_int_equal(rate.held, 7);

    static struct log_rate quick = {.burst = 2, .every_ms = 30};
    log_write(LOG_WARN, NULL, &quick, "first");
    log_write(LOG_WARN, NULL, &quick, "second");
    assert_int_equal(line_count(written()), 2);
    uint64_t deadline = uv_hrtime() + UINT64_C(20000000000);
    for (int passed = 0, held = 0; passed < 3; held++) {
        log_write(LOG_WARN, NULL, &quick, "next");
        const char *line = written();
        if (line[0] != '\0') {
            char expected[64];
            if (held > 0)
                snprintf(expected, sizeof expected, "warn  next (%d more like this)\n", held);
            else /* this machine was slower than the limit */
                snprintf(expected, sizeof expected, "warn  next\n");
            assert_non_null(strstr(line, expected));
            passed += held > 0;
            held = -1;
        }
        assert_true(uv_hrtime() < deadline);
    }
    log_set_level(LOG_ERROR);
    uint32_t before = rate.held;
    log_write(LOG_WARN, NULL, &rate, "not wanted at all");
    assert_int_equal(rate.held, before);
}

enum { WRITERS = 4, LINES = 500 };

static void write_many(void *arg)
{
    static struct log_rate rate = {.burst = 5, .every_ms = 100000};
    int writer = *(int *)arg;
    char fill[201];
    memset(fill, 'a' + writer, 200);
    fill[200] = '\0';
    for (int i = 0; i < LINES; i++) {
        log_info(&full, "%s", fill);
        log_write(LOG_WARN, NULL, &rate, "%s", fill);
        log_debug(NULL, "never");
    }
}

static void test_threads_do_not_mix(void **state)
{
    uv_thread_t threads[WRITERS];
    int numbers[WRITERS];
    FILE *other = tmpfile();
    assert_non_null(other);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(uv_thread_create(&threads[i], write_many, &numbers[i]), 0);
    }
    for (int i = 0; i < 50; i++) { /* rotation under way */
        log_set_fd(fileno(other));
        log_set_level(LOG_INFO);
        log_set_fd(fileno(file));
    }
    for (int i = 0; i < WRITERS; i++)
        uv_thread_join(&threads[i]);
    int lines = 0;
    FILE *both[] = {file, other};
    for (int f = 0; f < 2; f++) {
        char line[1024];
        rewind(both[f]);
        while (fgets(line, sizeof line, both[f])) {
            size_t n = strlen(line);
            assert_true(n > 201 && line[n - 1] == '\n');
            for (size_t i = 2; i <= 200; i++)
                assert_int_equal(line[n - 1 - i], line[n - 2]);
            lines++;
        }
    }
    assert_int_equal(lines, WRITERS * LINES + 5);
    fclose(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_text),
        TEST(test_json),
        TEST(test_levels),
        TEST(test_lines_cannot_be_forged),
        TEST(test_long_lines_stay_whole_lines),
        TEST(test_rate_limit_counts_what_it_held_back),
        TEST(test_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
