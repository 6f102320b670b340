/*
 * ops_prepare: the operations "doctor" and "prepare": one run of prepare, told as it goes.
 *
 *   request ─▶ NAME ─▶ KEY (which public key would log in; not for an undo) ─▶ RUN (prepare/) ─▶ answered
 *
 * The run belongs to the request: when the client cancels or goes, nothing more is begun; what Azure has
 * begun goes on there. Failure modes: no key is no failure, the login just cannot be mended then; that checks
 * fail is no failure of the request either, its answer says so.
 */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/mem.h"
#include "config/paths.h"
#include "job.h"
#include "ops.h"
#include "prepare_args.h"
#include "prepare_hands.h"
#include "prepare_json.h"
#include "proxy/ssh_options.h"
#include "questions.h"
#include "ssh/pubkey.h"
#include "truth.h"

#define RDP_PORT 3389
#define KEY_FILE ".ssh/id_ed25519"

struct prepare_job {
    struct job job;
    struct config_vm *vm;
    struct truth_find *naming;
    struct questioner questioner;
    struct hands *hands;
    struct ssh_pubkey *finding;
    struct prepare_run *run;
    struct prepare_args args;
    struct prepare_options options; /* its strings are borrowed from here */
    char *record;
    char *key_from; /* where the key was found, or NULL */
};

static void prepare_free(struct prepare_job *j)
{
    if (j->naming)
        truth_find_cancel(j->naming);
    if (j->finding)
        ssh_pubkey_cancel(j->finding);
    if (j->run)
        prepare_cancel(j->run);
    if (j->hands)
        hands_close(j->hands);
    questioner_end(&j->questioner);
    config_vm_free(j->vm);
    prepare_args_done(&j->args);
    mem_free(j->record);
    mem_free(j->key_from);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    prepare_free(container_of(job, struct prepare_job, job));
}

static void fail(struct prepare_job *j, const struct err *err)
{
    job_err(&j->job, err);
    prepare_free(j);
}

/* ---- what the run tells ---- */

static void on_outcome(void *arg, const struct prepare_outcome *o)
{
    struct prepare_job *j = arg;
    control_event(j->job.req, prepare_json_step(o));
}

static void on_progress(void *arg, enum prepare_step step, const char *text)
{
    struct prepare_job *j = arg;
    (void)step;
    control_progress(j->job.req, "%s", text);
}

static void on_changed(void *arg, enum prepare_step step, const char *text)
{
    struct prepare_job *j = arg;
    log_info(&DAEMON_LOG, "vm %s: prepare: %s", j->vm->alias, text);
    control_event(j->job.req, prepare_json_changed(step, text));
}

static void on_printed(void *arg, const char *text)
{
    struct prepare_job *j = arg;
    control_event(j->job.req, prepare_json_printed(text));
}

/* Where a new key pair would be looked for by the next login. */
static char *new_key_file(const struct prepare_job *j)
{
    const char *home = getenv("HOME");
    if (j->vm->ssh.identity_count > 0)
        return mem_strdup(j->vm->ssh.identities[0]);
    return home ? mem_printf("%s/" KEY_FILE, home) : NULL;
}

static void on_done(void *arg, const struct err *err)
{
    struct prepare_job *j = arg;
    j->run = NULL;
    json_t *answer = json_pack("{s:o, s:b}", "vm", control_text(j->vm->alias), "ready", err == NULL);
    json_object_set_new(answer, "error", err ? control_err_to_json(err) : json_null());
    json_object_set_new(answer, "key_from", control_text(j->key_from));
    if (!j->args.public_key) {
        char *file = new_key_file(j);
        json_object_set_new(answer, "new_key_file", control_text(file));
        mem_free(file);
    }
    job_ok(&j->job, answer);
    prepare_free(j);
}

static const struct prepare_events EVENTS = {.outcome = on_outcome,
                                             .progress = on_progress,
                                             .changed = on_changed,
                                             .printed = on_printed,
                                             .done = on_done};

/* ---- the run ---- */

static void begin_run(struct prepare_job *j)
{
    struct err err = {0};
    j->options.hands = hands_table(j->hands);
    j->options.public_key = j->args.public_key;
    if (prepare_start(&j->run, &j->options, &EVENTS, j, &err) < 0) {
        j->run = NULL;
        fail(j, &err);
    }
}

static void on_key(void *arg, const char *line, const char *from, const struct err *err)
{
    struct prepare_job *j = arg;
    j->finding = NULL;
    if (!err) {
        j->args.public_key = mem_strdup(line);
        j->key_from = mem_strdup(from);
    }
    begin_run(j);
}

