/*
 * config_json: writes a snapshot as JSON (the shape is documented in adit.yaml(5)).
 *
 * jansson's packing functions give NULL when memory is short and pass a NULL on, so one check at the end is
 * enough.
 */
#include <jansson.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "config.h"
#include "config_json.h"
#include "schema.h"

static json_t *azure_json(const struct config_azure *a)
{
    return json_pack("{s:o, s:s?, s:s, s:s?, s:s?, s:s?, s:s}", "subscriptions",
                     config_json_texts(a->subscriptions, a->subscription_count), "tenant", a->tenant, "cloud",
                     schema_cloud_word(a->cloud), "arm-endpoint", a->arm_endpoint, "login-endpoint",
                     a->login_endpoint, "ca-file", a->ca_file, "credential", a->credential);
}

static json_t *end_json(const struct forward_end *e, bool listens)
{
    if (e->path)
        return json_pack("{s:s}", "path", e->path);
    if (!listens && !e->host)
        return json_null();
    return json_pack("{s:s, s:i}", "host", e->host ? e->host : "localhost", "port", (int)e->port);
}

static json_t *forward_json(const struct forward_spec *f)
{
    static const char *const kinds[] = {"local", "dynamic", "remote"};
    return json_pack("{s:s, s:s, s:o, s:o}", "kind", kinds[f->kind], "spec", f->text, "listen",
                     end_json(&f->listen, true), "target", end_json(&f->target, false));
}

static json_t *vm_json(const struct config_vm *vm, bool with_sources)
{
    char *name = vm_name_text(&vm->vm);
    json_t *forwards = json_array(), *bulk = json_array();
    int rc = forwards && bulk ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < vm->forward_count; i++)
        rc = json_array_append_new(forwards, forward_json(&vm->forwards[i]));
    for (size_t i = 0; rc == 0 && i < vm->bulk_count; i++)
        rc = json_array_append_new(bulk, json_integer(vm->bulk_ports[i]));
    if (rc < 0 || !name) {
        json_decref(forwards);
        json_decref(bulk);
        mem_free(name);
        return NULL;
    }
    json_t *o = json_pack("{s:s, s:s, s:b, s:s?, s:b, s:o, s:o, s:o}", "name", vm->alias, "vm", name,
                          "address", (int)(vm->vm.kind == VM_NAME_ADDRESS), "via", vm->via, "up", (int)vm->up,
                          "ssh", config_json_ssh(&vm->ssh), "forwards", forwards, "bulk", bulk);
    if (o && with_sources &&
        (json_object_set_new(o, "source", config_json_sources(&vm->ssh, vm->via)) < 0 ||
         json_object_set_new(o, "note", json_pack("s?", vm->note)) < 0)) {
        json_decref(o);
        o = NULL;
    }
    mem_free(name);
    return o;
}

static json_t *config_json(const struct config *c)
{
    json_t *vms = json_array();
    int rc = vms ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < c->vm_count; i++)
        rc = json_array_append_new(vms, vm_json(&c->vms[i], c->filled));
    if (rc < 0) {
        json_decref(vms);
        return NULL;
    }
    return json_pack("{s:s?, s:I, s:s, s:o, s:o, s:o}", "path", c->path, "workers", (json_int_t)c->workers,
                     "log-level", c->log_level, "azure", azure_json(&c->azure), "defaults",
                     config_json_ssh(&c->defaults), "vms", vms);
}

static int into_strbuf(const char *data, size_t n, void *arg)
{
    struct strbuf *b = arg;
    strbuf_add(b, data, n);
    return b->bad ? -1 : 0;
}

char *config_to_json(const struct config *c)
{
    json_t *o = config_json(c);
    struct strbuf b;
    strbuf_init(&b);
    char *text = NULL;
    if (o && json_dump_callback(o, into_strbuf, &b, JSON_INDENT(2)) == 0) {
        strbuf_puts(&b, "\n");
        text = strbuf_take(&b);
    }
    strbuf_done(&b);
    json_decref(o);
    return text;
}
