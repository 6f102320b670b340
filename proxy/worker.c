/*
 * worker: runs a plane on its own thread, and turns mail into calls and calls into mail.
 *
 * The loop is made by the starting thread, so that a failure can be reported, and is the worker's from then
 * on. All signals are blocked in the thread: they belong to the main loop.
 */
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "forward.h"
#include "plane.h"
#include "status.h"
#include "via.h"
#include "vm.h"

struct worker {
    uv_thread_t thread;
    uv_loop_t loop;
    struct clock *clock;
    struct readyq *ready;
    struct mailbox *box;      /* the worker's own reference goes when it closes it */
    struct mailbox *post_box; /* the main loop's reference to the same */
    struct mailbox *main_box;
    struct plane plane;
    struct proxy_mail *stopped; /* made at the start: the end must not fail for want of memory */
    unsigned index;
    char *known_hosts, *agent_socket;
};

static void send_done_of(struct worker *w, uint64_t vm, uint64_t req, const char *text, const struct err *err)
{
    if (req == 0)
        return;
    struct proxy_mail *m = proxy_mail_new(MAIL_DONE);
    if (!m) {
        log_error((&(struct log_ctx){.module = "proxy"}), "out of memory: an answer is lost");
        return;
    }
    m->worker = w->index;
    m->req = req;
    m->vm = vm;
    m->text = mem_strdup(text);
    if (err)
        m->err = *err;
    proxy_mail_post(w->main_box, m);
}

static void send_done(void *arg, uint64_t req, const char *text, const struct err *err)
{
    send_done_of(arg, 0, req, text, err);
}

static void send_resolve(void *arg, uint64_t vm, uint64_t seq, unsigned flags)
{
    struct worker *w = arg;
    struct proxy_mail *m = proxy_mail_new(MAIL_REACH);
    struct vm *asking = plane_vm(&w->plane, vm);
    if (!m) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "out of memory");
        if (asking)
            vm_reached(asking, seq, &(struct mail_reach){0}, &err);
        return;
    }
    m->worker = w->index;
    m->vm = vm;
    m->seq = seq;
    m->flags = flags;
    proxy_mail_post(w->main_box, m);
}

static void send_dialed(void *arg, uint64_t req, int fd, const struct err *err)
{
    struct worker *w = arg;
    struct proxy_mail *m = proxy_mail_new(MAIL_DIALED);
    if (!m) {
        uv_file unwanted = fd;
        uv_fs_t close_req;
        if (unwanted >= 0)
            uv_fs_close(NULL, &close_req, unwanted, NULL);
        return;
    }
    m->worker = w->index;
    m->req = req;
    m->fd = fd;
    if (err)
        m->err = *err;
    proxy_mail_post(w->main_box, m);
}

static void send_ask(void *arg, const struct plane_question *q)
{
    struct worker *w = arg;
    struct proxy_mail *m = proxy_mail_new(MAIL_ASK);
    if (m)
        m->text = mem_strdup(q->prompt);
    if (!m || !m->text) { /* the login's deadline ends it */
        proxy_mail_free(m);
        log_error((&(struct log_ctx){.module = "proxy"}), "out of memory: a question is lost");
        return;
    }
    m->worker = w->index;
    m->vm = q->vm;
    m->seq = q->seq;
    m->question = q->kind;
    m->flags = q->echo ? MAIL_ECHO : 0;
    proxy_mail_post(w->main_box, m);
}

static void send_ask_over(void *arg, uint64_t seq)
{
    struct worker *w = arg;
    struct proxy_mail *m = proxy_mail_new(MAIL_ASK_OVER);
    if (!m)
        return; /* its own deadline ends it over there */
    m->worker = w->index;
    m->seq = seq;
    proxy_mail_post(w->main_box, m);
}

static void got_forget(struct worker *w)
{
    struct vm *vm;
    list_each(vm, &w->plane.vms, struct vm, node) asking_forget(vm);
}

static void got_vm_set(struct worker *w, struct proxy_mail *m)
{
    struct err err = {0};
    struct vm *vm = plane_vm(&w->plane, m->vm);
    if (vm || vm_new(&vm, &w->plane, m->vm, &err) == 0) {
        vm_set(vm, m->config, m->via, m->flags, &err);
        m->config = NULL;
    }
    send_done_of(w, m->vm, m->req, NULL, err.code ? &err : NULL);
}

static void got_forward_add(struct worker *w, struct vm *vm, const struct proxy_mail *m)
{
    struct err err = {0};
    struct forward *f = NULL;
    if (vm_forward_add(vm, m->spec, (m->flags & MAIL_RUNTIME) != 0, &f, &err) < 0)
        send_done(w, m->req, NULL, &err);
    else if (m->req)
        vm_wait_add(vm, m->req, m->deadline_ms, f);
}

/* What needs a VM that is there. */
static void got_vm_mail(struct worker *w, const struct proxy_mail *m)
{
    struct vm *vm = plane_vm(&w->plane, m->vm);
    struct err err = {0};
    if (!vm) {
        err_set(&err, ERR_NOTFOUND, "the VM was removed meanwhile");
        send_done(w, m->req, NULL, &err);
        return;
    }
    switch (m->kind) {
    case MAIL_VM_UP:
        vm_retry(vm);
        vm_wait_add(vm, m->req, m->deadline_ms, NULL);
        break;
    case MAIL_VM_DROP:
        vm_drop(vm);
        send_done(w, m->req, NULL, NULL);
        break;
    case MAIL_FORWARD_ADD:
        got_forward_add(w, vm, m);
        break;
    case MAIL_FORWARD_CANCEL:
        vm_forward_cancel(vm, m->spec, &err);
        send_done(w, m->req, NULL, err.code ? &err : NULL);
        break;
    case MAIL_REACHED:
        vm_reached(vm, m->seq, &m->reach, m->err.code ? &m->err : NULL);
        break;
    default:
        assert(false); /* no such mail */
    }
}

