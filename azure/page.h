/*
 * page: a list of ARM's that comes in pages, followed by nextLink to its end.
 *
 * Source: ARM's {"value": […], "nextLink"?}. nextLink is used verbatim and only when it points to the cloud's
 * own ARM host. Thread: the loop's.
 */
#ifndef ADIT_AZURE_PAGE_H
#define ADIT_AZURE_PAGE_H

#include "azure.h"

#define AZURE_PAGES_MAX 1000

struct azure_pages;

/* Once a page, in order, never inside azure_pages_start(): `value` is the page's array, borrowed for the
 * call, `last` true with the final one. After a failure once more with value NULL and err set, and then no
 * more. azure_pages_cancel() may be called from it, unless it was the last. */
typedef void (*azure_page_cb)(void *arg, const struct json_t *value, bool last, const struct err *err);

/* path as in struct azure_call; deadline_ms is for all pages together, 0 = 30 s. Errors as azure_send(). */
int azure_pages_start(struct azure *a, const char *path, uint32_t deadline_ms, azure_page_cb cb, void *arg,
                      struct azure_pages **out, struct err *err);
void azure_pages_cancel(struct azure_pages *p); /* synchronous and silent */

#endif
