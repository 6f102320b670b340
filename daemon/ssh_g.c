/*
 * ssh_g: runs the user's `ssh -G HOST`, within a time and a size.
 *
 *   RUNNING ──exit, both outputs at their end──▶ ENDING ──handles closed──▶ told, freed
 *      └──too long, too much, cancelled: killed──▶┘
 * It runs in a process group of its own, so that killing reaches what Match exec started. Such a child may
 * hold the outputs open after ssh has gone: then the deadline ends the wait.
 */
#include "ssh_g.h"

#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "config/ssh_truth.h"

#define SAID_MAX 512
#define HANDLES 4 /* process, two outputs, deadline */

struct ssh_g {
    uv_process_t process;
    uv_pipe_t output, complaints;
    uv_timer_t deadline;
    unsigned open; /* handles */
    bool exited, ending, running;
    unsigned ended; /* outputs */
    int64_t status;
    struct strbuf text, said;
    char chunk[8192];
    struct err err;
    ssh_g_cb cb; /* NULL once cancelled */
    void *arg;
};

static void finish(struct ssh_g *g)
{
    if (!g->err.code && g->status != 0) {
        size_t n = g->said.data ? strcspn(g->said.data, "\r\n") : 0;
        err_set(&g->err, ERR_CONFIG, "%.*s", n ? (int)n : 24, n ? g->said.data : "it fails and says nothing");
    }
    if (!g->err.code && (g->text.bad || g->said.bad))
        err_set(&g->err, ERR_NOMEM, "out of memory");
    if (g->cb)
        g->cb(g->arg, g->err.code ? NULL : g->text.data ? g->text.data : "", g->err.code ? &g->err : NULL);
    strbuf_done(&g->text);
    strbuf_done(&g->said);
    mem_free(g);
}

static void on_closed(uv_handle_t *h)
{
    struct ssh_g *g = h->data;
    if (--g->open == 0)
        finish(g);
}

static void end(struct ssh_g *g)
{
    if (g->ending)
        return;
    g->ending = true;
    uv_close((uv_handle_t *)&g->output, on_closed);
    uv_close((uv_handle_t *)&g->complaints, on_closed);
    uv_close((uv_handle_t *)&g->deadline, on_closed);
    if (g->running && !g->exited) /* libuv has to reap it first: on_exit_status() closes the handle */
        (void)uv_kill(-g->process.pid, SIGKILL);
    else
        uv_close((uv_handle_t *)&g->process, on_closed);
}

static void check(struct ssh_g *g)
{
    if (g->exited && g->ended == 2)
        end(g);
}

static void on_exit_status(uv_process_t *p, int64_t status, int signal_number)
{
    struct ssh_g *g = p->data;
    g->exited = true;
    g->status = signal_number ? -1 : status;
    if (g->ending)
        uv_close((uv_handle_t *)p, on_closed);
    else
        check(g);
}

static void on_deadline(uv_timer_t *t)
{
    struct ssh_g *g = t->data;
    err_set(&g->err, ERR_TIMEOUT, "no answer within %d s", SSH_G_LIMIT_MS / 1000);
    end(g);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct ssh_g *g = h->data;
    *buf = uv_buf_init(g->chunk, sizeof g->chunk);
}

static void on_output(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ssh_g *g = s->data;
    bool words = s == (uv_stream_t *)&g->complaints;
    struct strbuf *to = words ? &g->said : &g->text;
    if (n < 0) {
        uv_read_stop(s);
        g->ended++;
        check(g);
        return;
    }
    size_t room = words ? SAID_MAX - to->len : SSH_TRUTH_TEXT_MAX - to->len;
    if ((size_t)n > room && !words) {
        err_set(&g->err, ERR_LIMIT, "it prints more than %u KiB", SSH_TRUTH_TEXT_MAX >> 10);
        end(g);
        return;
    }
    size_t taken = (size_t)n < room ? (size_t)n : room;
    for (size_t i = 0; i < taken; i++)
        if (buf->base[i]) /* text has none; what follows one is not to be lost */
            strbuf_add(to, &buf->base[i], 1);
}

static int launch(struct ssh_g *g, const char *file, const char *host)
{
    char *args[8];
    size_t n = 0;
    args[n++] = (char *)"ssh";
    if (file) {
        args[n++] = (char *)"-F";
        args[n++] = (char *)file;
    }
    args[n++] = (char *)"-T";
    args[n++] = (char *)"-G";
    args[n++] = (char *)"--";
    args[n++] = (char *)host;
    args[n] = NULL;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&g->output},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&g->complaints},
    };
    const uv_process_options_t o = {.file = "ssh",
                                    .args = args,
                                    .flags = UV_PROCESS_DETACHED,
                                    .exit_cb = on_exit_status,
                                    .stdio = stdio,
                                    .stdio_count = 3};
    int rc = uv_spawn(g->deadline.loop, &g->process, &o);
    g->running = rc == 0;
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&g->output, on_alloc, on_output);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&g->complaints, on_alloc, on_output);
    return rc;
}

int ssh_g_start(struct ssh_g **out, uv_loop_t *loop, const char *file, const char *host, ssh_g_cb cb,
                void *arg, struct err *err)
{
    if (!*host || host[0] == '-')
        return err_set(err, ERR_INVAL, "\"%s\" is not a name for ssh", host);
    struct ssh_g *g = mem_zalloc(sizeof *g);
    if (!g)
        return err_set(err, ERR_NOMEM, "out of memory");
    strbuf_init(&g->text);
    strbuf_init(&g->said);
    g->open = HANDLES;
    uv_timer_init(loop, &g->deadline);
    uv_pipe_init(loop, &g->output, 0);
    uv_pipe_init(loop, &g->complaints, 0);
    g->process.data = g->output.data = g->complaints.data = g->deadline.data = g;
    int rc = launch(g, file, host);
    if (rc < 0) {
        end(g);
        return rc == UV_ENOENT ? err_set(err, ERR_NOTFOUND, "there is no ssh in PATH")
                               : err_uv(err, rc, "cannot run ssh");
    }
    g->cb = cb;
    g->arg = arg;
    uv_timer_start(&g->deadline, on_deadline, SSH_G_LIMIT_MS, 0);
    *out = g;
    return 0;
}

void ssh_g_cancel(struct ssh_g *g)
{
    g->cb = NULL;
    end(g);
}
