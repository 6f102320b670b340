/*
 * env_identity: DIR/env.KIND for every other way to sign in: a shell that sources one has that credential and
 * no other.
 */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "env.h"
#include "identity.h"
#include "sandbox.h"
#include "token.h"

#define PATH_LEN 512
#define PFX_PASSWORD "sandbox"

static const char forget[] =
    "unset AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH "
    "AZURE_CLIENT_CERTIFICATE_PASSWORD\n"
    "unset AZURE_FEDERATED_TOKEN_FILE AZURE_TOKEN_CREDENTIALS AZURE_POD_IDENTITY_AUTHORITY_HOST "
    "AZURE_AUTHORITY_HOST\n"
    "unset IDENTITY_ENDPOINT IDENTITY_HEADER IMDS_ENDPOINT\n";

/* vars: name, value, name, value, …, NULL. */
static int kind_write(struct sandbox *sb, const char *kind, const char *const *vars, struct err *err)
{
    char name[64];
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, forget);
    env_places(sb, &b, "adit-auto.yaml");
    for (; *vars; vars += 2)
        env_line(&b, vars[0], vars[1]);
    snprintf(name, sizeof name, "env.%s", kind);
    return env_file_write(sb, name, &b, err);
}

static int bio_write(struct sandbox *sb, const char *name, BIO *bio, struct err *err)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    struct strbuf b;
    strbuf_init(&b);
    strbuf_add(&b, data, n > 0 ? (size_t)n : 0);
    BIO_free(bio);
    return n > 0 ? env_file_write(sb, name, &b, err)
                 : err_set(err, ERR_SYSTEM, "libcrypto could not make %s", name);
}

static int certificate_write(struct sandbox *sb, struct err *err)
{
    const struct jwt_key *k = &sb->tokens.client;
    BIO *pem = BIO_new(BIO_s_mem()), *pfx = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(pem, k->key, NULL, NULL, 0, NULL, NULL);
    PEM_write_bio_X509(pem, k->cert);
    PKCS12 *p = PKCS12_create(PFX_PASSWORD, "sandbox", k->key, k->cert, NULL, 0, 0, 0, 0, 0);
    if (p)
        i2d_PKCS12_bio(pfx, p);
    PKCS12_free(p);
    int rc = bio_write(sb, "client.pem", pem, err);
    int also = bio_write(sb, "client.pfx", pfx, rc ? NULL : err);
    return rc ? rc : also;
}

static int federated_write(struct sandbox *sb, struct err *err)
{
    json_int_t now = (json_int_t)time(NULL);
    char *text = jwt_sign(&sb->tokens.issuer,
                          json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "iss", TOKEN_FEDERATED_ISSUER, "sub",
                                    TOKEN_FEDERATED_SUBJECT, "aud", "api://AzureADTokenExchange", "iat", now,
                                    "nbf", now, "exp", now + 86400));
    struct strbuf b;
    strbuf_init(&b);
    strbuf_puts(&b, text ? text : "");
    mem_free(text);
    return env_file_write(sb, "federated-token", &b, err);
}

int env_identity_write(struct sandbox *sb, struct err *err)
{
    const struct world_file *f = sb->world.file;
    const char *base = sb->identity.http.base;
    char pem[PATH_LEN], pfx[PATH_LEN], token[PATH_LEN], app[PATH_LEN], arc[PATH_LEN];
    snprintf(pem, sizeof pem, "%s/client.pem", sb->dir);
    snprintf(pfx, sizeof pfx, "%s/client.pfx", sb->dir);
    snprintf(token, sizeof token, "%s/federated-token", sb->dir);
    snprintf(app, sizeof app, "%s" IDENTITY_APP_PATH, base);
    snprintf(arc, sizeof arc, "%s" IDENTITY_ARC_PATH, base);
    const struct {
        const char *kind;
        const char *vars[9];
    } all[] = {
        {"certificate",
         {"AZURE_TENANT_ID", f->tenant, "AZURE_CLIENT_ID", f->client, "AZURE_CLIENT_CERTIFICATE_PATH", pem}},
        {"pfx",
         {"AZURE_TENANT_ID", f->tenant, "AZURE_CLIENT_ID", f->client, "AZURE_CLIENT_CERTIFICATE_PATH", pfx,
          "AZURE_CLIENT_CERTIFICATE_PASSWORD", PFX_PASSWORD}},
        {"federated",
         {"AZURE_TENANT_ID", f->tenant, "AZURE_CLIENT_ID", f->client, "AZURE_FEDERATED_TOKEN_FILE", token}},
        {"imds", {"AZURE_POD_IDENTITY_AUTHORITY_HOST", base}},
        {"app-service", {"IDENTITY_ENDPOINT", app, "IDENTITY_HEADER", sb->identity.header}},
        {"arc", {"IDENTITY_ENDPOINT", arc, "IMDS_ENDPOINT", base}},
        {"device", {"AZURE_TOKEN_CREDENTIALS", "DeviceCodeCredential"}},
    };
    int rc = certificate_write(sb, err);
    rc = rc ? rc : federated_write(sb, err);
    for (unsigned i = 0; !rc && i < sizeof all / sizeof *all; i++)
        rc = kind_write(sb, all[i].kind, all[i].vars, err);
    return rc;
}
