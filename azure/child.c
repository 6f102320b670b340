/*
 * child: the flow of one program's life.
 *
 * Happy path: it writes, closes both of its outputs and exits, in any order; then its result is told.
 * Something of its own that it leaves behind may hold the outputs open: they are waited for only a moment
 * once it has exited. When time is up, or it writes without end, its process group is killed and the reason
 * told at once; the handles live on until the kernel has given the process back.
 *
 *   RUNNING --exit--> DRAINING --both outputs ended, or a moment later--> told
 *      |                                                                   ^
 *      +----------------------time is up, too much-------------------------+
 */
#include "child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

#define DRAIN_MS 250u

extern char **environ;

struct child {
    uv_process_t process;
    uv_pipe_t out, err;
    unsigned handles; /* not closed yet */
    unsigned open;    /* outputs that have not ended */
    bool exited;
    struct timer timer; /* first for all of it, then for draining */
    uint32_t timeout_ms;
    char *name; /* argv[0], for messages */
    struct child_result result;
    child_cb cb; /* NULL once told or canceled */
    void *arg;
    char chunk[4096];
};

static void on_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    if (--c->handles)
        return;
    blob_done(&c->result.out);
    blob_done(&c->result.err);
    mem_wipe(c->chunk, sizeof(c->chunk));
    mem_free(c->name);
    mem_free(c);
}

static void pipe_close(uv_pipe_t *pipe)
{
    if (!uv_is_closing((uv_handle_t *)pipe))
        uv_close((uv_handle_t *)pipe, on_closed);
}

/* Nobody is told from here on. A process that still runs is killed; on_exit() closes its handle. */
static void retire(struct child *c)
{
    c->cb = NULL;
    timer_stop(&c->timer);
    pipe_close(&c->out);
    pipe_close(&c->err);
    if (!c->exited && c->process.pid > 1)
        uv_kill(-c->process.pid, SIGKILL);
}

void child_cancel(struct child *c)
{
    retire(c);
}

static void tell(struct child *c, const struct err *err)
{
    child_cb cb = c->cb;
    void *arg = c->arg;
    struct child_result result = c->result;
    memset(&c->result, 0, sizeof(c->result));
    retire(c);
    cb(arg, err ? NULL : &result, err);
    blob_done(&result.out);
    blob_done(&result.err);
}

static void on_exit_seen(uv_process_t *process, int64_t status, int signal)
{
    struct child *c = process->data;
    c->exited = true;
    c->result.status = signal ? 128 + signal : (int)status;
    uv_close((uv_handle_t *)process, on_closed);
    if (!c->cb)
        return;
    if (c->open == 0 || timer_start(&c->timer, DRAIN_MS))
        tell(c, NULL);
}

static void on_timer(struct timer *t)
{
    struct child *c = container_of(t, struct child, timer);
    struct err err;
    if (c->exited) {
        tell(c, NULL);
        return;
    }
    err_set(&err, ERR_TIMEOUT, "%s did not end within %u s", c->name, (c->timeout_ms + 999) / 1000);
    tell(c, &err);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct child *c = handle->data;
    (void)suggested;
    *buf = uv_buf_init(c->chunk, sizeof(c->chunk));
}

/* What is beyond the limit of standard error is dropped; of standard output, it ends the matter. */
static int keep(struct child *c, bool is_out, const char *data, size_t n, struct err *err)
{
    struct blob *to = is_out ? &c->result.out : &c->result.err;
    size_t room = (is_out ? CHILD_OUT_MAX : CHILD_ERR_MAX) - to->len;
    if (n > room && is_out)
        return err_set(err, ERR_LIMIT, "%s writes more than %u KiB", c->name, CHILD_OUT_MAX >> 10);
    if (blob_add(to, data, n < room ? n : room))
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct child *c = stream->data;
    struct err err;
    if (n == 0 || !c->cb)
        return;
    if (n > 0) {
        if (keep(c, (uv_pipe_t *)stream == &c->out, buf->base, (size_t)n, &err))
            tell(c, &err);
        return;
    }
    c->open--;
    pipe_close((uv_pipe_t *)stream);
    if (c->open == 0 && c->exited)
        tell(c, NULL);
}

static bool is_secret(const char *entry)
{
    static const char *const names[] = {
        "AZURE_CLIENT_SECRET=", "AZURE_CLIENT_CERTIFICATE_PASSWORD=", "IDENTITY_HEADER="};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Ours without secrets; to be freed, its entries are borrowed. */
static char **environment_make(void)
{
    static char no_color[] = "NO_COLOR=1";
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **env = mem_calloc(n + 2, sizeof(*env));
    for (size_t i = 0; env && i < n; i++)
        if (!is_secret(environ[i]))
            env[kept++] = environ[i];
    if (env)
        env[kept] = no_color;
    return env;
}

static int spawn(struct child *c, uv_loop_t *loop, const char *const *argv, struct err *err)
{
    char **env = environment_make();
    if (!env)
        return err_set(err, ERR_NOMEM, "out of memory");
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err}};
    uv_process_options_t options = {.exit_cb = on_exit_seen,
                                    .file = argv[0],
                                    .args = (char **)argv,
                                    .env = env,
                                    .cwd = "/",
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3,
                                    .stdio = stdio};
    int rc = uv_spawn(loop, &c->process, &options);
    c->handles++; /* whatever came of it */
    mem_free(env);
    if (rc == 0)
        return 0;
    c->exited = true;
    uv_close((uv_handle_t *)&c->process, on_closed);
    if (rc == UV_ENOENT)
        return err_set(err, ERR_NOTFOUND, "%s is not installed, or not on the PATH of aditd", c->name);
    return err_uv(err, rc, "%s cannot be started", c->name);
}

static int setup(struct child *c, uv_loop_t *loop, const char *const *argv, struct err *err)
{
    c->process.data = c->out.data = c->err.data = c;
    uv_pipe_init(loop, &c->out, 0);
    uv_pipe_init(loop, &c->err, 0);
    c->handles = 2;
    c->open = 2;
    int rc = spawn(c, loop, argv, err);
    if (rc == 0 && timer_start(&c->timer, c->timeout_ms))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc == 0) {
        int failed = uv_read_start((uv_stream_t *)&c->out, on_alloc, on_read);
        if (!failed)
            failed = uv_read_start((uv_stream_t *)&c->err, on_alloc, on_read);
        if (failed)
            rc = err_uv(err, failed, "%s", c->name);
    }
    return rc;
}

int child_start(uv_loop_t *loop, struct clock *clock, const char *const *argv, uint32_t timeout_ms,
                child_cb cb, void *arg, struct child **out, struct err *err)
{
    struct child *c = mem_zalloc(sizeof(*c));
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->name = mem_strdup(argv[0]);
    if (!c->name) {
        mem_free(c);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    c->timeout_ms = timeout_ms;
    c->cb = cb;
    c->arg = arg;
    timer_init(&c->timer, clock, on_timer);
    int rc = setup(c, loop, argv, err);
    if (rc)
        retire(c); /* frees it as the loop turns */
    else
        *out = c;
    return rc;
}
