/*
 * harden: what a process that holds keys and tokens sets before it reads any, and the limits it needs.
 */
#ifndef ADIT_DAEMON_HARDEN_H
#define ADIT_DAEMON_HARDEN_H

/* No core dumps, no ptrace by others of the same user, SIGPIPE ignored, as many descriptors as allowed,
 * jansson's allocations through base/mem.h. Before threads start. Nothing in it can fail in a way that
 * matters. */
void harden_process(void);

#endif
