/*
 * via: a byte stream to a place that only another VM can reach, as one end of a socket pair.
 *
 * The other end belongs to a flow over a channel of that VM's pool; the VM is brought up when it is not.
 * Thread: the plane's loop.
 */
#ifndef ADIT_PROXY_VIA_H
#define ADIT_PROXY_VIA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dial.h"
#include "plane.h"

struct via;

struct via_events {
    /* Once, not inside via_open(). fd is the receiver's, connected to addresses[index]; or err, and the via
     * is gone. */
    void (*open)(void *arg, int fd, size_t index, const struct err *err);
    /* After open, once: the stream has ended (err NULL: in order). The via is gone. */
    void (*ended)(void *arg, const struct err *err);
};

/* vm: the one in between. The addresses (copied) are tried in order, as that VM sees them. deadline_ms is for
 * having its connection, and once more for it to reach an address. ERR_UNAVAILABLE (it was removed, or has
 * FAILED), ERR_INVAL (a loop), ERR_LIMIT, ERR_NOMEM, ERR_SYSTEM. */
int via_open(struct via **out, struct plane *plane, uint64_t vm, const struct dial_address *addresses,
             size_t count, uint32_t deadline_ms, const struct via_events *events, void *arg, struct err *err);
void via_close(struct via *v); /* silent; ends the stream */

/* via_dial.c: the same for the main loop. It answers with plane_ops.dialed, and the stream then lives until
 * one of its ends closes. */
void via_dial(struct plane *plane, uint64_t vm, const struct dial_address *addresses, size_t count,
              uint32_t deadline_ms, uint64_t req);
void via_close_all(struct plane *plane); /* those of via_dial */

#endif
