/*
 * write: one change to Azure, begun as often as it takes while another operation is in its way, and followed
 * to its end.
 *
 * Private to prepare/. Thread: the loop's.
 */
#ifndef ADIT_PREPARE_WRITE_H
#define ADIT_PREPARE_WRITE_H

#include "azure/lro.h"
#include "base/clock.h"

struct write;

/* call as for azure_lro_start(): its deadline_ms is for all tries together. cb as azure_lro_cb, never inside.
 * A write that met another operation until the deadline ends with ARM's refusal and what to do. ERR_NOMEM,
 * and as azure_send(). */
int write_start(struct write **out, struct azure *azure, struct clock *clock, const struct azure_call *call,
                azure_lro_cb cb, void *arg, struct err *err);
void write_cancel(struct write *w); /* synchronous and silent; what ARM has begun goes on */

/* "another operation is in the way, next try in 7 s", or "" while nothing is. */
void write_note(const struct write *w, char *out, size_t size);

#endif
