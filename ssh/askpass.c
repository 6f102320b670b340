/*
 * askpass: puts questions to a person through the program that $SSH_ASKPASS names, one at a time.
 *
 *   IDLE ──ask──▶ waiting in line ──its turn──▶ RUNNING ──exit and end of output──▶ answered
 * The program gets the question as its argument and prints the answer; another exit status than 0 means "no".
 * A question that is taken back kills the program, and the next one waits for its end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/list.h"
#include "base/mem.h"
#include <uv.h>

#define ANSWER_MAX SSH_ANSWER_MAX
#define QUESTIONS_MAX 64

struct question {
    struct list node;
    char *prompt;
    ssh_answer_cb cb;
    void *arg;
};

struct ssh_askpass {
    uv_loop_t *loop;
    char *program;
    struct list waiting;
    unsigned count;
    struct question *current; /* NULL while a program without a question comes to its end */
    bool running, closing;
    uv_process_t process;
    uv_pipe_t output;
    unsigned handles; /* of the program that runs: process, pipe */
    bool exited, ended;
    int64_t status;
    char answer[ANSWER_MAX + 1];
    size_t len;
    void (*closed_cb)(void *arg);
    void *closed_arg;
};

static void next(struct ssh_askpass *a);

static void question_free(struct question *q)
{
    mem_free(q->prompt);
    mem_free(q);
}

static void destroy(struct ssh_askpass *a)
{
    void (*cb)(void *arg) = a->closed_cb;
    void *arg = a->closed_arg;
    mem_free(a->program);
    mem_free(a);
    if (cb)
        cb(arg);
}

static void finish(struct ssh_askpass *a)
{
    struct question *q = a->current;
    struct err err;
    char answer[ANSWER_MAX + 1];
    bool ok = a->status == 0 && a->len <= ANSWER_MAX;
    memcpy(answer, a->answer, sizeof answer);
    answer[a->len <= ANSWER_MAX ? a->len : 0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    mem_wipe(a->answer, sizeof a->answer);
    a->running = false;
    a->current = NULL;
    if (a->closing) {
        destroy(a);
    } else {
        next(a);
        if (q && ok)
            q->cb(q->arg, answer, NULL);
        else if (q) {
            err_set(&err, ERR_CANCELED, "%s was dismissed", "the question");
            q->cb(q->arg, NULL, &err);
        }
    }
    mem_wipe(answer, sizeof answer);
    if (q)
        question_free(q);
}

static void on_closed(uv_handle_t *h)
{
    struct ssh_askpass *a = h->data;
    if (--a->handles == 0)
        finish(a);
}

static void over(struct ssh_askpass *a)
{
    if (!a->exited || !a->ended)
        return;
    uv_close((uv_handle_t *)&a->process, on_closed);
    uv_close((uv_handle_t *)&a->output, on_closed);
}

static void on_exit_status(uv_process_t *p, int64_t status, int signal_number)
{
    struct ssh_askpass *a = p->data;
    a->exited = true;
    a->status = signal_number ? -1 : status;
    if (!a->current && !a->ended) { /* nobody waits for what it may still print */
        a->ended = true;
        uv_read_stop((uv_stream_t *)&a->output);
    }
    over(a);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    static _Thread_local char spill[256];
    struct ssh_askpass *a = h->data;
    if (a->len < ANSWER_MAX)
        *buf = uv_buf_init(a->answer + a->len, (unsigned)(ANSWER_MAX - a->len));
    else
        *buf = uv_buf_init(spill, sizeof spill);
}

static void on_output(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ssh_askpass *a = s->data;
    if (n > 0)
        a->len += (size_t)n;
    if (n >= 0)
        return;
    a->ended = true;
    uv_read_stop(s);
    over(a);
}

static int launch(struct ssh_askpass *a)
{
    char *args[] = {a->program, a->current->prompt, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&a->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t o = {
        .file = a->program, .args = args, .exit_cb = on_exit_status, .stdio = stdio, .stdio_count = 3};
    uv_pipe_init(a->loop, &a->output, 0);
    memset(&a->process, 0, sizeof a->process);
    a->process.data = a->output.data = a;
    a->handles = 2;
    a->exited = a->ended = false;
    a->status = 0;
    a->len = 0;
    int rc = uv_spawn(a->loop, &a->process, &o);
    if (rc < 0) {
        a->exited = a->ended = true;
        a->status = -1;
        over(a);
        return rc;
    }
    if (uv_read_start((uv_stream_t *)&a->output, on_alloc, on_output) < 0)
        a->ended = true;
    return 0;
}

static void next(struct ssh_askpass *a)
{
    struct list *node;
    if (a->running || (node = list_pop(&a->waiting)) == NULL)
        return;
    a->current = container_of(node, struct question, node);
    a->running = true;
    a->count--;
    (void)launch(a); /* a program that cannot be started answers "no" */
}

static void *ask(void *self, const struct ssh_question *asked, ssh_answer_cb cb, void *arg, struct err *err)
{
    struct ssh_askpass *a = self;
    if (a->count >= QUESTIONS_MAX) {
        err_set(err, ERR_LIMIT, "too many questions wait for an answer");
        return NULL;
    }
    struct question *q = mem_zalloc(sizeof *q);
    char *copy = mem_strdup(asked->prompt);
    if (!q || !copy) {
        mem_free(q);
        mem_free(copy);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    q->prompt = copy;
    q->cb = cb;
    q->arg = arg;
    list_init(&q->node);
    list_push(&a->waiting, &q->node);
    a->count++;
    next(a);
    return q;
}

static void cancel(void *self, void *handle)
{
    struct ssh_askpass *a = self;
    struct question *q = handle;
    if (q == a->current) {
        a->current = NULL;
        if (!a->exited)
            (void)uv_process_kill(&a->process, SIGTERM);
    } else {
        list_remove(&q->node);
        a->count--;
    }
    question_free(q);
}

int ssh_askpass_new(struct ssh_askpass **out, struct uv_loop_s *loop, struct err *err)
{
    const char *program = getenv("SSH_ASKPASS"), *require = getenv("SSH_ASKPASS_REQUIRE");
    if (!program || !*program || (require && strcmp(require, "never") == 0))
        return err_set(err, ERR_NOTFOUND, "SSH_ASKPASS is not set or not to be used, so nobody can be asked");
    if (access(program, X_OK) < 0)
        return err_set(err, ERR_NOTFOUND, "SSH_ASKPASS names %s, which cannot be run", program);
    struct ssh_askpass *a = mem_zalloc(sizeof *a);
    char *copy = mem_strdup(program);
    if (!a || !copy) {
        mem_free(a);
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    a->loop = loop;
    a->program = copy;
    list_init(&a->waiting);
    *out = a;
    return 0;
}

struct ssh_ask ssh_askpass_ask(struct ssh_askpass *a)
{
    return (struct ssh_ask){.ask = ask, .cancel = cancel, .self = a};
}

/* close may not call back inside itself; an idle pipe gives it a turn. */
static void on_idle_closed(uv_handle_t *h)
{
    destroy(h->data);
}

void ssh_askpass_close(struct ssh_askpass *a, void (*cb)(void *arg), void *arg)
{
    a->closing = true;
    a->closed_cb = cb;
    a->closed_arg = arg;
    if (a->running)
        return;
    uv_pipe_init(a->loop, &a->output, 0);
    a->output.data = a;
    uv_close((uv_handle_t *)&a->output, on_idle_closed);
}
