/*
 * daemon: builds everything in order, runs the main loop, and tears down in reverse.
 *
 *   up:    clock → configuration → control socket (the lock: one daemon a user) → azure, resolver → proxy →
 * signals → forwards applied → ready down:  requests answered → proxy (listeners, grace, connections) →
 * resolver, azure → control socket → signals, clock
 *
 * The control socket goes late, so that a client sees the connection end only when everything behind it has.
 */
#include "daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon_private.h"
#include "host_keys.h"
#include "job.h"
#include "notify.h"
#include "ops.h"
#include "progress.h"
#include "questions.h"
#include "reload.h"
#include "truth.h"

const struct log_ctx DAEMON_LOG = {.module = "daemon"};

/* ---- down ---- */

static void on_clock_closed(void *arg)
{
    struct daemon *d = arg;
    d->clock = NULL;
}

static void end_loop(void *arg)
{
    struct daemon *d = arg;
    d->control = NULL;
    while (d->signal_count > 0)
        uv_close((uv_handle_t *)&d->signals[--d->signal_count], NULL);
    progress_stop(d);
    if (d->clock)
        clock_close(d->clock, on_clock_closed, d);
}

static void end_control(void *arg)
{
    struct daemon *d = arg;
    d->azure = NULL;
    if (d->control)
        control_server_close(d->control, end_loop, d);
    else
        end_loop(d);
}

static void end_azure(struct daemon *d)
{
    job_free_orphans(d);
    if (d->resolver)
        resolver_free(d->resolver);
    d->resolver = NULL;
    if (d->azure)
        azure_close(d->azure, end_control, d);
    else
        end_control(d);
}

static void end_hands(void *arg)
{
    struct daemon *d = arg;
    questions_free(d);
    d->proxy = NULL;
    d->waits_for_hands = d->hands_open > 0;
    if (!d->waits_for_hands)
        end_azure(d);
}

void daemon_hands_gone(struct daemon *d)
{
    d->hands_open--;
    if (d->waits_for_hands)
        end_hands(d);
}

void daemon_end(struct daemon *d, uint32_t grace_ms)
{
    struct err err = {0};
    if (d->ending) { /* whoever asks twice does not want to wait for flows */
        log_warn(&DAEMON_LOG, "told to end a second time: ends at once");
        unlink(d->place->socket);
        _exit(d->status);
    }
    d->ending = true;
    log_info(&DAEMON_LOG, "ends; open flows have %u ms", (unsigned)grace_ms);
    notify_send("STOPPING=1");
    progress_stop(d);
    err_set(&err, ERR_UNAVAILABLE, "aditd is ending");
    job_end_all(d, &err);
    truth_free(d->truth);
    d->truth = NULL;
    if (d->proxy)
        proxy_close(d->proxy, grace_ms, end_hands, d);
    else
        end_hands(d);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (number == SIGHUP) {
        reload_by_signal(d);
        return;
    }
    log_info(&DAEMON_LOG, "got %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
    daemon_end(d, DAEMON_GRACE_MS);
}

/* ---- up ---- */

static int start_signals(struct daemon *d, struct err *err)
{
    static const int NUMBERS[SIGNAL_COUNT] = {
        [SIGNAL_TERM] = SIGTERM, [SIGNAL_INT] = SIGINT, [SIGNAL_HUP] = SIGHUP};
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        int rc = uv_signal_init(&d->loop, &d->signals[i]);
        if (rc == 0) {
            d->signals[i].data = d;
            d->signal_count++;
            rc = uv_signal_start(&d->signals[i], on_signal, NUMBERS[i]);
        }
        if (rc != 0)
            return err_uv(err, rc, "cannot catch signals");
    }
    return 0;
}

