/*
 * print_text: what the printers share: parts of resource IDs, and what a template cannot do.
 */
#include "print_text.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ref.h"

static char *segment(const char *id, unsigned n)
{
    size_t len;
    const char *p = ref_segment(id, n, &len);
    return mem_strndup(p, len);
}

int print_id_init(struct print_id *d, const char *id)
{
    d->subscription = segment(id, 2);
    d->group = segment(id, 4);
    d->name = mem_strdup(ref_name(id));
    if (d->subscription && d->group && d->name)
        return 0;
    print_id_done(d);
    return ERR_NOMEM;
}

void print_id_done(struct print_id *d)
{
    mem_free(d->subscription);
    mem_free(d->group);
    mem_free(d->name);
    memset(d, 0, sizeof *d);
}

bool print_id_near(const struct print_id *d, const struct plan *p)
{
    return strcasecmp(d->subscription, p->subscription) == 0 && strcasecmp(d->group, p->group) == 0;
}

bool print_has(const struct plan *p, enum prepare_step s)
{
    return p->steps & PREPARE_BIT(s);
}

unsigned print_notes(const struct plan *p, const char *notes[PRINT_NOTES_MAX])
{
    unsigned n = 0;
    if (p->steps == 0) {
        notes[n++] = "Nothing is missing.";
        return n;
    }
    notes[n++] = "Deploy this to the resource group of the VM, in mode Incremental.";
    if (print_has(p, PREPARE_POWER))
        notes[n++] = "A template cannot start a VM: start it before you deploy this.";
    if (print_has(p, PREPARE_ADDRESS))
        notes[n++] =
            "The network interface is deployed again as it is, with the new public IP address in it.";
    if (print_has(p, PREPARE_LOGIN))
        notes[n++] =
            "The Run Command " PRINT_COMMAND_NAME
            " stays with the VM as a resource; its instance view tells how the script ended, and it can be "
            "deleted then.";
    return n;
}
