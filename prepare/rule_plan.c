/*
 * rule_plan: the rule that each group in the way lacks: a name that is free or ours, a priority before the
 * refusal.
 *
 * Ours is a rule that carries our mark and is in our record: another's, even one that another adit made, is
 * not touched. Failure modes: no address to let in, no priority left: the step says so, and cannot be mended.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ref.h"
#include "rule.h"

#define PRIORITY_WANTED 1000
#define PRIORITY_NONE 65500 /* of Azure's own last refusal */
#define NAMES_MAX 20

/* The resource of this group, if it could be read. */
static const json_t *resource_of(const struct prepare_run *run, const struct nsg *g)
{
    for (size_t i = 0; i < run->rule.id_count; i++)
        if (ref_same(run->rule.ids[i], g->id))
            return run->rule.resources[i];
    return NULL;
}

static const json_t *rule_named(const json_t *resource, const char *name)
{
    json_t *rules = json_object_get(json_object_get(resource, "properties"), "securityRules"), *r;
    size_t i;
    json_array_foreach(rules, i, r)
    {
        const char *have = json_string_value(json_object_get(r, "name"));
        if (have && strcasecmp(have, name) == 0)
            return r;
    }
    return NULL;
}

static bool taken(const struct nsg *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcasecmp(g->rules[i].name, name) == 0)
            return true;
    return false;
}

static bool is_ours(const json_t *rule, const struct record_vm *record, const char *nsg_id, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(rule, "properties"), "description"));
    char *id = mem_printf("%s/securityRules/%s", nsg_id, name);
    bool known = id && record && record_rule_find(record, id);
    mem_free(id);
    return known && text && strncmp(text, RULE_MARK, strlen(RULE_MARK)) == 0;
}

/* Fills name and priority; false when there is none. */
static bool place(struct plan_rule *out, const struct nsg *g, const json_t *resource,
                  const struct record_vm *record, int before)
{
    char name[32] = PLAN_RULE_NAME;
    int kept = 0;
    for (unsigned n = 2; n <= NAMES_MAX; n++) {
        const json_t *there = rule_named(resource, name);
        if (is_ours(there, record, g->id, name)) {
            kept = (int)json_integer_value(json_object_get(json_object_get(there, "properties"), "priority"));
            break;
        }
        if (!there && !taken(g, name))
            break;
        snprintf(name, sizeof(name), PLAN_RULE_NAME "-%u", n);
    }
    out->priority = kept && kept < before ? kept : nsg_priority_free(g, PRIORITY_WANTED, before);
    out->name = mem_strdup(name);
    return out->priority != 0;
}

static int add(struct prepare_run *run, const struct nsg *g, const struct nsg_rule *by,
               const struct record_vm *record, struct err *err)
{
    struct plan *p = &run->plan;
    const json_t *resource = resource_of(run, g);
    if (p->rule_count == PLAN_RULES_MAX)
        return 0;
    struct plan_rule *r = &p->rules[p->rule_count];
    memset(r, 0, sizeof(*r));
    struct nsg whole = {0};
    if (resource && nsg_from_resource(resource, &whole, err) < 0)
        return err->code;
    bool placed = place(r, resource ? &whole : g, resource, record, by ? by->priority : PRIORITY_NONE);
    nsg_done(&whole);
    p->rule_count++;
    r->nsg_id = mem_strdup(g->id);
    r->source = mem_strdup(run->rule.source);
    if (!r->nsg_id || !r->source || !r->name)
        return err_set(err, ERR_NOMEM, "out of memory");
    return placed ? 0
                  : err_set(err, ERR_LIMIT, "%s has no free priority before its rule %s", ref_name(g->id),
                            by ? by->name : "");
}

static void forget(struct plan *p)
{
    for (unsigned i = 0; i < p->rule_count; i++) {
        mem_free(p->rules[i].nsg_id);
        mem_free(p->rules[i].name);
        mem_free(p->rules[i].source);
    }
    p->rule_count = 0;
}

static int fill(struct prepare_run *run, struct err *err)
{
    struct record_vm *record = NULL;
    int rc = 0;
    forget(&run->plan);
    if (run->o.record)
        record_read(&record, run->o.record, run->vm.id, run->vm.vm_id, NULL);
    for (size_t i = 0; i < run->rule.count && rc == 0; i++) {
        const struct nsg_rule *by;
        if (!rule_lets_in(run, &run->rule.nsgs[i], &by))
            rc = add(run, &run->rule.nsgs[i], by, record, err);
    }
    record_free(record);
    if (rc < 0)
        forget(&run->plan);
    return rc;
}

static void describe(struct prepare_run *run, size_t *index)
{
    const enum prepare_step s = PREPARE_RULE;
    const struct nsg_rule *by = NULL;
    size_t i = 0;
    while (i < run->rule.count && rule_lets_in(run, &run->rule.nsgs[i], &by))
        i++;
    *index = i;
    const char *group = ref_name(run->rule.nsgs[i].id), *who = rule_source(run);
    if (by)
        step_fail(run, s, ERR_UNAVAILABLE, "%s of %s keeps %s from port %u", by->name, group, who,
                  run->o.port);
    else
        step_fail(run, s, ERR_UNAVAILABLE, "no rule of %s lets %s reach port %u", group, who, run->o.port);
}

void rule_plan(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_RULE;
    struct err why = {0};
    size_t i;
    if (run->rule.err.code == ERR_NOMEM) {
        run_break(run, &run->rule.err);
        return;
    }
    describe(run, &i);
    if (!run->rule.source[0]) {
        step_hint(run, s, false,
                  "the sign-in does not say which public address this machine has: name it with --source "
                  "ADDRESS/32");
    } else if (fill(run, &why) == 0) {
        step_hint(run, s, true, "`adit prepare %s` adds the rule %s (priority %d) for %s", run->o.alias,
                  run->plan.rules[0].name, run->plan.rules[0].priority, run->rule.source);
    } else if (why.code == ERR_NOMEM) {
        run_break(run, &why);
    } else {
        step_hint(run, s, false, "%s: make room for a rule that allows %s", why.msg, run->rule.source);
    }
}
