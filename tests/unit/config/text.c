/*
 * text: loads configurations that stand in the tests.
 */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "config/config_load.h"

#define PATH "/etc/adit-test/adit.yaml"

const char text_everything[] =
    "# every key\n"
    "workers: 3\n"
    "log-level: debug\n"
    "azure:\n"
    "  subscriptions: [11111111-2222-3333-4444-555555555555, Production West]\n"
    "  tenant: contoso.onmicrosoft.com\n"
    "  arm-endpoint: https://127.0.0.1:8443/\n"
    "  login-endpoint: https://[::1]:8444\n"
    "  ca-file: ca.pem\n"
    "  credential: managed-identity\n"
    "defaults:\n"
    "  user: azureuser\n"
    "  port: 2222\n"
    "  identity: [~/keys/one, /keys/two, three]\n"
    "  agent: no\n"
    "  password: false\n"
    "  host-key-check: strict\n"
    "  address-family: ipv6\n"
    "  prefer-private-ip: yes\n"
    "  engine: native\n"
    "  wake-session: off\n"
    "  connect-timeout: 2m\n"
    "  keepalive: 90s\n"
    "  keepalive-count: 7\n"
    "  connections-max: 9\n"
    "  idle-timeout: 1h\n"
    "vms:\n"
    "  - name: win11\n"
    "    vm: rg-desk/win11\n"
    "    user: migreene\n"
    "    local: [\"3389:localhost:3389\", '9000:/run/app.sock']\n"
    "    remote: [\"8080:localhost:80\"]\n"
    "    dynamic: [1080]\n"
    "    bulk: [1080, \"9000\"]\n"
    "  - name: db1\n"
    "    id: /subscriptions/abc/resourceGroups/rg-data/providers/Microsoft.Compute/virtualMachines/db1\n"
    "    via: WIN11\n"
    "    up: false\n"
    "    identity: [only]\n"
    "    port: 22\n"
    "    connect-timeout: 500ms\n"
    "    keepalive: 0\n"
    "    local: [\"127.0.0.9:5432:localhost:5432\"]\n"
    "    remote: [\"8080:localhost:80\"]\n"
    "  - name: build7\n"
    "    address: build7\n"
    "  - {name: web1}\n";

const struct config *text_load(const char *text)
{
    struct config_problems problems = {0};
    struct err err = {0};
    const struct config *c = NULL;
    int rc = config_load_text(&c, text, strlen(text), PATH, &problems, &err);
    if (rc < 0)
        fail_msg("does not load (%d): %s", rc, err.msg);
    assert_int_equal(problems.count, 0);
    assert_non_null(c);
    return c;
}

void text_problems(const char *text, const char *expected)
{
    struct config_problems problems = {0};
    struct err err = {0};
    struct strbuf got;
    const struct config *c = NULL;
    assert_int_equal(config_load_text(&c, text, strlen(text), PATH, &problems, &err), ERR_CONFIG);
    assert_null(c);
    assert_true(problems.count > 0);
    assert_int_equal(err.code, ERR_CONFIG);
    strbuf_init(&got);
    for (size_t i = 0; i < problems.count; i++) {
        const struct config_problem *p = &problems.items[i];
        strbuf_printf(&got, "%s%u:%u: %s", i ? "\n" : "", p->line, p->column, p->text);
    }
    char *all = strbuf_take(&got);
    assert_non_null(all);
    assert_string_equal(all, expected);
    char *first = problems.items[0].line ? mem_printf("%s:%.*s", PATH, (int)strcspn(all, "\n"), all)
                                         : mem_printf("%s: %s", PATH, problems.items[0].text);
    assert_non_null(first);
    assert_string_equal(err.msg, first);
    mem_free(first);
    mem_free(all);
    config_problems_done(&problems);
}
