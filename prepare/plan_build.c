/*
 * plan_build: from what a run knows to a plan: what every change needs, and which are missing.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "run.h"

static bool set(char **to, const char *text)
{
    mem_free(*to);
    *to = mem_strdup(text);
    return *to || !text;
}

int plan_build(struct prepare_run *run, struct err *err)
{
    struct plan *p = &run->plan;
    const struct facts_vm *vm = &run->vm;
    const char *user = run_user(run);
    p->windows = vm->windows;
    p->port = run->o.port;
    p->administrator = vm->windows && user && strcasecmp(user, vm->admin) == 0;
    if (set(&p->subscription, vm->subscription) && set(&p->group, vm->group) && set(&p->vm, vm->name) &&
        set(&p->location, vm->location) && set(&p->user, user) && set(&p->public_key, run->o.public_key))
        return 0;
    return err_set(err, ERR_NOMEM, "out of memory");
}

static bool fails(const struct prepare_run *run, enum prepare_step s)
{
    const struct step *st = &run->steps[s];
    return st->state == STEP_OVER && st->status == PREPARE_FAIL;
}

/* Nobody knows while the server cannot be asked; adding a key that is there does nothing. */
static bool login_may_miss(const struct prepare_run *run)
{
    const struct step *st = &run->steps[PREPARE_LOGIN];
    bool skipped = st->state == STEP_OVER && st->status == PREPARE_SKIP && st->because < PREPARE_STEPS;
    return (skipped || (fails(run, PREPARE_LOGIN) && st->code == ERR_AUTH) || st->refused) &&
           run->plan.user && run->plan.public_key;
}

unsigned plan_missing(const struct prepare_run *run)
{
    const struct plan *p = &run->plan;
    unsigned steps = 0;
    if (fails(run, PREPARE_POWER))
        steps |= PREPARE_BIT(PREPARE_POWER);
    if (fails(run, PREPARE_ADDRESS) && p->public_ip && p->nic_id && p->ip_config)
        steps |= PREPARE_BIT(PREPARE_ADDRESS);
    if (fails(run, PREPARE_EXTENSION))
        steps |= PREPARE_BIT(PREPARE_EXTENSION);
    if (fails(run, PREPARE_RULE) && p->rule_count)
        steps |= PREPARE_BIT(PREPARE_RULE);
    if (login_may_miss(run))
        steps |= PREPARE_BIT(PREPARE_LOGIN);
    return steps;
}

int plan_address(struct prepare_run *run, struct err *err)
{
    struct plan *p = &run->plan;
    mem_free(p->public_ip);
    p->public_ip = mem_printf("%s-ip", run->vm.name);
    if (p->public_ip && set(&p->nic_id, run->way.nic) && set(&p->ip_config, run->way.config))
        return 0;
    return err_set(err, ERR_NOMEM, "out of memory");
}
