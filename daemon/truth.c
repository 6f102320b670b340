/*
 * truth: keeps the configuration in use filled from ssh_config.
 *
 *   IDLE ──update──▶ GATHERING ──ssh has said all──▶ in use, those who wait are told ──▶ IDLE
 *                     │    ▲
 *                     └────┘ another update: it begins anew, for all who wait
 */
#include "truth.h"

#include <string.h>

#include "base/mem.h"
#include "config_stamp.h"
#include "truth_gather.h"
#include "truth_self.h"

#define STAMPS_MAX 8 /* of files that are watched for changes */

struct truth {
    struct daemon *d;
    const struct config *file; /* adit.yaml as it is */
    struct truth_gather *gather;
    struct list waits; /* struct truth_wait.node */
    char *paths[STAMPS_MAX];
    struct config_stamp stamps[STAMPS_MAX];
    size_t stamp_count;
};

/* ---- whether a file is another one now ---- */

static void watch(struct truth *t, char *path)
{
    bool known = !path || t->stamp_count == STAMPS_MAX;
    for (size_t i = 0; !known && i < t->stamp_count; i++)
        known = strcmp(t->paths[i], path) == 0;
    if (known) {
        mem_free(path);
        return;
    }
    t->paths[t->stamp_count] = path;
    config_stamp_take(&t->stamps[t->stamp_count++], path);
}

static void stamps_done(struct truth *t)
{
    while (t->stamp_count > 0)
        mem_free(t->paths[--t->stamp_count]);
}

static bool is_file(const char *ssh_config)
{
    return strcmp(ssh_config, "auto") != 0 && strcmp(ssh_config, "off") != 0;
}

static void take_stamps(struct truth *t)
{
    struct truth_self self;
    stamps_done(t);
    if (truth_self_init(&self) == 0) {
        watch(t, mem_printf("%s/.ssh/config", self.home));
        watch(t, mem_strdup("/etc/ssh/ssh_config"));
    }
    truth_self_done(&self);
    if (is_file(t->file->defaults.ssh_config))
        watch(t, mem_strdup(t->file->defaults.ssh_config));
    for (size_t i = 0; i < t->file->vm_count; i++)
        if (is_file(t->file->vms[i].ssh.ssh_config))
            watch(t, mem_strdup(t->file->vms[i].ssh.ssh_config));
}

bool truth_is_stale(const struct daemon *d)
{
    const struct truth *t = d->truth;
    if (t->gather) /* it has, and ssh is being asked */
        return true;
    for (size_t i = 0; i < t->stamp_count; i++)
        if (config_stamp_differs(&t->stamps[i], t->paths[i]))
            return true;
    return false;
}

/* ---- in use ---- */

/* Each note is told once: not again for a VM that had it before. */
static void tell_notes(const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < after->vm_count; i++) {
        const struct config_vm *now = &after->vms[i];
        const struct config_vm *then = before ? config_vm_by_alias(before, now->alias) : NULL;
        if (now->note && !(then && then->note && strcmp(then->note, now->note) == 0))
            log_warn(&DAEMON_LOG, "vm %s: %s", now->alias, now->note);
    }
}

static void on_applied(void *arg, const struct err *err)
{
    if (err)
        log_warn(&DAEMON_LOG, "%s", err->msg);
}

static void on_filled(void *arg, const struct config *filled)
{
    struct truth *t = arg;
    struct daemon *d = t->d;
    const struct config *before = d->config;
    bool applied = false;
    struct list told, *node;
    struct err err = {0};

    t->gather = NULL;
    d->config = filled;
    tell_notes(before, filled);
    list_init(&told);
    while ((node = list_pop(&t->waits)) != NULL) {
        applied |= container_of(node, struct truth_wait, node)->applies;
        list_push(&told, node);
    }
    if (!applied && proxy_apply(d->proxy, filled, on_applied, NULL, NULL, &err) < 0)
        on_applied(NULL, &err);
    while ((node = list_pop(&told)) != NULL) {
        struct truth_wait *w = container_of(node, struct truth_wait, node);
        w->cb(w, before);
    }
    config_unref(before);
}

int truth_update(struct daemon *d, const struct config *file, struct truth_wait *w, struct err *err)
{
    struct truth *t = d->truth;
    if (file) {
        config_unref(t->file);
        t->file = file;
    }
    if (list_empty(&w->node))
        list_push(&t->waits, &w->node);
    if (t->gather && !file)
        return 0;
    if (t->gather)
        truth_gather_cancel(t->gather);
    t->gather = NULL;
    take_stamps(t);
    int rc = truth_gather_start(&t->gather, &d->loop, t->file, on_filled, t, err);
    if (rc < 0)
        list_remove(&w->node);
    return rc;
}

void truth_wait_cancel(struct truth_wait *w)
{
    list_remove(&w->node);
}

/* ---- its life ---- */

int truth_new(struct truth **out, struct daemon *d, struct err *err)
{
    struct truth *t = mem_zalloc(sizeof *t);
    if (!t)
        return err_set(err, ERR_NOMEM, "out of memory");
    t->d = d;
    t->file = config_ref(d->config);
    list_init(&t->waits);
    take_stamps(t);
    *out = t;
    return 0;
}

static void on_first(void *arg, const struct config *filled)
{
    struct daemon *d = arg;
    config_unref(d->config);
    d->config = filled;
    tell_notes(NULL, filled);
}

void truth_first(struct daemon *d)
{
    struct truth_gather *gather;
    struct err err = {0};
    if (truth_gather_start(&gather, &d->loop, d->config, on_first, d, &err) < 0)
        log_error(&DAEMON_LOG, "ssh_config is left out: %s", err.msg);
    else
        uv_run(&d->loop, UV_RUN_DEFAULT);
}

void truth_free(struct truth *t)
{
    if (!t)
        return;
    if (t->gather)
        truth_gather_cancel(t->gather);
    while (list_pop(&t->waits) != NULL)
        ;
    stamps_done(t);
    config_unref(t->file);
    mem_free(t);
}
