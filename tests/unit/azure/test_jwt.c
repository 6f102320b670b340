/*
 * Certificates out of PEM and PFX files, and the assertions signed with them, checked with the public key.
 */
#include "azure/jwt.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure/base64.h"
#include "base/mem.h"
#include "cred_rig.h"

static char dir[64];

#define KEYS                                                                                                 \
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=adit-test "  \
    "&&"                                                                                                     \
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 30 -subj /CN=other &&" \
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.crt -subj " \
    "/CN=ec &&"                                                                                              \
    "openssl req -x509 -newkey rsa:1024 -nodes -keyout small.key -out small.crt -subj /CN=small &&"          \
    "cat other.pem cert.pem key.pem > both.pem; cat ec.crt ec.key > ec.pem; cat small.crt small.key > "      \
    "small.pem;"                                                                                             \
    "cat other.pem key.pem > mismatch.pem;"                                                                  \
    "openssl rsa -aes256 -passout pass:tiger -in key.pem -out locked.key && cat cert.pem locked.key > "      \
    "locked.pem &&"                                                                                          \
    "openssl pkcs12 -export -in cert.pem -inkey key.pem -certfile other.pem -passout pass:tiger -out "       \
    "locked.pfx &&"                                                                                          \
    "openssl pkcs12 -export -in cert.pem -inkey key.pem -passout pass: -out open.pfx &&"                     \
    "openssl pkcs12 -export -legacy -in cert.pem -inkey key.pem -passout pass:tiger -out legacy.pfx; true"

static int make_keys(void **state)
{
    strcpy(dir, "/tmp/adit-jwt-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    cred_shell("(cd %s && %s) >%s/log 2>&1", dir, KEYS, dir);
    return 0;
}

static int drop_keys(void **state)
{
    cred_shell("rm -rf %s", dir);
    return 0;
}

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static X509 *the_certificate(void)
{
    FILE *f = fopen(in_dir("cert.pem"), "r");
    assert_non_null(f);
    X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(cert);
    return cert;
}

static void opens(const char *name, const char *password, int chain)
{
    struct cert_file c;
    struct err err = {0};
    if (cert_file_read(&c, in_dir(name), password, &err))
        fail_msg("%s: %s", name, err.msg);
    X509 *expected = the_certificate();
    assert_int_equal(X509_cmp(c.cert, expected), 0);
    assert_int_equal(X509_check_private_key(expected, c.key), 1);
    assert_int_equal(c.chain ? sk_X509_num(c.chain) : 0, chain);
    X509_free(expected);
    cert_file_done(&c);
}

static void is_refused(const char *name, const char *password, int code, const char *says)
{
    struct cert_file c;
    struct err err = {0};
    assert_int_equal(cert_file_read(&c, in_dir(name), password, &err), code);
    assert_contains(err.msg, says);
    assert_contains(err.msg, name);
    assert_null(strstr(err.msg, "lion"));
}

/* The same key with a certificate whose time is over, as old.pem. */
static void make_old(void)
{
    FILE *f = fopen(in_dir("key.pem"), "r");
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), -60);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    f = fopen(in_dir("old.pem"), "w");
    PEM_write_X509(f, cert);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void files_of_every_kind(void **state)
{
    opens("both.pem", NULL, 1);
    opens("both.pem", "not needed", 1);
    opens("locked.pem", "tiger", 0);
    opens("locked.pfx", "tiger", 1);
    opens("open.pfx", NULL, 0);
}

static void files_that_cannot_serve(void **state)
{
    is_refused("missing.pem", NULL, ERR_NOTFOUND, "missing.pem");
    is_refused("cert.pem", NULL, ERR_INVAL, "no private key");
    is_refused("key.pem", NULL, ERR_INVAL, "no certificate");
    is_refused("mismatch.pem", NULL, ERR_INVAL, "no certificate that belongs");
    is_refused("locked.pem", NULL, ERR_INVAL, "set AZURE_CLIENT_CERTIFICATE_PASSWORD");
    is_refused("locked.pem", "lion", ERR_INVAL, "AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it");
    is_refused("locked.pfx", NULL, ERR_INVAL, "set AZURE_CLIENT_CERTIFICATE_PASSWORD");
    is_refused("locked.pfx", "lion", ERR_INVAL, "does not open it");
    make_old();
    is_refused("old.pem", NULL, ERR_INVAL, "has expired");
    is_refused("ec.pem", NULL, ERR_INVAL, "not RSA");
    is_refused("small.pem", NULL, ERR_INVAL, "2048");
    is_refused("log", NULL, ERR_INVAL, "neither PEM nor PKCS#12");
    is_refused("legacy.pfx", "tiger", ERR_INVAL, "openssl pkcs12 -legacy");
}

static json_t *part(const char *text, size_t n)
{
    struct blob b = {0};
    assert_int_equal(base64_add_decoded(&b, text, n), 0);
    json_t *json = json_loadb(b.data, b.len, 0, NULL);
    blob_done(&b);
    assert_non_null(json);
    return json;
}

static bool signature_holds(EVP_PKEY *key, enum jwt_alg alg, const char *data, size_t n, const char *sig,
                            size_t len)
{
    struct blob b = {0};
    EVP_PKEY_CTX *ctx;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    assert_int_equal(base64_add_decoded(&b, sig, len), 0);
    assert_int_equal(EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key), 1);
    if (alg == JWT_PS256) {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32);
    }
    bool ok = EVP_DigestVerify(md, (unsigned char *)b.data, b.len, (const unsigned char *)data, n) == 1;
    EVP_MD_CTX_free(md);
    blob_done(&b);
    return ok;
}

