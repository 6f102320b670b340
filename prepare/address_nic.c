/*
 * address_nic: changes one reference in an interface's document and sends it back.
 */
#include <string.h>
#include <strings.h>

#include "address.h"
#include "ref.h"
#include "run.h"

static json_t *properties_of(const json_t *nic, const char *config)
{
    json_t *configs = json_object_get(json_object_get(nic, "properties"), "ipConfigurations"), *c;
    size_t i;
    json_array_foreach(configs, i, c)
    {
        const char *name = json_string_value(json_object_get(c, "name"));
        if (name && strcasecmp(name, config) == 0)
            return json_object_get(c, "properties");
    }
    return NULL;
}

static int change(json_t *p, const char *old, const char *new, struct err *err)
{
    const char *have = json_string_value(json_object_get(json_object_get(p, "publicIPAddress"), "id"));
    if (have ? !old || !ref_same(have, old) : old != NULL)
        return err_set(err, ERR_EXISTS, "its public IP address has been changed by somebody meanwhile");
    if (!new) {
        json_object_del(p, "publicIPAddress");
        return 0;
    }
    if (json_object_set_new(p, "publicIPAddress", json_pack("{s:s}", "id", new)))
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

int address_nic_put(struct prepare_run *run, const json_t *nic, const char *config, const char *old,
                    const char *new, call_cb done, size_t tag, struct err *err)
{
    json_t *body = json_deep_copy(nic), *p = properties_of(body, config);
    const char *id = json_string_value(json_object_get(body, "id"));
    int rc = !body ? err_set(err, ERR_NOMEM, "out of memory")
             : !p || !id
                 ? err_set(err, ERR_NOTFOUND, "the interface has no ipConfiguration %s any more", config)
                 : change(p, old, new, err);
    if (rc == 0) {
        struct call_change put = {.method = "PUT",
                                  .id = id,
                                  .query = "api-version=" NETWORK_API,
                                  .body = body,
                                  .deadline_ms = 300000};
        rc = call_write(run, &put, done, tag, err);
    }
    json_decref(body);
    return rc;
}