static void got_status(struct worker *w, const struct proxy_mail *m)
{
    struct proxy_mail *report = proxy_mail_new(MAIL_REPORT);
    struct err err = {0};
    if (report && status_take(&w->plane, &report->status, &report->ids, &report->status_count) == 0) {
        report->worker = w->index;
        report->req = m->req;
        proxy_mail_post(w->main_box, report);
        return;
    }
    proxy_mail_free(report);
    err_set(&err, ERR_NOMEM, "status: out of memory");
    send_done(w, m->req, NULL, &err);
}

static void on_plane_closed(void *arg)
{
    struct worker *w = arg;
    mailbox_close(w->box, NULL, NULL);
    clock_close(w->clock, NULL, NULL);
    readyq_close(w->ready, NULL, NULL);
}

static void on_mail(void *arg, struct mail *mail)
{
    struct worker *w = arg;
    struct proxy_mail *m = proxy_mail_of(mail);
    switch (m->kind) {
    case MAIL_VM_SET:
        got_vm_set(w, m);
        break;
    case MAIL_DIAL:
        via_dial(&w->plane, m->vm, m->reach.addresses, m->reach.count, m->deadline_ms, m->req);
        break;
    case MAIL_STATUS:
        got_status(w, m);
        break;
    case MAIL_ANSWER:
        asking_answered(&w->plane, m->seq, m->text, m->err.code ? &m->err : NULL);
        break;
    case MAIL_FORGET:
        got_forget(w);
        break;
    case MAIL_STOP:
        plane_close(&w->plane, m->deadline_ms, on_plane_closed, w);
        break;
    default:
        got_vm_mail(w, m);
        break;
    }
    proxy_mail_free(m);
}

static void thread_main(void *arg)
{
    struct worker *w = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    plane_done(&w->plane);
    if (uv_loop_close(&w->loop) != 0)
        log_error((&(struct log_ctx){.module = "proxy"}), "worker %u left handles open", w->index);
    proxy_mail_post(w->main_box, w->stopped);
}

static void worker_free(struct worker *w)
{
    mailbox_unref(w->post_box);
    mailbox_unref(w->main_box);
    mem_free(w->known_hosts);
    mem_free(w->agent_socket);
    mem_free(w);
}

static const struct plane_ops ops = {.resolve = send_resolve,
                                     .done = send_done,
                                     .dialed = send_dialed,
                                     .ask = send_ask,
                                     .ask_over = send_ask_over};

static int worker_init(struct worker *w, const struct worker_options *o, struct err *err)
{
    w->known_hosts = mem_strdup(o->known_hosts);
    w->agent_socket = mem_strdup(o->agent_socket);
    w->stopped = proxy_mail_new(MAIL_STOPPED);
    if (w->stopped)
        w->stopped->worker = w->index;
    if (!w->stopped || (o->known_hosts && !w->known_hosts) || (o->agent_socket && !w->agent_socket))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (clock_new(&w->clock, &w->loop) < 0 || readyq_new(&w->ready, &w->loop) < 0 ||
        mailbox_new(&w->box, &w->loop, on_mail, w) < 0)
        return err_set(err, ERR_SYSTEM, "cannot make a worker's loop");
    w->post_box = mailbox_ref(w->box);
    struct plane_options options = {
        .loop = &w->loop,
        .clock = w->clock,
        .ready = w->ready,
        .known_hosts = w->known_hosts,
        .agent_socket = w->agent_socket,
        .buffer_max = o->buffer_max,
        .flows_max = o->flows_max,
        .ops = ops,
        .ops_arg = w,
    };
    int r = plane_init(&w->plane, &options, err);
    if (r < 0)
        return r;
    r = uv_thread_create(&w->thread, thread_main, w);
    if (r < 0) {
        mem_free(w->plane.scratch);
        return err_uv(err, r, "thread");
    }
    return 0;
}

int worker_start(struct worker **out, const struct worker_options *options, struct err *err)
{
    struct worker *w = mem_zalloc(sizeof *w);
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    w->index = options->index;
    w->main_box = mailbox_ref(options->main_box);
    int r = uv_loop_init(&w->loop);
    if (r < 0) {
        worker_free(w);
        return err_uv(err, r, "loop");
    }
    r = worker_init(w, options, err);
    if (r < 0) {
        if (w->box)
            mailbox_close(w->box, NULL, NULL);
        if (w->clock)
            clock_close(w->clock, NULL, NULL);
        if (w->ready)
            readyq_close(w->ready, NULL, NULL);
        uv_run(&w->loop, UV_RUN_DEFAULT);
        uv_loop_close(&w->loop);
        proxy_mail_free(w->stopped);
        worker_free(w);
        return r;
    }
    *out = w;
    return 0;
}

void worker_post(struct worker *w, struct proxy_mail *m)
{
    proxy_mail_post(w->post_box, m);
}

void worker_join(struct worker *w)
{
    uv_thread_join(&w->thread);
    worker_free(w);
}
