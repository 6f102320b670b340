/*
 * print: a plan as somebody else would do it: commands for the Azure CLI or PowerShell, an ARM template,
 * Bicep.
 */
#ifndef ADIT_PREPARE_PRINT_H
#define ADIT_PREPARE_PRINT_H

#include "plan.h"

/* A new string (mem_free), NULL when out of memory. What a form cannot express (a template cannot start a VM)
 * is said in it as a comment, in ARM JSON as `metadata.comments`. A plan without steps gives a comment that
 * says so. */
char *print_plan(const struct plan *p, enum prepare_form form);

/* One file each. */
char *print_az(const struct plan *p);         /* POSIX sh */
char *print_powershell(const struct plan *p); /* Az module */
char *print_arm(const struct plan *p);        /* template, "$schema" 2019-04-01 */
char *print_bicep(const struct plan *p);

#endif
