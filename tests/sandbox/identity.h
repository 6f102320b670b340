/*
 * identity: the services that hand a machine the token of its managed identity: IMDS of a VM, App Service's
 * endpoint, Azure Arc's agent. All three are on one plain HTTP port on loopback.
 *
 * Sources: "How to use managed identities on a VM to acquire a token", "… for App Service and Azure
 * Functions", "Authenticate against Azure resources with Azure Arc-enabled servers".
 */
#ifndef ADIT_SANDBOX_IDENTITY_H
#define ADIT_SANDBOX_IDENTITY_H

#include "base/err.h"
#include "http.h"
#include "world.h"

struct sandbox;

#define IDENTITY_PATH "/metadata/identity/oauth2/token"
#define IDENTITY_APP_PATH "/msi/token"
#define IDENTITY_ARC_PATH "/arc" IDENTITY_PATH

struct identity {
    struct http http;
    char header[WORLD_UUID_LEN]; /* what X-IDENTITY-HEADER must be */
    char arc_dir[300];           /* where Arc's key files are */
    char arc_path[400];          /* of the newest one; "" before there is one */
    char arc_key[80];
    unsigned fail_status, fail_left; /* so many answers are this status */
};

int identity_start(struct sandbox *sb, struct err *err);
void identity_stop(struct sandbox *sb);

/* env_identity.c: DIR/env.*, and the files that they name. */
int env_identity_write(struct sandbox *sb, struct err *err);

#endif
