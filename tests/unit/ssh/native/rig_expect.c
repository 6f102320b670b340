/*
 * rig_expect: how the tests look at a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

void rig_expect(const struct rig *r, int code, const char *text)
{
    assert_true(r->failed);
    if (!strstr(r->err.msg, text))
        fail_msg("\"%s\" is not in: %s", text, r->err.msg);
    assert_int_equal(r->err.code, code);
}
