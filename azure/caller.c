/*
 * caller: reads one claim of the token at hand (RFC 7519 section 3: header.claims.signature).
 */
#include "caller.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure_private.h"
#include "base64.h"
#include "blob.h"
#include "token_json.h"

#define CLAIMS_MAX 32768 /* characters */

/* The claims of a token, or NULL; an encrypted or opaque one has none that we could read. */
static json_t *claims_of(const char *token)
{
    const char *from = strchr(token, '.'), *to = from ? strchr(from + 1, '.') : NULL;
    struct blob text = {0};
    json_t *claims = NULL;
    if (to && to - from < CLAIMS_MAX && base64_add_decoded(&text, from + 1, (size_t)(to - from - 1)) == 0)
        claims = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
    blob_done(&text);
    return claims;
}

static bool is_public4(const char *text)
{
    struct in_addr a;
    if (inet_pton(AF_INET, text, &a) != 1)
        return false;
    uint32_t v = ntohl(a.s_addr);
    bool own = v >> 24 == 0 || v >> 24 == 10 || v >> 24 == 127 || v >> 20 == 0xac1 || v >> 16 == 0xc0a8 ||
               v >> 16 == 0xa9fe || v >> 22 == 0x191 /* 100.64.0.0/10 */ || v >> 28 >= 0xe;
    return !own;
}

/* 2000::/3 is all that is handed out. */
static bool is_public6(const char *text)
{
    struct in6_addr a;
    return inet_pton(AF_INET6, text, &a) == 1 && a.s6_addr[0] >> 5 == 1;
}

int azure_caller_address(struct azure *a, const char *path, char out[AZURE_CALLER_MAX], struct err *err)
{
    uint64_t serial;
    const char *learnt = tenants_get(a->tenants, path);
    const char *token = token_cache_peek(a->tokens, learnt ? learnt : a->tenant, a->cloud.scope, &serial);
    json_t *claims = token ? claims_of(token) : NULL;
    const char *address = json_string_value(json_object_get(claims, "ipaddr"));
    int rc = 0;
    if (!address)
        rc = err_set(err, ERR_NOTFOUND, "the sign-in does not say which address this machine has");
    else if (strlen(address) >= AZURE_CALLER_MAX || !(is_public4(address) || is_public6(address)))
        rc = err_set(err, ERR_NOTFOUND, "the address that the sign-in saw is none of the public network");
    else
        snprintf(out, AZURE_CALLER_MAX, "%s", address);
    token_json_wipe(claims);
    json_decref(claims);
    return rc;
}
