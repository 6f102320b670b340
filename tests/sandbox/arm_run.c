/*
 * arm_run: the action runCommand: one script at a time, its output with the operation's end.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "lro.h"
#include "sandbox.h"
#include "script.h"
#include "vm.h"

static json_t *entry(const char *code, const char *message)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "code", code, "level", "Info", "displayStatus",
                     "Provisioning succeeded", "message", message);
}

static void command_work(struct lro *o)
{
    struct script_result r;
    json_t *value;
    script_play(o->vm, json_string_value(json_object_get(o->input, "text")), &r);
    if (o->vm->spec->os == OS_WINDOWS)
        value = json_pack("[o,o]", entry("ComponentStatus/StdOut/succeeded", script_tail(&r.out)),
                          entry("ComponentStatus/StdErr/succeeded", script_tail(&r.bad)));
    else {
        char *text = mem_printf("Enable succeeded: \n[stdout]\n%s\n[stderr]\n%s", script_tail(&r.out),
                                script_tail(&r.bad));
        value = json_pack("[o]", entry("ProvisioningState/succeeded", text ? text : ""));
        mem_free(text);
    }
    strbuf_done(&r.out), strbuf_done(&r.bad);
    o->location = json_pack("{s:o}", "value", value);
    o->output = json_incref(o->location);
    lro_finish(o, NULL);
}

/* Script lines and parameter values as one text. */
static json_t *input_text(json_t *body)
{
    struct strbuf b;
    strbuf_init(&b);
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(body, "script"), i, line)
        strbuf_printf(&b, "%s\n", json_is_string(line) ? json_string_value(line) : "");
    json_array_foreach(json_object_get(body, "parameters"), i, line)
    {
        const char *v = json_string_value(json_object_get(line, "value"));
        strbuf_printf(&b, "%s\n", v ? v : "");
    }
    json_t *j = json_pack("{s:s}", "text", b.data && !b.bad ? b.data : "");
    strbuf_done(&b);
    return j;
}

void arm_run_command(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    json_t *body = vm ? arm_body(c) : NULL;
    if (!body)
        return;
    const char *id = json_string_value(json_object_get(body, "commandId"));
    const char *wanted = vm->spec->os == OS_WINDOWS ? "RunPowerShellScript" : "RunShellScript";
    json_t *input = input_text(body);
    const char *text = json_string_value(json_object_get(input, "text"));
    c->only_reads = text && script_only_reads(text);
    if (!id || strcasecmp(id, wanted) != 0) {
        arm_error(c->r, 404, "NotFound", "The entity was not found: command '%s'.", id ? id : "");
    } else if (vm->power != VM_RUNNING) {
        arm_error(c->r, 409, "OperationNotAllowed",
                  "The operation requires the VM to be running (or set to run).");
    } else {
        struct lro *o = lro_new(c, LRO_ACTION, vm, vm->dir, command_work);
        if (o)
            o->input = json_incref(input);
    }
    json_decref(input);
    json_decref(body);
}
