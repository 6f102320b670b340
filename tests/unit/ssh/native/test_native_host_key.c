/*
 * test_native_host_key: whose key it is: asked before anything is said, proven, and the same for good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

static void the_host_key_is_asked_before_anything_is_said(void **state)
{
    struct far_options o = {.lets_in = true};
    rig_init(&rig, &o);
    rig.host_key_answer = ERR_HOSTKEY;
    assert_int_equal(rig_start(&rig), ERR_HOSTKEY);
    assert_int_equal(rig.far.heard.len, 0);
    assert_int_equal(rig.far.exchanges, 0);
    rig.e->ops->goodbye(rig.e);
    assert_int_equal(rig.far.heard.len, 0);
    rig_done(&rig);
}

static void another_host_key_later_ends_it(void **state)
{
    struct far_options o = {.lets_in = true, .strict = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_up(&rig), 0);
    far_other_host_key(&rig.far);
    far_offer(&rig.far);
    assert_true(rig_run(&rig) < 0);
    rig_expect(&rig, ERR_HOSTKEY, "another host key in a later key exchange");
    assert_int_equal(rig.far.exchanges, 1);
    rig_done(&rig);
}

static void a_server_without_the_key(void **state)
{
    for (int later = 0; later < 2; later++) {
        struct far_options o = {.lets_in = true};
        rig_init(&rig, &o);
        if (later)
            assert_int_equal(rig_up(&rig), 0);
        rig.far.bad_signature = true;
        if (later)
            far_offer(&rig.far);
        assert_true((later ? rig_run(&rig) : rig_start(&rig)) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "could not prove that it has its host key");
        assert_int_equal(rig.host_keys, later);
        rig_done(&rig);
    }
}

/* A point of small order would make the secret known to everybody. */
static void no_secret_at_all(void **state)
{
    for (const struct kex_method *m = KEX_METHODS; m->name; m++) {
        struct far_options o = {.lets_in = true, .kex = m->name};
        rig_init(&rig, &o);
        rig.far.zero_point = true;
        assert_true(rig_start(&rig) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "its half of the key exchange is no public key");
        assert_int_equal(rig.host_keys, 0);
        rig_done(&rig);
    }
}

static void nothing_in_common(void **state)
{
    struct far_options o = {.compression = "zlib"};
    rig_init(&rig, &o);
    assert_true(rig_start(&rig) < 0);
    rig_expect(&rig, ERR_UNSUPPORTED, "no compression in common: the server offers zlib");
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_key_is_asked_before_anything_is_said),
        cmocka_unit_test(another_host_key_later_ends_it),
        cmocka_unit_test(a_server_without_the_key),
        cmocka_unit_test(no_secret_at_all),
        cmocka_unit_test(nothing_in_common),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native host key", tests, NULL, NULL);
}
