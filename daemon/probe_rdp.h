/*
 * probe_rdp: RDP's first request and what an answer to it looks like.
 *
 * Source: MS-RDPBCGR §2.2.1.1 (X.224 Connection Request with an RDP Negotiation Request), §2.2.1.2
 * (Connection Confirm), RFC 1006 §6 (TPKT). Pure. Thread: any.
 */
#ifndef ADIT_DAEMON_PROBE_RDP_H
#define ADIT_DAEMON_PROBE_RDP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PROBE_RDP_REQUEST_SIZE 19
extern const uint8_t PROBE_RDP_REQUEST[PROBE_RDP_REQUEST_SIZE]; /* offers TLS and CredSSP */

#define PROBE_RDP_ANSWER_MAX 64

/* Zero-initialise. */
struct probe_rdp {
    uint8_t data[PROBE_RDP_ANSWER_MAX];
    size_t len;
    char text[64]; /* once it answers, for people: "with network level authentication" */
};

/* Looks at the next bytes of the server. 1: RDP answers; 0: more is needed; ERR_PROTOCOL: that is no RDP. */
int probe_rdp_feed(struct probe_rdp *p, const uint8_t *data, size_t n, struct err *err);

#endif
