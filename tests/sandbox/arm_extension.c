/*
 * arm_extension: a VM's extensions; WindowsOpenSSH really starts the sshd.
 */
#include <string.h>
#include <strings.h>

#include "lro.h"
#include "sandbox.h"
#include "vm.h"

#define TYPE "Microsoft.Compute/virtualMachines/extensions"

static json_t *extension_json(struct vm *vm, const char *name, json_t *properties)
{
    return json_pack(
        "{s:s,s:o,s:s,s:s,s:O}", "name", name, "id",
        arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s/extensions/%s", vm->spec->name, name),
        "type", TYPE, "location", vm->location, "properties", properties);
}

static const char *extension_find(struct vm *vm, const char *asked)
{
    const char *name;
    json_t *extension;
    json_object_foreach(vm->extensions, name, extension) if (strcasecmp(name, asked) == 0) return name;
    return NULL;
}

json_t *arm_extensions(struct vm *vm)
{
    json_t *all = json_array(), *extension;
    const char *name;
    json_object_foreach(vm->extensions, name, extension)
        json_array_append_new(all, extension_json(vm, name, extension));
    return all;
}

void arm_extensions_list(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (vm)
        c->r->body = json_pack("{s:o}", "value", arm_extensions(vm));
}

void arm_extension_get(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (!vm)
        return;
    const char *name = extension_find(vm, c->args[1]);
    if (name)
        c->r->body = extension_json(vm, name, json_object_get(vm->extensions, name));
    else
        arm_not_found(c, TYPE, c->args[1]);
}

static void put_work(struct lro *o)
{
    struct err err = {0};
    const char *name = json_string_value(json_object_get(o->input, "name"));
    json_t *extension = json_object_get(o->vm->extensions, name);
    if (extension)
        json_object_set_new(extension, "provisioningState", json_string("Succeeded"));
    vm_update(o->vm, &err);
    lro_finish(o, &err);
}

/* As the platform leaves it: there, but Failed. */
static void put_spoil(struct lro *o)
{
    const char *name = json_string_value(json_object_get(o->input, "name"));
    json_t *extension = json_object_get(o->vm->extensions, name);
    if (extension)
        json_object_set_new(extension, "provisioningState", json_string("Failed"));
    vm_update(o->vm, NULL);
}

static bool properties_valid(struct arm_call *c, json_t *p)
{
    static const char *const required[] = {"publisher", "type", "typeHandlerVersion"};
    for (unsigned i = 0; i < sizeof required / sizeof *required; i++) {
        if (json_is_string(json_object_get(p, required[i])))
            continue;
        arm_error(c->r, 400, "InvalidParameter", "Required parameter '%s' is missing (null).", required[i]);
        return false;
    }
    const char *publisher = json_string_value(json_object_get(p, "publisher"));
    const char *type = json_string_value(json_object_get(p, "type"));
    if (strcasecmp(publisher, "Microsoft.Azure.OpenSSH") == 0 && strcasecmp(type, "WindowsOpenSSH") == 0)
        return true;
    arm_error(c->r, 404, "ArtifactNotFound",
              "The VM extension with publisher '%s' and type '%s' could not be found in the location.",
              publisher, type);
    return false;
}

void arm_extension_put(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (!vm)
        return;
    if (vm->power != VM_RUNNING) {
        arm_error(c->r, 409, "OperationNotAllowed",
                  "Cannot modify extensions in the VM when the VM is not running.");
        return;
    }
    json_t *body = arm_body(c);
    json_t *p = json_object_get(body, "properties");
    struct lro *o = body && properties_valid(c, p) ? lro_new(c, LRO_PUT, vm, vm->extensions, put_work) : NULL;
    if (o) {
        o->spoil = put_spoil;
        const char *old = extension_find(vm, c->args[1]);
        const char *name = old ? old : c->args[1];
        c->r->status = old ? 200 : 201;
        o->input = json_pack("{s:s}", "name", name);
        json_object_set_new(p, "provisioningState", json_string(old ? "Updating" : "Creating"));
        name = json_string_value(json_object_get(o->input, "name"));
        json_object_set(vm->extensions, name, p);
        c->r->body = extension_json(vm, name, p);
    }
    json_decref(body);
}

static void delete_work(struct lro *o)
{
    struct err err = {0};
    const char *name = extension_find(o->vm, json_string_value(json_object_get(o->input, "name")));
    if (name)
        json_object_del(o->vm->extensions, name);
    vm_update(o->vm, &err);
    lro_finish(o, &err);
}

void arm_extension_delete(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    struct lro *o;
    if (!vm)
        return;
    const char *name = extension_find(vm, c->args[1]);
    if (!name)
        c->r->status = 204;
    else if (vm->power != VM_RUNNING)
        arm_error(c->r, 409, "OperationNotAllowed",
                  "Cannot modify extensions in the VM when the VM is not running.");
    else if ((o = lro_new(c, LRO_ACTION, vm, vm->extensions, delete_work)))
        o->input = json_pack("{s:s}", "name", name);
}
