/*
 * rule_mend: puts the planned rules, one group after the other; takes back those that we put.
 *
 *   mend:  RECORD ──▶ PUT ──▶ the next group's, or done
 *   undo:  GET ──gone──▶ forget it ──▶ the next one
 *           ├──what we put──▶ DELETE ──▶ forget it ──▶ the next one
 *           └──changed since──▶ left as it is, and forgotten: it is somebody's decision now
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ref.h"
#include "rule.h"

#define QUERY "api-version=" NETWORK_API
#define PUT_MS 300000u
#define DESCRIPTION_MAX 140 /* Azure's limit */

static void put_next(struct prepare_run *run, size_t i);

static int note(struct record_vm *r, const void *arg)
{
    return record_rule_put(r, arg);
}

static int drop(struct record_vm *r, const void *arg)
{
    record_rule_drop(r, arg);
    return 0;
}

static char *id_of(const struct plan_rule *r)
{
    return mem_printf("%s/securityRules/%s", r->nsg_id, r->name);
}

static void on_put(struct prepare_run *run, size_t i, const json_t *doc, const struct err *err)
{
    const enum prepare_step s = PREPARE_RULE;
    const struct plan_rule *r = &run->plan.rules[i];
    if (!err) {
        step_changed(run, s, "added the rule %s to %s: %s may reach port %u", r->name, ref_name(r->nsg_id),
                     r->source, run->o.port);
        put_next(run, i + 1);
        return;
    }
    char *id = id_of(r);
    /* What was refused was not made: there is nothing to undo. */
    if (err->code != ERR_DENIED || !id || run_record(run, drop, id))
        step_mend_failed(run, s, err);
    mem_free(id);
}

static json_t *body_of(const struct prepare_run *run, const struct plan_rule *r)
{
    char text[DESCRIPTION_MAX + 1], port[8];
    snprintf(text, sizeof(text), RULE_MARK ": SSH to %s", run->vm.name);
    snprintf(port, sizeof(port), "%u", run->o.port);
    return json_pack("{s:{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s}}", "properties", "description", text,
                     "protocol", "Tcp", "access", "Allow", "direction", "Inbound", "priority", r->priority,
                     "sourceAddressPrefix", r->source, "sourcePortRange", "*", "destinationAddressPrefix",
                     "*", "destinationPortRange", port);
}

static void put_next(struct prepare_run *run, size_t i)
{
    const enum prepare_step s = PREPARE_RULE;
    struct err why = {0};
    if (i == run->plan.rule_count) {
        step_settle(run, s);
        return;
    }
    const struct plan_rule *r = &run->plan.rules[i];
    char *id = id_of(r);
    json_t *body = body_of(run, r);
    struct record_rule made = {.id = id, .source = r->source, .priority = r->priority};
    struct call_change put = {.method = "PUT", .id = id, .query = QUERY, .body = body, .deadline_ms = PUT_MS};
    step_doing(run, s, "adding the rule %s to %s", r->name, ref_name(r->nsg_id));
    if (!id || !body)
        err_set(&why, ERR_NOMEM, "out of memory");
    else if (run_record(run, note, &made))
        call_write(run, &put, on_put, i, &why);
    if (why.code)
        step_mend_failed(run, s, &why);
    json_decref(body);
    mem_free(id);
}

void rule_mend(struct prepare_run *run, enum prepare_step s)
{
    put_next(run, 0);
}

/* ---- undo ---- */

static void undo_next(struct prepare_run *run);

static void undone(struct prepare_run *run, bool removed)
{
    const struct record_rule *r = &run->undo->rules[0];
    char group[128];
    size_t len;
    snprintf(group, sizeof(group), "%s", ref_segment(r->id, 8, &len));
    if (len < sizeof(group))
        group[len] = 0;
    if (!run_record(run, drop, r->id))
        return;
    if (removed)
        step_changed(run, PREPARE_RULE, "removed the rule %s from %s", ref_name(r->id), group);
    run->undo_removed += removed;
    undo_next(run);
}

static void on_deleted(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    if (err && err->code != ERR_NOTFOUND)
        step_undo_failed(run, PREPARE_RULE, err);
    else
        undone(run, true);
}

static bool is_text(const json_t *p, const char *key, const char *want)
{
    const char *have = json_string_value(json_object_get(p, key));
    return have && strcasecmp(have, want) == 0;
}

/* Is it still what we put there? */
static bool is_ours(const json_t *doc, const struct record_rule *r)
{
    const json_t *p = json_object_get(doc, "properties");
    const char *text = json_string_value(json_object_get(p, "description"));
    return text && strncmp(text, RULE_MARK, strlen(RULE_MARK)) == 0 &&
           json_integer_value(json_object_get(p, "priority")) == r->priority &&
           is_text(p, "sourceAddressPrefix", r->source) && is_text(p, "access", "Allow") &&
           is_text(p, "direction", "Inbound");
}

static void on_rule(struct prepare_run *run, size_t tag, const json_t *doc, const struct err *err)
{
    const struct record_rule *r = &run->undo->rules[0];
    struct err why = {0};
    struct call_change call = {.method = "DELETE", .id = r->id, .query = QUERY, .deadline_ms = PUT_MS};
    if (err && err->code == ERR_NOTFOUND) {
        undone(run, false);
    } else if (err) {
        step_undo_failed(run, PREPARE_RULE, err);
    } else if (!is_ours(doc, r)) {
        run->undo_left++;
        undone(run, false);
    } else {
        step_doing(run, PREPARE_RULE, "removing the rule %s", ref_name(r->id));
        if (call_write(run, &call, on_deleted, 0, &why) < 0)
            step_undo_failed(run, PREPARE_RULE, &why);
    }
}

static void undo_next(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_RULE;
    struct err why = {0};
    if (!run_undo_recall(run))
        return;
    if (run->undo->rule_count) {
        const char *id = run->undo->rules[0].id;
        if (call_get(run, id, NULL, QUERY, on_rule, 0, &why) < 0)
            step_undo_failed(run, s, &why);
    } else if (run->undo_removed) {
        step_undone(run, s, "%s that adit added %s%s", run->undo_removed == 1 ? "the rule" : "the rules",
                    run->undo_removed == 1 ? "is removed" : "are removed",
                    run->undo_left ? "; one that was changed since is left" : "");
    } else {
        step_skip(run, s, "%s",
                  run->undo_left ? "the rule that adit added was changed since, and is left"
                                 : "adit has no rule there");
    }
}

void rule_undo(struct prepare_run *run, enum prepare_step s)
{
    run->undo_removed = run->undo_left = 0;
    undo_next(run);
}
