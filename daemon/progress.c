/*
 * progress: tells clients that wait for a VM what it is doing, by asking the proxy now and then.
 *
 * Asked only while somebody waits. A client that is attached to a forward hears of the VM's troubles too, at
 * leisure.
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#define ASK_MS 300          /* while somebody waits */
#define ASK_PATIENT_MS 2000 /* while everybody is only interested */

static void schedule(struct daemon *d)
{
    struct progress_watch *w;
    uint64_t after = ASK_PATIENT_MS;

    if (list_empty(&d->watches) || d->ending)
        return;
    list_each(w, &d->watches, struct progress_watch, node)
    {
        if (!w->patient)
            after = ASK_MS;
    }
    timer_start(&d->ticker, after);
}

static void describe(const struct proxy_vm_status *vm, char *text, size_t size)
{
    const char *address = vm->address ? vm->address : "";
    const char *error = vm->error ? vm->error : "";

    switch (vm->state) {
    case PROXY_VM_RESOLVING:
        snprintf(text, size, "looking up its address");
        break;
    case PROXY_VM_CONNECTING:
        snprintf(text, size, "connecting to %s", address);
        break;
    case PROXY_VM_WAITING: /* the time left is not part of it, or each tick would be news */
        snprintf(text, size, "attempt %u failed, trying again: %s", (unsigned)vm->attempts, error);
        break;
    case PROXY_VM_FAILED:
        snprintf(text, size, "given up: %s", error);
        break;
    case PROXY_VM_UP:
        snprintf(text, size, "up at %s", address);
        break;
    case PROXY_VM_IDLE:
    case PROXY_VM_DOWN:
        snprintf(text, size, "%s", proxy_vm_state_name(vm->state));
        break;
    }
}

static void tell(struct progress_watch *w, const struct proxy_vm_status *vm)
{
    char text[sizeof w->last];

    describe(vm, text, sizeof text);
    if (strcmp(text, w->last) == 0)
        return;
    memcpy(w->last, text, sizeof w->last);
    control_progress(w->job->req, "%s: %s", vm->alias, text);
}

static void on_status(void *arg, const struct proxy_status *status, const struct err *err)
{
    struct daemon *d = arg;
    struct progress_watch *w;

    d->ticker_req = NULL;
    list_each(w, &d->watches, struct progress_watch, node)
    {
        for (size_t i = 0; status && w->job->req && i < status->vm_count; i++)
            if (strcmp(status->vms[i].alias, w->alias) == 0)
                tell(w, &status->vms[i]);
    }
    schedule(d);
}

static void on_tick(struct timer *t)
{
    struct daemon *d = container_of(t, struct daemon, ticker);
    if (d->ticker_req || list_empty(&d->watches))
        return;
    if (proxy_status(d->proxy, on_status, d, &d->ticker_req, NULL) < 0)
        schedule(d);
}

void progress_init(struct daemon *d)
{
    timer_init(&d->ticker, d->clock, on_tick);
}

void progress_stop(struct daemon *d)
{
    if (d->clock)
        timer_stop(&d->ticker);
    if (d->ticker_req)
        proxy_cancel(d->ticker_req);
    d->ticker_req = NULL;
}

void progress_watch_begin(struct progress_watch *w, struct job *j, const char *alias)
{
    w->job = j;
    w->alias = alias;
    list_push(&j->d->watches, &w->node);
    questioner_begin(&w->questioner, j, alias, NULL);
    if (!timer_active(&j->d->ticker) && !j->d->ticker_req)
        schedule(j->d);
    else if (timer_active(&j->d->ticker) && j->d->ticker.due_ms > clock_now(j->d->clock) + ASK_MS)
        timer_start(&j->d->ticker, ASK_MS);
}

void progress_watch_end(struct progress_watch *w)
{
    if (w->job)
        list_remove(&w->node);
    w->job = NULL;
    questioner_end(&w->questioner);
}
