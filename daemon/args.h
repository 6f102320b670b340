/*
 * args: reads the members of a request's arguments, with an error that names the member.
 *
 * Each returns 0 or ERR_INVAL; an absent optional member leaves *out as it was.
 */
#ifndef ADIT_DAEMON_ARGS_H
#define ADIT_DAEMON_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

int args_bool(const json_t *args, const char *key, bool *out, struct err *err);
int args_u32(const json_t *args, const char *key, uint32_t min, uint32_t max, uint32_t *out, struct err *err);
/* Borrowed; at most 1024 bytes, not empty. required: absence is an error too. */
int args_text(const json_t *args, const char *key, bool required, const char **out, struct err *err);
/* An array of at most max such texts (or absent: NULL). Borrowed. */
int args_texts(const json_t *args, const char *key, size_t max, json_t **out, struct err *err);

#endif
