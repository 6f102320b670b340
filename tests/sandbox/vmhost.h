/*
 * vmhost: the process that is a VM: it lives in the VM's namespaces and runs its services, its sshd and its
 * relay.
 *
 * The sandbox starts it as `adit-sandbox vm-host JSON` with descriptor 3 a SOCK_SEQPACKET socket to the
 * sandbox, 4 the fabric's network namespace, 5 its user namespace. It says READY (or what went wrong) once,
 * then answers each request with one reply. The end of the socket is the end of the VM.
 */
#ifndef ADIT_SANDBOX_VMHOST_H
#define ADIT_SANDBOX_VMHOST_H

#include <stdint.h>

#include "relay.h"

#define VMHOST_CONTROL_FD 3
#define VMHOST_NET_FD 4
#define VMHOST_USER_FD 5

enum vmhost_verb {
    VMHOST_READY,    /* the unasked first reply */
    VMHOST_OPEN,     /* + descriptor of the public listener: accept on it */
    VMHOST_SSHD,     /* start sshd if it does not run */
    VMHOST_KILL_SSH, /* kill -9 sshd and all its sessions; answered when a new sshd accepts */
    VMHOST_FAULTS,
    VMHOST_RESET,
    VMHOST_STATS,
};

struct vmhost_request {
    uint32_t verb;
    struct relay_faults faults;
};

struct vmhost_reply {
    uint32_t verb;
    struct err err; /* code 0: done */
    struct relay_stats stats;
};

int vmhost_main(const char *json); /* returns the exit status */

#endif
