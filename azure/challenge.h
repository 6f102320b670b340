/*
 * challenge: what a 401 of ARM asks for before it will take a token: another one with claims, or another
 * tenant's.
 *
 * Sources: RFC 9110 section 11.6.1 (WWW-Authenticate), RFC 9470 in the Microsoft identity platform's form
 * ("claims challenges": error="insufficient_claims", claims="BASE64"); ARM's
 * InvalidAuthenticationTokenTenant.
 */
#ifndef ADIT_AZURE_CHALLENGE_H
#define ADIT_AZURE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"

#define CHALLENGE_CLAIMS_MAX 8192
#define CHALLENGE_TENANT_SIZE 37

struct json_t;

/* The JSON object that the next token request must carry as "claims"; to mem_free(). NULL when the reply asks
 * for none, or there is no memory. */
char *challenge_claims(const struct http_reply *reply);

/* The tenant, as a GUID, that the subscription of a refused request belongs to. False when the reply does not
 * say. */
bool challenge_tenant(const struct http_reply *reply, const struct json_t *json,
                      char out[CHALLENGE_TENANT_SIZE]);

#endif
