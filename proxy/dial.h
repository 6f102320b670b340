/*
 * dial: a TCP connection to the first of several addresses that answers.
 *
 * The addresses are tried in order, each a little after the one before it (RFC 8305 §5), or at once when that
 * one failed; the first to connect wins. Thread: the loop's, for every function here; any loop will do.
 */
#ifndef ADIT_PROXY_DIAL_H
#define ADIT_PROXY_DIAL_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"

#define DIAL_STAGGER_MS 250
#define DIAL_ADDRESSES_MAX 8
#define DIAL_HOST_MAX 256

/* Where to connect: a numeric address, or (only for a VM behind `via`) a name that the VM in between
 * resolves. */
struct dial_address {
    char host[DIAL_HOST_MAX];
    uint16_t port;
};

/* "10.0.0.4:22", "[::1]:22" */
#define DIAL_TEXT_MAX (DIAL_HOST_MAX + 8)
void dial_address_text(const struct dial_address *a, char out[DIAL_TEXT_MAX]);

struct dial;

/* The receiver owns fd (non-blocking, close-on-exec, TCP_NODELAY set) when err is NULL; index says which
 * address it was. ERR_TIMEOUT, or the code of the last failure with what became of every address. */
typedef void (*dial_cb)(void *arg, int fd, size_t index, const struct err *err);

/* addresses are copied; at most DIAL_ADDRESSES_MAX are tried. deadline_ms is for all of them together. */
int dial_start(struct dial **out, uv_loop_t *loop, struct clock *clock, const struct dial_address *addresses,
               size_t count, uint32_t deadline_ms, dial_cb cb, void *arg, struct err *err);
void dial_cancel(struct dial *d); /* synchronous and silent */

#endif
