/*
 * managed: the services that hand out the tokens of a managed identity, and what their answers mean.
 *
 * Private to the credential "managed-identity". Each service is a credential kind of its own, begun by
 * credential_managed.c, which knows by the environment which one is there.
 */
#ifndef ADIT_AZURE_MANAGED_H
#define ADIT_AZURE_MANAGED_H

#include "credential.h"
#include "metadata.h"

extern const struct credential_kind managed_imds; /* a VM or scale set */
extern const struct credential_kind managed_app;  /* App Service, Functions, Container Apps */
extern const struct credential_kind managed_arc;  /* a machine outside of Azure that Azure Arc manages */

/* "{endpoint}?api-version={version}&resource=…[&client_id=…]", in a blob. ERR_NOMEM. */
int managed_url(struct blob *out, const char *endpoint, const char *version, const char *scope,
                const char *client);

/* 0 and a token, or why there is none: ERR_NOTFOUND when the machine has no such identity. `service`: "IMDS".
 */
int managed_reply_parse(const char *service, const struct http_reply *reply, struct token *out,
                        struct err *err);

/* Reads the file that Arc's challenge names, if it is one that Arc can have written: directly in `dir`,
 * *.key, no link, at most 4096 bytes. out gets its text without the line's end. ERR_DENIED for any other. */
int managed_arc_key_read(struct blob *out, const char *dir, const char *path, struct err *err);

/* What a realm="…" of a WWW-Authenticate header names; false when there is none. */
bool managed_arc_realm(const char *header, char *out, size_t size);

#endif
