/*
 * enter_judge: what each stage of a login means for the user.
 */
#include <string.h>

#include "enter.h"

/* The server let us ask, and the target did not answer: "administratively prohibited" is the server's own. */
static bool target_refused(const struct err *err)
{
    return err->code == ERR_REFUSED && !strcasestr(err->msg, "prohibited");
}

static void judge_host_key(struct prepare_run *run, const struct run_stage *t)
{
    const enum prepare_step s = PREPARE_HOST_KEY;
    struct err why = {0};
    if (t->err.code == ERR_HOSTKEY) {
        step_fail(run, s, t->err.code, "%s", t->err.msg);
        step_hint(run, s, false, "%s",
                  run->keys
                      ? "what answers at that address is not this VM: do not log in there; look who has the "
                        "address"
                      : "if the VM was made anew or its keys changed, `adit prepare` fetches them through "
                        "Azure");
    } else if (t->err.code) {
        step_fail_err(run, s, &t->err);
    } else if (!run->keys) {
        step_pass(run, s, "%s; not compared with what Azure reports: %s", t->detail,
                  run->keys_why[0] ? run->keys_why : "Uniform scale set");
    } else if (run->o.mode == PREPARE_MEND &&
               run->o.hands.learn(run->o.hands.self, run->vm.id, run->vm.vm_id, run->keys, &why) < 0) {
        step_pass(run, s, "%s, as the VM reports through Azure; it could not be remembered: %s", t->detail,
                  why.msg);
    } else {
        step_pass(run, s, "%s, as the VM reports through Azure", t->detail);
    }
}

static void judge_login(struct prepare_run *run, const struct run_stage *t)
{
    const enum prepare_step s = PREPARE_LOGIN;
    const char *user = run_user(run), *alias = run->o.alias;
    if (!t->err.code) {
        step_pass(run, s, "%s%s%s", user ? user : "", user && t->detail[0] ? ", " : "", t->detail);
        return;
    }
    step_fail_err(run, s, &t->err);
    if (t->err.code != ERR_AUTH)
        return;
    /* Asking again what was refused is answered with penalties. */
    run->steps[s].settle_till = 0;
    if (run->steps[s].changed)
        step_hint(run, s, false, "the key is in its file on the VM: %s",
                  run->vm.windows ? "look at the log Applications and Services > OpenSSH > Operational there"
                                  : "look at `journalctl -u ssh` there, and at the rights of ~/.ssh");
    else if (run->vm.uniform)
        step_hint(run, s, false, "keys of a Uniform scale set are set in its model");
    else if (!user)
        step_hint(run, s, false, "Azure does not say who the administrator is: set `user:` for %s", alias);
    else if (!run->o.public_key)
        step_hint(run, s, false,
                  "there is no key to add: make one with ssh-keygen, or set `identity:` for %s", alias);
    else
        step_hint(run, s, true, "`adit prepare %s` adds your public key for %s", alias, user);
}

static void judge_forward(struct prepare_run *run, const struct run_stage *t)
{
    const enum prepare_step s = PREPARE_FORWARD;
    const char *host = enter_target_host(run);
    uint16_t port = enter_target_port(run);
    bool rdp = run->steps[PREPARE_RDP].wanted && (run->vm.windows || run->o.rdp);
    if (!t->err.code) {
        step_pass(run, s, "%s:%u opens", host, port);
    } else if (target_refused(&t->err) && rdp) {
        step_pass(run, s, "the server forwards"); /* what is refused is RDP, whose step says so */
    } else if (target_refused(&t->err)) {
        step_fail(run, s, t->err.code, "the server forwards, but %s:%u refuses on the VM", host, port);
        step_hint(run, s, false, "start what should listen at %s:%u there", host, port);
    } else {
        step_fail_err(run, s, &t->err);
        step_hint(run, s, false, "see AllowTcpForwarding and PermitOpen in the VM's sshd_config%s",
                  run->vm.windows ? " (C:\\ProgramData\\ssh)" : "");
    }
}

static void judge_rdp(struct prepare_run *run, const struct run_stage *t)
{
    const enum prepare_step s = PREPARE_RDP;
    const char *host = enter_target_host(run);
    uint16_t port = enter_target_port(run);
    if (!t->err.code) {
        step_pass(run, s, "answers at %s:%u%s%s", host, port, t->detail[0] ? " " : "", t->detail);
    } else if (target_refused(&t->err)) {
        step_fail(run, s, t->err.code, "nothing listens at %s:%u on %s", host, port, run->vm.name);
        step_hint(run, s, false, "%s",
                  run->vm.windows
                      ? "Remote Desktop is off: in PowerShell there, Set-ItemProperty 'HKLM:\\SYSTEM\\"
                        "CurrentControlSet\\Control\\Terminal Server' fDenyTSConnections 0; Start-Service "
                        "TermService"
                      : "start its RDP server, xrdp say");
    } else {
        step_fail_err(run, s, &t->err);
        step_hint(run, s, false, "%s",
                  run->vm.windows ? "look at the service TermService and at its port on the VM"
                                  : "look at the VM's RDP server");
    }
}

void enter_judge(struct prepare_run *run, enum prepare_stage stage, const struct run_stage *told)
{
    struct run_stage t = *told;
    if (t.err.code && stage == PREPARE_STAGE_LOGIN)
        enter_forget(run, stage); /* asked again, it is by another login */
    switch (stage) {
    case PREPARE_STAGE_HOST_KEY:
        judge_host_key(run, &t);
        break;
    case PREPARE_STAGE_LOGIN:
        judge_login(run, &t);
        break;
    case PREPARE_STAGE_FORWARD:
        judge_forward(run, &t);
        break;
    case PREPARE_STAGE_RDP:
        judge_rdp(run, &t);
        break;
    }
}
