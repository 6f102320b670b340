/*
 * memory: the k-th allocation of a connection's whole life fails, for every k: an error, never more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "life.h"

/* libssh2 loses some of libcrypto's objects when it runs out of memory; our own are looked for. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcrypto.so\n";
}

static void test_memory_runs_out(void **state)
{
    struct side *s = *state;
    long lives = 0, failures = 0;
    for (long k = 0;; k += 1 + k / 60) {
        struct world w;
        struct err err;
        struct life l = {.s = s, .cut = ~0ul, .short_of_memory = true};
        world_open(&w);
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = link_open(&w, &l.link, &s->options, &err);
        if (rc == 0) {
            w.user = &l;
            assert_true(world_run_until(&w, life_over, &l, 10000));
        }
        long used = mem_allocations() - before;
        mem_fail_after(-1);
        bool failed = rc < 0 || l.link.closed;
        if (failed)
            failures++;
        link_close(&w, &l.link);
        world_close(&w);
        lives++;
        if (used < k)
            break;
        assert_true(lives < 5000);
    }
    assert_true(failures > 20);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_runs_out)};
    return cmocka_run_group_tests_name("memory", tests, side_start, side_stop);
}
