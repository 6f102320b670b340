/*
 * config_json: the parts of a snapshot's JSON, shared by the files that write it.
 *
 * Private to config/. Each gives a new reference, or NULL when out of memory. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_CONFIG_JSON_H
#define ADIT_CONFIG_CONFIG_JSON_H

#include <jansson.h>

#include "config.h"

json_t *config_json_texts(char *const *texts, size_t count);
json_t *config_json_ssh(const struct config_ssh *s);

/* Setting → "adit.yaml", "ssh_config" or "default". */
json_t *config_json_sources(const struct config_ssh *s, bool has_via);

#endif
