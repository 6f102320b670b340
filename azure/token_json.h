/*
 * token_json: takes a token out of the JSON that sign-in endpoints and metadata services answer with.
 *
 * Sources: OAuth 2.0 (RFC 6749 section 5.1); the metadata services of VMs, App Service and Arc, which write
 * numbers as strings, and some of them the time of the end ("expires_on") instead of the seconds left.
 */
#ifndef ADIT_AZURE_TOKEN_JSON_H
#define ADIT_AZURE_TOKEN_JSON_H

#include "base/err.h"
#include "token.h"

struct json_t;

/* Copies `text` as a token: ERR_PROTOCOL for one that cannot stand in a header, ERR_NOMEM. */
int token_value_copy(const char *text, char **out, struct err *err);

/* ERR_PROTOCOL when there is no usable access_token or no time that it lives, ERR_NOMEM. */
int token_json_parse(const struct json_t *root, struct token *out, struct err *err);

/* Wipes every text of an object: whatever a sign-in endpoint sends may be secret. Before json_decref(). */
void token_json_wipe(struct json_t *root);

#endif
