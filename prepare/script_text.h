/*
 * script_text: the fixed texts of the scripts, one file a system. Private to prepare/.
 *
 * key64, user64: base64. Each returns a new string (mem_free), NULL when out of memory.
 */
#ifndef ADIT_PREPARE_SCRIPT_TEXT_H
#define ADIT_PREPARE_SCRIPT_TEXT_H

#include <stdbool.h>

/* add: else take away. known: the user is known to be an administrator; Windows is not asked. */
char *script_linux_key(bool add, const char *key64, const char *user64);
char *script_windows_key(bool add, const char *key64, const char *user64, bool known);
char *script_linux_host_keys(void);
char *script_windows_host_keys(void);

#endif
