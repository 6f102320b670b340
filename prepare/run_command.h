/*
 * run_command: a script on the VM by its agent: the body of the request, and what came of it.
 *
 * Private to prepare/. Source: Microsoft.Compute/virtualMachines/runCommand (POST); one at a time a VM.
 */
#ifndef ADIT_PREPARE_RUN_COMMAND_H
#define ADIT_PREPARE_RUN_COMMAND_H

#include <stdbool.h>

#include "calls.h"

#define RUN_COMMAND_MS 600000u
#define RUN_COMMAND_QUERY "api-version=" COMPUTE_API

/* NULL when out of memory. */
struct json_t *run_command_body(bool windows, const char *script);

/* Runs it on the VM of the run. script: taken over (mem_free); NULL is out of memory. */
int run_command(struct prepare_run *run, char *script, call_cb done, size_t tag, struct err *err);

/* Whether standard output has that line. Otherwise ERR_UNAVAILABLE with what the script complained of, or
 * what ARM's answer lacks. */
int run_command_said(const struct json_t *result, const char *line, struct err *err);

#endif
