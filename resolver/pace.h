/*
 * pace: direct look-ups keep below what ARM grants, so that a fleet that is off is no storm.
 *
 * ARM's bucket for reads, of one caller in one subscription, holds 250 and gains 25 a second. A part of it is
 * left to others who use the same identity. Thread: the loop's.
 */
#ifndef ADIT_RESOLVER_PACE_H
#define ADIT_RESOLVER_PACE_H

#include "base/clock.h"
#include "base/err.h"

#define PACE_BURST 200u
#define PACE_EVERY_MS 50u /* 20 a second */

struct pace;

int pace_new(struct pace **out, struct clock *clock, struct err *err); /* ERR_NOMEM */
void pace_free(struct pace *p);                                        /* NULL is fine */

/* Takes so many reads; returns after how many milliseconds they may be sent. Nothing is taken when that is
 * more than max_ms, and nothing is held back when out of memory. */
uint64_t pace_take(struct pace *p, const char *subscription, unsigned reads, uint64_t max_ms);

#endif
