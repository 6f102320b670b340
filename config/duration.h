/*
 * duration: times as people write them: "500ms", "30s", "5m", "1h", and "0" for off.
 *
 * Private to config/. Pure functions; any thread.
 */
#ifndef ADIT_CONFIG_DURATION_H
#define ADIT_CONFIG_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DURATION_TEXT_MAX 24

/* Milliseconds. ERR_INVAL: malformed, or more than 1000 h. */
int duration_parse(uint32_t *out_ms, const char *text, struct err *err);

/* The shortest text that parses back. */
void duration_text(char out[DURATION_TEXT_MAX], uint32_t ms);

#endif
