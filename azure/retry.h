/*
 * retry: whether and when to try a request again (ARM's rules for 429 and Retry-After; jittered exponential
 * back-off).
 */
#ifndef ADIT_AZURE_RETRY_H
#define ADIT_AZURE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define RETRY_STOP (-1)

/* Zero-initialise for each request. */
struct retry {
    unsigned throttled, failed, unconnected; /* tries that ended so */
};

/* Milliseconds to wait before the next try, or RETRY_STOP. `repeatable`: doing it twice does no harm; one
 * that is not is tried again only if it was certainly not done. The caller compares with its deadline. */
int64_t retry_next(struct retry *r, const struct http_reply *reply, bool repeatable);

/* Seconds of a reply's Retry-After (a number, or a date: RFC 9110 section 10.2.3), -1 when absent or
 * senseless. */
long retry_after_s(const struct http_reply *reply);

#endif
