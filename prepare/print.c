/*
 * print: picks the printer of a form.
 */
#include "print.h"

#include "base/mem.h"

char *print_plan(const struct plan *p, enum prepare_form form)
{
    switch (form) {
    case PREPARE_FORM_AZ:
        return print_az(p);
    case PREPARE_FORM_POWERSHELL:
        return print_powershell(p);
    case PREPARE_FORM_ARM:
        return print_arm(p);
    case PREPARE_FORM_BICEP:
        return print_bicep(p);
    case PREPARE_FORM_NONE:
        break;
    }
    return mem_strdup("");
}
