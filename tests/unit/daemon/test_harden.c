/*
 * test_harden: what a process with keys and tokens in its memory must not do: leave a core, be traced, make
 * files that others can read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cmocka.h>

#include "daemon/harden.h"

static void test_no_core(void **state)
{
    struct rlimit core;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(core.rlim_max, 0);
}

/* A core that is piped to a program ignores the limit, and so does whoever attaches a debugger. */
static void test_neither_dumped_nor_traced(void **state)
{
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
#else
    skip(); /* the leak checker has to attach */
#endif
}

static void test_files_are_the_users_own(void **state)
{
    assert_int_equal(umask(077), 077);
}

static int harden(void **state)
{
    umask(022);
    harden_process();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_core),
        cmocka_unit_test(test_neither_dumped_nor_traced),
        cmocka_unit_test(test_files_are_the_users_own),
    };
    return cmocka_run_group_tests(tests, harden, NULL);
}