static int start_proxy(struct daemon *d, struct err *err)
{
    const char *agent = getenv("SSH_AUTH_SOCK");
    const struct proxy_options options = {
        .loop = &d->loop,
        .clock = d->clock,
        .resolver = d->resolver,
        .resolver_err = d->resolver ? NULL : &d->azure_err,
        .workers = d->config->workers,
        .known_hosts = d->place->known_hosts,
        .agent_socket = agent && *agent ? agent : NULL,
        .host_keys = host_keys_for_proxy(d),
        .asker = {.ask = questions_ask, .withdrawn = questions_withdrawn, .arg = d},
    };
    return proxy_new(&d->proxy, &options, err);
}

static void on_ready(void *arg, const struct err *failure)
{
    struct daemon *d = arg;
    char *warning = NULL;

    if (failure) {
        log_warn(&DAEMON_LOG, "%s", failure->msg);
        warning = mem_printf("aditd: %s\n", failure->msg);
    }
    log_info(&DAEMON_LOG, "aditd %s serves (pid %ld, %zu VMs, configuration %s)", ADIT_VERSION,
             (long)getpid(), d->config->vm_count - d->config->hop_count,
             d->config->path ? d->config->path : "none");
    d->ready = true;
    background_ready(d->bg, warning);
    notify_send("READY=1");
    mem_free(warning);
}

static int build(struct daemon *d, struct err *err)
{
    static const struct control_handlers HANDLERS = {
        .request = ops_request, .gone = ops_gone, .answer = questions_answer};

    int rc = truth_new(&d->truth, d, err);
    if (rc < 0)
        return rc;
    truth_first(d);
    rc = clock_new(&d->clock, &d->loop);
    if (rc < 0)
        return err_set(err, rc, "cannot make the clock");
    progress_init(d);
    rc = control_server_new(&d->control, &d->loop, d->place->socket, &HANDLERS, d, err);
    if (rc < 0)
        return rc;
    azure_setup(d);
    rc = start_proxy(d, err);
    if (rc == 0)
        rc = start_signals(d, err);
    if (rc == 0)
        rc = proxy_apply(d->proxy, d->config, on_ready, d, NULL, err);
    return rc;
}

static void start_failed(struct daemon *d, const struct err *err)
{
    char *text = mem_printf("aditd: %s\n", err->msg);
    d->status = err_exit_status(err->code);
    d->ending = true;
    truth_free(d->truth);
    d->truth = NULL;
    if (d->bg->log_fd >= 0)
        log_error(&DAEMON_LOG, "%s", err->msg);
    background_fail(d->bg, d->status, text);
    mem_free(text);
    if (d->proxy)
        proxy_close(d->proxy, 0, end_hands, d);
    else
        end_hands(d);
}

static int run_loop(struct daemon *d)
{
    struct err err = {0};
    int rc = uv_loop_init(&d->loop);
    if (rc != 0) {
        err_uv(&err, rc, "cannot make the main loop");
        background_fail(d->bg, err_exit_status(err.code), "aditd: cannot make the main loop\n");
        return err_exit_status(err.code);
    }
    if (build(d, &err) < 0)
        start_failed(d, &err);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&d->loop);
    if (rc != 0)
        log_error(&DAEMON_LOG, "something was left open at the end: %s", uv_strerror(rc));
    log_info(&DAEMON_LOG, "ended");
    return d->status;
}

int daemon_run(const struct daemon_options *o, const struct daemon_place *p, struct background *bg)
{
    struct daemon *d = mem_zalloc(sizeof *d);
    if (!d) {
        background_fail(bg, err_exit_status(ERR_NOMEM), "aditd: out of memory\n");
        return err_exit_status(ERR_NOMEM);
    }
    d->options = o;
    d->place = p;
    d->bg = bg;
    d->started_wall_ms = clock_wall_ms();
    list_init(&d->jobs);
    list_init(&d->orphans);
    list_init(&d->watches);
    list_init(&d->reload_wait.node);
    questions_init(d);
    list_init(&d->host_keys);
    log_init(bg->log_fd >= 0 ? bg->log_fd : STDERR_FILENO, o->level, o->format);
    int status = reload_first(d);
    if (status == 0)
        status = run_loop(d);
    config_unref(d->config);
    mem_free(d);
    return status;
}
