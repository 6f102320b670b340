/*
 * facts_way: picks the way in from a network interface's document.
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "facts.h"
#include "ref.h"

#define NSG_TYPE "Microsoft.Network/networkSecurityGroups"
#define SUBNET_TYPE "Microsoft.Network/virtualNetworks/subnets"
#define PUBLIC_TYPE "Microsoft.Network/publicIPAddresses"

static const json_t *properties(const json_t *o)
{
    return json_object_get(o, "properties");
}

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* Higher is better. */
static int rank(const json_t *config)
{
    const json_t *p = properties(config), *ip = json_object_get(p, "publicIPAddress");
    const char *version = text_at(p, "privateIPAddressVersion");
    return (ip ? 4 : 0) + (version && strcasecmp(version, "IPv6") == 0 ? 0 : 2) +
           (json_is_true(json_object_get(p, "primary")) ? 1 : 0);
}

/* A copy of a text, if it is there; out of memory is told by *rc. */
static char *copy(const char *text, int *rc)
{
    char *s = mem_strdup(text);
    if (text && !s)
        *rc = ERR_NOMEM;
    return s;
}

static char *copy_ref(const json_t *o, const char *type, int *rc)
{
    const char *id = text_at(o, "id");
    return ref_is(id, type) ? copy(id, rc) : NULL;
}

int facts_way_parse(struct facts_way *out, const json_t *nic, struct err *err)
{
    const json_t *configs = json_object_get(properties(nic), "ipConfigurations"), *best = NULL;
    size_t i;
    json_t *c;
    int rc = 0;
    memset(out, 0, sizeof(*out));
    json_array_foreach(configs, i, c) if (json_is_object(properties(c)) && (!best || rank(c) > rank(best)))
        best = c;
    if (!best || !text_at(nic, "id") || !text_at(best, "name"))
        return err_set(err, ERR_PROTOCOL, "what ARM sent is no network interface");
    const json_t *p = properties(best), *ip = json_object_get(p, "publicIPAddress");
    const char *sku = text_at(json_object_get(ip, "sku"), "name");
    out->nic = copy(text_at(nic, "id"), &rc);
    out->nsg = copy_ref(json_object_get(properties(nic), "networkSecurityGroup"), NSG_TYPE, &rc);
    out->subnet = copy_ref(json_object_get(p, "subnet"), SUBNET_TYPE, &rc);
    out->config = copy(text_at(best, "name"), &rc);
    out->private_address = copy(text_at(p, "privateIPAddress"), &rc);
    out->public_id = copy_ref(ip, PUBLIC_TYPE, &rc);
    out->public_address = copy(text_at(properties(ip), "ipAddress"), &rc);
    out->standard = sku && strcasecmp(sku, "Standard") == 0;
    if (rc == 0)
        return 0;
    facts_way_done(out);
    return err_set(err, rc, "out of memory");
}

void facts_way_done(struct facts_way *w)
{
    mem_free(w->nic);
    mem_free(w->nsg);
    mem_free(w->subnet);
    mem_free(w->config);
    mem_free(w->private_address);
    mem_free(w->public_id);
    mem_free(w->public_address);
    memset(w, 0, sizeof(*w));
}
