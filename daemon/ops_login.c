/*
 * ops_login: the operations "login" and "logout": a person signs in to Azure by device code, and out.
 *
 * The login belongs to the request: when the client cancels or goes, it is given up.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "ops.h"

struct login_job {
    struct job job;
    struct azure_login *login;
};

static void login_free(struct login_job *j)
{
    if (j->login)
        azure_login_cancel(j->login);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    login_free(container_of(job, struct login_job, job));
}

static void on_prompt(void *arg, const struct azure_prompt *prompt)
{
    struct login_job *j = arg;
    control_event(j->job.req, json_pack("{s:o, s:o, s:o, s:I}", "user_code", control_text(prompt->user_code),
                                        "verification_uri", control_text(prompt->verification_uri), "message",
                                        control_text(prompt->message), "expires_in_ms",
                                        (json_int_t)prompt->expires_s * 1000));
}

static void on_login(void *arg, const char *user, const struct err *err)
{
    struct login_job *j = arg;

    j->login = NULL;
    if (err) {
        job_err(&j->job, err);
    } else {
        log_info(&DAEMON_LOG, "signed in to Azure by `adit login`%s%s", *user ? " as " : "", user);
        job_ok(&j->job, json_pack("{s:o}", "user", control_text(*user ? user : NULL)));
    }
    login_free(j);
}

void op_login(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *tenant = NULL;

    if (args_text(args, "tenant", false, &tenant, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    if (!d->azure) {
        ops_refuse(req, &d->azure_err);
        return;
    }
    struct login_job *j = mem_zalloc(sizeof *j);
    if (!j) {
        ops_no_memory(req);
        return;
    }
    job_begin(&j->job, d, req, on_drop);
    if (azure_login(d->azure, tenant, on_prompt, on_login, j, &j->login, &err) < 0) {
        job_err(&j->job, &err);
        login_free(j);
    }
}

void op_logout(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};

    if (!d->azure) {
        ops_refuse(req, &d->azure_err);
    } else if (azure_logout(d->azure, &err) < 0) {
        ops_refuse(req, &err);
    } else {
        log_info(&DAEMON_LOG, "signed out of Azure by `adit logout`");
        control_reply_ok(req, NULL);
    }
}
