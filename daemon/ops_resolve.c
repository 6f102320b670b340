/*
 * ops_resolve: the operation "resolve": what ARM says of a VM, or of every VM, for people.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "naming.h"
#include "ops.h"

#define TIMEOUT_MS 30000

struct resolve_job {
    struct job job;
    struct resolver_req *req;
    struct resolver_list *list;
};

static void resolve_free(struct resolve_job *j)
{
    if (j->req)
        resolver_cancel(j->req);
    if (j->list)
        resolver_all_cancel(j->list);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    resolve_free(container_of(job, struct resolve_job, job));
}

static json_t *describe(const struct resolver_facts *facts)
{
    uint64_t now = clock_wall_ms();
    uint64_t age = now > facts->fetched_wall_ms ? now - facts->fetched_wall_ms : 0;
    json_t *json = resolver_facts_to_json(facts);
    json_object_set_new(json, "age_ms", json_integer((json_int_t)age));
    return json;
}

static void on_resolved(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct resolve_job *j = arg;

    j->req = NULL;
    if (!facts)
        job_err(&j->job, err);
    else
        job_ok(&j->job, describe(facts));
    resolve_free(j);
}

static void on_all(void *arg, struct resolver_facts *const *vms, size_t count, const struct err *err)
{
    struct resolve_job *j = arg;

    j->list = NULL;
    if (err) {
        job_err(&j->job, err);
    } else {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, describe(vms[i]));
        job_ok(&j->job, json_pack("{s:o}", "vms", list));
    }
    resolve_free(j);
}

/* A VM that is an address has nothing to be looked up. */
static void answer_address(struct control_request *req, const struct config_vm *vm)
{
    control_reply_ok(req, json_pack("{s:o, s:i, s:s, s:[{s:o}], s:i}", "name", control_text(vm->vm.name),
                                    "port", vm->ssh.port, "source", "configuration", "addresses", "ip",
                                    control_text(vm->vm.name), "age_ms", 0));
}

static struct resolve_job *begin(struct daemon *d, struct control_request *req)
{
    struct resolve_job *j = mem_zalloc(sizeof *j);
    if (j)
        job_begin(&j->job, d, req, on_drop);
    else
        ops_no_memory(req);
    return j;
}

static void look_up(struct daemon *d, struct control_request *req, const struct vm_name *name, bool no_cache,
                    uint32_t timeout_ms)
{
    struct err err = {0};
    const struct resolver_name wanted = {name->subscription, name->group, name->name, name->instance};
    struct resolve_job *j = begin(d, req);

    if (j && resolver_lookup(d->resolver, &wanted, no_cache ? RESOLVER_NO_CACHE : 0, timeout_ms, on_resolved,
                             j, &j->req, &err) < 0) {
        job_err(&j->job, &err);
        resolve_free(j);
    }
}

static void look_all_up(struct daemon *d, struct control_request *req, uint32_t timeout_ms)
{
    struct err err = {0};
    struct resolve_job *j;

    if (!d->resolver) {
        ops_refuse(req, &d->azure_err);
        return;
    }
    j = begin(d, req);
    if (j && resolver_all(d->resolver, timeout_ms, on_all, j, &j->list, &err) < 0) {
        job_err(&j->job, &err);
        resolve_free(j);
    }
}

static void look_one_up(struct daemon *d, struct control_request *req, const char *typed, bool no_cache,
                        uint32_t timeout_ms)
{
    struct err err = {0};
    struct named_vm named = {0};

    if (naming_find(d, typed, NULL, &named, &err) < 0)
        ops_refuse(req, &err);
    else if (named.vm->vm.kind == VM_NAME_ADDRESS)
        answer_address(req, named.vm);
    else if (!d->resolver)
        ops_refuse(req, &d->azure_err);
    else
        look_up(d, req, &named.vm->vm, no_cache, timeout_ms);
    config_vm_free(named.vm);
}

void op_resolve(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *typed = NULL;
    bool no_cache = false, all = false;
    uint32_t timeout_ms = TIMEOUT_MS;

    if (args_bool(args, "all", &all, &err) < 0 || args_text(args, "name", !all, &typed, &err) < 0 ||
        args_bool(args, "no_cache", &no_cache, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0) {
        ops_refuse(req, &err);
    } else if (all && typed) {
        err_set(&err, ERR_INVAL, "either \"name\" or \"all\" must be given");
        ops_refuse(req, &err);
    } else if (all) {
        look_all_up(d, req, timeout_ms);
    } else {
        look_one_up(d, req, typed, no_cache, timeout_ms);
    }
}
