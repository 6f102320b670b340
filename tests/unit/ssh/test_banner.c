/*
 * test_banner: version lines, and what is no SSH server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ssh/banner.h"

/* In pieces of every size the answer is the same. */
static int feed(struct ssh_banner *b, const char *text, size_t piece, struct err *err)
{
    size_t n = strlen(text);
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < n; i += piece) {
        int rc = ssh_banner_feed(b, (const uint8_t *)text + i, n - i < piece ? n - i : piece, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void test_good(void **state)
{
    struct ssh_banner b;
    struct err err;
    for (size_t piece = 1; piece < 80; piece++) {
        assert_int_equal(feed(&b, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nbinary\0", piece, &err), 0);
        assert_true(b.done);
        assert_string_equal(b.line, "SSH-2.0-OpenSSH_9.2p1 Debian-2");
        assert_int_equal(feed(&b, "welcome\x1b[1m\r\nSSH-1.99-x\n", piece, &err), 0);
        assert_true(b.done);
        assert_string_equal(b.line, "SSH-1.99-x");
        assert_string_equal(b.first, "welcome?[1m");
    }
    assert_int_equal(feed(&b, "SSH-2.0-half", 3, &err), 0);
    assert_false(b.done);
}

static void test_bad(void **state)
{
    struct ssh_banner b;
    struct err err;
    char many[1000], *p = many;
    assert_int_equal(feed(&b, "SSH-1.5-old\r\n", 4, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "SSH-1.5-old"));
    p += sprintf(p, "HTTP/1.1 400 Bad Request\r\n");
    for (int i = 0; i < SSH_BANNER_LINES_MAX; i++)
        p += sprintf(p, "h: v\r\n");
    assert_int_equal(feed(&b, many, 64, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.msg, "HTTP/1.1 400 Bad Request"));
    char *endless = malloc(SSH_BANNER_MAX + 2);
    memset(endless, 'x', SSH_BANNER_MAX + 1);
    endless[SSH_BANNER_MAX + 1] = '\0';
    assert_int_equal(feed(&b, endless, 1000, &err), ERR_PROTOCOL);
    free(endless);
    memset(&b, 0, sizeof b);
    assert_int_equal(ssh_banner_feed(&b, (const uint8_t *)"\x03\x00\x00\x13", 4, &err), ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
