/*
 * test_rdp_client: which client is found, what it is told, and what is said when there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/rdp_client.h"

static char dir[] = "/tmp/adit-rdp-XXXXXX";
static char path[128], text[1024];

static void put_client(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\necho \"${0##*/} $*\" >%s/said\n", dir);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
}

static const char *get(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void runs(const char *client, const char *expected)
{
    struct err err = {0};
    char word[] = "/f";
    char *extra[] = {word};
    const struct rdp_client *c = rdp_client_find(client, &err);
    assert_non_null(c);
    pid_t pid = rdp_client_start(c, 4711, extra, 1, &err);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_string_equal(get("said"), expected);
}

static void test_first_found_or_the_one_named(void **state)
{
    struct err err = {0};
    assert_null(rdp_client_find(NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "--client"));
    put_client("gnome-connections");
    runs(NULL, "gnome-connections /f rdp://127.0.0.1:4711\n");
    put_client("remmina");
    runs(NULL, "remmina /f -c rdp://127.0.0.1:4711\n");
    put_client("xfreerdp");
    runs(NULL, "xfreerdp /f /v:127.0.0.1:4711\n");
    runs("remmina", "remmina /f -c rdp://127.0.0.1:4711\n");
    put_client("mine");
    runs("mine", "mine /f 127.0.0.1:4711\n");
    assert_null(rdp_client_find("mstsc.exe", &err));
    assert_non_null(strstr(err.msg, "mstsc.exe"));
}

static void test_file(void **state)
{
    struct err err = {0};
    char file[128];
    snprintf(file, sizeof file, "%s/x.rdp", dir);
    assert_int_equal(rdp_file_write(file, 4711, &err), 0);
    assert_non_null(strstr(get("x.rdp"), "full address:s:127.0.0.1:4711\r\n"));
}

int main(void)
{
    char command[128];
    if (!mkdtemp(dir))
        return 1;
    setenv("PATH", dir, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_found_or_the_one_named),
        cmocka_unit_test(test_file),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "/bin/rm -rf %s", dir);
    return system(command) == 0 ? rc : 1;
}
