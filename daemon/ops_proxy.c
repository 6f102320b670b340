/*
 * ops_proxy: the operation "proxy": a connected descriptor to a VM's port, at once or when the VM has come
 * up.
 *
 *   DIALLING ──connected──▶ answered
 *    ▲  ▲  │
 *    │  │  └──failed──▶ answered with it, unless waiting may help ("wait", "start")
 *    │  │                  │
 *    │  └────after a pause─┤ (PAUSED)
 *    │                     │ "start", the first time: STARTING, the VM and then each that it is reached
 *    └──all of them run────┘ through
 *
 * Failure modes: what no waiting mends (no such VM, no permission, a wrong name) is told at once; the
 * deadline is for all of it, and the last failure is what is told then. A VM that runs is never asked for:
 * the first dial goes to the address that is known.
 */
#include "args.h"
#include "base/mem.h"
#include "job.h"
#include "naming.h"
#include "ops.h"
#include "questions.h"
#include "vm_start.h"

#define TIMEOUT_MS 30000
#define ATTEMPT_MS 10000 /* of one dial, when there may be others */
#define PAUSE_MS 1000
#define TICK_MS 1000
#define HOPS_MAX 8

enum dial_state { DIAL_DIALLING, DIAL_PAUSED, DIAL_STARTING };

struct dial_job {
    struct job job;
    struct config_vm *vm;
    uint16_t port;
    bool wait, start, looked;
    enum dial_state state;
    struct proxy_req *req;
    struct vm_start *starting;
    struct config_vm *hop; /* that is being started: the VM, then those it is reached through */
    unsigned hops;
    struct timer pause, tick;
    struct questioner questioner;
    uint64_t began_at, deadline_at;
    struct err why; /* the last failure */
};

static void dial_free(struct dial_job *j)
{
    questioner_end(&j->questioner);
    if (j->req)
        proxy_cancel(j->req);
    if (j->starting)
        vm_start_cancel(j->starting);
    timer_stop(&j->pause);
    timer_stop(&j->tick);
    config_vm_free(j->hop);
    config_vm_free(j->vm);
    mem_free(j);
}

static void on_drop(struct job *job)
{
    dial_free(container_of(job, struct dial_job, job));
}

static void fail(struct dial_job *j, const struct err *err)
{
    job_err(&j->job, err);
    dial_free(j);
}

static uint32_t time_left(const struct dial_job *j)
{
    uint64_t now = clock_now(j->job.d->clock);
    return now < j->deadline_at ? (uint32_t)(j->deadline_at - now) : 0;
}

static unsigned seconds(const struct dial_job *j)
{
    return (unsigned)((clock_now(j->job.d->clock) - j->began_at) / 1000);
}

static void tell(struct dial_job *j)
{
    if (j->state == DIAL_STARTING && j->hop && j->starting)
        control_progress(j->job.req, "%s: %s (%u s)", j->hop->alias, vm_start_text(j->starting), seconds(j));
    else if (j->why.code)
        control_progress(j->job.req, "not reachable yet, trying again (%u s): %s", seconds(j), j->why.msg);
}

static void on_tick(struct timer *t)
{
    struct dial_job *j = container_of(t, struct dial_job, tick);
    timer_start(&j->tick, TICK_MS);
    tell(j);
}

/* What may be otherwise in a moment, when the VM or its sshd is on its way up. */
static bool may_pass(int code)
{
    return code == ERR_UNAVAILABLE || code == ERR_UNREACHABLE || code == ERR_REFUSED || code == ERR_TIMEOUT ||
           code == ERR_CLOSED || code == ERR_SYSTEM || code == ERR_THROTTLED;
}

static void dial(struct dial_job *j);
static void start_hops(struct dial_job *j);

static int hop_next(struct dial_job *j, struct err *err)
{
    struct named_vm next = {0};
    int rc = 0;
    if (j->hop->via && ++j->hops < HOPS_MAX)
        rc = naming_find(j->job.d, j->hop->via, NULL, &next, err);
    if (rc < 0)
        return rc;
    config_vm_free(j->hop);
    j->hop = next.vm;
    return 0;
}

static void on_started(void *arg, bool started, const struct err *err)
{
    struct dial_job *j = arg;
    struct err why = {0};
    (void)started;
    j->starting = NULL;
    if (err)
        fail(j, err);
    else if (hop_next(j, &why) < 0)
        fail(j, &why);
    else
        start_hops(j);
}

