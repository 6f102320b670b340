/*
 * probe_rdp: RDP's first request and what an answer to it looks like.
 */
#include "probe_rdp.h"

#include <stdio.h>
#include <string.h>

#define TPKT_VERSION 3
#define TPKT_SIZE 4
#define X224_SIZE 7 /* length indicator to class, of a request and of a confirm */
#define X224_REQUEST 0xE0
#define X224_CONFIRM 0xD0
#define NEG_REQUEST 1
#define NEG_RESPONSE 2
#define NEG_FAILURE 3
#define NEG_SIZE 8
#define PROTOCOL_TLS 1
#define PROTOCOL_CREDSSP 2
#define PROTOCOL_CREDSSP_EX 8

const uint8_t PROBE_RDP_REQUEST[PROBE_RDP_REQUEST_SIZE] = {TPKT_VERSION,
                                                           0,
                                                           0,
                                                           PROBE_RDP_REQUEST_SIZE,
                                                           X224_SIZE - 1 + NEG_SIZE,
                                                           X224_REQUEST,
                                                           0,
                                                           0,
                                                           0,
                                                           0,
                                                           0,
                                                           NEG_REQUEST,
                                                           0,
                                                           NEG_SIZE,
                                                           0,
                                                           PROTOCOL_TLS | PROTOCOL_CREDSSP,
                                                           0,
                                                           0,
                                                           0};

static void describe(struct probe_rdp *p, size_t size)
{
    const uint8_t *neg = p->data + TPKT_SIZE + X224_SIZE;
    const char *what = "with its own encryption";
    if (size >= TPKT_SIZE + X224_SIZE + NEG_SIZE && neg[0] == NEG_FAILURE) {
        snprintf(p->text, sizeof p->text, "but offers no TLS (failure %u)", neg[4]);
        return;
    }
    if (size >= TPKT_SIZE + X224_SIZE + NEG_SIZE && neg[0] == NEG_RESPONSE) {
        if (neg[4] & (PROTOCOL_CREDSSP | PROTOCOL_CREDSSP_EX))
            what = "with network level authentication";
        else if (neg[4] & PROTOCOL_TLS)
            what = "with TLS";
    }
    snprintf(p->text, sizeof p->text, "%s", what);
}

int probe_rdp_feed(struct probe_rdp *p, const uint8_t *data, size_t n, struct err *err)
{
    size_t room = sizeof p->data - p->len, taken = n < room ? n : room;
    memcpy(p->data + p->len, data, taken);
    p->len += taken;
    if (p->len > 0 && p->data[0] != TPKT_VERSION)
        return err_set(err, ERR_PROTOCOL, "what answers is no RDP server");
    if (p->len < TPKT_SIZE)
        return 0;
    size_t size = (size_t)p->data[2] << 8 | p->data[3];
    if (size < TPKT_SIZE + X224_SIZE || size > sizeof p->data)
        return err_set(err, ERR_PROTOCOL, "what answers is no RDP server");
    if (p->len < size)
        return 0;
    if (p->data[TPKT_SIZE] < X224_SIZE - 1 || p->data[TPKT_SIZE + 1] != X224_CONFIRM)
        return err_set(err, ERR_PROTOCOL, "what answers is no RDP server");
    describe(p, size);
    return 1;
}
