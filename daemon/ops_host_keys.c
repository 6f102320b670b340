/*
 * ops_host_keys: the operation "host-keys": where the host keys of a VM are, for ssh; under host-key-check:
 * arm they are asked for first.
 *
 *   LOOKING ──facts──▶ known, or not by arm ──▶ answered
 *                └──arm, and unknown or another than the one that ssh was shown──▶ ASKING ──recorded──▶
 * answered
 */
#include <string.h>
#include <strings.h>

#include "args.h"
#include "base/base64.h"
#include "base/mem.h"
#include "host_keys.h"
#include "job.h"
#include "naming.h"
#include "ops.h"
#include "proxy/ssh_options.h"

#define LOOK_MS 5000
#define KEY_MAX 4096 /* bytes of a blob */

struct keys_job {
    struct job job;
    struct config_vm *vm;
    const struct resolver_facts *facts;
    struct resolver_req *lookup;
    void *asking;
    uint8_t key[KEY_MAX]; /* that the server showed */
    size_t key_len;       /* 0: not known yet */
};

static void keys_free(struct keys_job *j)
{
    if (j->lookup)
        resolver_cancel(j->lookup);
    if (j->asking)
        host_keys_cancel(j->asking);
    resolver_facts_unref(j->facts);
    config_vm_free(j->vm);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    keys_free(container_of(job, struct keys_job, job));
}

static bool by_arm(const struct keys_job *j)
{
    return j->vm->ssh.host_key_check == CONFIG_HOST_KEY_ARM;
}

static void answer(struct keys_job *j)
{
    struct ssh_options_text text;
    struct ssh_hostid_want want;
    ssh_options_host(&want, &text, j->vm, j->facts, j->job.d->place->known_hosts);
    job_ok(&j->job,
           json_pack("{s:o, s:o, s:o, s:b}", "file", control_text(want.file), "host", control_text(want.host),
                     "vm_id", control_text(want.vm_id), "reported", by_arm(j)));
    keys_free(j);
}

/* Under arm a failure is no leave to believe anything else: it is told as part of the answer. */
static void failed(struct keys_job *j, const struct err *err)
{
    struct err why = *err;
    err_wrap(&why, "vm %s", j->vm->alias);
    if (by_arm(j))
        job_ok(&j->job, json_pack("{s:b, s:o}", "reported", 1, "error", control_err_to_json(&why)));
    else
        job_err(&j->job, &why);
    keys_free(j);
}

static void on_keys(void *arg, bool changed, const struct err *err)
{
    struct keys_job *j = arg;
    (void)changed;
    j->asking = NULL;
    if (err)
        failed(j, err);
    else
        answer(j);
}

/* A key that is not the one known may be a new one of the VM's: Azure knows. */
static bool must_ask(const struct keys_job *j)
{
    struct ssh_options_text text;
    struct ssh_hostid_want want;
    if (!by_arm(j) || !j->facts)
        return false;
    ssh_options_host(&want, &text, j->vm, j->facts, j->job.d->place->known_hosts);
    if (j->key_len == 0)
        return !ssh_hostid_known(&want);
    return ssh_hostid_check(&want, j->key, j->key_len, NULL) == ERR_HOSTKEY;
}

static void go_on(struct keys_job *j)
{
    struct err err = {0};
    if (!must_ask(j)) {
        answer(j);
        return;
    }
    j->asking = host_keys_fetch(j->job.d, j->vm, j->facts, on_keys, j, &err);
    if (!j->asking)
        on_keys(j, false, &err);
}

static bool is(const char *name, const char *value)
{
    return !name || strcasecmp(name, value) == 0;
}

/* ssh asks by resource ID, which says nothing of the alias whose settings hold. */
static const struct config_vm *configured(const struct daemon *d, const struct resolver_facts *facts)
{
    for (size_t i = 0; i < d->config->vm_count; i++) {
        const struct config_vm *vm = &d->config->vms[i];
        const struct vm_name *n = &vm->vm;
        char full[512];
        snprintf(full, sizeof full, "%s%s%s", n->name, n->instance ? "/" : "",
                 n->instance ? n->instance : "");
        if (n->kind != VM_NAME_ADDRESS && is(full, facts->name) && is(n->group, facts->group) &&
            is(n->subscription, facts->subscription))
            return vm;
    }
    return NULL;
}

static void on_facts(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct keys_job *j = arg;
    struct config_vm *copy = NULL;
    j->lookup = NULL;
    if (!facts) {
        failed(j, err);
        return;
    }
    j->facts = resolver_facts_ref(facts);
    const struct config_vm *vm = configured(j->job.d, facts);
    if (vm && config_vm_copy(vm, &copy) == 0) {
        config_vm_free(j->vm);
        j->vm = copy;
    }
    go_on(j);
}

static int read_key(struct keys_job *j, const json_t *args, struct err *err)
{
    const json_t *v = json_object_get(args, "key");
    if (!v)
        return 0;
    long n = json_is_string(v) && json_string_length(v) <= BASE64_SIZE(KEY_MAX) - 4
                 ? base64_decode(j->key, json_string_value(v), json_string_length(v))
                 : -1;
    if (n <= 0)
        return err_set(err, ERR_INVAL, "\"key\" must be a public key in base64");
    j->key_len = (size_t)n;
    return 0;
}

static int begin(struct keys_job *j, struct err *err)
{
    struct daemon *d = j->job.d;
    const struct vm_name *n = &j->vm->vm;
    const struct resolver_name name = {n->subscription, n->group, n->name, n->instance};
    if (!d->resolver)
        return err_copy(err, &d->azure_err, ERR_UNAVAILABLE);
    return resolver_lookup(d->resolver, &name, 0, LOOK_MS, on_facts, j, &j->lookup, err);
}

void op_host_keys(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *typed = NULL;
    struct named_vm named = {0};
    struct keys_job *j = mem_zalloc(sizeof *j);
    if (!j) {
        ops_no_memory(req);
        return;
    }
    if (args_text(args, "name", true, &typed, &err) < 0 || read_key(j, args, &err) < 0 ||
        naming_find(d, typed, NULL, &named, &err) < 0) {
        mem_free(j);
        ops_refuse(req, &err);
        return;
    }
    j->vm = named.vm;
    job_begin(&j->job, d, req, on_drop);
    if (j->vm->vm.kind == VM_NAME_ADDRESS) {
        go_on(j);
    } else if (begin(j, &err) < 0) {
        failed(j, &err);
    }
}
