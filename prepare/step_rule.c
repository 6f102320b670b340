/*
 * step_rule: the security groups of the interface and of its subnet let this machine's packets in.
 *
 *   port answered ──▶ pass
 *   WAY ──the interface──▶ EFFECTIVE ──ARM's effective rules──▶ judged
 *                             └──the VM is off, or it may not be asked──▶ SUBNET ──▶ GROUPS ──▶ judged
 *   judged ──some group refuses──▶ READ those groups for names and priorities that are free ──▶ fail, with a
 * plan
 *
 * Effective rules know what the groups alone do not (a tag's prefixes), but Azure computes them for running
 * VMs only and Reader may not ask. Failure modes: a group that may not be read fails the step by name.
 */
#include <stdio.h>
#include <string.h>

#include "azure/caller.h"
#include "base/mem.h"
#include "ref.h"
#include "rule.h"

#define QUERY "api-version=" NETWORK_API

static void failed(struct prepare_run *run, const struct err *err)
{
    step_fail_err(run, PREPARE_RULE, err);
}

void rule_forget(struct prepare_run *run)
{
    struct rule_docs *d = &run->rule;
    for (size_t i = 0; i < d->count; i++)
        nsg_done(&d->nsgs[i]);
    mem_free(d->nsgs);
    d->nsgs = NULL;
    d->count = 0;
    for (size_t i = 0; i < PLAN_RULES_MAX; i++) {
        mem_free(d->ids[i]);
        json_decref(d->resources[i]);
        d->ids[i] = NULL;
        d->resources[i] = NULL;
    }
    err_clear(&d->err);
    d->id_count = 0;
}

static int add_id(struct rule_docs *d, const char *id, struct err *err)
{
    for (size_t i = 0; i < d->id_count; i++)
        if (ref_same(d->ids[i], id))
            return 0;
    if (!ref_is(id, "Microsoft.Network/networkSecurityGroups") || d->id_count == PLAN_RULES_MAX)
        return 0;
    char *copy = mem_strdup(id);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    d->ids[d->id_count++] = copy;
    return 0;
}

/* Without the rules that Azure could not put in force. */
static json_t *in_force(const json_t *resource)
{
    json_t *copy = json_deep_copy(resource);
    json_t *rules = json_object_get(json_object_get(copy, "properties"), "securityRules");
    for (size_t i = json_array_size(rules); i > 0; i--) {
        const json_t *p = json_object_get(json_array_get(rules, i - 1), "properties");
        const char *state = json_string_value(json_object_get(p, "provisioningState"));
        if (state && strcasecmp(state, "Failed") == 0)
            json_array_remove(rules, i - 1);
    }
    return copy;
}

static int read_group(struct rule_docs *d, size_t i, struct err *err)
{
    json_t *resource = in_force(d->resources[i]);
    int rc =
        resource ? nsg_from_resource(resource, &d->nsgs[i], err) : err_set(err, ERR_NOMEM, "out of memory");
    json_decref(resource);
    return rc;
}

/* Every group of `ids` has been read, or not. */
static void on_groups(struct prepare_run *run)
{
    struct rule_docs *d = &run->rule;
    struct err why = {0};
    if (d->effective) {
        rule_plan(run); /* what could not be read is planned by the effective rules */
        return;
    }
    if (d->err.code) {
        failed(run, &d->err);
        return;
    }
    d->nsgs = d->id_count ? mem_calloc(d->id_count, sizeof(*d->nsgs)) : NULL;
    if (d->id_count && !d->nsgs)
        err_set(&why, ERR_NOMEM, "out of memory");
    while (!why.code && d->count < d->id_count && read_group(d, d->count, &why) == 0)
        d->count++;
    if (why.code)
        failed(run, &why);
    else
        rule_judge(run);
}

static void on_group(struct prepare_run *run, size_t i, const json_t *doc, const struct err *err)
{
    struct rule_docs *d = &run->rule;
    if (err && !d->err.code)
        d->err = *err;
    else if (!err)
        d->resources[i] = json_incref((json_t *)doc);
    if (--d->open == 0)
        on_groups(run);
}

