/*
 * ops_config: the operations "reload" and "config": the file read again, and the snapshot in use.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "ops.h"
#include "reload.h"

struct reload_job {
    struct job job;
    struct proxy_req *req;
    struct truth_wait wait;
    struct reload_counts counts;
};

static void reload_free(struct reload_job *j)
{
    if (j->req)
        proxy_cancel(j->req);
    truth_wait_cancel(&j->wait);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    reload_free(container_of(job, struct reload_job, job));
}

static json_t *describe(const struct reload_job *j, const struct err *warning)
{
    const struct reload_counts *c = &j->counts;
    json_t *o =
        json_pack("{s:b, s:o, s:i, s:i, s:i}", "applied", 1, "path", control_text(j->job.d->config->path),
                  "added", (int)c->added, "removed", (int)c->removed, "changed", (int)c->changed);
    json_t *restart = json_array();
    if (c->azure)
        json_array_append_new(restart, json_string("azure"));
    if (c->workers)
        json_array_append_new(restart, json_string("workers"));
    if (json_array_size(restart) > 0)
        json_object_set(o, "restart", restart);
    json_decref(restart);
    if (warning)
        json_object_set_new(o, "warning", control_text(warning->msg));
    return o;
}

static void on_applied(void *arg, const struct err *err)
{
    struct reload_job *j = arg;
    j->req = NULL;
    job_ok(&j->job, describe(j, err));
    reload_free(j);
}

static void on_filled(struct truth_wait *w, const struct config *before)
{
    struct reload_job *j = container_of(w, struct reload_job, wait);
    struct daemon *d = j->job.d;
    struct err err = {0};

    reload_count(d, before, &j->counts);
    if (proxy_apply(d->proxy, d->config, on_applied, j, &j->req, &err) < 0) {
        job_err(&j->job, &err);
        reload_free(j);
    }
}

static json_t *describe_problems(const struct daemon *d, const struct config_problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *p = &problems->items[i];
        json_array_append_new(list, json_pack("{s:i, s:i, s:o}", "line", (int)p->line, "column",
                                              (int)p->column, "text", control_text(p->text)));
    }
    return json_pack("{s:b, s:o, s:o}", "applied", 0, "path", control_text(d->place->config), "problems",
                     list);
}

static void not_loaded(struct daemon *d, struct control_request *req, const struct config_problems *problems,
                       const struct err *err)
{
    log_warn(&DAEMON_LOG, "the configuration stays as it was: %s", err->msg);
    if (problems->count > 0)
        control_reply_ok(req, describe_problems(d, problems));
    else
        ops_refuse(req, err);
}

void op_reload(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    struct config_problems problems = {0};
    struct reload_job *j = mem_zalloc(sizeof *j);

    if (!j) {
        ops_no_memory(req);
        return;
    }
    list_init(&j->wait.node);
    j->wait.cb = on_filled;
    if (reload_load(d, &j->wait, &problems, &err) < 0) {
        not_loaded(d, req, &problems, &err);
        mem_free(j);
    } else {
        job_begin(&j->job, d, req, on_drop);
    }
    config_problems_done(&problems);
}

void op_config(struct daemon *d, struct control_request *req, const json_t *args)
{
    char *text = config_to_json(d->config);
    json_t *config = text ? json_loads(text, 0, NULL) : NULL;

    mem_free(text);
    if (!config)
        ops_no_memory(req);
    else
        control_reply_ok(req,
                         json_pack("{s:o, s:o}", "path", control_text(d->config->path), "config", config));
}
