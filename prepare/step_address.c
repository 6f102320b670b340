/*
 * step_address: there is an address to reach the VM at: a public one, `via` another VM, or the private one
 * where that is wanted.
 *
 * A public IP costs money: it is made (address_mend.c) only for those who ask for it.
 */
#include "run.h"

static void fail(struct prepare_run *run)
{
    const enum prepare_step s = PREPARE_ADDRESS;
    const char *alias = run->o.alias;
    struct err why = {0};
    if (run->o.create_public_ip && plan_address(run, &why) < 0) {
        run_break(run, &why);
        return;
    }
    step_fail(run, s, ERR_UNREACHABLE, "%s has no public IP address", run->vm.name);
    if (run->vm.uniform)
        step_hint(run, s, false,
                  "give the scale set's instances public IP addresses, or reach it `via` a VM");
    else if (run->o.create_public_ip)
        step_hint(run, s, true,
                  "`adit prepare %s --create-public-ip` makes a Standard one, which costs money", alias);
    else
        step_hint(
            run, s, false,
            "set `via: VM` to one in its network; or `adit prepare %s --create-public-ip`, which costs money",
            alias);
}

static void on_nics(struct prepare_run *run, const struct err *err)
{
    const enum prepare_step s = PREPARE_ADDRESS;
    const struct facts_way *way = &run->way;
    if (err) {
        step_fail_err(run, s, err);
    } else if (run->o.private_address && way->private_address) {
        step_pass(run, s, "%s, its private address", way->private_address);
    } else if (way->public_address) {
        step_pass(run, s, "%s", way->public_address);
    } else if (!way->public_id) {
        fail(run);
    } else if (run->steps[PREPARE_POWER].status != PREPARE_PASS ||
               run->steps[PREPARE_POWER].state != STEP_OVER) {
        step_pass(run, s, "a dynamic public IP address, which it gets when it runs");
    } else {
        step_fail(run, s, ERR_UNREACHABLE, "the public IP address of %s is not allocated yet", run->vm.name);
        step_hint(run, s, false, "wait a minute; else deallocate and start it: `adit deallocate %s`",
                  run->o.alias);
    }
}

void address_check(struct prepare_run *run, enum prepare_step s)
{
    if (run->o.via) {
        step_pass(run, s, "reached through %s", run->o.via);
        return;
    }
    if (run->vm.uniform && run->vm.nic_count == 0) {
        step_pass(run, s, "of the scale set; the port will show");
        return;
    }
    step_doing(run, s, "reading the network interface of %s", run->vm.name);
    nics_load(run, on_nics);
}
