/*
 * credential: the few lines that several kinds of credential need.
 */
#include "credential.h"

#include <stdlib.h>

#include "text.h"

const char *credential_setting(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

int credential_assertion_add(struct blob *form, const char *jwt)
{
    static const char type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    int rc = text_form_add(form, "client_assertion_type", type);
    return rc ? rc : text_form_add(form, "client_assertion", jwt);
}

int credential_form(struct blob *form, const char *grant, const char *client,
                    const struct credential_ask *ask)
{
    int rc = text_form_add(form, "grant_type", grant);
    if (!rc)
        rc = text_form_add(form, "client_id", client);
    if (!rc)
        rc = text_form_add(form, "scope", ask->scope);
    if (!rc && ask->claims)
        rc = text_form_add(form, "claims", ask->claims);
    return rc;
}
