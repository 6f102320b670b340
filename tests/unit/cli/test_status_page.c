/*
 * test_status_page: what a user sees for a given answer of the daemon.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/status_page.h"

static const char STATUS[] =
    "{\"daemon\":{\"version\":\"0.1.0\",\"pid\":4711,\"started_ms\":1000,\"now_ms\":200000,\"config\":\"/etc/"
    "adit.yaml\","
    "\"azure\":{\"ready\":true}},"
    "\"vms\":["
    "{\"vm\":\"win11\",\"state\":\"up\",\"since_ms\":8000,\"address\":\"20.1.2.3:22\",\"rtt_us\":812,"
    "\"error\":\"an old one\",\"forwards\":["
    "{\"spec\":\"3389:localhost:3389\",\"listening\":\"127.0.0.1:3389\",\"target\":\"localhost:3389\","
    "\"flows\":1,\"flows_total\":12,"
    "\"bytes_in\":1572864,\"bytes_out\":999,\"runtime\":false},"
    "{\"spec\":\"80\",\"listening\":null,\"target\":\"localhost:80\",\"flows\":0,\"flows_total\":0,\"bytes_"
    "in\":0,\"bytes_out\":0,"
    "\"runtime\":true,\"error\":\"127.0.0.1:80: permission denied\"}]},"
    "{\"vm\":\"db1\",\"state\":\"waiting\",\"since_ms\":188000,\"address\":\"10.0.0.4:22\",\"rtt_us\":null,"
    "\"via\":\"win11\","
    "\"retry_in_ms\":3200,\"error\":\"connect to 10.0.0.4:22: \\u001b[31mrefused\",\"forwards\":[]},"
    "{\"vm\":\"web1\",\"state\":\"up\",\"since_ms\":199000,\"address\":\"10.0.0.5:22\",\"rtt_us\":12345,"
    "\"via\":\"win11\",\"forwards\":[{\"kind\":\"dynamic\",\"spec\":\"1080\",\"listening\":\"127.0.0.1:"
    "1080\","
    "\"target\":null,\"flows\":2,\"flows_total\":3,\"bytes_in\":5,\"bytes_out\":6},"
    "{\"kind\":\"remote\",\"spec\":\"80:localhost:8000\",\"listening\":\"localhost:8\",\"target\":"
    "\"localhost:8000\"}"
    "]}]}";

static char *page(const char *json, unsigned columns, bool colours)
{
    struct strbuf out;
    json_t *status = json_loads(json, 0, NULL);
    assert_non_null(status);
    strbuf_init(&out);
    status_page_print(status, columns, colours, &out);
    json_decref(status);
    char *text = strbuf_take(&out);
    assert_non_null(text);
    return text;
}

static void test_page(void **state)
{
    char *text = page(STATUS, 0, false);
    assert_string_equal(text, "aditd 0.1.0  pid 4711  running for 3m19s  /etc/adit.yaml\n"
                              "VM     STATE    SINCE  ADDRESS      RTT\n"
                              "  LISTENING       TARGET          OPEN  TOTAL  IN       OUT\n"
                              "win11  up       3m12s  20.1.2.3:22  0.8ms\n"
                              "  127.0.0.1:3389  localhost:3389  1     12     1.5 MiB  999 B\n"
                              "  (80)            localhost:80    0     0      0 B      0 B    added\n"
                              "    ! 127.0.0.1:80: permission denied\n"
                              "db1    waiting  12s    10.0.0.4:22  -      next attempt in 3s\n"
                              "  ! connect to 10.0.0.4:22: \\x1B[31mrefused\n"
                              "web1   up       1s     10.0.0.5:22  12ms   via win11\n"
                              "  127.0.0.1:1080  SOCKS, HTTP     2     3      5 B      6 B\n"
                              "  VM localhost:8  localhost:8000  0     0      0 B      0 B\n");
    mem_free(text);
}

static void test_narrow(void **state)
{
    char *text = page(STATUS, 30, false);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t width = 0;
        for (const char *p = line; *p != '\n'; p++)
            width += ((unsigned char)*p & 0xC0) != 0x80;
        assert_true(width <= 30);
    }
    assert_non_null(strstr(text, "win11  up       3m12s  20.1.2…\n"));
    mem_free(text);
}

static void test_colours(void **state)
{
    char *text = page(STATUS, 0, true);
    assert_non_null(strstr(text, "\033[32mup\033[0m"));
    assert_non_null(strstr(text, "\033[33mwaiting\033[0m"));
    mem_free(text);
}

static void test_without_vms(void **state)
{
    char *text = page(
        "{\"daemon\":{\"azure\":{\"ready\":false,\"error\":\"azure: no credential\"}},\"vms\":[]}", 0, false);
    assert_non_null(strstr(text, "! azure: no credential\n"));
    assert_non_null(strstr(text, "no VM yet"));
    assert_null(strstr(text, "LISTENING"));
    mem_free(text);
}

static void test_an_edited_configuration(void **state)
{
    char *text = page("{\"daemon\":{\"config_changed\":true},\"vms\":[]}", 0, false);
    assert_non_null(strstr(text, "! the configuration has changed since it was read: `adit reload`\n"));
    mem_free(text);
}

static void test_missing_members(void **state)
{
    char *text =
        page("{\"vms\":[{},{\"forwards\":[{}]},{\"state\":7,\"since_ms\":\"x\",\"forwards\":3}]}", 0, false);
    assert_non_null(strstr(text, "-"));
    assert_null(strstr(text, "(null)"));
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_without_vms),
        cmocka_unit_test(test_an_edited_configuration),
        cmocka_unit_test(test_missing_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
