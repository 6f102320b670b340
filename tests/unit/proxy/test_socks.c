/*
 * The first words of a client: complete ones name a place, cut ones want more, wrong ones are refused at the
 * byte that is wrong, and no length that a client says is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/socks.h"

#define BYTES(text) text, sizeof(text) - 1
#define NAME63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"
#define NAME255 NAME63 "." NAME63 "." NAME63 "." NAME63

struct said {
    enum socks_progress progress;
    size_t used;
    unsigned methods; /* how often SOCKS_METHOD came */
};

/* Feeds all of it, `step` bytes at a time; each piece is a block of its exact size. */
static struct said feed(struct socks *s, const char *in, size_t n, size_t step)
{
    struct said r = {.progress = SOCKS_MORE};
    *s = (struct socks){0};
    while (r.used < n && (r.progress == SOCKS_MORE || r.progress == SOCKS_METHOD)) {
        size_t piece = n - r.used < step ? n - r.used : step, used;
        uint8_t *exact = malloc(piece);
        memcpy(exact, in + r.used, piece);
        r.progress = socks_feed(s, exact, piece, &used);
        assert_in_range(used, 1, piece);
        r.methods += r.progress == SOCKS_METHOD;
        r.used += used;
        free(exact);
    }
    return r;
}

static const struct {
    const char *in;
    size_t len;
    const char *host;
    uint16_t port;
} good[] = {
    {BYTES("\4\1\0\26\177\0\0\1\0"), "127.0.0.1", 22},
    {BYTES("\4\1\1\273\12\0\0\5user\0"), "10.0.0.5", 443},
    {BYTES("\4\1\0\120\0\0\0\0\0"), "0.0.0.0", 80},
    {BYTES("\4\1\0\120\0\0\0\1\0example.com\0"), "example.com", 80},
    {BYTES("\4\1\0\120\0\0\0\377" NAME255 "\0" NAME255 "\0"), NAME255, 80},
    {BYTES("\5\1\0\5\1\0\1\1\2\3\4\0\120"), "1.2.3.4", 80},
    {BYTES("\5\3\1\2\0\5\1\0\3\1a\377\377"), "a", 65535},
    {BYTES("\5\1\0\5\1\0\3\377" NAME255 "\0\1"), NAME255, 1},
    {BYTES("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\26"), "::1", 22},
    {BYTES("\5\1\0\5\1\0\3\7fe80::1\0\26"), "fe80::1", 22},
    {BYTES("CONNECT a:1 HTTP/1.1\r\n\r\n"), "a", 1},
    {BYTES("CONNECT a:1 HTTP/1.1\n\n"), "a", 1},
    {BYTES("CONNECT [::1]:443 HTTP/1.0\r\nX: y\r\n\tz\r\n\r\n"), "::1", 443},
    {BYTES("CONNECT " NAME255 ":65535 HTTP/1.1\r\n\r\n"), NAME255, 65535},
    {BYTES("CONNECT a_b-c.d:00080 HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n"), "a_b-c.d", 80},
};
#define GOOD (sizeof good / sizeof good[0])

static void test_complete_requests_name_a_place(void **state)
{
    static struct socks s;
    for (size_t i = 0; i < GOOD; i++)
        for (size_t step = 1; step <= good[i].len; step++) {
            struct said r = feed(&s, good[i].in, good[i].len, step);
            if (r.progress != SOCKS_DONE)
                fail_msg("row %zu, step %zu: outcome %d", i, step, s.outcome);
            assert_int_equal(r.used, good[i].len);
            assert_int_equal(r.methods, good[i].in[0] == 5);
            assert_string_equal(s.host, good[i].host);
            assert_int_equal(s.port, good[i].port);
        }
}

static void test_cut_anywhere_they_want_more(void **state)
{
    static struct socks s;
    for (size_t i = 0; i < GOOD; i++)
        for (size_t cut = 1; cut < good[i].len; cut++) {
            struct said r = feed(&s, good[i].in, cut, cut);
            if (r.progress != SOCKS_MORE && r.progress != SOCKS_METHOD)
                fail_msg("row %zu is taken for whole, or wrong, after %zu bytes", i, cut);
            assert_int_equal(r.used, cut);
        }
}

static void test_what_follows_is_left_alone(void **state)
{
    static struct socks s;
    char in[2048];
    for (size_t i = 0; i < GOOD; i++) {
        memcpy(in, good[i].in, good[i].len);
        memset(in + good[i].len, '\5', 100);
        struct said r = feed(&s, in, good[i].len + 100, sizeof in);
        assert_int_equal(r.progress, SOCKS_DONE);
        assert_int_equal(r.used, good[i].len);
    }
}

