/*
 * ctl: the socket's server side: reads one line, has it done, writes one line.
 */
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "sandbox.h"

static void on_call_closed(uv_handle_t *h)
{
    struct ctl_call *call = h->data;
    json_decref(call->json);
    mem_free(call->line);
    free(call->answer);
    mem_free(call);
}

static void on_timer_closed(uv_handle_t *h)
{
    mem_free(h);
}

static void call_end(struct ctl_call *call)
{
    if (call->timer)
        uv_close((uv_handle_t *)call->timer, on_timer_closed);
    call->timer = NULL;
    if (!uv_is_closing((uv_handle_t *)&call->pipe))
        uv_close((uv_handle_t *)&call->pipe, on_call_closed);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    call_end(container_of(w, struct ctl_call, write));
}

void ctl_answer(struct ctl_call *call, bool ok, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = mem_vprintf(fmt, ap);
    va_end(ap);
    json_t *j = json_pack("{s:b,s:s}", "ok", ok, "text", text ? text : "");
    mem_free(text);
    call->answer = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    static char newline[] = "\n";
    uv_buf_t b[2] = {uv_buf_init(call->answer, (unsigned)strlen(call->answer)), uv_buf_init(newline, 1)};
    if (uv_write(&call->write, (uv_stream_t *)&call->pipe, b, 2, on_written))
        call_end(call);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct ctl_call *call = h->data;
    *buf = uv_buf_init(call->line + call->len, (unsigned)(CTL_LINE_MAX - call->len));
}

static void line_do(struct ctl_call *call)
{
    call->began = true;
    uv_read_stop((uv_stream_t *)&call->pipe);
    call->json = json_loadb(call->line, call->len, 0, NULL);
    size_t n = json_array_size(call->json);
    for (size_t i = 0; i < n && i < CTL_WORDS_MAX; i++) {
        const char *w = json_string_value(json_array_get(call->json, i));
        call->words[call->words_count++] = w ? w : "";
    }
    if (n == 0 || n > CTL_WORDS_MAX)
        ctl_answer(call, false, "not a call");
    else
        ctl_do(call);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    struct ctl_call *call = s->data;
    if (n == 0)
        return;
    if (n < 0) {
        call_end(call);
        return;
    }
    call->len += (size_t)n;
    if (memchr(call->line, '\n', call->len))
        line_do(call);
    else if (call->len == CTL_LINE_MAX)
        call_end(call);
}

static void on_connection(uv_stream_t *s, int status)
{
    struct ctl *c = s->data;
    struct ctl_call *call = status < 0 ? NULL : mem_zalloc(sizeof *call);
    if (!call)
        return;
    call->sb = c->sb;
    call->line = mem_alloc(CTL_LINE_MAX);
    uv_pipe_init(&c->sb->loop, &call->pipe, 0);
    call->pipe.data = call;
    if (!call->line || uv_accept(s, (uv_stream_t *)&call->pipe) ||
        uv_read_start((uv_stream_t *)&call->pipe, on_alloc, on_read))
        call_end(call);
}

int ctl_open(struct ctl *c, struct sandbox *sb, struct err *err)
{
    c->sb = sb;
    int n = snprintf(c->path, sizeof c->path, "%s/ctl.sock", sb->dir);
    if (n > 100)
        return err_set(err, ERR_INVAL, "the path of --dir is too long for a Unix socket in it: %s", c->path);
    unlink(c->path);
    uv_pipe_init(&sb->loop, &c->listener, 0);
    c->open = true;
    c->listener.data = c;
    mode_t old = umask(0177);
    int rc = uv_pipe_bind(&c->listener, c->path);
    umask(old);
    rc = rc ? rc : uv_listen((uv_stream_t *)&c->listener, 64, on_connection);
    return rc ? err_uv(err, rc, "control socket %s", c->path) : 0;
}

void ctl_close(struct ctl *c)
{
    if (!c->open)
        return;
    c->open = false;
    uv_close((uv_handle_t *)&c->listener, NULL);
}
