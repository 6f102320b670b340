/*
 * prepare_json: what a run of prepare tells, as the events of docs/protocol.md.
 */
#ifndef ADIT_DAEMON_PREPARE_JSON_H
#define ADIT_DAEMON_PREPARE_JSON_H

#include <jansson.h>

#include "prepare/prepare.h"

/* New references; NULL when out of memory. */
json_t *prepare_json_step(const struct prepare_outcome *o);
json_t *prepare_json_changed(enum prepare_step step, const char *text);
json_t *prepare_json_printed(const char *text);

/* "az", "powershell", "arm", "bicep"; PREPARE_FORM_NONE when it is none of them. */
enum prepare_form prepare_json_form(const char *name);

#endif
