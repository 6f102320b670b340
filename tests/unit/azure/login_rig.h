/*
 * login_rig: a cred_rig whose sign-in endpoint hands out a code, and a clock that the test moves.
 */
#ifndef ADIT_TESTS_LOGIN_RIG_H
#define ADIT_TESTS_LOGIN_RIG_H

#include "cred_rig.h"

#define CODE_ROUTE "POST /organizations/oauth2/v2.0/devicecode"
#define TOKEN_ROUTE "POST /organizations/oauth2/v2.0/token"
#define HOME_ROUTE "POST /" RIG_TENANT "/oauth2/v2.0/token"
#define CODE                                                                                                 \
    "{\"user_code\":\"ABCD1234\",\"device_code\":\"device-secret\",\"verification_uri\":"                    \
    "\"https://microsoft.com/devicelogin\",\"expires_in\":900,\"interval\":5,\"message\":\"To sign in, use " \
    "a web "                                                                                                 \
    "browser\"}"
#define QUICK_CODE                                                                                           \
    "{\"user_code\":\"A\",\"device_code\":\"device-secret\",\"verification_uri\":\"https://"                 \
    "x\",\"interval\":\"1\"}"
#define PENDING "{\"error\":\"authorization_pending\",\"error_description\":\"AADSTS70016: pending\"}"
#define SLOW "{\"error\":\"slow_down\"}"
/* {"preferred_username":"ann@example.com","tid":RIG_TENANT} */
#define ID_TOKEN                                                                                             \
    "eyJhbGciOiJub25lIn0."                                                                                   \
    "eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhbm5AZXhhbXBsZS5jb20iLCJ0aWQiOiIxMTExMTExMS0xMTExLTExMTEtMTExMS0xMTExMT" \
    "ExMTExMT"                                                                                               \
    "EifQ.c2ln"
#define SIGNED_IN                                                                                            \
    "{\"access_token\":\"first\",\"expires_in\":3600,\"refresh_token\":\"refresh-one\",\"id_token\":"        \
    "\"" ID_TOKEN "\"}"
#define RENEWED(access, refresh)                                                                             \
    "{\"access_token\":\"" access "\",\"expires_in\":3600,\"refresh_token\":\"" refresh "\"}"

/* What the callbacks of azure_login() were told. */
struct login_seen {
    unsigned prompts, count;
    char code[64], uri[128], message[256], user[128];
    uint32_t expires_s;
    struct err err;
};

void login_on_prompt(void *arg, const struct azure_prompt *prompt); /* arg: struct login_seen */
void login_on_done(void *arg, const char *user, const struct err *err);

int login_setup(void **state); /* with cred_teardown() */
struct azure_login *login_start(struct cred_rig *c, struct login_seen *s);
void login_done(struct cred_rig *c); /* somebody has signed in */
void login_done_after(struct cred_rig *c, unsigned interval_ms);

#endif
