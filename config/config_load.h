/*
 * config_load: the steps from text to snapshot, for text that is in memory already.
 *
 * Private to config/ and its tests. Thread: any.
 */
#ifndef ADIT_CONFIG_CONFIG_LOAD_H
#define ADIT_CONFIG_CONFIG_LOAD_H

#include "config.h"

#define CONFIG_FILE_MAX ((size_t)1024 * 1024) /* bytes */

/* As config_load(); `path` is what messages call the text and from whose directory relative paths are taken.
 */
int config_load_text(const struct config **out, const char *text, size_t len, const char *path,
                     struct config_problems *problems, struct err *err);

#endif
