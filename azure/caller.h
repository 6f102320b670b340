/*
 * caller: the address from which this machine signed in, as Entra saw it.
 *
 * Source: the claim `ipaddr` of an access token (v1.0 tokens of people; an application's have none). The
 * token is meant for ARM and its contents are no promise: what is read is checked to be an address, and is a
 * proposal for a rule that the user sees before it is made. Thread: the loop's.
 */
#ifndef ADIT_AZURE_CALLER_H
#define ADIT_AZURE_CALLER_H

#include "azure.h"

#define AZURE_CALLER_MAX 64

/* From the token in use for `path` ("/subscriptions/…": which tenant's); call it after a request for it.
 * ERR_NOTFOUND: there is no such token, or it does not say, or says no address of the public network. */
int azure_caller_address(struct azure *a, const char *path, char out[AZURE_CALLER_MAX], struct err *err);

#endif
