/*
 * test_probe_rdp: what is RDP and what is not, whole and in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/probe_rdp.h"

#define TEXT(s) (const uint8_t *)(s), sizeof(s) - 1

static const char NLA[] = "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0";
static const char TLS[] = "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\0\x08\0\1\0\0\0";
static const char FAILURE[] = "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\3\0\x08\0\5\0\0\0";
static const char OLD[] = "\3\0\0\x0b\x06\xd0\0\0\x12\x34\0";

static void answers(const char *data, size_t n, const char *text)
{
    for (size_t piece = 1; piece <= n; piece++) {
        struct probe_rdp p = {.len = 0};
        struct err err = {0};
        int said = 0;
        for (size_t at = 0; at < n && said == 0; at += piece)
            said = probe_rdp_feed(&p, (const uint8_t *)data + at, n - at < piece ? n - at : piece, &err);
        assert_int_equal(said, 1);
        assert_non_null(strstr(p.text, text));
    }
}

static void test_what_answers(void **state)
{
    answers(NLA, sizeof NLA - 1, "network level");
    answers(TLS, sizeof TLS - 1, "with TLS");
    answers(FAILURE, sizeof FAILURE - 1, "failure 5");
    answers(OLD, sizeof OLD - 1, "own encryption");
    answers("\3\0\0\x0b\x06\xd0\0\0\x12\x34\0more", 15, "own encryption");
}

static void is_not(const uint8_t *data, size_t n)
{
    struct probe_rdp p = {.len = 0};
    struct err err = {0};
    assert_int_equal(probe_rdp_feed(&p, data, n, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.msg, "no RDP"));
}

static void test_what_is_something_else(void **state)
{
    is_not(TEXT("SSH-2.0-OpenSSH"));
    is_not(TEXT("HTTP/1.1 400 Bad Request\r\n"));
    is_not(TEXT("\3\0\0\4"));                                       /* too short for a confirm */
    is_not(TEXT("\3\0\xff\xff"));                                   /* longer than any */
    is_not(TEXT("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0")); /* an echo of the request */
    is_not(TEXT("\3\0\0\x0b\x02\xf0\x80\0\0\0\0"));                 /* data, not a confirm */
}

static void test_the_request_is_well_formed(void **state)
{
    assert_int_equal(PROBE_RDP_REQUEST[3], PROBE_RDP_REQUEST_SIZE);
    assert_int_equal(PROBE_RDP_REQUEST[4], PROBE_RDP_REQUEST_SIZE - 5); /* what follows the indicator */
    assert_int_equal(PROBE_RDP_REQUEST[11], 1);
    assert_int_equal(PROBE_RDP_REQUEST[13], 8);
    is_not(PROBE_RDP_REQUEST, PROBE_RDP_REQUEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_answers),
        cmocka_unit_test(test_what_is_something_else),
        cmocka_unit_test(test_the_request_is_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