/* One after the other; a hop that is an address has to run as it is. */
static void start_hops(struct dial_job *j)
{
    struct err err = {0};
    int rc = 0;
    j->state = DIAL_STARTING;
    while (rc == 0 && j->hop && j->hop->vm.kind == VM_NAME_ADDRESS)
        rc = hop_next(j, &err);
    if (rc == 0 && j->hop)
        rc = vm_start_begin(&j->starting, j->job.d, j->hop, time_left(j), on_started, j, &err);
    if (rc < 0) {
        j->starting = NULL;
        fail(j, &err);
    } else if (!j->hop) {
        dial(j);
    }
}

static void on_pause(struct timer *t)
{
    dial(container_of(t, struct dial_job, pause));
}

static void again(struct dial_job *j)
{
    struct daemon *d = j->job.d;
    const struct vm_name *n = &j->vm->vm;
    uint32_t left = time_left(j);
    if (left == 0) {
        err_hint(&j->why, "; tried for %u s", seconds(j));
        fail(j, &j->why);
        return;
    }
    if (!timer_active(&j->tick))
        timer_start(&j->tick, TICK_MS);
    if (j->start && !j->looked && config_vm_copy(j->vm, &j->hop) == 0) {
        j->looked = true;
        start_hops(j);
        return;
    }
    /* That it does not run is remembered for a while, and is what is waited for to change. */
    if (j->why.code == ERR_UNAVAILABLE && d->resolver && n->kind != VM_NAME_ADDRESS)
        resolver_invalidate(d->resolver,
                            &(struct resolver_name){n->subscription, n->group, n->name, n->instance});
    j->state = DIAL_PAUSED;
    timer_start(&j->pause, left < PAUSE_MS ? left : clock_jitter(PAUSE_MS, 20));
}

static void on_dialled(void *arg, int fd, const struct err *err)
{
    struct dial_job *j = arg;
    j->req = NULL;
    if (!err) {
        job_fd(&j->job, json_pack("{s:o}", "vm", control_text(j->vm->alias)), fd);
        dial_free(j);
    } else if (!j->wait || !may_pass(err->code)) {
        fail(j, err);
    } else {
        /* That the time was up is no news after a dial that had only the rest of it. */
        if (!(j->why.code && err->code == ERR_TIMEOUT && time_left(j) == 0))
            j->why = *err;
        again(j);
    }
}

static void dial(struct dial_job *j)
{
    struct err err = {0};
    uint32_t left = time_left(j);
    j->state = DIAL_DIALLING;
    if (j->wait && left > ATTEMPT_MS)
        left = ATTEMPT_MS;
    if (proxy_dial(j->job.d->proxy, j->vm, j->port, left ? left : 1, on_dialled, j, &j->req, &err) < 0) {
        j->req = NULL;
        fail(j, &err);
    }
}

void op_proxy(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *host = NULL;
    uint32_t port = 0, timeout_ms = TIMEOUT_MS;
    bool wait = false, start = false;
    struct named_vm named = {0};

    if (args_text(args, "host", true, &host, &err) < 0 ||
        args_u32(args, "port", 1, UINT16_MAX, &port, &err) < 0 ||
        args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, &err) < 0 ||
        args_bool(args, "wait", &wait, &err) < 0 || args_bool(args, "start", &start, &err) < 0 ||
        naming_find(d, host, NULL, &named, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    struct dial_job *j = mem_zalloc(sizeof *j);
    if (!j || port == 0) {
        config_vm_free(named.vm);
        mem_free(j);
        err_set(&err, j ? ERR_INVAL : ERR_NOMEM, j ? "\"port\" must be given" : "aditd is out of memory");
        ops_refuse(req, &err);
        return;
    }
    j->vm = named.vm;
    j->port = (uint16_t)port;
    j->start = start;
    j->wait = wait || start;
    j->began_at = clock_now(d->clock);
    j->deadline_at = j->began_at + timeout_ms;
    timer_init(&j->pause, d->clock, on_pause);
    timer_init(&j->tick, d->clock, on_tick);
    job_begin(&j->job, d, req, on_drop);
    questioner_begin(&j->questioner, &j->job, j->vm->alias, j->vm->via);
    dial(j);
}
