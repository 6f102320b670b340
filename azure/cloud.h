/*
 * cloud: where an Azure cloud's ARM and its sign-in live.
 */
#ifndef ADIT_AZURE_CLOUD_H
#define ADIT_AZURE_CLOUD_H

#include "base/err.h"

#define AZURE_ENDPOINT_MAX 256

struct azure_cloud {
    char arm[AZURE_ENDPOINT_MAX];   /* "https://management.azure.com", no slash at the end */
    char login[AZURE_ENDPOINT_MAX]; /* "https://login.microsoftonline.com" */
    char scope[AZURE_ENDPOINT_MAX]; /* "https://management.azure.com/.default" */
};

/* name: "public", "usgov", "china". AZURE_AUTHORITY_HOST overrides the sign-in host. ERR_INVAL lists the
 * known names. */
int azure_cloud_named(struct azure_cloud *out, const char *name, struct err *err);

/* Endpoints as given; both must be https. login may be NULL: the public one. */
int azure_cloud_custom(struct azure_cloud *out, const char *arm, const char *login, struct err *err);

#endif
