/*
 * login: what azure.c needs of the sign-in by device code, whose public face is in azure.h.
 */
#ifndef ADIT_AZURE_LOGIN_H
#define ADIT_AZURE_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOGIN_CODE_MAX 64
#define LOGIN_URI_MAX 256
#define LOGIN_TEXT_MAX 512

struct json_t;

/* The answer of the devicecode endpoint, checked. */
struct login_code {
    char user_code[LOGIN_CODE_MAX], verification_uri[LOGIN_URI_MAX], message[LOGIN_TEXT_MAX];
    char *device_code; /* secret; owned */
    uint32_t expires_s, interval_s;
};

int login_code_parse(struct login_code *out, const struct json_t *root,
                     struct err *err); /* ERR_PROTOCOL, ERR_NOMEM */
void login_code_done(struct login_code *c);

/* Who signed in, by the token endpoint's id_token: texts stay empty where it does not say. Its signature is
 * not checked: it came straight from the endpoint (OpenID Connect Core 3.1.3.7, 6), and is for showing only.
 */
struct login_who {
    char user[256], tenant[64];
};
void login_who_parse(struct login_who *out, const char *id_token);

#endif