static void has_fingerprint(const json_t *header, const char *name, const X509 *cert, const EVP_MD *md)
{
    unsigned char digest[64];
    unsigned n;
    struct blob b = {0};
    X509_digest(cert, md, digest, &n);
    assert_int_equal(base64url_add(&b, digest, n), 0);
    assert_string_equal(json_string_value(json_object_get(header, name)), b.data);
    blob_done(&b);
}

static void signs(enum jwt_alg alg, bool with_chain)
{
    static const struct jwt_claims claims = {"client-id", "https://login/tenant/oauth2/v2.0/token",
                                             1700000000, false};
    struct jwt_claims c = claims;
    struct cert_file cert;
    struct blob jwt = {0}, again = {0};
    struct err err = {0};
    c.with_chain = with_chain;
    assert_int_equal(cert_file_read(&cert, in_dir("both.pem"), NULL, &err), 0);
    assert_int_equal(jwt_sign(&jwt, &cert, alg, &c, &err), 0);
    const char *one = strchr(jwt.data, '.'), *two = strchr(one + 1, '.');
    json_t *header = part(jwt.data, (size_t)(one - jwt.data));
    json_t *body = part(one + 1, (size_t)(two - one - 1));
    X509 *own = the_certificate();
    EVP_PKEY *public = X509_get0_pubkey(own);
    size_t len = strlen(two + 1);
    assert_true(signature_holds(public, alg, jwt.data, (size_t)(two - jwt.data), two + 1, len));
    assert_false(signature_holds(public, alg, jwt.data + 1, (size_t)(two - jwt.data - 1), two + 1, len));
    assert_string_equal(json_string_value(json_object_get(header, "alg")),
                        alg == JWT_PS256 ? "PS256" : "RS256");
    if (alg == JWT_PS256)
        has_fingerprint(header, "x5t#S256", own, EVP_sha256());
    else
        has_fingerprint(header, "x5t", own, EVP_sha1());
    assert_int_equal(json_array_size(json_object_get(header, "x5c")), with_chain ? 2 : 0);
    assert_string_equal(json_string_value(json_object_get(body, "aud")), claims.audience);
    assert_string_equal(json_string_value(json_object_get(body, "iss")), "client-id");
    assert_string_equal(json_string_value(json_object_get(body, "sub")), "client-id");
    assert_int_equal(json_integer_value(json_object_get(body, "nbf")), 1700000000);
    assert_int_equal(json_integer_value(json_object_get(body, "exp")), 1700000600);
    assert_int_equal(strlen(json_string_value(json_object_get(body, "jti"))), 36);
    assert_int_equal(jwt_sign(&again, &cert, alg, &c, &err), 0);
    assert_string_not_equal(jwt.data, again.data); /* jti is used once */
    json_decref(header);
    json_decref(body);
    X509_free(own);
    blob_done(&jwt);
    blob_done(&again);
    cert_file_done(&cert);
}

static void assertions_hold(void **state)
{
    signs(JWT_PS256, false);
    signs(JWT_PS256, true);
    signs(JWT_RS256, false);
}

static void assertion_without_memory(void **state)
{
    static const struct jwt_claims claims = {"client-id", "https://login/", 1700000000, true};
    struct cert_file cert;
    struct err err = {0};
    int rc = ERR_NOMEM;
    long k;
    assert_int_equal(cert_file_read(&cert, in_dir("both.pem"), NULL, &err), 0);
    for (k = 0; rc; k++) {
        struct blob jwt = {0};
        mem_fail_after(k);
        rc = jwt_sign(&jwt, &cert, JWT_PS256, &claims, &err);
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        blob_done(&jwt);
    }
    assert_true(k > 3);
    cert_file_done(&cert);
}

static void base64_both_ways(void **state)
{
    static const struct {
        const char *plain, *common, *url;
    } cases[] = {{"", "", ""},
                 {"f", "Zg==", "Zg"},
                 {"fo", "Zm8=", "Zm8"},
                 {"foo", "Zm9v", "Zm9v"},
                 {"\xfb\xff\xfe", "+//+", "-__-"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct blob a = {0}, b = {0}, c = {0}, d = {0};
        size_t n = strlen(cases[i].plain);
        base64_add(&a, cases[i].plain, n);
        base64url_add(&b, cases[i].plain, n);
        assert_string_equal(a.data ? a.data : "", cases[i].common);
        assert_string_equal(b.data ? b.data : "", cases[i].url);
        assert_int_equal(base64_add_decoded(&c, cases[i].common, strlen(cases[i].common)), 0);
        assert_int_equal(base64_add_decoded(&d, cases[i].url, strlen(cases[i].url)), 0);
        assert_int_equal(c.len, n);
        assert_int_equal(d.len, n);
        assert_true(n == 0 ||
                    (memcmp(c.data, cases[i].plain, n) == 0 && memcmp(d.data, cases[i].plain, n) == 0));
        blob_done(&a), blob_done(&b), blob_done(&c), blob_done(&d);
    }
    static const char *const bad[] = {"Z", "Zg===", "Z g=", "Zm9v=Zg", "Zm9v!"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct blob b = {0};
        blob_puts(&b, "kept");
        assert_int_equal(base64_add_decoded(&b, bad[i], strlen(bad[i])), ERR_INVAL);
        assert_string_equal(b.data, "kept");
        blob_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_both_ways),         cmocka_unit_test(files_of_every_kind),
        cmocka_unit_test(files_that_cannot_serve),  cmocka_unit_test(assertions_hold),
        cmocka_unit_test(assertion_without_memory),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
