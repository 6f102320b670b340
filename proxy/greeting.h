/*
 * greeting: the start of a flow of a dynamic forward, whose client says itself where it wants to go.
 *
 * Private to the flow (flow.c, flow_io.c). Thread: the plane's loop.
 */
#ifndef ADIT_PROXY_GREETING_H
#define ADIT_PROXY_GREETING_H

#include <stdbool.h>

#include "base/err.h"
#include "flow.h"

#define GREETING_MS 10000  /* for all that the client has to say */
#define GREETING_READ 4096 /* bytes of one read, and so the most that may come behind the request */
#define GREETING_MAX 256   /* clients of one worker that have not said it yet; the oldest makes room */

int greeting_start(struct flow *f, struct err *err); /* listens to the client; ERR_NOMEM, ERR_SYSTEM */

/* It failed before the client was told that it is connected: tells it why, in its protocol, and lets the flow
 * end in order. Calls out. */
void greeting_refuse(struct flow *f, const struct err *err);
void greeting_expired(struct flow *f); /* the client took too long; calls out */

bool greeting_opened(struct flow *f); /* tells it that it is connected; false: called out, the flow is gone */
void greeting_push(struct flow *f);   /* what came behind the request goes to the target, before the rest */

const struct err *greeting_error(const struct flow *f); /* why it was refused, or NULL */

/* None of these calls out; all take a flow without a greeting, too. */
void greeting_over(struct flow *f); /* the client is no longer listened to */
void greeting_free(struct flow *f);

#endif
