/*
 * host_keys: the lines of adit's known_hosts file that speak of one VM, under the name that ssh asks for.
 */
#ifndef ADIT_CLI_HOST_KEYS_H
#define ADIT_CLI_HOST_KEYS_H

#include <stdbool.h>

#include "base/strbuf.h"

/* Appends to out "AS TYPE KEY" for each line of `text` whose host is `host` (case does not count), with a
 * @revoked in front kept. vm_id: NULL, or lines marked with another vmId are left out: they are of an earlier
 * VM of this name. reported: lines that Azure did not report (without "source=arm") are left out too. Hashed
 * names and certificate authorities are not looked at: adit writes none. */
void host_keys_pick(const char *text, const char *host, const char *vm_id, bool reported, const char *as,
                    struct strbuf *out);

#endif
