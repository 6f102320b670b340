/*
 * assertion: makes a client assertion from a certificate file, on a thread of the pool.
 *
 * Reading a file on a slow disk and unlocking a key that is protected as it should be take long enough to
 * hold the loop up. Thread: the loop's, for both functions.
 */
#ifndef ADIT_AZURE_ASSERTION_H
#define ADIT_AZURE_ASSERTION_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "blob.h"
#include "jwt.h"

struct assertion;

/* All copied. */
struct assertion_ask {
    const char *path, *password; /* password may be NULL */
    const char *client, *audience;
    enum jwt_alg alg;
    bool with_chain;
};

/* Exactly once, never inside assertion_start(). jwt is wiped when it returns. */
typedef void (*assertion_cb)(void *arg, const struct blob *jwt, const struct err *err);

int assertion_start(uv_loop_t *loop, const struct assertion_ask *ask, assertion_cb cb, void *arg,
                    struct assertion **out, struct err *err); /* ERR_NOMEM, ERR_SYSTEM */
void assertion_cancel(struct assertion *a); /* silent; the thread's work runs out on its own */

#endif
