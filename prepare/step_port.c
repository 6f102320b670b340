/*
 * step_port: the SSH port answers with a banner.
 *
 * How it does not answer says where to look: silence is a packet filter, a refusal a server that is missing.
 */
#include <string.h>

#include "run.h"

#define KNOCK_MS 10000u

static void hint(struct prepare_run *run, const struct err *err)
{
    const enum prepare_step s = PREPARE_PORT;
    switch (err->code) {
    case ERR_TIMEOUT:
    case ERR_UNREACHABLE:
        step_hint(run, s, false,
                  "nothing comes back: a security rule, a firewall on the VM or on the way here, or it is "
                  "starting");
        break;
    case ERR_REFUSED:
        step_hint(run, s, false, "%s is up, but no SSH server listens at port %u", run->vm.name, run->o.port);
        break;
    default:
        step_hint(run, s, false, "what listens at port %u may be no SSH server, or it is overloaded",
                  run->o.port);
    }
}

static void on_knocked(struct prepare_run *run, const char *banner, const struct err *err)
{
    const enum prepare_step s = PREPARE_PORT;
    run->answered = !err;
    if (!err) {
        step_pass(run, s, "port %u answers (%.100s)", run->o.port, banner);
    } else if (err->code == ERR_NOMEM) {
        run_break(run, err);
    } else {
        step_fail(run, s, err->code, "port %u does not answer: %s", run->o.port, err->msg);
        hint(run, err);
    }
}

void port_check(struct prepare_run *run, enum prepare_step s)
{
    struct err why = {0};
    if (!run->steps[s].settle_till)
        step_doing(run, s, "knocking at port %u of %s", run->o.port, run->vm.name);
    else if (!run->steps[s].doing[0])
        step_doing(run, s, "waiting for port %u of %s", run->o.port, run->vm.name);
    if (call_knock(run, KNOCK_MS, on_knocked, &why) < 0)
        on_knocked(run, NULL, &why);
}
