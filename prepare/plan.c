/*
 * plan: ends a plan.
 */
#include "plan.h"

#include "base/mem.h"

void plan_done(struct plan *p)
{
    char **owned[] = {&p->subscription, &p->group,     &p->vm,   &p->location,  &p->nic_id,
                      &p->ip_config,    &p->public_ip, &p->user, &p->public_key};
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
        mem_free(*owned[i]);
        *owned[i] = NULL;
    }
    for (unsigned i = 0; i < p->rule_count; i++) {
        mem_free(p->rules[i].nsg_id);
        mem_free(p->rules[i].name);
        mem_free(p->rules[i].source);
    }
    p->rule_count = 0;
    p->steps = 0;
}
