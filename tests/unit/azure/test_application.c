/*
 * The credentials of applications: a certificate, and the federated token of a workload.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure/base64.h"
#include "cred_rig.h"

#define JWT_LIKE "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl"

static void principal(const char *secret)
{
    setenv("AZURE_TENANT_ID", RIG_TENANT, 1);
    setenv("AZURE_CLIENT_ID", CRED_CLIENT, 1);
    if (secret)
        setenv("AZURE_CLIENT_SECRET", secret, 1);
}

static void certificate(struct cred_rig *c)
{
    cred_shell("cd %s && openssl req -x509 -newkey rsa:2048 -passout pass:tiger -keyout k.pem -out c.pem "
               "-subj /CN=t "
               "2>log && cat c.pem k.pem > both.pem",
               c->dir);
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", cred_path(c, "both.pem"), 1);
    setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "tiger", 1);
}

static json_t *claims_of_assertion(const char *request)
{
    const char *jwt = strstr(request, "client_assertion=");
    assert_non_null(jwt);
    const char *body = strchr(jwt, '.') + 1;
    struct blob b = {0};
    assert_int_equal(base64_add_decoded(&b, body, strcspn(body, ".")), 0);
    json_t *claims = json_loadb(b.data, b.len, 0, NULL);
    blob_done(&b);
    return claims;
}

static void certificate_signs_in(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    char audience[256];
    principal(NULL);
    certificate(c);
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, RIG_TOKEN);
    const char *request = fake_arm_last(c->rig->arm, RIG_TOKEN_ROUTE);
    assert_contains(request,
                    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer");
    assert_contains(request, "grant_type=client_credentials");
    assert_null(strstr(request, "client_secret"));
    json_t *claims = claims_of_assertion(request);
    snprintf(audience, sizeof(audience), "%s/" RIG_TENANT "/oauth2/v2.0/token", fake_arm_url(c->rig->arm));
    assert_string_equal(json_string_value(json_object_get(claims, "aud")), audience);
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), CRED_CLIENT);
    json_decref(claims);
}

static void secret_beats_certificate(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    principal(RIG_SECRET);
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent.pem", 1);
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(c->rig->arm, RIG_TOKEN_ROUTE), "client_secret=");
}

static void bad_certificate_ends_the_chain(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    principal(NULL);
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent.pem", 1);
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_INVAL);
    assert_contains(t.err.msg, "credential environment: AZURE_CLIENT_CERTIFICATE_PATH: /nonexistent.pem");
    certificate(c);
    setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "panther", 1);
    cred_get(c, &t);
    assert_contains(t.err.msg, "AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it");
    assert_null(strstr(t.err.msg, "panther"));
    assert_int_equal(fake_arm_hits(c->rig->arm, "POST"), 0);
}

static void closing_while_a_thread_signs(void **state)
{
    struct cred_rig *c = *state;
    struct told t = {0};
    principal(NULL);
    certificate(c);
    struct azure_req *req = rig_send(c->rig, "GET", "/x", 0, &t);
    azure_cancel(req);
    rig_send(c->rig, "GET", "/x", 0, &t);
    rig_close_azure(c->rig);
    assert_int_equal(t.count, 0);
}

static void workload_token_is_read_anew(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    principal(NULL);
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_write(c, "token", 0600, JWT_LIKE "-one\n"), 1);
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(c->rig->arm, "POST"), "client_assertion=" JWT_LIKE "-one");
    cred_write(c, "token", 0600, JWT_LIKE "-two");
    cred_open(c, "workload-identity");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(fake_arm_last(c->rig->arm, "POST"), "client_assertion=" JWT_LIKE "-two");
}

static void workload_file_that_is_wrong(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    principal(NULL);
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_path(c, "none"), 1);
    cred_get(c, &t);
    assert_contains(t.err.msg, "credential workload-identity: AZURE_FEDERATED_TOKEN_FILE: ");
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_write(c, "token", 0600, "my-secret-note\nand more"), 1);
    cred_get(c, &t);
    assert_contains(t.err.msg, "no JWT");
    assert_null(strstr(t.err.msg, "my-secret-note"));
    assert_int_equal(fake_arm_hits(c->rig->arm, "POST"), 0);
}

static void refused_assertion_is_not_repeated(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    principal(NULL);
    setenv("AZURE_FEDERATED_TOKEN_FILE", cred_write(c, "token", 0600, JWT_LIKE), 1);
    fake_arm_forget(c->rig->arm, RIG_TOKEN_ROUTE);
    fake_arm_on(c->rig->arm, RIG_TOKEN_ROUTE, 401, NULL,
                "{\"error\":\"invalid_client\",\"error_description\":\"bad: " JWT_LIKE "\"}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "AZURE_FEDERATED_TOKEN_FILE");
    assert_null(strstr(t.err.msg, "eyJhbGciOi"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, cred_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(certificate_signs_in),
        T(secret_beats_certificate),
        T(bad_certificate_ends_the_chain),
        T(closing_while_a_thread_signs),
        T(workload_token_is_read_anew),
        T(workload_file_that_is_wrong),
        T(refused_assertion_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
