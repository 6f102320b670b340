/*
 * tun: the modelled link under TCP instead of between two TCPs: packets of a TUN device, each delayed on its
 * own.
 *
 * The device has LINK_NEAR; whoever connects to LINK_FAR gets what listens on LINK_NEAR, because each packet
 * comes back out of the device with its two addresses swapped. Thus both ends of a connection are real and
 * one kernel's, and slow start, acknowledgements and Nagle's algorithm meet the delay as they would on a
 * wire. The bottleneck's queue drops what does not fit. Needs CAP_NET_ADMIN, best in a network namespace of
 * its own. Thread: one.
 */
#ifndef ADIT_BENCH_TUN_H
#define ADIT_BENCH_TUN_H

#include <stdint.h>

#include "base/err.h"
#include "pipe.h"

#define LINK_DEVICE "adit-link"
#define LINK_NEAR "198.18.0.1" /* of the range for benchmarks, RFC 2544 appendix C.2.2 */
#define LINK_FAR "198.18.0.2"
#define LINK_PORTS_MAX 4

struct link_tun {
    int fd;
    struct link_line up, down;
    uint64_t queue_ns;              /* the longest a packet waits for the bottleneck */
    uint16_t ports[LINK_PORTS_MAX]; /* of the far side: packets to them go up, others down */
    unsigned port_count;
};

/* Creates the device, without address and down: `ip` does the rest. ERR_DENIED, ERR_SYSTEM. */
int link_tun_open(struct link_tun *t, struct err *err);

/* Carries packets until the device is gone. */
void link_tun_run(struct link_tun *t);

#endif
