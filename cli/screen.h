/*
 * screen: a page that is refreshed in place.
 */
#ifndef ADIT_CLI_SCREEN_H
#define ADIT_CLI_SCREEN_H

#include <stdbool.h>

struct screen {
    bool terminal; /* otherwise pages follow each other */
    bool first;
};

void screen_begin(struct screen *s); /* the terminal's other screen, cursor hidden */
void screen_show(struct screen *s, const char *page);
void screen_end(struct screen *s); /* as it was before */

#endif
