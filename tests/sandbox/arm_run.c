/*
 * arm_run: runCommand: scripts are not run but recognised by what they are about, and that is really done.
 *
 * A script about authorized_keys that holds public keys (in its lines or parameters) has them added to the
 * VM's authorized_keys; one about host keys gets those of the VM's sshd on its standard output. Others
 * succeed and say nothing.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "lro.h"
#include "sandbox.h"
#include "sshd.h"
#include "vm.h"

#define OUTPUT_MAX 4096 /* the platform keeps the last bytes only */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* The next public key in text: "TYPE BASE64[ COMMENT]" up to a quote or the end of its line; mem_free it. */
static char *key_next(const char **text)
{
    static const char *const types[] = {"ssh-ed25519 AAAA", "ssh-rsa AAAA", "ecdsa-sha2-nistp", "sk-ssh-",
                                        "sk-ecdsa-"};
    const char *first = NULL;
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        const char *p = strstr(*text, types[i]);
        if (p && (!first || p < first))
            first = p;
    }
    if (!first)
        return NULL;
    size_t n = strcspn(first, " ");
    n += first[n] ? 1 + strspn(first + n + 1, base64) : 0;
    if (first[n] == ' ')
        n += strcspn(first + n, "'\"`\r\n");
    while (n && first[n - 1] == ' ')
        n--;
    *text = first + n;
    return mem_strndup(first, n);
}

static void keys_add(struct vm *vm, const char *script, struct strbuf *out, struct strbuf *bad)
{
    char *key;
    if (vm->spec->synthetic) /* there is no machine to change */
        return;
    while ((key = key_next(&script))) {
        bool added = false;
        struct err err = {0};
        if (sshd_key_authorize(vm->dir, key, &added, &err))
            strbuf_printf(bad, "%s\n", err.msg);
        else
            strbuf_puts(out, added ? "added\n" : "present\n");
        mem_free(key);
    }
}

static void host_keys_print(struct vm *vm, struct strbuf *out)
{
    static const char *const names[] = {"host_ed25519.pub", "host_ecdsa.pub"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char path[VM_DIR_LEN + 32], *text = NULL;
        size_t n;
        snprintf(path, sizeof path, "%s/%s", vm->dir, names[i]);
        if (fs_read(path, 16384, &text, &n, NULL) == 0)
            strbuf_puts(out, text);
        mem_free(text);
    }
}

static const char *tail(const struct strbuf *s)
{
    if (!s->data)
        return "";
    return s->len > OUTPUT_MAX ? s->data + s->len - OUTPUT_MAX : s->data;
}

static json_t *entry(const char *code, const char *message)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "code", code, "level", "Info", "displayStatus",
                     "Provisioning succeeded", "message", message);
}

static void command_work(struct lro *o)
{
    struct vm *vm = o->vm;
    const char *script = json_string_value(json_object_get(o->input, "text"));
    bool windows = vm->spec->os == OS_WINDOWS;
    struct strbuf out, bad;
    strbuf_init(&out), strbuf_init(&bad);
    if (vm->power != VM_RUNNING)
        strbuf_puts(&bad, "the VM does not run\n");
    else if (windows && !vm_has_sshd(vm) && strcasestr(script, "ProgramData\\ssh"))
        strbuf_puts(&bad, "Could not find a part of the path 'C:\\ProgramData\\ssh'.\n");
    else if (strstr(script, "authorized_keys"))
        keys_add(vm, script, &out, &bad);
    else if (strstr(script, "ssh_host_") || strstr(script, "ssh-keyscan"))
        host_keys_print(vm, &out);
    json_t *value;
    if (windows)
        value = json_pack("[o,o]", entry("ComponentStatus/StdOut/succeeded", tail(&out)),
                          entry("ComponentStatus/StdErr/succeeded", tail(&bad)));
    else {
        char *text = mem_printf("Enable succeeded: \n[stdout]\n%s\n[stderr]\n%s", tail(&out), tail(&bad));
        value = json_pack("[o]", entry("ProvisioningState/succeeded", text ? text : ""));
        mem_free(text);
    }
    strbuf_done(&out), strbuf_done(&bad);
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

static bool command_runs(const struct arm_call *c, const struct vm *vm)
{
    struct lro *o;
    list_each(o, &c->sb->lros, struct lro,
              node) if (o->vm == vm && o->work == command_work && !o->done) return true;
    return false;
}

void arm_run_command(struct arm_call *c)
{
    struct vm *vm = arm_vm(c);
    json_t *body = vm ? arm_body(c) : NULL;
    if (!body)
        return;
    const char *id = json_string_value(json_object_get(body, "commandId"));
    const char *wanted = vm->spec->os == OS_WINDOWS ? "RunPowerShellScript" : "RunShellScript";
    if (!id || strcasecmp(id, wanted) != 0) {
        arm_error(c->r, 404, "NotFound", "The entity was not found: command '%s'.", id ? id : "");
    } else if (vm->power != VM_RUNNING) {
        arm_error(c->r, 409, "OperationNotAllowed",
                  "The operation requires the VM to be running (or set to run).");
    } else if (command_runs(c, vm)) {
        arm_error(c->r, 409, "Conflict",
                  "Run command extension execution is in progress. Please wait for completion "
                  "before invoking a run command.");
    } else {
        struct lro *o = lro_new(c, vm, command_work);
        if (o)
            o->input = input_text(body);
    }
    json_decref(body);
}
