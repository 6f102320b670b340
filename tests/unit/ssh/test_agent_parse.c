/*
 * test_agent_parse: what an agent answers, also one that lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wire.h"
#include "ssh/agent.h"

static void test_list(void **state)
{
    struct wire_writer w;
    struct ssh_agent_keys keys;
    struct err err;
    wire_write_init(&w);
    wire_put_u8(&w, 12);
    wire_put_u32(&w, 2);
    wire_put_cstr(&w, "blob one");
    wire_put_cstr(&w, "me@host\x1b[0m");
    wire_put_cstr(&w, "blob two");
    wire_put_cstr(&w, "");
    assert_int_equal(ssh_agent_parse_list(&keys, w.data, w.len, &err), 0);
    assert_int_equal(keys.count, 2);
    assert_memory_equal(keys.keys[0].blob, "blob one", 8);
    assert_string_equal(keys.keys[0].comment, "me@host?[0m");
    assert_string_equal(keys.keys[1].comment, "");
    ssh_agent_keys_done(&keys);
    for (size_t n = 0; n < w.len; n++) {
        assert_true(ssh_agent_parse_list(&keys, w.data, n, &err) < 0);
        assert_int_equal(keys.count, 0);
    }
    wire_write_done(&w);
}

static void test_lies(void **state)
{
    struct ssh_agent_keys keys;
    struct err err;
    static const uint8_t huge[] = {12, 0xff, 0xff, 0xff, 0xff}, none[] = {12, 0, 0, 0, 0}, no[] = {5},
                         odd[] = {99, 0, 0, 0, 0};
    uint8_t many[5 + 300 * 8] = {12, 0, 0, 1, 44};
    assert_int_equal(ssh_agent_parse_list(&keys, huge, sizeof huge, &err), ERR_PROTOCOL);
    assert_int_equal(ssh_agent_parse_list(&keys, none, sizeof none, &err), 0);
    assert_int_equal(keys.count, 0);
    assert_int_equal(ssh_agent_parse_list(&keys, no, sizeof no, &err), ERR_AUTH);
    assert_int_equal(ssh_agent_parse_list(&keys, odd, sizeof odd, &err), ERR_PROTOCOL);
    assert_int_equal(ssh_agent_parse_list(&keys, many, sizeof many, &err), ERR_LIMIT);
}

static void test_sign(void **state)
{
    static const uint8_t good[] = {14, 0, 0, 0, 3, 'a', 'b', 'c'}, no[] = {5},
                         short_one[] = {14, 0, 0, 0, 4, 'a'}, empty[] = {14, 0, 0, 0, 0};
    const uint8_t *sig;
    size_t n;
    struct err err;
    assert_int_equal(ssh_agent_parse_sign(&sig, &n, good, sizeof good, &err), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(sig, "abc", 3);
    assert_int_equal(ssh_agent_parse_sign(&sig, &n, no, sizeof no, &err), ERR_AUTH);
    assert_int_equal(ssh_agent_parse_sign(&sig, &n, short_one, sizeof short_one, &err), ERR_PROTOCOL);
    assert_int_equal(ssh_agent_parse_sign(&sig, &n, empty, sizeof empty, &err), ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_lies),
                                       cmocka_unit_test(test_sign)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
