/*
 * door: the listening socket at a VM's public address, which is open, shut (refuses) or swallows what knocks.
 *
 * Swallowing is done by the kernel: a listener whose queue has no place and is full drops every SYN, as a
 * firewall does.
 */
#ifndef ADIT_SANDBOX_DOOR_H
#define ADIT_SANDBOX_DOOR_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"

enum door_state { DOOR_SHUT, DOOR_OPEN, DOOR_SWALLOW };

struct door {
    enum door_state state;
    int fd;     /* -1 when shut */
    int filler; /* our own connection that fills the queue, -1 when there is none */
    struct sockaddr_in at;
};

void door_init(struct door *d);

/* Opens (or keeps) a listener at address:port in the wanted state. ERR_EXISTS: the address is in use. */
int door_set(struct door *d, const char *address, uint16_t port, enum door_state state, struct err *err);
void door_shut(struct door *d); /* also ends the copies of the listener that other processes hold */

/* 22 where we may listen on it, else the first port above 2200 that the documentation names: 2222. */
uint16_t door_port(const char *address);

#endif
