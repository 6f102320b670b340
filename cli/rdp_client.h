/*
 * rdp_client: the RDP clients that adit knows: which of them is here, and how each is told where to connect.
 */
#ifndef ADIT_CLI_RDP_CLIENT_H
#define ADIT_CLI_RDP_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define RDP_CLIENT_EXTRA_MAX 64

struct rdp_client;

/* name: NULL for the first of those known that is in PATH; else one of them, or any program that takes
 * ADDRESS:PORT as its last argument. NULL with err set: ERR_NOTFOUND with what to install. */
const struct rdp_client *rdp_client_find(const char *name, struct err *err);

/* The name of the i-th client that adit knows; NULL behind the last. */
const char *rdp_client_program(size_t i);

/* Starts it on 127.0.0.1:port with the user's extra words. Returns its process, or an error code. */
pid_t rdp_client_start(const struct rdp_client *c, uint32_t port, char **extra, int extra_count,
                       struct err *err);

/* Writes a .rdp file (the "property:type:value" lines that mstsc and Microsoft's other clients read). */
int rdp_file_write(const char *path, uint32_t port, struct err *err);

#endif
