/*
 * test_config_memory: every single allocation may fail; nothing leaks (the sanitizer looks), nothing
 * half-made comes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "text.h"

#define ATTEMPTS_MAX 5000

/* Runs `once` with the k-th allocation failing until one run needs fewer; `once` gives 0 or ERR_NOMEM. */
static void each_allocation(int (*once)(const void *arg), const void *arg)
{
    for (long k = 0; k < ATTEMPTS_MAX; k++) {
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = once(arg);
        mem_fail_after(-1);
        if (rc == 0 && mem_allocations() - before <= k) {
            assert_true(k > 5);
            return;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
    fail_msg("no end after %d attempts", ATTEMPTS_MAX);
}

static int load_good(const void *arg)
{
    struct config_problems problems = {0};
    struct err err = {0};
    const struct config *c = NULL;
    int rc = config_load_text(&c, arg, strlen(arg), "/x/adit.yaml", &problems, &err);
    assert_true((rc == 0) == (c != NULL));
    assert_int_equal(problems.count, 0);
    assert_int_equal(err.code, rc);
    config_unref(c);
    return rc;
}

static int load_bad(const void *arg)
{
    struct config_problems problems = {0};
    struct err err = {0};
    const struct config *c = NULL;
    int rc = config_load_text(&c, arg, strlen(arg), "/x/adit.yaml", &problems, &err);
    assert_null(c);
    config_problems_done(&problems);
    return rc == ERR_CONFIG ? 0 : rc;
}

static int load_builtin(const void *arg)
{
    struct err err = {0};
    const struct config *c = NULL;
    int rc = config_load(&c, NULL, NULL, &err);
    config_unref(c);
    return rc;
}

static int copy_vm(const void *arg)
{
    struct config_vm *vm = NULL;
    int rc = config_vm_copy(arg, &vm);
    config_vm_free(vm);
    return rc;
}

static int adhoc(const void *arg)
{
    struct config_vm *vm = NULL;
    struct err err = {0};
    int rc = config_vm_adhoc(arg, "s/g/v", "u", &vm, &err);
    config_vm_free(vm);
    return rc;
}

static int to_yaml(const void *arg)
{
    char *text = config_to_yaml(arg);
    mem_free(text);
    return text ? 0 : ERR_NOMEM;
}

static int to_json(const void *arg)
{
    char *text = config_to_json(arg);
    mem_free(text);
    return text ? 0 : ERR_NOMEM;
}

static void test_load(void **state)
{
    each_allocation(load_good, text_everything);
    each_allocation(load_good, "# nothing\n");
    each_allocation(load_builtin, NULL);
}

static void test_load_bad(void **state)
{
    each_allocation(
        load_bad,
        "vms: [{name: a, local: [\"x\", \"1\", \"1\"], via: b, port: 0}, {name: a, vm: \"g h\"}]\n");
}

static void test_use(void **state)
{
    const struct config *c = text_load(text_everything);
    each_allocation(copy_vm, &c->vms[0]);
    each_allocation(adhoc, c);
    each_allocation(to_yaml, c);
    each_allocation(to_json, c);
    config_unref(c);
}

int main(void)
{
    (void)setenv("HOME", "/nonexistent/u", 1);
    json_set_alloc_funcs(mem_alloc, mem_free);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_load_bad),
        cmocka_unit_test(test_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