static void read_groups(struct prepare_run *run)
{
    struct rule_docs *d = &run->rule;
    struct err why = {0};
    d->open = 1;
    for (size_t i = 0; i < d->id_count && !why.code; i++)
        if (call_get(run, d->ids[i], NULL, QUERY, on_group, i, &why) == 0)
            d->open++;
    if (why.code)
        d->err = why;
    if (--d->open == 0)
        on_groups(run);
}

/* ---- by the documents of interface and subnet ---- */

static void on_subnet(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    struct rule_docs *d = &run->rule;
    struct err why = {0};
    const json_t *p = json_object_get(doc, "properties");
    if (err && err->code != ERR_NOTFOUND)
        why = *err;
    else
        add_id(d, json_string_value(json_object_get(json_object_get(p, "networkSecurityGroup"), "id")), &why);
    if (!why.code && run->way.nsg)
        add_id(d, run->way.nsg, &why);
    if (why.code)
        failed(run, &why);
    else
        read_groups(run);
}

static void ask_subnet(struct prepare_run *run)
{
    struct err why = {0};
    if (!run->way.subnet)
        on_subnet(run, 0, NULL, NULL);
    else if (call_get(run, run->way.subnet, NULL, QUERY, on_subnet, 0, &why) < 0)
        failed(run, &why);
}

/* ---- by the effective rules ---- */

/* Those in the way are read, to know which names and priorities are free. */
void rule_read_blocked(struct prepare_run *run)
{
    struct rule_docs *d = &run->rule;
    struct err why = {0};
    for (size_t i = 0; i < d->count && !why.code; i++)
        if (!rule_lets_in(run, &d->nsgs[i], NULL))
            add_id(d, d->nsgs[i].id, &why);
    if (why.code)
        failed(run, &why);
    else
        read_groups(run);
}

static void on_effective(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    struct rule_docs *d = &run->rule;
    struct err why = {0};
    if (err && err->code == ERR_NOMEM) {
        failed(run, err);
    } else if (err) {
        ask_subnet(run);
    } else if (nsg_from_effective(doc, &d->nsgs, &d->count, &why) < 0) {
        failed(run, &why);
    } else {
        d->effective = true;
        rule_judge(run);
    }
}

static void ask_effective(struct prepare_run *run)
{
    struct err why = {0};
    if (strcmp(run->vm.power, "running") != 0)
        ask_subnet(run);
    else if (call_post_read(run, run->way.nic, "effectiveNetworkSecurityGroups", QUERY, on_effective, 0,
                            &why) < 0)
        failed(run, &why);
}

/* Whom must it let in? An empty source: not known. */
static void find_source(struct prepare_run *run)
{
    struct rule_docs *d = &run->rule;
    char address[AZURE_CALLER_MAX];
    if (d->source[0])
        return;
    if (run->o.via || run->o.private_address)
        snprintf(d->source, sizeof(d->source), "VirtualNetwork");
    else if (azure_caller_address(run->o.azure, run->id, address, NULL) == 0)
        nsg_source_normal(address, d->source, sizeof(d->source), NULL);
}

static void on_way(struct prepare_run *run, const struct err *err)
{
    if (err) {
        failed(run, err);
        return;
    }
    find_source(run);
    ask_effective(run);
}

void rule_check(struct prepare_run *run, enum prepare_step s)
{
    if (run->answered) {
        step_pass(run, s, "port %u answers", run->o.port);
        return;
    }
    if (run->vm.uniform) {
        step_skip(run, s, "Uniform scale set: its security groups are the scale set's");
        return;
    }
    rule_forget(run);
    run->rule.effective = false;
    if (!run->steps[s].doing[0])
        step_doing(run, s, "reading the security rules of %s", run->vm.name);
    if (run->way_known)
        on_way(run, NULL);
    else
        nics_load(run, on_way);
}
