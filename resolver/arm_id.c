/*
 * arm_id: the parser of resource IDs and the rules of names.
 */
#include "arm_id.h"

#include <ctype.h>
#include <string.h>

static bool ascii_alnum(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool arm_guid_ok(const char *text)
{
    size_t n = strlen(text);
    if (n != ARM_SUBSCRIPTION_MAX - 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

bool arm_name_ok(const char *text)
{
    size_t n = strnlen(text, ARM_NAME_MAX);
    if (n == 0 || n >= ARM_NAME_MAX || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x80 && !ascii_alnum(*p) && !strchr("-_.()", *p))
            return false;
    return true;
}

/* Takes "/WORD" off the front, whatever its case. */
static bool take_word(const char **p, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

/* Takes one segment up to the next slash off the front. */
static bool take_name(const char **p, char *out, size_t size)
{
    size_t n = strcspn(*p, "/");
    if (n == 0 || n >= size)
        return false;
    memcpy(out, *p, n);
    out[n] = 0;
    *p += n;
    return true;
}

bool arm_instance_ok(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < ARM_INSTANCE_MAX - 1 && text[n] == 0;
}

/* "/subscriptions/S/resourceGroups/G/providers/TYPE/N", and for a scale set's "/virtualMachines/I" behind it.
 */
static bool parse(const char *text, const char *type, bool instance, struct arm_vm_id *out)
{
    const char *p = text;
    out->instance[0] = 0;
    return strnlen(text, ARM_ID_MAX) < ARM_ID_MAX && take_word(&p, "/subscriptions/") &&
           take_name(&p, out->subscription, sizeof(out->subscription)) && take_word(&p, "/resourceGroups/") &&
           take_name(&p, out->group, sizeof(out->group)) && take_word(&p, "/providers/") &&
           take_word(&p, type) && take_word(&p, "/") && take_name(&p, out->name, sizeof(out->name)) &&
           (!instance ||
            (take_word(&p, "/virtualMachines/") && take_name(&p, out->instance, sizeof(out->instance)) &&
             arm_instance_ok(out->instance))) &&
           *p == 0 && arm_guid_ok(out->subscription) && arm_name_ok(out->group) && arm_name_ok(out->name);
}

bool arm_vm_id_parse(const char *text, struct arm_vm_id *out)
{
    return parse(text, "Microsoft.Compute/virtualMachines", false, out) ||
           parse(text, "Microsoft.Compute/virtualMachineScaleSets", true, out);
}

bool arm_id_is(const char *text, const char *type)
{
    struct arm_vm_id parts;
    return parse(text, type, false, &parts);
}

void arm_path_add(struct strbuf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (ascii_alnum(*p) || strchr("-_.~()/", *p))
            strbuf_add(out, (const char *)p, 1);
        else
            strbuf_printf(out, "%%%02X", *p);
    }
}

void arm_vm_path_add(struct strbuf *out, const struct arm_vm_id *vm)
{
    strbuf_puts(out, "/subscriptions/");
    arm_path_add(out, vm->subscription);
    strbuf_puts(out, "/resourceGroups/");
    arm_path_add(out, vm->group);
    strbuf_puts(out, vm->instance[0] ? "/providers/Microsoft.Compute/virtualMachineScaleSets/"
                                     : "/providers/Microsoft.Compute/virtualMachines/");
    arm_path_add(out, vm->name);
    if (vm->instance[0])
        strbuf_printf(out, "/virtualMachines/%s", vm->instance);
}