static void test_wrong_ones_are_refused_at_the_byte_that_is_wrong(void **state)
{
    static const struct {
        const char *in;
        size_t len; /* with the byte that is wrong as the last */
        enum socks_outcome outcome;
    } wrong[] = {
        {BYTES("\0"), SOCKS_NOT_SPOKEN},
        {BYTES("\26"), SOCKS_NOT_SPOKEN}, /* TLS */
        {BYTES("s"), SOCKS_NOT_SPOKEN},   /* not "SSH-": a client that waits would wait for ever */
        {BYTES("SSH-2.0-"), SOCKS_NO_COMMAND},
        {BYTES("\4\2\0\26\177\0\0\1"), SOCKS_NO_COMMAND},
        {BYTES("\4\1\0\0\177\0\0\1\0"), SOCKS_MALFORMED}, /* port 0 */
        {BYTES("\4\1\0\26\177\0\0\1" NAME255 "x"), SOCKS_MALFORMED},
        {BYTES("\4\1\0\26\0\0\0\1\0\0"), SOCKS_MALFORMED},
        {BYTES("\4\1\0\26\0\0\0\1\0a b\0"), SOCKS_MALFORMED},
        {BYTES("\4\1\0\26\0\0\0\1\0" NAME255 "x"), SOCKS_MALFORMED},
        {BYTES("\5\0"), SOCKS_NO_METHOD},
        {BYTES("\5\1\1"), SOCKS_NO_METHOD},
        {BYTES("\5\2\2\377"), SOCKS_NO_METHOD},
        {BYTES("\5\1\0\4\1\0\1"), SOCKS_MALFORMED},
        {BYTES("\5\1\0\5\2\0\1"), SOCKS_NO_COMMAND},
        {BYTES("\5\1\0\5\3\0\1"), SOCKS_NO_COMMAND},
        {BYTES("\5\1\0\5\1\0\0"), SOCKS_NO_ADDRESS},
        {BYTES("\5\1\0\5\1\0\5"), SOCKS_NO_ADDRESS},
        {BYTES("\5\1\0\5\1\0\3\0"), SOCKS_MALFORMED},
        {BYTES("\5\1\0\5\1\0\3\3a\0b"), SOCKS_MALFORMED},
        {BYTES("\5\1\0\5\1\0\3\3a\nb"), SOCKS_MALFORMED},
        {BYTES("\5\1\0\5\1\0\3\3a/b"), SOCKS_MALFORMED},
        {BYTES("\5\1\0\5\1\0\1\1\2\3\4\0\0"), SOCKS_MALFORMED},
        {BYTES("GET "), SOCKS_NO_COMMAND},
        {BYTES("PROPFIND"), SOCKS_NO_COMMAND},
        {BYTES("CONNECT\n"), SOCKS_MALFORMED},
        {BYTES("POST\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a: HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT :1 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:0 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:65536 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:000080 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:-1 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT ::1:80 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT [a]:80 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT []:80 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT u@a:80 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT http://a:80 HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:80  HTTP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT a:80 HTTP/1.1 \n"), SOCKS_BAD_VERSION},
        {BYTES("CONNECT a:80 HTTP/2.0\n"), SOCKS_BAD_VERSION},
        {BYTES("CONNECT a:80 HTCP/1.1\n"), SOCKS_MALFORMED},
        {BYTES("CONNECT x" NAME255 ":80 HTTP/1.1\n"), SOCKS_MALFORMED},
    };
    static struct socks s;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        for (size_t step = 1; step <= wrong[i].len; step++) {
            struct said r = feed(&s, wrong[i].in, wrong[i].len, step);
            if (r.progress != SOCKS_BAD || s.outcome != wrong[i].outcome || r.used != wrong[i].len)
                fail_msg("row %zu, step %zu: progress %d, outcome %d, used %zu", i, step, r.progress,
                         s.outcome, r.used);
        }
}

static void test_http_is_read_to_a_limit(void **state)
{
    static struct socks s;
    static char in[2 * SOCKS_HEADER_MAX];
    memset(in, 'x', sizeof in);
    memcpy(in, "CONNECT ", 8);
    struct said r = feed(&s, in, sizeof in, 1000);
    assert_int_equal(r.progress, SOCKS_BAD);
    assert_int_equal(s.outcome, SOCKS_TOO_LONG);
    assert_int_equal(r.used, SOCKS_LINE_MAX + 1);
    memcpy(in, BYTES("CONNECT a:1 HTTP/1.1\r\nX: "));
    r = feed(&s, in, sizeof in, 1000);
    assert_int_equal(r.progress, SOCKS_BAD);
    assert_int_equal(s.outcome, SOCKS_TOO_LONG);
    assert_int_equal(r.used, SOCKS_HEADER_MAX + 1);
    memcpy(in + SOCKS_HEADER_MAX - 4, "\r\n\r\n", 4);
    r = feed(&s, in, sizeof in, 1000);
    assert_int_equal(r.progress, SOCKS_DONE);
    assert_int_equal(r.used, SOCKS_HEADER_MAX);
}

