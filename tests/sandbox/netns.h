/*
 * netns: the namespaces that make every VM a machine of its own, with its own localhost and processes.
 *
 * One "fabric" network namespace holds a bridge, the virtual network. Each VM gets a network namespace joined
 * to the bridge by a veth pair, and a process namespace whose end takes every sshd and session with it. As
 * root these are made directly; another user gets them inside a user namespace. Where neither is allowed the
 * mode is NETNS_NONE: all VMs share this machine's loopback, and their services listen on the VM's own
 * 127.67.x.y instead of localhost.
 */
#ifndef ADIT_SANDBOX_NETNS_H
#define ADIT_SANDBOX_NETNS_H

#include "base/err.h"

enum netns_mode { NETNS_ROOT, NETNS_USER, NETNS_NONE };

struct netns {
    enum netns_mode mode;
    int net_fd, user_fd; /* -1 where there is none */
};

/* Makes the fabric. Never fails as a whole: mode NETNS_NONE with the reason in why. Call it before any thread
 * starts. */
void netns_fabric_open(struct netns *n, struct err *why);
void netns_fabric_close(struct netns *n);
const char *netns_mode_name(enum netns_mode mode);

/* In a single-threaded process of its own: enters fresh process, host name and (if any) user namespaces. The
 * caller continues as process 1 of the VM; the process that called stays outside, waits for it, and exits
 * with it. */
int netns_machine_enter(const struct netns *n, const char *hostname, struct err *err);

/* Then: a network namespace with localhost up and eth0 = private_address/16 on the fabric. serial: unique per
 * boot. */
int netns_network_enter(const struct netns *n, const char *private_address, unsigned serial, struct err *err);

/* netlink.c: the calls to the kernel behind it; all act in the calling thread's network namespace. */
int netlink_link_up(const char *name, struct err *err);
int netlink_address_set(const char *name, const char *address, const char *mask, struct err *err);
int netlink_bridge_new(const char *name, struct err *err);
/* A veth pair: `name` here, on `bridge`; `peer` in the namespace peer_ns. */
int netlink_veth_new(const char *name, const char *bridge, const char *peer, int peer_ns, struct err *err);

#endif
