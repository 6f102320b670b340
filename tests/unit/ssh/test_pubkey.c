/*
 * test_pubkey: which public key is found: of files, in their order, with their comments, and of nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ssh/pubkey.h"

struct place {
    char dir[40];
    char a[64], b[64], none[64];
    uv_loop_t loop;
    bool done;
    char line[1024], from[128];
    int code;
};

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
    char command[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/adit-pubkey-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->a, sizeof p->a, "%s/a", p->dir);
    snprintf(p->b, sizeof p->b, "%s/b", p->dir);
    snprintf(p->none, sizeof p->none, "%s/none", p->dir);
    run("ssh-keygen -q -t ed25519 -N '' -C 'ann at home' -f %s", p->a);
    run("ssh-keygen -q -t ed25519 -N secret -C locked -f %s", p->b);
    assert_int_equal(uv_loop_init(&p->loop), 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    assert_int_equal(uv_loop_close(&p->loop), 0);
    run("rm -rf %s", p->dir);
    free(p);
    return 0;
}

static void on_found(void *arg, const char *line, const char *from, const struct err *err)
{
    struct place *p = arg;
    p->done = true;
    p->code = err ? err->code : 0;
    snprintf(p->line, sizeof p->line, "%s", line ? line : "");
    snprintf(p->from, sizeof p->from, "%s", from ? from : "");
}

static void find(struct place *p, const char *first, const char *second)
{
    const char *const identities[] = {first, second};
    const struct ssh_pubkey_want want = {
        .loop = &p->loop, .identities = identities, .identity_count = second ? 2 : 1};
    struct ssh_pubkey *handle;
    p->done = false;
    assert_int_equal(ssh_pubkey_find(&handle, &want, on_found, p, NULL), 0);
    assert_false(p->done);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_true(p->done);
}

static void expect_line_of(struct place *p, const char *identity, bool comment)
{
    char path[80], text[1024];
    snprintf(path, sizeof path, "%s.pub", identity);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    if (!comment)
        *strchr(strchr(text, ' ') + 1, ' ') = '\0';
    assert_string_equal(p->line, text);
    assert_string_equal(p->from, identity);
    assert_int_equal(p->code, 0);
}

static void test_the_first_that_there_is(void **state)
{
    struct place *p = *state;
    find(p, p->none, p->a);
    expect_line_of(p, p->a, true);
    find(p, p->b, p->a);
    expect_line_of(p, p->b, true);
}

static void test_the_file_beside_may_be_missing_or_of_another_key(void **state)
{
    struct place *p = *state;
    run("mv %s.pub %s/kept", p->b, p->dir);
    find(p, p->b, NULL);
    run("cp %s/kept %s.pub", p->dir, p->b);
    expect_line_of(p, p->b, false);
    run("cp %s.pub %s.pub", p->a, p->b);
    find(p, p->b, NULL);
    run("cp %s/kept %s.pub", p->dir, p->b);
    expect_line_of(p, p->b, false);
}

static void test_none(void **state)
{
    struct place *p = *state;
    find(p, p->none, NULL);
    assert_int_equal(p->code, ERR_NOTFOUND);
    run("echo nonsense >%s", p->none);
    find(p, p->none, NULL);
    assert_int_equal(p->code, ERR_NOTFOUND);
    chmod(p->a, 0644); /* which no login would use */
    find(p, p->a, NULL);
    assert_int_equal(p->code, ERR_NOTFOUND);
}

static void test_cancelled_it_is_silent(void **state)
{
    struct place *p = *state;
    const char *const identities[] = {p->a};
    const struct ssh_pubkey_want want = {.loop = &p->loop, .identities = identities, .identity_count = 1};
    struct ssh_pubkey *handle;
    assert_int_equal(ssh_pubkey_find(&handle, &want, on_found, p, NULL), 0);
    ssh_pubkey_cancel(handle);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_false(p->done);
}

int main(void)
{
#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        AT_A_PLACE(test_the_first_that_there_is),
        AT_A_PLACE(test_the_file_beside_may_be_missing_or_of_another_key),
        AT_A_PLACE(test_none),
        AT_A_PLACE(test_cancelled_it_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
