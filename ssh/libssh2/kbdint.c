/*
 * kbdint: keyboard-interactive (RFC 4256) on a thread of its own.
 *
 * libssh2 calls back for the answers and goes on with what the callback left, so the callback must wait for
 * the person. While this lasts the session belongs to the thread: the loop hands input over and carries
 * output and questions away, both under one lock, and joins the thread before it touches the session again.
 *
 *   loop                                   thread
 *   start ───────────────────────────────▶ libssh2_userauth_keyboard_interactive
 *   feed: input under the lock, signal ──▶ recv
 *   on_async ◀── output, questions, end ── send, callback, return
 *   answer: under the lock, signal ──────▶ callback goes on
 */
#include <errno.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "l2.h"

#define TEXT_MAX 512

struct l2_kbdint {
    struct l2 *e; /* NULL once the engine has let go; the thread is joined by then */
    uv_async_t async;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    /* under the lock */
    uint8_t *in, *out;
    size_t in_len, in_cap, out_len, out_cap;
    bool stop, done, asking, answered;
    int rc;
    unsigned count;
    char title[TEXT_MAX];
    char prompts[SSH_PROMPTS_MAX][TEXT_MAX];
    bool echo[SSH_PROMPTS_MAX];
    char *answers[SSH_PROMPTS_MAX];
};

static bool put(uint8_t **buf, size_t *len, size_t *cap, const void *data, size_t n)
{
    if (*len + n > L2_INPUT_MAX)
        return false;
    if (*len + n > *cap) {
        uint8_t *bigger = mem_realloc(*buf, *len + n);
        if (!bigger)
            return false;
        *buf = bigger;
        *cap = *len + n;
    }
    memcpy(*buf + *len, data, n);
    *len += n;
    return true;
}

bool l2_kbdint_here(const struct l2 *e)
{
    if (!e->kbdint)
        return false;
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&self, &e->kbdint->thread) != 0;
}

/* ---- the thread ---- */

ssize_t l2_kbdint_send(struct l2 *e, const void *data, size_t n)
{
    struct l2_kbdint *k = e->kbdint;
    uv_mutex_lock(&k->lock);
    bool ok = put(&k->out, &k->out_len, &k->out_cap, data, n);
    uv_mutex_unlock(&k->lock);
    uv_async_send(&k->async);
    return ok ? (ssize_t)n : -ENOMEM;
}

ssize_t l2_kbdint_recv(struct l2 *e, void *out, size_t n)
{
    struct l2_kbdint *k = e->kbdint;
    uv_mutex_lock(&k->lock);
    ssize_t got = k->stop ? -ECONNRESET : -EAGAIN;
    if (!k->stop && k->in_len > 0) {
        size_t take = n < k->in_len ? n : k->in_len;
        memcpy(out, k->in, take);
        k->in_len -= take;
        memmove(k->in, k->in + take, k->in_len);
        got = (ssize_t)take;
    }
    uv_mutex_unlock(&k->lock);
    return got;
}

static void wipe_answers(struct l2_kbdint *k)
{
    for (unsigned i = 0; i < SSH_PROMPTS_MAX; i++) {
        if (k->answers[i])
            mem_free_secret(k->answers[i], strlen(k->answers[i]));
        k->answers[i] = NULL;
    }
}

static void on_questions(const char *name, int name_len, const char *instruction, int instruction_len,
                         int count, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                         LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
    struct l2 *e = *abstract;
    struct l2_kbdint *k = e->kbdint;
    uv_mutex_lock(&k->lock);
    ssh_text_clean(k->title, sizeof k->title, instruction_len > 0 ? instruction : name,
                   instruction_len > 0    ? (size_t)instruction_len
                   : name && name_len > 0 ? (size_t)name_len
                                          : 0);
    k->count = count > 0 && count <= SSH_PROMPTS_MAX ? (unsigned)count : 0;
    for (unsigned i = 0; i < k->count; i++) {
        ssh_text_clean(k->prompts[i], TEXT_MAX, prompts[i].text, prompts[i].length);
        k->echo[i] = prompts[i].echo != 0;
    }
    k->asking = k->count > 0;
    k->answered = !k->asking;
    if (k->asking)
        uv_async_send(&k->async);
    while (!k->answered && !k->stop)
        uv_cond_wait(&k->wake, &k->lock);
    for (unsigned i = 0; i < k->count; i++) {
        size_t n = k->answers[i] ? strlen(k->answers[i]) : 0;
        responses[i].text = n ? l2_alloc(n, abstract) : NULL;
        if (!responses[i].text)
            continue;
        memcpy(responses[i].text, k->answers[i], n);
        responses[i].length = (unsigned)n;
    }
    wipe_answers(k);
    uv_mutex_unlock(&k->lock);
}

static void run(void *arg)
{
    struct l2_kbdint *k = arg;
    struct l2 *e = k->e;
    uv_mutex_lock(&k->lock); /* the loop holds it until everything is in its place */
    uv_mutex_unlock(&k->lock);
    for (;;) {
        int rc = libssh2_userauth_keyboard_interactive_ex(e->session, e->user, (unsigned)strlen(e->user),
                                                          on_questions);
        uv_mutex_lock(&k->lock);
        if (rc == LIBSSH2_ERROR_EAGAIN) {
            while (k->in_len == 0 && !k->stop)
                uv_cond_wait(&k->wake, &k->lock);
            uv_mutex_unlock(&k->lock);
            continue;
        }
        k->rc = rc;
        k->done = true;
        uv_async_send(&k->async);
        uv_mutex_unlock(&k->lock);
        return;
    }
}

