/*
 * suggest: what the user may have meant by a word that is not one of the allowed ones.
 *
 * Private to config/. Pure; any thread.
 */
#ifndef ADIT_CONFIG_SUGGEST_H
#define ADIT_CONFIG_SUGGEST_H

#include <stddef.h>

struct suggest {
    const char *word; /* what was written */
    const char *best; /* borrowed; NULL while nothing is near enough */
    size_t distance;  /* private */
};

void suggest_init(struct suggest *s, const char *word);
void suggest_offer(struct suggest *s, const char *candidate); /* remembers the nearest of all offered */

#endif
