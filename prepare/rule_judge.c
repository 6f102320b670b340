/*
 * rule_judge: what the security groups' rules come to for one source.
 */
#include <string.h>

#include "ref.h"
#include "rule.h"

const char *rule_source(const struct prepare_run *run)
{
    return run->rule.source[0] ? run->rule.source : "Internet";
}

bool rule_lets_in(const struct prepare_run *run, const struct nsg *g, const struct nsg_rule **decided)
{
    const struct nsg_rule *rule = nsg_judge(g, rule_source(run), run->way.private_address, run->o.port);
    if (decided)
        *decided = rule;
    return rule && rule->allow;
}

/* A Standard public IP is closed until some group opens it. */
static void no_group(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_RULE;
    bool through_public = run->way.public_id && !run->o.via && !run->o.private_address;
    if (!through_public || !run->way.standard) {
        step_pass(run, s, "no security group is in the way");
        return;
    }
    step_fail(run, s, ERR_UNAVAILABLE,
              "no security group: a Standard public IP address lets nothing in without one");
    step_hint(run, s, false,
              "give it one, then run this again: az network nsg create -g '%s' -n '%s-nsg' && "
              "az network nic update --ids '%s' --network-security-group '%s-nsg'",
              run->vm.group, run->vm.name, run->way.nic, run->vm.name);
}

void rule_judge(struct prepare_run *run)
{
    const struct rule_docs *d = &run->rule;
    const struct nsg_rule *by = NULL;
    if (d->count == 0) {
        no_group(run);
        return;
    }
    for (size_t i = 0; i < d->count; i++) {
        if (rule_lets_in(run, &d->nsgs[i], &by))
            continue;
        if (d->effective)
            rule_read_blocked(run);
        else
            rule_plan(run);
        return;
    }
    step_pass(run, PREPARE_RULE, "%s lets %s reach port %u", by->name, rule_source(run), run->o.port);
}
