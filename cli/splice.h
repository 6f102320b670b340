/*
 * splice: carries bytes between two descriptors and a socket, with exact half-close in both directions.
 */
#ifndef ADIT_CLI_SPLICE_H
#define ADIT_CLI_SPLICE_H

#include "base/err.h"

/* in → sock and sock → out, until both have ended. The end of `in` becomes the socket's end of sending; the
 * socket's end closes `out`, and `in` goes on. When nobody reads `out` any more, it ends at once: the process
 * it served is gone. Flags of the descriptors are put back. ERR_CLOSED (a reset), ERR_SYSTEM. */
int splice_run(int in, int out, int sock, struct err *err);

#endif
