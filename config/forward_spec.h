/*
 * forward_spec: one forward as ssh(1) writes it after -L, -D or -R, taken apart.
 *
 *   -L  [bind:]port:host:hostport   [bind:]port:/remote.sock   /local.sock:host:hostport
 * /local.sock:/remote.sock 3389 (bare: short for 3389:localhost:3389) -D  [bind:]port -R  as -L, the
 * listening side first; or as -D (then the target is empty: a SOCKS proxy at the VM) IPv6 addresses stand in
 * brackets. Bind "" or "*" means all interfaces, absent or "localhost" means loopback (OpenSSH's ssh(1), -L).
 * Pure functions; any thread.
 */
#ifndef ADIT_CONFIG_FORWARD_SPEC_H
#define ADIT_CONFIG_FORWARD_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum forward_kind { FORWARD_LOCAL, FORWARD_DYNAMIC, FORWARD_REMOTE };

/* A place to listen at or to connect to: TCP when path is NULL. */
struct forward_end {
    char *host;    /* without brackets; for the listening end NULL = loopback (both families), "*" = every
                      address */
    uint16_t port; /* 0 only on a listening end: let the system choose */
    char *path;    /* absolute path of a Unix socket, or NULL */
};

struct forward_spec {
    enum forward_kind kind;
    char *text;                /* as the user wrote it: the forward's name in every message */
    struct forward_end listen; /* where connections come in */
    struct forward_end
        target; /* where they go, seen from the other side; empty for FORWARD_DYNAMIC and such -R */
};

/* ERR_INVAL with a message that names the part that is wrong and shows a right one. *out is filled only on
 * success. */
int forward_spec_parse(struct forward_spec *out, enum forward_kind kind, const char *text, struct err *err);
int forward_spec_copy(struct forward_spec *out, const struct forward_spec *in); /* ERR_NOMEM */
void forward_spec_done(struct forward_spec *s);

/* Whether both listen at the same place (so that they cannot both be up), whatever their targets. A wildcard
 * takes its port from every address of its family. Two of FORWARD_REMOTE are taken to be of one VM. */
bool forward_spec_same_listener(const struct forward_spec *a, const struct forward_spec *b);

/* Canonical text "localhost:3389:localhost:3389" (loopback is "localhost", hosts in lower case) for comparing
 * forwards written differently; the kind is not in it. NULL when out of memory; mem_free(). */
char *forward_spec_canonical(const struct forward_spec *s);

#endif
