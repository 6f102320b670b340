/*
 * print_text: what the printers share. Private to prepare/.
 */
#ifndef ADIT_PREPARE_PRINT_TEXT_H
#define ADIT_PREPARE_PRINT_TEXT_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "plan.h"

#define PRINT_COMMAND_NAME "adit-key" /* of the managed Run Command in a template */
#define PRINT_COMMAND_API "2022-03-01"
#define PRINT_DEPLOYMENT_API "2024-03-01"
#define PRINT_TEMPLATE_SCHEMA                                                                                \
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
#define PRINT_NOTES_MAX 8

/* The parts of a resource ID that commands and templates name one by one; owned. */
struct print_id {
    char *subscription, *group, *name;
};
int print_id_init(struct print_id *d, const char *id); /* ERR_NOMEM, and nothing is owned */
void print_id_done(struct print_id *d);
/* Whether it lies in the VM's own resource group, where a template is deployed. */
bool print_id_near(const struct print_id *d, const struct plan *p);

bool print_has(const struct plan *p, enum prepare_step s);

/* What a reader of a template has to know: sentences, the first `return` of notes[]. */
unsigned print_notes(const struct plan *p, const char *notes[PRINT_NOTES_MAX]);

#endif