/* ---- the loop ---- */

static void on_closed(uv_handle_t *h)
{
    struct l2_kbdint *k = h->data;
    uv_cond_destroy(&k->wake);
    uv_mutex_destroy(&k->lock);
    mem_free_secret(k->in, k->in_cap);
    mem_free_secret(k->out, k->out_cap);
    mem_free(k);
}

void l2_kbdint_stop(struct l2 *e)
{
    struct l2_kbdint *k = e->kbdint;
    if (!k)
        return;
    uv_mutex_lock(&k->lock);
    k->stop = true;
    uv_cond_signal(&k->wake);
    uv_mutex_unlock(&k->lock);
    uv_thread_join(&k->thread);
    e->kbdint = NULL;
    k->e = NULL;
    wipe_answers(k);
    uv_close((uv_handle_t *)&k->async, on_closed);
}

static void finished(struct l2 *e, int rc)
{
    struct err err;
    struct l2_kbdint *k = e->kbdint;
    uint8_t *rest = k->in; /* what came after the answer goes back to the session's own input */
    size_t n = k->in_len;
    k->in = NULL;
    k->in_len = k->in_cap = 0;
    l2_kbdint_stop(e);
    if (n > 0) {
        e->in = rest;
        e->in_len = n;
        rc = l2_keep_input(e, &err) < 0 ? LIBSSH2_ERROR_ALLOC : rc;
    }
    mem_free(rest);
    if (rc == 0 || e->told_failure) {
        l2_auth_tell(e, rc == 0);
    } else {
        l2_error(e, rc, "logging in", &err);
        e->base.up->fatal(e->base.conn, &err);
    }
    e->base.up->soon(e->base.conn);
}

static int carry_output(struct l2_kbdint *k)
{
    int rc = k->out_len ? k->e->base.up->output(k->e->base.conn, k->out, k->out_len) : 0;
    k->out_len = 0;
    return rc;
}

static void on_async(uv_async_t *h)
{
    struct l2_kbdint *k = h->data;
    struct ssh_prompt prompts[SSH_PROMPTS_MAX];
    char title[TEXT_MAX];
    struct err err;
    struct l2 *e = k->e;
    if (!e)
        return;
    uv_mutex_lock(&k->lock);
    int rc = carry_output(k), result = k->rc;
    bool done = k->done, asking = k->asking;
    unsigned count = k->count;
    k->asking = false;
    if (asking) { /* the thread waits: the texts stay as they are until the answers come */
        memcpy(title, k->title, sizeof title);
        for (unsigned i = 0; i < count; i++)
            prompts[i] = (struct ssh_prompt){k->prompts[i], k->echo[i]};
    }
    uv_mutex_unlock(&k->lock);
    if (rc < 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        e->base.up->fatal(e->base.conn, &err);
    } else if (done) {
        finished(e, result);
    } else if (asking) {
        e->base.up->auth_prompts(e->base.conn, title, prompts, count);
    }
}

int l2_kbdint_feed(struct l2 *e, struct err *err)
{
    struct l2_kbdint *k = e->kbdint;
    bool ok = true;
    uv_mutex_lock(&k->lock);
    if (e->kept_len > 0)
        ok = put(&k->in, &k->in_len, &k->in_cap, e->kept, e->kept_len);
    if (ok && e->in_len > 0)
        ok = put(&k->in, &k->in_len, &k->in_cap, e->in, e->in_len);
    e->kept_len = e->in_len = 0;
    uv_cond_signal(&k->wake);
    uv_mutex_unlock(&k->lock);
    return ok ? 0 : err_set(err, ERR_PROTOCOL, "the server sends more than it may");
}

void l2_kbdint_answer(struct l2 *e, const char *const *answers, unsigned count)
{
    struct l2_kbdint *k = e->kbdint;
    if (!k)
        return;
    uv_mutex_lock(&k->lock);
    for (unsigned i = 0; answers && i < count && i < k->count; i++)
        k->answers[i] = mem_strdup(answers[i]); /* out of memory: an empty answer, which the server refuses */
    k->answered = true;
    uv_cond_signal(&k->wake);
    uv_mutex_unlock(&k->lock);
}

int l2_kbdint_start(struct l2 *e, struct err *err)
{
    struct l2_kbdint *k = mem_zalloc(sizeof *k);
    if (!k)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = uv_async_init(e->loop, &k->async, on_async);
    if (rc < 0) {
        mem_free(k);
        return err_uv(err, rc, "asking the server's questions");
    }
    k->async.data = k;
    k->e = e;
    uv_mutex_init(&k->lock);
    uv_cond_init(&k->wake);
    uv_mutex_lock(&k->lock);
    e->kbdint = k;
    rc = uv_thread_create(&k->thread, run, k);
    uv_mutex_unlock(&k->lock);
    if (rc == 0)
        return 0;
    e->kbdint = NULL;
    uv_close((uv_handle_t *)&k->async, on_closed);
    return err_uv(err, rc, "asking the server's questions");
}
