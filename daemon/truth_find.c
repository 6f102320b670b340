/*
 * truth_find: which VM a user means, with all that ssh_config says of it.
 *
 *   UPDATING ──an ssh_config that changed has been read──▶ NAMING ──▶ ASKING, for a VM that adit.yaml does
 * not ▲                                                     ▲            name ──▶ told └── start, if one
 * changed ──── start, otherwise ──────┘
 */
#include "base/mem.h"
#include "truth.h"
#include "truth_gather.h"

#include <string.h>

struct truth_find {
    struct daemon *d;
    char *typed;
    struct truth_wait wait;
    struct truth_gather *gather;
    struct named_vm named;
    uv_timer_t soon; /* for what is known too early to be told */
    struct err err;
    truth_find_cb cb;
    void *arg;
};

static const char *host_of(const char *typed)
{
    const char *at = strchr(typed, '@');
    return at && at != typed ? at + 1 : typed;
}

/* Has ssh been asked about it already, or is it not to be asked? */
static bool is_filled(const struct daemon *d, const char *typed, const struct named_vm *named)
{
    return !named->adhoc || config_vm_find(d->config, host_of(typed)) ||
           strcmp(named->vm->ssh.ssh_config, "off") == 0;
}

static void on_closed(uv_handle_t *h)
{
    struct truth_find *f = h->data;
    config_vm_free(f->named.vm);
    mem_free(f->typed);
    mem_free(f);
}

static void over(struct truth_find *f)
{
    f->cb = NULL;
    uv_close((uv_handle_t *)&f->soon, on_closed);
}

static void tell(struct truth_find *f)
{
    truth_find_cb cb = f->cb;
    struct named_vm named = f->named;
    f->named.vm = NULL;
    over(f);
    if (f->err.code)
        cb(f->arg, NULL, &f->err);
    else
        cb(f->arg, &named, NULL);
}

static void on_soon(uv_timer_t *timer)
{
    tell(timer->data);
}

static void on_filled(void *arg)
{
    struct truth_find *f = arg;
    f->gather = NULL;
    if (f->named.vm->note)
        log_warn(&DAEMON_LOG, "vm %s: %s", f->named.vm->alias, f->named.vm->note);
    tell(f);
}

static int ask(struct truth_find *f, struct err *err)
{
    return truth_gather_vm(&f->gather, &f->d->loop, f->d->config, f->named.vm, host_of(f->typed), on_filled,
                           f, err);
}

static void on_updated(struct truth_wait *w, const struct config *before)
{
    struct truth_find *f = container_of(w, struct truth_find, wait);
    int rc = naming_find(f->d, f->typed, NULL, &f->named, &f->err);
    if (rc == 0 && !is_filled(f->d, f->typed, &f->named))
        rc = ask(f, &f->err);
    if (!f->gather)
        uv_timer_start(&f->soon, on_soon, 0, 0);
}

int truth_find_start(struct truth_find **out, struct daemon *d, const char *typed, struct named_vm *named,
                     truth_find_cb cb, void *arg, struct err *err)
{
    bool stale = truth_is_stale(d);
    int rc = stale ? 0 : naming_find(d, typed, NULL, named, err);
    if (rc < 0 || (!stale && is_filled(d, typed, named)))
        return rc < 0 ? rc : 1;
    struct truth_find *f = mem_zalloc(sizeof *f);
    char *copy = mem_strdup(typed);
    if (!f || !copy) {
        mem_free(f);
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    f->d = d;
    f->typed = copy;
    f->cb = cb;
    f->arg = arg;
    f->wait.cb = on_updated;
    list_init(&f->wait.node);
    uv_timer_init(&d->loop, &f->soon);
    f->soon.data = f;
    if (!stale) {
        f->named = *named;
        *named = (struct named_vm){0};
    }
    rc = stale ? truth_update(d, NULL, &f->wait, err) : ask(f, err);
    if (rc < 0)
        over(f);
    else
        *out = f;
    return rc;
}

void truth_find_cancel(struct truth_find *f)
{
    truth_wait_cancel(&f->wait);
    if (f->gather)
        truth_gather_cancel(f->gather);
    f->gather = NULL;
    over(f);
}
