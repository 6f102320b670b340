/*
 * test_auth_list: the order in which keys are tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ssh/auth_list.h"

#define BLOB(c) ((uint8_t *)(uintptr_t)("\0\0\0\x0bssh-ed25519" c))
#define BLOB_LEN 16

static void test_order(void **state)
{
    struct ssh_agent_key held[] = {{.blob = BLOB("x"), .blob_len = BLOB_LEN, .comment = "spare"},
                                   {.blob = BLOB("b"), .blob_len = BLOB_LEN, .comment = "second"},
                                   {.blob = BLOB("a"), .blob_len = BLOB_LEN, .comment = "first"}};
    struct ssh_agent_keys agent = {held, 3};
    struct evp_pkey_st *some = (struct evp_pkey_st *)(uintptr_t)1;
    struct ssh_keyfile files[] = {
        {.path = "/a", .blob = BLOB("a"), .blob_len = BLOB_LEN}, /* locked, but the agent has it */
        {.path = "/b", .blob = BLOB("b"), .blob_len = BLOB_LEN, .pkey = some, .type = "ssh-ed25519"},
        {.path = "/c", .blob = BLOB("c"), .blob_len = BLOB_LEN, .pkey = some, .type = "ssh-ed25519"},
        {.path = "/d"}};
    struct ssh_keyring ring = {.count = 4, .files = files};
    struct ssh_candidate *list;
    size_t n;
    assert_int_equal(ssh_auth_candidates(&list, &n, &ring, &agent, false), 0);
    assert_int_equal(n, 4);
    assert_string_equal(list[0].name, "/a");
    assert_true(list[0].agent);
    assert_string_equal(list[1].name, "/b");
    assert_true(list[1].agent);
    assert_string_equal(list[2].name, "spare");
    assert_string_equal(list[2].type, "ssh-ed25519");
    assert_string_equal(list[3].name, "/c");
    assert_false(list[3].agent);
    assert_int_equal(list[3].index, 2);
    mem_free(list);
    assert_true(ssh_auth_agent_has(&agent, &files[0]));
    assert_false(ssh_auth_agent_has(&agent, &files[2]));
    assert_false(ssh_auth_agent_has(&agent, &files[3]));
}

static void test_locked_ones_when_somebody_can_be_asked(void **state)
{
    struct ssh_agent_keys agent = {0};
    struct ssh_keyfile files[] = {{.path = "/a", .blob = BLOB("a"), .blob_len = BLOB_LEN, .locked = true},
                                  {.path = "/b", .locked = true},
                                  {.path = "/c"}};
    struct ssh_keyring ring = {.count = 3, .files = files};
    struct ssh_candidate *list;
    size_t n;
    assert_int_equal(ssh_auth_candidates(&list, &n, &ring, &agent, true), 0);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "/a");
    assert_string_equal(list[1].name, "/b");
    assert_null(list[1].blob);
    mem_free(list);
    assert_int_equal(ssh_auth_candidates(&list, &n, &ring, &agent, false), 0);
    assert_int_equal(n, 0);
    mem_free(list);
}

static void test_nothing(void **state)
{
    struct ssh_agent_keys agent = {0};
    struct ssh_candidate *list;
    size_t n;
    assert_int_equal(ssh_auth_candidates(&list, &n, NULL, &agent, false), 0);
    assert_int_equal(n, 0);
    mem_free(list);
}

static void test_leave_out(void **state)
{
    struct ssh_keyfile files[] = {{.path = "/a", .blob = BLOB("a"), .blob_len = BLOB_LEN}};
    struct ssh_keyring ring = {.count = 1, .files = files};
    const struct ssh_candidate all[] = {
        {.blob = BLOB("x"), .blob_len = BLOB_LEN, .agent = true, .type = "ssh-ed25519", .name = "spare"},
        {.blob = BLOB("a"), .blob_len = BLOB_LEN, .agent = true, .type = "ssh-ed25519", .name = "first"},
        {.blob = BLOB("f"), .blob_len = BLOB_LEN, .type = "ssh-rsa", .name = "/f"}};
    struct ssh_candidate list[3];
    memcpy(list, all, sizeof all);
    assert_int_equal(ssh_auth_leave_out(list, 3, &ring, false, NULL), 3);
    assert_int_equal(ssh_auth_leave_out(list, 3, &ring, true, NULL), 2);
    assert_string_equal(list[0].name, "first");
    assert_string_equal(list[1].name, "/f");
    memcpy(list, all, sizeof all);
    assert_int_equal(ssh_auth_leave_out(list, 3, NULL, false, "rsa-sha2-512,ssh-dss"), 1);
    assert_string_equal(list[0].name, "/f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_leave_out), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_locked_ones_when_somebody_can_be_asked),
                                       cmocka_unit_test(test_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
