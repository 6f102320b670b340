/*
 * Managed identities: the instance metadata service, App Service, and Azure Arc with its file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "azure/azure_private.h"
#include "azure/managed.h"
#include "cred_rig.h"

#define IMDS "GET /metadata/identity/oauth2/token"
#define NO_HEADER                                                                                            \
    "{\"error\":\"invalid_request\",\"error_description\":\"Required metadata header not specified\"}"

static void imds_here(struct cred_rig *c)
{
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* which must not be asked */
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "127.0.0.1", 1); /* for the fake ARM only: the exchange itself must not need it */
}

static void proxies_gone(void)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("no_proxy");
}

static void imds_is_probed_then_asked(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    imds_here(c);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    fake_arm_on(c->metadata, IMDS, 400, NULL, NO_HEADER);
    fake_arm_on(c->metadata, IMDS, 404, "Retry-After: 0\r\n", "");
    fake_arm_on(c->metadata, IMDS, 410, "Retry-After: 0\r\n", "");
    fake_arm_on(c->metadata, IMDS, 503, NULL, "");
    fake_arm_on(c->metadata, IMDS, 200, NULL, "{\"access_token\":\"from-imds\",\"expires_in\":\"86399\"}");
    cred_get(c, &t);
    proxies_gone();
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-imds");
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 5);
    const char *last = fake_arm_last(c->metadata, IMDS);
    assert_contains(last, "\r\nMetadata: true\r\n");
    assert_contains(last, "api-version=2018-02-01&resource=https%3A%2F%2F127.0.0.1");
    assert_contains(last, "&client_id=" CRED_CLIENT " HTTP");
    assert_null(strstr(last, "default"));
}

static void metadata_services_are_never_proxied(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    imds_here(c);
    unsetenv("no_proxy");
    cred_open(c, "managed-identity");
    fake_arm_on(c->metadata, IMDS, 200, NULL, "{\"access_token\":\"from-imds\",\"expires_in\":\"86399\"}");
    cred_get(c, &t);
    proxies_gone();
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 1);
    assert_int_not_equal(t.err.code, 0); /* ARM is asked by way of the proxy, which is not there */
    assert_int_equal(fake_arm_hits(c->rig->arm, "GET"), 0);
}

static void other_clouds_are_told_apart(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 404, NULL, "not here");
    uint64_t start = uv_hrtime();
    cred_get(c, &t);
    assert_true(uv_hrtime() - start < 2000000000u);
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), 1);
    assert_contains(t.err.msg, "managed-identity: what answers at http://127.0.0.1");
}

static void silent_address_costs_one_second(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, FAKE_HANG, NULL, NULL);
    uint64_t start = uv_hrtime();
    cred_get(c, &t);
    uint64_t ms = (uv_hrtime() - start) / 1000000;
    assert_true(ms >= 900 && ms < 3000);
    assert_contains(t.err.msg, "managed-identity: nobody answers at http://127.0.0.1");
}

static void machine_without_identity(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 400, NULL, NO_HEADER);
    fake_arm_on(c->metadata, IMDS, 400, NULL,
                "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}");
    cred_tool(c, "az", "echo '{\"accessToken\":\"from-az\",\"expires_on\":4102444800}'");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-az");
    cred_open(c, "managed-identity");
    cred_get(c, &t);
    assert_contains(t.err.msg, "no such identity: Identity not found");
}

static void app_service(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    char url[128];
    snprintf(url, sizeof(url), "%s/msi/token", fake_arm_url(c->metadata));
    setenv("IDENTITY_ENDPOINT", url, 1);
    setenv("IDENTITY_HEADER", "header-secret", 1);
    fake_arm_on(c->metadata, "GET /msi/token", 200, NULL,
                "{\"access_token\":\"from-app\",\"expires_on\":\"4102444800\",\"token_type\":\"Bearer\"}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-app");
    assert_contains(fake_arm_last(c->metadata, "GET"), "\r\nX-IDENTITY-HEADER: header-secret\r\n");
    assert_contains(fake_arm_last(c->metadata, "GET"), "?api-version=2019-08-01&resource=https");
    fake_arm_forget(c->metadata, "GET /msi/token");
    fake_arm_on(c->metadata, "GET /msi/token", 403, NULL, "{\"message\":\"wrong header\"}");
    cred_open(c, "managed-identity");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "App Service answered 403 wrong header");
    assert_null(strstr(t.err.msg, "header-secret"));
}

