/*
 * The order of the credentials, what narrows it, what is said when all fail, and running out of memory in
 * each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cred_rig.h"

#define AZ "echo '{\"accessToken\":\"from-az\",\"expires_on\":4102444800}'"
#define AZD "echo '{\"token\":\"from-azd\",\"expiresOn\":\"2100-01-01T00:00:00Z\"}'"
#define IMDS "GET /metadata/identity/oauth2/token"
#define JWT_LIKE "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl"

static void error_says_what_each_tried(void **state)
{
    static const char *const says[] = {
        "run adit login or az login",
        "environment: not set: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or AZURE_CLIENT_CERT",
        "workload-identity: not set: AZURE_FEDERATED_TOKEN_FILE",
        "managed-identity: nobody answers at http://127.0.0.1:1/metadata",
        "cli: az failed with 1: Please run az login",
        "azd: azd is not installed",
        "device-code: nobody has run adit login",
    };
    struct cred_rig *c = *state;
    struct told t;
    cred_tool(c, "az", "echo 'Please run az login' >&2; exit 1");
    cred_open(c, "auto");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
        assert_contains(t.err.msg, says[i]);
    assert_null(strstr(t.err.msg, "\xe2\x80\xa6")); /* nothing was cut off */
}

static void only_what_is_missing_is_listed(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent.pem", 1);
    cred_get(c, &t);
    assert_contains(t.err.msg, "environment: not set: AZURE_TENANT_ID; workload-identity");
}

/* Sets all up; each step takes away the one that serves, and the next one in the order must. */
static void order_is_the_sdks(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_TENANT_ID", RIG_TENANT, 1);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    setenv("AZURE_CLIENT_SECRET", RIG_SECRET, 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_write(c, "token", 0600, JWT_LIKE), 1);
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 400, NULL, "{}");
    fake_arm_on(c->metadata, IMDS, 200, NULL, "{\"access_token\":\"from-imds\",\"expires_in\":\"3600\"}");
    cred_tool(c, "az", AZ);
    cred_tool(c, "azd", AZD);
    cred_open(c, "auto");
    cred_get(c, &t);
    assert_contains(fake_arm_last(c->rig->arm, "POST"), "client_secret=");
    unsetenv("AZURE_CLIENT_SECRET");
    cred_open(c, "auto");
    cred_get(c, &t);
    assert_contains(fake_arm_last(c->rig->arm, "POST"), "client_assertion=");
    unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    cred_open(c, "auto");
    cred_get(c, &t);
    cred_used(c, "from-imds");
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1", 1);
    cred_open(c, "auto");
    cred_get(c, &t);
    cred_used(c, "from-az");
    cred_tool(c, "az", "exit 1");
    cred_open(c, "auto");
    cred_get(c, &t);
    cred_used(c, "from-azd");
}

static void a_failing_principal_is_not_passed_over(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_TENANT_ID", RIG_TENANT, 1);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    setenv("AZURE_CLIENT_SECRET", RIG_SECRET, 1);
    fake_arm_forget(c->rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(c->rig->arm, RIG_TOKEN_ROUTE, 401, NULL,
                "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}");
    cred_tool(c, "az", AZ);
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "credential environment: ");
    assert_int_equal(fake_arm_hits(c->rig->arm, "GET"), 0);
}

static void the_variable_narrows(void **state)
{
    static const struct {
        const char *value, *token, *says;
    } cases[] = {
        {"dev", "from-az", NULL},
        {"DEV", "from-az", NULL},
        {"azd", "from-azd", NULL},
        {"AzureDeveloperCliCredential", "from-azd", NULL},
        {"azureclicredential", "from-az", NULL},
        {"prod", NULL, "managed-identity: nobody"},
        {"WorkloadIdentityCredential", NULL, "cannot sign in to Azure; tried workload-identity: not set"},
    };
    struct cred_rig *c = *state;
    struct told t;
    cred_tool(c, "az", AZ);
    cred_tool(c, "azd", AZD);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("AZURE_TOKEN_CREDENTIALS", cases[i].value, 1);
        cred_open(c, "auto");
        cred_get(c, &t);
        if (cases[i].token) {
            assert_int_equal(t.err.code, 0);
            cred_used(c, cases[i].token);
        } else {
            assert_contains(t.err.msg, cases[i].says);
            assert_null(strstr(t.err.msg, "cli:"));
        }
    }
    setenv("AZURE_TOKEN_CREDENTIALS", "prod", 1);
    cred_open(c, "cli"); /* the configuration is nearer */
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    setenv("AZURE_TOKEN_CREDENTIALS", "AzurePowerShellCredential", 1);
    struct azure_options options = {.loop = &c->rig->loop, .clock = c->rig->clock, .credential = "auto"};
    struct azure *a;
    struct err err;
    azure_cloud_custom(&options.cloud, "https://127.0.0.1", NULL, &err);
    assert_int_equal(azure_new(&a, &options, &err), ERR_INVAL);
    assert_contains(err.msg, "AZURE_TOKEN_CREDENTIALS \"AzurePowerShellCredential\" is not one of dev, prod, "
                             "environment");
    unsetenv("AZURE_TOKEN_CREDENTIALS");
}

