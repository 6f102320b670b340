/*
 * relay: a long link between two local TCP connections.
 *
 * Thread: one.
 */
#ifndef ADIT_BENCH_RELAY_H
#define ADIT_BENCH_RELAY_H

#include <stdint.h>

#include "base/err.h"
#include "pipe.h"

/* Listens on 127.0.0.1:port (0: a free one, printed as {"port":N}) and leads to 127.0.0.1:to, each direction
 * over a line like the given one. Returns only when it could not begin. */
int link_relay_run(uint16_t port, uint16_t to, const struct link_line *line, struct err *err);

#endif
