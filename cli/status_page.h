/*
 * status_page: the answer of "status" (docs/protocol.md) as the page a user keeps looking at.
 */
#ifndef ADIT_CLI_STATUS_PAGE_H
#define ADIT_CLI_STATUS_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"

/* columns: of the terminal, 0 = do not cut. Members that are missing are shown as "-". */
void status_page_print(const json_t *status, unsigned columns, bool colours, struct strbuf *out);

#endif