static int find_key(struct prepare_job *j, struct err *err)
{
    const struct ssh_options_place place = {.known_hosts = j->job.d->place->known_hosts,
                                            .agent_socket = getenv("SSH_AUTH_SOCK")};
    struct ssh_options_text text;
    struct ssh_conn_options login;
    ssh_options_fill(&login, &text, j->vm, NULL, &place);
    const struct ssh_pubkey_want want = {.loop = &j->job.d->loop,
                                         .identities = login.identities,
                                         .identity_count = login.identity_count,
                                         .agent_socket = login.agent_socket};
    return ssh_pubkey_find(&j->finding, &want, on_key, j, err);
}

/* What the VM is for: RDP if one of its forwards goes there, else its first forward to a port. */
static void choose_target(struct prepare_job *j)
{
    const struct forward_end *target = NULL;
    for (size_t i = 0; i < j->vm->forward_count; i++) {
        const struct forward_spec *f = &j->vm->forwards[i];
        if (f->kind == FORWARD_LOCAL && !f->target.path && (!target || f->target.port == RDP_PORT))
            target = &f->target;
    }
    if (!target)
        return;
    j->options.target_host = target->host;
    j->options.target_port = target->port;
    j->options.rdp = target->port == RDP_PORT;
}

static void set_options(struct prepare_job *j)
{
    struct prepare_options *o = &j->options;
    const struct config_ssh *ssh = &j->vm->ssh;
    o->azure = j->job.d->azure;
    o->clock = j->job.d->clock;
    o->alias = j->vm->alias;
    o->user = ssh->user;
    o->port = ssh->port;
    o->via = j->vm->via;
    o->private_address = ssh->prefer_private_ip;
    o->mode = j->args.mode;
    o->only = j->args.only;
    o->print = j->args.print;
    o->create_public_ip = j->args.create_public_ip;
    o->deadline_ms = j->args.timeout_ms;
    o->source = j->args.source;
    o->record = j->record;
    choose_target(j);
}

static int open_record(struct prepare_job *j, struct err *err)
{
    char *dir = paths_state_dir(err);
    if (!dir)
        return err->code;
    j->record = mem_printf("%s/prepared.json", dir);
    mem_free(dir);
    return j->record ? 0 : err_set(err, ERR_NOMEM, "aditd is out of memory");
}

/* ---- the request ---- */

static int check_vm(struct prepare_job *j, struct err *err)
{
    if (j->vm->vm.kind == VM_NAME_ADDRESS)
        return err_set(err, ERR_INVAL,
                       "%s is an address, not a VM of Azure's: say which VM it is (vm: group/name)",
                       j->vm->alias);
    int rc = open_record(j, err);
    return rc < 0 ? rc : hands_new(&j->hands, j->job.d, j->vm, err);
}

static void begin(struct prepare_job *j)
{
    struct err err = {0};
    int rc = check_vm(j, &err);
    questioner_begin(&j->questioner, &j->job, j->vm->alias, j->vm->via);
    if (rc == 0) {
        set_options(j);
        if (j->args.public_key || j->args.mode == PREPARE_UNDO) {
            begin_run(j);
            return;
        }
        rc = find_key(j, &err);
    }
    if (rc < 0)
        fail(j, &err);
}

static void on_found(void *arg, struct named_vm *named, const struct err *err)
{
    struct prepare_job *j = arg;
    j->naming = NULL;
    if (named)
        j->vm = named->vm;
    if (err)
        fail(j, err);
    else
        begin(j);
}

static void run(struct daemon *d, struct control_request *req, const json_t *args, bool changes)
{
    struct err err = {0};
    const char *typed = NULL;
    struct named_vm named = {0};
    struct prepare_job *j = mem_zalloc(sizeof *j);

    if (!j) {
        ops_no_memory(req);
        return;
    }
    int rc = args_text(args, "vm", true, &typed, &err);
    if (rc == 0)
        rc = prepare_args_read(&j->args, args, changes, &err);
    if (rc == 0 && !d->azure)
        rc = err_copy(&err, &d->azure_err, ERR_UNAVAILABLE);
    if (rc < 0) {
        prepare_free(j);
        ops_refuse(req, &err);
        return;
    }
    job_begin(&j->job, d, req, on_drop);
    rc = truth_find_start(&j->naming, d, typed, &named, on_found, j, &err);
    if (rc < 0) {
        j->naming = NULL;
        fail(j, &err);
    } else if (rc > 0) {
        j->naming = NULL;
        j->vm = named.vm;
        begin(j);
    }
}

void op_doctor(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, false);
}

void op_prepare(struct daemon *d, struct control_request *req, const json_t *args)
{
    run(d, req, args, true);
}