static void replies(const char *in, size_t len, enum socks_outcome outcome, const char *out, size_t out_len)
{
    static struct socks s;
    char got[SOCKS_REPLY_MAX];
    feed(&s, in, len, len);
    assert_int_equal(socks_reply(&s, outcome, got), out_len);
    assert_memory_equal(got, out, out_len);
}

static void test_answers_are_in_the_clients_protocol(void **state)
{
    replies(BYTES("\4"), SOCKS_CONNECTED, BYTES("\0\132\0\0\0\0\0\0"));
    replies(BYTES("\4"), SOCKS_TIMED_OUT, BYTES("\0\133\0\0\0\0\0\0"));
    replies(BYTES("\5\1"), SOCKS_NO_METHOD, BYTES("\5\377"));
    replies(BYTES("\5\1\0\5"), SOCKS_CONNECTED, BYTES("\5\0\0\1\0\0\0\0\0\0"));
    replies(BYTES("\5\1\0\5"), SOCKS_NO_COMMAND, BYTES("\5\7\0\1\0\0\0\0\0\0"));
    replies(BYTES("CON"), SOCKS_CONNECTED, BYTES("HTTP/1.1 200 Connection established\r\n\r\n"));
    replies(BYTES("x"), SOCKS_NOT_SPOKEN, BYTES(""));
}

static void test_http_answers_are_whole(void **state)
{
    struct socks s = {.protocol = SOCKS_HTTP};
    for (int o = SOCKS_FAILED; o < SOCKS_OUTCOMES; o++) {
        char got[SOCKS_REPLY_MAX + 1];
        if (o == SOCKS_NO_METHOD || o == SOCKS_NO_ADDRESS)
            continue; /* never of HTTP */
        size_t n = socks_reply(&s, (enum socks_outcome)o, got), length;
        assert_in_range(n, 1, SOCKS_REPLY_MAX - 1);
        got[n] = '\0';
        const char *body = strstr(got, "\r\n\r\n"), *field = strstr(got, "Content-Length: ");
        assert_non_null(body);
        assert_int_equal(sscanf(field, "Content-Length: %zu", &length), 1);
        assert_int_equal(strlen(body + 4), length);
        assert_int_equal(strstr(got, "Allow: CONNECT\r\n") != NULL, o == SOCKS_NO_COMMAND);
        assert_non_null(strstr(body, socks_outcome_text((enum socks_outcome)o)));
    }
}

static void test_reasons_of_servers_are_understood(void **state)
{
    static const struct {
        int code;
        const char *text;
        enum socks_outcome outcome;
    } rows[] = {
        {ERR_REFUSED, "Connection refused", SOCKS_TARGET_REFUSED},
        {ERR_REFUSED, "connect failed", SOCKS_TARGET_REFUSED},
        {ERR_REFUSED, "Unknown error", SOCKS_TARGET_REFUSED},
        {ERR_REFUSED, "Connection timed out", SOCKS_TIMED_OUT},
        {ERR_REFUSED, "No route to host", SOCKS_HOST_UNREACHABLE},
        {ERR_REFUSED, "Host is unreachable", SOCKS_HOST_UNREACHABLE},
        {ERR_REFUSED, "Network is unreachable", SOCKS_NET_UNREACHABLE},
        {ERR_REFUSED, "Name or service not known", SOCKS_HOST_UNREACHABLE},
        {ERR_REFUSED, "Temporary failure in name resolution", SOCKS_HOST_UNREACHABLE},
        {ERR_REFUSED, "No address associated with hostname", SOCKS_HOST_UNREACHABLE},
        {ERR_REFUSED, "administratively prohibited: open failed", SOCKS_FORBIDDEN},
        {ERR_REFUSED, "unknown channel type", SOCKS_FORBIDDEN},
        {ERR_REFUSED, "resource shortage: channels", SOCKS_FAILED},
        {ERR_TIMEOUT, "", SOCKS_TIMED_OUT},
        {ERR_CLOSED, "Connection refused", SOCKS_FAILED},
        {ERR_LIMIT, "", SOCKS_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        err_set(&err, rows[i].code, "%s", rows[i].text);
        if (socks_outcome_of(&err) != rows[i].outcome)
            fail_msg("\"%s\" is taken for %d", rows[i].text, socks_outcome_of(&err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_requests_name_a_place),
        cmocka_unit_test(test_cut_anywhere_they_want_more),
        cmocka_unit_test(test_what_follows_is_left_alone),
        cmocka_unit_test(test_wrong_ones_are_refused_at_the_byte_that_is_wrong),
        cmocka_unit_test(test_http_is_read_to_a_limit),
        cmocka_unit_test(test_answers_are_in_the_clients_protocol),
        cmocka_unit_test(test_http_answers_are_whole),
        cmocka_unit_test(test_reasons_of_servers_are_understood),
    };
    return cmocka_run_group_tests_name("socks", tests, NULL, NULL);
}
