/*
 * endpoint: whether a URL that ARM handed out may be given the token.
 */
#ifndef ADIT_AZURE_ENDPOINT_H
#define ADIT_AZURE_ENDPOINT_H

#include <stdbool.h>

/* True when `url` is https, names no user, and has the host and port of `endpoint`. */
bool endpoint_owns(const char *endpoint, const char *url);

#endif
