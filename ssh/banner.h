/*
 * banner: the server's version line, read before an engine sees it, to notice at once what is no SSH server
 * (RFC 4253 §4.2).
 *
 * Thread: any.
 */
#ifndef ADIT_SSH_BANNER_H
#define ADIT_SSH_BANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SSH_BANNER_LINES_MAX 64 /* lines before the version, … */
#define SSH_BANNER_MAX 8192     /* … and bytes of them and it */

struct ssh_banner {
    bool done;
    char line[256];  /* the line that is being read, raw, then the version, printable */
    size_t len;      /* of the line, what does not fit is counted too */
    char first[128]; /* the first other line, printable: it may tell why the server hangs up */
    unsigned lines;
    size_t bytes;
};

/* Looks at the next bytes of the server. ERR_PROTOCOL, ERR_UNSUPPORTED (SSH 1). */
int ssh_banner_feed(struct ssh_banner *b, const uint8_t *data, size_t n, struct err *err);

#endif
