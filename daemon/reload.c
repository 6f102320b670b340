/*
 * reload: from the file to the snapshot in use: at the start, at SIGHUP and on request.
 */
#include "reload.h"

#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "logfile.h"
#include "notify.h"

static int load(struct daemon *d, const struct config **out, struct config_stamp *stamp,
                struct config_problems *problems, struct err *err)
{
    config_stamp_take(stamp, d->place->config);
    int rc = config_load(out, d->place->config, problems, err);
    if (rc == ERR_NOTFOUND && d->place->config_default) { /* nobody has written one yet */
        err_clear(err);
        rc = config_load(out, NULL, problems, err);
    }
    if (rc == 0 && d->proxy) /* a new beginning, also for who may log in where */
        proxy_forget_answers(d->proxy);
    return rc;
}

static void take_level(const struct daemon *d, const struct config *config)
{
    enum log_level level;
    if (!d->options->level_given && config->log_level && log_level_parse(config->log_level, &level) == 0)
        log_set_level(level);
}

static char *all_problems(const struct daemon *d, const struct config_problems *problems,
                          const struct err *err)
{
    struct strbuf text;
    strbuf_init(&text);
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *p = &problems->items[i];
        if (p->line)
            strbuf_printf(&text, "%s:%u:%u: %s\n", d->place->config, p->line, p->column, p->text);
        else
            strbuf_printf(&text, "%s: %s\n", d->place->config, p->text);
    }
    if (problems->count == 0)
        strbuf_printf(&text, "aditd: %s\n", err->msg);
    return strbuf_take(&text);
}

int reload_first(struct daemon *d)
{
    struct err err = {0};
    struct config_problems problems = {0};
    const struct config *config = NULL;
    struct config_stamp stamp;

    int rc = load(d, &config, &stamp, &problems, &err);
    if (rc == 0) {
        d->config = config;
        d->stamp = stamp;
        take_level(d, config);
    } else {
        char *text = all_problems(d, &problems, &err);
        if (d->bg->log_fd >= 0)
            log_error(&DAEMON_LOG, "%s", err.msg);
        background_fail(d->bg, err_exit_status(rc), text ? text : "aditd: out of memory\n");
        mem_free(text);
    }
    config_problems_done(&problems);
    return rc == 0 ? 0 : err_exit_status(rc);
}

static void count(void *arg, enum config_change change, const struct config_vm *before,
                  const struct config_vm *after)
{
    struct reload_counts *counts = arg;
    if (change == CONFIG_VM_ADDED)
        counts->added++;
    else if (change == CONFIG_VM_REMOVED)
        counts->removed++;
    else if (change == CONFIG_VM_REACH_CHANGED || change == CONFIG_VM_FORWARDS_CHANGED)
        counts->changed++;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_azure(const struct config_azure *a, const struct config_azure *b)
{
    if (a->cloud != b->cloud || a->subscription_count != b->subscription_count)
        return false;
    for (size_t i = 0; i < a->subscription_count; i++)
        if (!same(a->subscriptions[i], b->subscriptions[i]))
            return false;
    return same(a->tenant, b->tenant) && same(a->arm_endpoint, b->arm_endpoint) &&
           same(a->login_endpoint, b->login_endpoint) && same(a->ca_file, b->ca_file) &&
           same(a->credential, b->credential);
}

int reload_load(struct daemon *d, struct truth_wait *w, struct config_problems *problems, struct err *err)
{
    const struct config *config = NULL;
    struct config_stamp stamp;

    int rc = load(d, &config, &stamp, problems, err);
    if (rc < 0)
        return rc;
    d->stamp = stamp;
    take_level(d, config);
    w->applies = true;
    return truth_update(d, config, w, err);
}

void reload_count(const struct daemon *d, const struct config *before, struct reload_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    config_diff(before, d->config, count, counts);
    counts->azure = !same_azure(&before->azure, &d->config->azure);
    counts->workers = before->workers != d->config->workers;
}

static void on_applied(void *arg, const struct err *err)
{
    if (err)
        log_warn(&DAEMON_LOG, "%s", err->msg);
    notify_send("READY=1");
}

static void on_filled(struct truth_wait *w, const struct config *before)
{
    struct daemon *d = container_of(w, struct daemon, reload_wait);
    struct reload_counts counts;
    struct err err = {0};

    reload_count(d, before, &counts);
    log_info(&DAEMON_LOG, "configuration read again: %u added, %u removed, %u changed%s", counts.added,
             counts.removed, counts.changed,
             counts.azure || counts.workers ? "; azure and workers change at the next start" : "");
    if (proxy_apply(d->proxy, d->config, on_applied, NULL, NULL, &err) < 0)
        on_applied(NULL, &err);
}

void reload_by_signal(struct daemon *d)
{
    struct err err = {0};
    struct config_problems problems = {0};

    if (d->ending)
        return;
    notify_reloading();
    if (d->bg->log_fd >= 0 && logfile_reopen(d->place->log_file, d->bg->log_fd, &err) < 0)
        log_warn(&DAEMON_LOG, "%s", err.msg);
    d->reload_wait.cb = on_filled;
    if (reload_load(d, &d->reload_wait, &problems, &err) < 0) {
        log_error(&DAEMON_LOG, "the configuration stays as it was: %s", err.msg);
        for (size_t i = 1; i < problems.count; i++)
            log_error(&DAEMON_LOG, "%s:%u:%u: %s", d->place->config, problems.items[i].line,
                      problems.items[i].column, problems.items[i].text);
        err_clear(&err);
        if (proxy_apply(d->proxy, d->config, on_applied, NULL, NULL, &err) < 0)
            on_applied(NULL, &err);
    }
    config_problems_done(&problems);
}
