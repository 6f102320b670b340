/*
 * conformance: what every engine must do, told through ssh.h alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "side.h"

static void test_open_echo(void **state)
{
    struct side *s = *state;
    struct peer p = {.hello = "hello\n"};
    peer_open_tcp(&p, s->link.conn, "127.0.0.1", s->targets.greets[3]);
    char want[64];
    int n = snprintf(want, sizeof want, "port %u\nhello\n", s->targets.greets[3]);
    p.eof_when_sent = true;
    assert_true(world_run_until(&s->world, peer_is_closed, &p, 5000));
    assert_string_equal(p.text, want);
    assert_int_equal(p.got, n);
    assert_true(p.eof);
    assert_int_equal(p.why.code, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open_echo, side_link_up, side_link_down),
    };
    return cmocka_run_group_tests_name("conformance", tests, side_start, side_stop);
}