static void arc_key_must_be_where_arc_writes(void **state)
{
    struct cred_rig *c = *state;
    char big[4200], path[160];
    struct blob key = {0};
    struct err err;
    cred_shell("mkdir %s/tokens %s/tokens/sub.key && mkfifo %s/tokens/pipe.key", c->dir, c->dir, c->dir);
    memset(big, 'k', sizeof(big));
    big[4096] = '\n';
    big[4097] = 0;
    const char *dir = cred_path(c, "tokens");
    cred_write(c, "outside.key", 0600, "outside");
    cred_write(c, "tokens/good.key", 0600, "the-key\n");
    cred_write(c, "tokens/big.key", 0600, big);
    cred_write(c, "tokens/good.txt", 0600, "text");
    cred_write(c, "tokens/forged.key", 0600, "x\r\nHost: evil");
    snprintf(path, sizeof(path), "%s/tokens/link.key", c->dir);
    assert_int_equal(symlink(cred_path(c, "outside.key"), path), 0);
    snprintf(path, sizeof(path), "%s/tokens/good.key", c->dir);
    assert_int_equal(managed_arc_key_read(&key, dir, path, &err), 0);
    assert_string_equal(key.data, "the-key");
    static const char *const bad[] = {"outside.key",          "tokens/../outside.key", "tokens/link.key",
                                      "tokens/big.key",       "tokens/good.txt",       "tokens/sub.key",
                                      "tokens/sub.key/a.key", "tokens/pipe.key",       "tokens/forged.key",
                                      "tokens/.key",          "tokens2/good.key"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", c->dir, bad[i]);
        if (managed_arc_key_read(&key, dir, path, &err) != ERR_DENIED)
            fail_msg("%s was not refused", bad[i]);
    }
    assert_string_equal(key.data, "the-key");
    blob_done(&key);
}

static void arc_realms(void **state)
{
    static const struct {
        const char *header, *file;
    } cases[] = {{"Basic realm=/var/opt/a.key", "/var/opt/a.key"},
                 {"basic realm=\"/var/opt/a b.key\"", "/var/opt/a b.key"},
                 {"Bearer realm=/x", NULL},
                 {"Basic realm=", NULL},
                 {"Basic", NULL}};
    char out[32];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(managed_arc_realm(cases[i].header, out, sizeof(out)), cases[i].file != NULL);
        if (cases[i].file)
            assert_string_equal(out, cases[i].file);
    }
    assert_false(
        managed_arc_realm("Basic realm=/a/path/that/is/longer/than/there/is/room/for", out, sizeof(out)));
}

struct got {
    unsigned count;
    char token[64];
    struct err err;
};

static void on_token(void *arg, struct token *token, const struct err *err)
{
    struct got *got = arg;
    got->count++;
    err_copy(&got->err, err, 0);
    snprintf(got->token, sizeof(got->token), "%s", err ? "" : token->value);
}

/* Arc's directory can be chosen only below struct azure. */
static void ask_arc(struct cred_rig *c, struct got *got)
{
    struct azure *a = c->rig->azure;
    struct credential_env env = {.loop = &c->rig->loop,
                                 .http = a->http,
                                 .clock = c->rig->clock,
                                 .ready = a->ready,
                                 .cloud = &a->cloud,
                                 .arc_keys = cred_path(c, "tokens")};
    struct credential_ask ask = {.scope = a->cloud.scope, .deadline_ms = 5000};
    struct credential *credential;
    struct credential_run *run;
    memset(got, 0, sizeof(*got));
    assert_int_equal(credential_new(&credential, &env, "managed-identity", &got->err), 0);
    assert_int_equal(credential_get(credential, &ask, on_token, got, &run, &got->err), 0);
    rig_until(c->rig, &got->count, 1);
    credential_free(credential);
}

static void arc_proves_with_the_file(void **state)
{
    struct cred_rig *c = *state;
    struct got got;
    char url[128], challenge[256];
    cred_shell("mkdir %s/tokens", c->dir);
    const char *file = cred_write(c, "tokens/abc.key", 0600, "arc-key");
    snprintf(url, sizeof(url), "%s/metadata/identity/oauth2/token", fake_arm_url(c->metadata));
    snprintf(challenge, sizeof(challenge), "WWW-Authenticate: Basic realm=%s\r\n", file);
    setenv("IDENTITY_ENDPOINT", url, 1);
    setenv("IMDS_ENDPOINT", fake_arm_url(c->metadata), 1);
    fake_arm_on(c->metadata, IMDS, 401, challenge, "");
    fake_arm_on(c->metadata, IMDS, 200, NULL, "{\"access_token\":\"from-arc\",\"expires_in\":\"3600\"}");
    ask_arc(c, &got);
    assert_int_equal(got.err.code, 0);
    assert_string_equal(got.token, "from-arc");
    assert_contains(fake_arm_last(c->metadata, IMDS), "\r\nAuthorization: Basic arc-key\r\n");
    assert_contains(fake_arm_last(c->metadata, IMDS), "api-version=2020-06-01");
    /* An agent that names another file does not get it. */
    fake_arm_forget(c->metadata, IMDS);
    snprintf(challenge, sizeof(challenge), "WWW-Authenticate: Basic realm=%s\r\n",
             cred_write(c, "mine.key", 0600, "private"));
    fake_arm_on(c->metadata, IMDS, 401, challenge, "");
    unsigned before = fake_arm_hits(c->metadata, IMDS);
    ask_arc(c, &got);
    assert_int_equal(got.err.code, ERR_DENIED);
    assert_int_equal(fake_arm_hits(c->metadata, IMDS), before + 1);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    struct told t;
    cred_open(c, "managed-identity");
    cred_get(c, &t);
    assert_contains(t.err.msg, "unset AZURE_CLIENT_ID");
}

#define T(f) cmocka_unit_test_setup_teardown(f, cred_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(imds_is_probed_then_asked),        T(metadata_services_are_never_proxied),
        T(other_clouds_are_told_apart),      T(silent_address_costs_one_second),
        T(machine_without_identity),         T(app_service),
        T(arc_key_must_be_where_arc_writes), T(arc_realms),
        T(arc_proves_with_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
