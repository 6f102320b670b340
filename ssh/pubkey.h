/*
 * pubkey: the public key that a login with these identities and this agent would show first, as a line of
 * authorized_keys.
 *
 * Thread: the loop's; files are read on the pool of threads.
 */
#ifndef ADIT_SSH_PUBKEY_H
#define ADIT_SSH_PUBKEY_H

#include <stddef.h>
#include <uv.h>

#include "base/err.h"

struct ssh_pubkey;

struct ssh_pubkey_want {
    uv_loop_t *loop;
    const char *const *identities; /* private key files, in order; copied */
    size_t identity_count;
    const char *agent_socket; /* asked when no file has one; or NULL; copied */
};

/* Exactly once, never inside ssh_pubkey_find(). line: "TYPE BASE64[ COMMENT]" without a line end; from: the
 * file, or "the agent"; both valid for the call. NULL with err: ERR_NOTFOUND (there is none), ERR_NOMEM. */
typedef void (*ssh_pubkey_cb)(void *arg, const char *line, const char *from, const struct err *err);

/* Even a locked private key tells its public half, or the file beside it does, which has the comment; one
 * that cannot be used is passed over. ERR_NOMEM, ERR_SYSTEM. */
int ssh_pubkey_find(struct ssh_pubkey **out, const struct ssh_pubkey_want *want, ssh_pubkey_cb cb, void *arg,
                    struct err *err);
void ssh_pubkey_cancel(struct ssh_pubkey *p); /* synchronous and silent */

#endif
