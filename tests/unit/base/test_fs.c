/*
 * Tests of base/fs.h in a directory of their own.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"

static char home[64];
static char path[256];

static const char *at(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static int set_up(void **state)
{
    umask(022);
    strcpy(home, "/tmp/adit-fs-XXXXXX");
    return mkdtemp(home) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command); /* NOLINT: our own directory */
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(home);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void test_replace_then_read(void **state)
{
    struct err e = {0};
    char *data;
    size_t len;
    assert_int_equal(fs_replace(at("f"), "one", 3, 0600, &e), 0);
    assert_int_equal(fs_replace(at("f"), "two\0x", 5, 0640, &e), 0);
    assert_int_equal(fs_read(at("f"), 5, &data, &len, &e), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "two\0x\0", 6);
    mem_free(data);
    struct stat st;
    assert_int_equal(stat(at("f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(entries(), 1); /* no temporary file stays behind */
    assert_int_equal(fs_replace(at("f"), NULL, 0, 0600, &e), 0);
    assert_int_equal(fs_read(at("f"), 0, &data, &len, &e), 0);
    assert_string_equal(data, "");
    mem_free(data);
}

static void test_read_refuses(void **state)
{
    struct err e = {0};
    char *data;
    size_t len;
    assert_int_equal(fs_read(at("none"), 10, &data, &len, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, at("none")));
    assert_int_equal(fs_replace(at("f"), "12345", 5, 0600, &e), 0);
    assert_int_equal(fs_read(at("f"), 4, &data, &len, &e), ERR_LIMIT);
    assert_non_null(strstr(e.msg, "larger than 4 bytes"));
    assert_int_equal(fs_read(home, 10, &data, &len, &e), ERR_SYSTEM);
    assert_int_equal(fs_read("/dev/zero", 100000, &data, &len, &e),
                     ERR_LIMIT); /* no size to be seen beforehand */
    assert_int_equal(fs_read(at("none"), 10, &data, &len, NULL), ERR_NOTFOUND);
}

static void test_failed_replace_keeps_the_old_file(void **state)
{
    struct err e = {0};
    assert_int_equal(fs_replace(at("no/where"), "x", 1, 0600, &e), ERR_NOTFOUND);
    assert_int_equal(mkdir(at("dir"), 0700), 0);
    assert_true(fs_replace(at("dir"), "x", 1, 0600, &e) < 0); /* rename(2) refuses */
    assert_int_equal(entries(), 1);
}

static void test_mkdirs(void **state)
{
    struct err e = {0};
    struct stat st;
    assert_int_equal(fs_mkdirs(at("a/b/c/"), 0750, &e), 0);
    assert_int_equal(stat(at("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat(at("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(fs_mkdirs(at("a/b/c"), 0700, &e), 0);
    assert_int_equal(fs_mkdirs(at("a//d"), 0700, &e), 0);
    assert_int_equal(symlink("c", at("a/b/link")), 0);
    assert_int_equal(fs_mkdirs(at("a/b/link"), 0700, &e), 0);

    assert_int_equal(chmod(at("a/b/c"), 0770), 0);
    assert_int_equal(fs_mkdirs(at("a/b/c"), 0700, &e), ERR_DENIED);
    assert_non_null(strstr(e.msg, "chmod go-w"));
    assert_int_equal(fs_mkdirs(at("a/b/link"), 0700, &e), ERR_DENIED);
    assert_int_equal(fs_replace(at("file"), "", 0, 0600, &e), 0);
    assert_int_equal(fs_mkdirs(at("file"), 0700, &e), ERR_EXISTS);
    assert_true(fs_mkdirs(at("file/below"), 0700, &e) < 0);
    assert_int_equal(fs_mkdirs("", 0700, &e), ERR_INVAL);
    if (geteuid() == 0) {
        assert_int_equal(mkdir(at("theirs"), 0700), 0);
        assert_int_equal(chown(at("theirs"), 12345, 12345), 0);
        assert_int_equal(fs_mkdirs(at("theirs"), 0700, &e), ERR_DENIED);
    }
}

static void test_out_of_memory(void **state)
{
    struct err e = {0};
    char *data = NULL;
    size_t len;
    assert_int_equal(fs_replace(at("f"), "text", 4, 0600, &e), 0);
    mem_fail_after(0);
    assert_int_equal(fs_read(at("f"), 10, &data, &len, &e), ERR_NOMEM);
    mem_fail_after(0);
    assert_int_equal(fs_mkdirs(at("d"), 0700, &e), ERR_NOMEM);
    mem_fail_after(0);
    assert_int_equal(fs_replace(at("f"), "new", 3, 0600, &e), ERR_NOMEM);
    mem_fail_after(1); /* only the directory is not synced */
    assert_int_equal(fs_replace(at("f"), "new", 3, 0600, &e), 0);
    mem_fail_after(1); /* the second block of a file that gives no size */
    assert_int_equal(fs_read("/dev/zero", 100000, &data, &len, &e), ERR_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(fs_read(at("f"), 10, &data, &len, &e), 0);
    assert_string_equal(data, "new");
    mem_free(data);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_replace_then_read),
        TEST(test_read_refuses),
        TEST(test_failed_replace_keeps_the_old_file),
        TEST(test_mkdirs),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
