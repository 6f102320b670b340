/*
 * jwt: three parts of base64url, signed by EVP.
 */
#include "jwt.h"

#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "tls.h"

#define BITS 2048
#define PART_MAX 8192

int jwt_key_new(struct jwt_key *out, const char *name, struct err *err)
{
    out->key = EVP_RSA_gen(BITS);
    out->cert = out->key ? tls_certificate_of(out->key, name) : NULL;
    return out->cert ? 0 : err_set(err, ERR_SYSTEM, "libcrypto could not make the key of %s", name);
}

void jwt_key_done(struct jwt_key *k)
{
    EVP_PKEY_free(k->key);
    X509_free(k->cert);
    *k = (struct jwt_key){0};
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct strbuf *out, const void *data, size_t n)
{
    const unsigned char *p = data;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 6; have -= 6)
            strbuf_add(out, &alphabet[bits >> (have - 6) & 63], 1);
    }
    if (have)
        strbuf_add(out, &alphabet[bits << (6 - have) & 63], 1);
}

/* Returns how many bytes, or 0 when it is no base64url or longer than max. */
static size_t decode(unsigned char *out, size_t max, const char *text, size_t n)
{
    unsigned bits = 0, have = 0;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *at = memchr(alphabet, text[i], 64);
        if (!at)
            return 0;
        bits = bits << 6 | (unsigned)(at - alphabet);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (len == max)
            return 0;
        out[len++] = (unsigned char)(bits >> have);
    }
    return len;
}

static void part_add(struct strbuf *out, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    encode(out, text ? text : "", text ? strlen(text) : 0);
    free(text);
    json_decref(json);
}

char *jwt_sign(const struct jwt_key *k, json_t *claims)
{
    unsigned char signature[BITS / 8];
    size_t n = sizeof signature;
    struct strbuf b;
    strbuf_init(&b);
    part_add(&b, json_pack("{s:s,s:s,s:s}", "alg", "RS256", "typ", "JWT", "kid", "sandbox"));
    strbuf_puts(&b, ".");
    part_add(&b, claims);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = !b.bad && md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, k->key) == 1 &&
              EVP_DigestSign(md, signature, &n, (const unsigned char *)b.data, b.len) == 1;
    EVP_MD_CTX_free(md);
    strbuf_puts(&b, ".");
    encode(&b, signature, ok ? n : 0);
    char *text = ok && !b.bad ? mem_strdup(b.data) : NULL;
    strbuf_done(&b);
    return text;
}

static json_t *part_read(const char *text, size_t n)
{
    unsigned char bytes[PART_MAX];
    size_t len = decode(bytes, sizeof bytes, text, n);
    json_t *j = len ? json_loadb((const char *)bytes, len, 0, NULL) : NULL;
    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

/* Whether the header's thumbprint is the certificate's: x5t#S256 of PS256, x5t (SHA-1) of RS256. */
static bool thumbprint_fits(const json_t *header, X509 *cert, bool pss)
{
    const char *said = json_string_value(json_object_get(header, pss ? "x5t#S256" : "x5t"));
    unsigned char mine[EVP_MAX_MD_SIZE], theirs[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509_digest(cert, pss ? EVP_sha256() : EVP_sha1(), mine, &n);
    return said && decode(theirs, sizeof theirs, said, strlen(said)) == n && memcmp(mine, theirs, n) == 0;
}

static bool signature_fits(EVP_PKEY *key, bool pss, const char *text, size_t n, const char *signature)
{
    unsigned char bytes[BITS / 8];
    size_t len = decode(bytes, sizeof bytes, signature, strlen(signature));
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    bool ok = md && EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(md, bytes, len, (const unsigned char *)text, n) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

const char *jwt_verify(const struct jwt_key *k, const char *text, bool by_cert, json_t **claims)
{
    const char *body = strchr(text, '.'), *signature = body ? strchr(body + 1, '.') : NULL;
    *claims = NULL;
    if (!signature)
        return "it is not three parts";
    json_t *header = part_read(text, (size_t)(body - text));
    const char *alg = json_string_value(json_object_get(header, "alg"));
    bool pss = alg && strcmp(alg, "PS256") == 0;
    const char *wrong = NULL;
    if (!alg || (!pss && strcmp(alg, "RS256") != 0))
        wrong = "its algorithm is neither PS256 nor RS256";
    else if (by_cert && !thumbprint_fits(header, k->cert, pss))
        wrong = "the key was not found: its thumbprint is of no registered certificate";
    else if (!signature_fits(k->key, pss, text, (size_t)(signature - text), signature + 1))
        wrong = "its signature does not fit";
    else if (!(*claims = part_read(body + 1, (size_t)(signature - body - 1))))
        wrong = "its claims are no JSON";
    json_decref(header);
    return wrong;
}