/* The next token comes from where the last one came from: no probe, and no sudden change of identity. */
static void the_one_that_served_is_asked_first(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    clock_test_freeze(c->rig->clock, 1000000);
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 404, NULL, "");
    cred_tool(c, "az", AZ);
    cred_get(c, &t);
    cred_used(c, "from-az");
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 1);
    fake_arm_forget(c->rig->arm, "GET /x");
    fake_arm_on(c->rig->arm, "GET /x", 401, NULL, "{}");
    fake_arm_on(c->rig->arm, "GET /x", 200, NULL, "{}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 1);
    /* Once it fails, all are asked again. */
    cred_tool(c, "az", "exit 1");
    cred_tool(c, "azd", AZD);
    fake_arm_forget(c->rig->arm, "GET /x");
    fake_arm_on(c->rig->arm, "GET /x", 401, NULL, "{}");
    fake_arm_on(c->rig->arm, "GET /x", 200, NULL, "{}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-azd");
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 2);
}

/* The k-th allocation fails, wherever it is: told once, or refused at once, and the loop empties. */
static void exhaust(struct cred_rig *c, const char *credential)
{
    bool over = false;
    long k;
    for (k = 0; k < 400 && !over; k++) {
        struct told told = {0};
        struct azure_req *req;
        struct err err;
        struct azure_call call = {.method = "GET", .path = "/x", .deadline_ms = 700};
        cred_open(c, credential);
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = azure_send(c->rig->azure, &call, told_cb, &told, &req, &err);
        if (rc == 0)
            rig_until(c->rig, &told.count, 1);
        over = mem_allocations() - before <= k && told.count && !told.err.code;
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        assert_true(told.count <= 1);
        told_done(&told);
    }
    assert_true(k > 20 && k < 400);
}

static void no_memory_in_any_kind(void **state)
{
    struct cred_rig *c = *state;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 200, NULL, "{\"access_token\":\"from-imds\",\"expires_in\":\"3600\"}");
    exhaust(c, "managed-identity");
    cred_tool(c, "az", AZ);
    exhaust(c, "cli");
    setenv("AZURE_TENANT_ID", RIG_TENANT, 1);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_write(c, "token", 0600, JWT_LIKE), 1);
    exhaust(c, "workload-identity");
    cred_shell(
        "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=t 2>log && "
        "cat c.pem k.pem > both.pem",
        c->dir);
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", cred_path(c, "both.pem"), 1);
    exhaust(c, "environment");
    char login[512];
    snprintf(login, sizeof(login),
             "{\"version\":1,\"login\":\"%s\",\"tenant\":\"" RIG_TENANT "\",\"client\":\"c\",\"user\":\"u\","
             "\"refresh_token\":\"r\"}",
             fake_arm_url(c->rig->arm));
    cred_write(c, "login.json", 0600, login);
    fake_arm_forget(c->rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(c->rig->arm, RIG_TOKEN_ROUTE, 200, NULL,
                "{\"access_token\":\"a\",\"expires_in\":3600,\"refresh_token\":\"r2\"}");
    exhaust(c, "device-code");
}

static void closing_at_every_turn(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 404, NULL, "");
    cred_tool(c, "az", "exit 1");
    cred_tool(c, "azd", AZD);
    for (unsigned n = 0; n < 40; n++) {
        cred_open(c, "auto");
        memset(&t, 0, sizeof(t));
        rig_send(c->rig, "GET", "/x", 0, &t);
        rig_turns(c->rig, n);
        rig_close_azure(c->rig);
        told_done(&t);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, cred_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(error_says_what_each_tried), T(only_what_is_missing_is_listed),
        T(order_is_the_sdks),          T(a_failing_principal_is_not_passed_over),
        T(the_variable_narrows),       T(the_one_that_served_is_asked_first),
        T(no_memory_in_any_kind),      T(closing_at_every_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
