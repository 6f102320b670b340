/*
 * arm_command: managed run commands: virtualMachines/{vm}/runCommands: scripts as resources, with an instance
 * view that says how they went.
 *
 * Source: recordings of `az vm run-command create|show`. A script that fails ends its operation well, unless
 * treatFailureAsDeploymentFailure is said.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lro.h"
#include "sandbox.h"
#include "script.h"
#include "vm.h"

#define TYPE "Microsoft.Compute/virtualMachines/runCommands"

static json_t *command_json(struct vm *vm, const char *name, json_t *properties, bool view)
{
    json_t *p = json_copy(properties);
    if (!view)
        json_object_del(p, "instanceView");
    json_object_del(p, "protectedParameters");
    return json_pack(
        "{s:s,s:o,s:s,s:s,s:o}", "name", name, "id",
        arm_id(vm, false, "Microsoft.Compute/virtualMachines", "%s/runCommands/%s", vm->spec->name, name),
        "type", TYPE, "location", vm->location, "properties", p);
}

static const char *command_find(struct vm *vm, const char *asked)
{
    const char *name;
    json_t *command;
    json_object_foreach(vm->commands, name, command) if (strcasecmp(name, asked) == 0) return name;
    return NULL;
}

static bool view_asked(const struct arm_call *c)
{
    const char *expand = http_query(c->q, "$expand");
    return expand && strcasecmp(expand, "instanceView") == 0;
}

void arm_commands_list(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    if (!vm)
        return;
    json_t *all = json_array(), *command;
    const char *name;
    json_object_foreach(vm->commands, name, command)
        json_array_append_new(all, command_json(vm, name, command, view_asked(c)));
    c->r->body = json_pack("{s:o}", "value", all);
}

void arm_command_get(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    const char *name = vm ? command_find(vm, c->args[1]) : NULL;
    if (name)
        c->r->body = command_json(vm, name, json_object_get(vm->commands, name), view_asked(c));
    else if (vm)
        arm_not_found(c, TYPE, c->args[1]);
}

static json_t *now_text(void)
{
    char text[40];
    struct tm tm;
    time_t now = time(NULL);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&now, &tm));
    return json_string(text);
}

/* Script and the values of its parameters as one text. */
static void text_of(const json_t *command, struct strbuf *b)
{
    static const char *const lists[] = {"parameters", "protectedParameters"};
    const char *script = json_string_value(json_object_get(json_object_get(command, "source"), "script"));
    strbuf_init(b);
    strbuf_printf(b, "%s\n", script ? script : "");
    for (unsigned k = 0; k < 2; k++) {
        size_t i;
        json_t *p;
        json_array_foreach(json_object_get(command, lists[k]), i, p)
        {
            const char *v = json_string_value(json_object_get(p, "value"));
            strbuf_printf(b, "%s\n", v ? v : "");
        }
    }
}

static json_t *command_of(const struct lro *o)
{
    return json_object_get(o->vm->commands, json_string_value(json_object_get(o->input, "name")));
}

static void put_work(struct lro *o)
{
    json_t *command = command_of(o);
    struct err err = {0};
    if (!command) {
        lro_finish(o, NULL);
        return;
    }
    struct strbuf text;
    struct script_result r;
    text_of(command, &text);
    script_play(o->vm, text.data && !text.bad ? text.data : "", &r);
    bool failed = r.exit_code != 0;
    json_object_set_new(command, "instanceView",
                        json_pack("{s:s,s:s,s:i,s:s,s:s,s:o,s:o}", "executionState",
                                  failed ? "Failed" : "Succeeded", "executionMessage",
                                  failed ? "Execution failed: script exited with a code other than 0" : "",
                                  "exitCode", r.exit_code, "output", script_tail(&r.out), "error",
                                  script_tail(&r.bad), "startTime", now_text(), "endTime", now_text()));
    failed = failed && json_is_true(json_object_get(command, "treatFailureAsDeploymentFailure"));
    json_object_set_new(command, "provisioningState", json_string(failed ? "Failed" : "Succeeded"));
    if (failed)
        err_set(&err, ERR_UNAVAILABLE, "%s", script_tail(&r.bad));
    strbuf_done(&text), strbuf_done(&r.out), strbuf_done(&r.bad);
    lro_finish(o, &err);
}

static void put_spoil(struct lro *o)
{
    json_t *command = command_of(o);
    if (command)
        json_object_set_new(command, "provisioningState", json_string("Failed"));
}

static bool body_valid(struct arm_call *c, const struct vm *vm, const json_t *body)
{
    const json_t *p = json_object_get(body, "properties");
    if (vm->power != VM_RUNNING)
        arm_error(c->r, 409, "OperationNotAllowed",
                  "Cannot modify extensions in the VM when the VM is not running.");
    else if (!json_is_string(json_object_get(body, "location")))
        arm_error(c->r, 400, "LocationRequired", "The location property is required for this definition.");
    else if (!json_is_object(json_object_get(p, "source")))
        arm_error(c->r, 400, "InvalidParameter",
                  "Required parameter 'runCommand.properties.source' is missing (null).");
    else
        return true;
    return false;
}

void arm_command_put(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    json_t *body = vm ? arm_body(c) : NULL, *p = json_object_get(body, "properties");
    const char *old = vm ? command_find(vm, c->args[1]) : NULL;
    struct lro *o = body && body_valid(c, vm, body)
                        ? lro_new(c, LRO_PUT, vm, json_object_get(vm->commands, old ? old : ""), put_work)
                        : NULL;
    if (o) {
        char name[100];
        snprintf(name, sizeof name, "%s", old ? old : c->args[1]);
        o->spoil = put_spoil;
        o->target = p;
        o->input = json_pack("{s:s}", "name", name);
        json_object_set_new(p, "provisioningState", json_string(old ? "Updating" : "Creating"));
        if (!json_object_get(p, "timeoutInSeconds"))
            json_object_set_new(p, "timeoutInSeconds", json_integer(0));
        if (!json_object_get(p, "asyncExecution"))
            json_object_set_new(p, "asyncExecution", json_false());
        json_object_del(p, "instanceView");
        json_object_set(vm->commands, name, p);
        c->r->status = old ? 200 : 201;
        c->r->body = command_json(vm, name, p, false);
    }
    json_decref(body);
}

static void delete_work(struct lro *o)
{
    json_object_del(o->vm->commands, json_string_value(json_object_get(o->input, "name")));
    lro_finish(o, NULL);
}

void arm_command_delete(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    const char *name = vm ? command_find(vm, c->args[1]) : NULL;
    if (vm && !name)
        c->r->status = 204;
    struct lro *o =
        name ? lro_new(c, LRO_ACTION, vm, json_object_get(vm->commands, name), delete_work) : NULL;
    if (o)
        o->input = json_pack("{s:s}", "name", name);
}
