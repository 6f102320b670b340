/*
 * questions: what a login to a VM wants to know, put to a command that waits for that VM.
 *
 *   asked for ─▶ WAITING ──a request that takes questions, and has none yet──▶ PUT ──▶ answered
 *                  │ ▲                                                        │ │ └──▶ declined
 *                  │ └──────────────── the request ends: the next one ────────┘ └─120 s─▶ given up
 *                  └── no request that could: answered "nobody" at once
 * A question goes to the oldest request for its VM, or for one that is reached through it; the others are
 * told that somebody is being asked. Equal questions for a passphrase are one: the answer goes to all of
 * them. Failure modes: the one who is asked leaves (the next is asked, or the login fails and says which
 * command asks); nobody answers in time (withdrawn); the login ends first (withdrawn); a request that forbids
 * asking is all there is (then not even SSH_ASKPASS is tried: ERR_DENIED instead of ERR_NOTFOUND).
 */
#include "questions.h"

#include <string.h>

#include "base/mem.h"

struct question {
    struct list node;
    struct daemon *d;
    uint64_t id;    /* the proxy's */
    int64_t number; /* the client's, once it is put */
    char *alias, *kind, *prompt;
    bool echo;
    question_cb cb; /* NULL: the proxy's */
    void *arg;
    struct questioner *to; /* NULL: it waits */
    bool deserted;         /* somebody was asked, and left */
    struct timer tick;
    uint32_t waited_ms;
};

static void dispatch(struct daemon *d);

static void question_free(struct question *q)
{
    list_remove(&q->node);
    timer_stop(&q->tick);
    if (q->to)
        q->to->asked = NULL;
    mem_free(q->alias);
    mem_free(q->kind);
    mem_free(q->prompt);
    mem_free(q);
}

static void finish(struct question *q, const char *text, const struct err *err)
{
    struct daemon *d = q->d;
    uint64_t id = q->id;
    question_cb cb = q->cb;
    void *arg = q->arg;
    question_free(q);
    if (cb)
        cb(arg, text, err);
    else
        proxy_answer(d->proxy, id, text, err);
}

static bool concerns(const struct questioner *w, const struct question *q)
{
    return w->job->req && proxy_leads_through(q->d->proxy, w->alias, w->via, q->alias);
}

/* One question at a time for each request. */
static bool is_busy(const struct daemon *d, const struct questioner *w)
{
    const struct questioner *other;
    list_each(other, &d->questioners, struct questioner, node)
    {
        if (other->job == w->job && other->asked)
            return true;
    }
    return false;
}

static void put(struct question *q, struct questioner *w)
{
    q->to = w;
    w->asked = q;
    q->number = ++q->d->next_question;
    q->waited_ms = 0;
    timer_start(&q->tick, QUESTIONS_TICK_MS);
    control_question(w->job->req, q->number,
                     json_pack("{s:o, s:s, s:o, s:b}", "vm", control_text(q->alias), "kind", q->kind,
                               "prompt", control_text(q->prompt), "echo", q->echo));
}

/* For the same key, whether or not a wrong passphrase was given before. */
static bool same(const struct question *a, const struct question *b)
{
    size_t n = strlen(a->prompt), m = strlen(b->prompt), least = n < m ? n : m;
    return strcmp(a->kind, "passphrase") == 0 && strcmp(b->kind, "passphrase") == 0 &&
           strcmp(a->prompt + n - least, b->prompt + m - least) == 0;
}

static bool is_put_already(const struct question *q)
{
    const struct question *other;
    list_each(other, &q->d->questions, struct question, node)
    {
        if (other != q && other->to && same(other, q))
            return true;
    }
    return false;
}

static void nobody(struct question *q, bool forbidden)
{
    struct err err = {0};
    if (forbidden)
        err_set(&err, ERR_DENIED, "nobody is asked in batch mode: `adit up %s` on a terminal asks", q->alias);
    else if (q->deserted)
        err_set(&err, ERR_CANCELED,
                "the command that was asked has ended: `adit up %s` on a terminal asks again", q->alias);
    else
        err_set(&err, ERR_NOTFOUND, "there is nobody to ask: `adit up %s` on a terminal asks", q->alias);
    finish(q, NULL, &err);
}

static void find_somebody(struct question *q)
{
    struct questioner *w;
    bool wait = is_put_already(q), forbidden = false;
    list_each(w, &q->d->questioners, struct questioner, node)
    {
        if (wait || !concerns(w, q))
            continue;
        enum control_may_ask may = control_request_may_ask(w->job->req);
        forbidden = forbidden || may == CONTROL_ASK_NEVER;
        if (may != CONTROL_ASK_YES)
            continue;
        wait = true;
        if (!is_busy(q->d, w)) {
            put(q, w);
            return;
        }
    }
    if (!wait)
        nobody(q, forbidden);
}

static void dispatch(struct daemon *d)
{
    struct question *q;
    list_each(q, &d->questions, struct question, node)
    {
        if (!q->to)
            find_somebody(q);
    }
}

/* Those who wait for the same VM without being asked hear why nothing happens. */
static void tell_others(const struct question *q)
{
    const struct questioner *w;
    list_each(w, &q->d->questioners, struct questioner, node)
    {
        if (w->job != q->to->job && concerns(w, q))
            control_progress(w->job->req, "%s: another command is being asked (%u s)", q->alias,
                             (unsigned)(q->waited_ms / 1000));
    }
}

static void on_tick(struct timer *t)
{
    struct question *q = container_of(t, struct question, tick);
    struct daemon *d = q->d;
    struct err err = {0};
    q->waited_ms += QUESTIONS_TICK_MS;
    if (q->waited_ms < QUESTIONS_MS) {
        timer_start(&q->tick, QUESTIONS_TICK_MS);
        tell_others(q);
        return;
    }
    control_withdraw(q->to->job->req, q->number);
    err_set(&err, ERR_TIMEOUT, "nobody answered within %d s: `adit up %s` asks again", QUESTIONS_MS / 1000,
            q->alias);
    finish(q, NULL, &err);
    dispatch(d);
}

void questions_take_back(struct question *q)
{
    struct daemon *d = q->d;
    if (q->to)
        control_withdraw(q->to->job->req, q->number);
    question_free(q);
    dispatch(d);
}

static struct question *make(struct daemon *d, const struct proxy_question *asked, struct err *err)
{
    struct question *q = list_count(&d->questions) < QUESTIONS_MAX ? mem_zalloc(sizeof *q) : NULL;
    if (!q) {
        err_set(err, ERR_LIMIT, "too many questions wait for an answer");
        return NULL;
    }
    q->d = d;
    q->id = asked->id;
    q->echo = asked->echo;
    q->alias = mem_strdup(asked->alias);
    q->kind = mem_strdup(asked->kind);
    q->prompt = mem_strdup(asked->prompt);
    timer_init(&q->tick, d->clock, on_tick);
    list_push(&d->questions, &q->node);
    if (q->alias && q->kind && q->prompt)
        return q;
    question_free(q);
    err_set(err, ERR_NOMEM, "out of memory");
    return NULL;
}

void questions_ask(void *daemon, const struct proxy_question *asked)
{
    struct daemon *d = daemon;
    struct err err = {0};
    struct question *q = make(d, asked, &err);
    if (q)
        find_somebody(q);
    else
        proxy_answer(d->proxy, asked->id, NULL, &err);
}

/* On a later turn, for it may be answered at once. */
static void on_put(struct timer *t)
{
    struct question *q = container_of(t, struct question, tick);
    timer_init(&q->tick, q->d->clock, on_tick);
    find_somebody(q);
}

struct question *questions_put(struct daemon *d, const struct proxy_question *asked, question_cb cb,
                               void *arg, struct err *err)
{
    struct question *q = make(d, asked, err);
    if (!q)
        return NULL;
    q->cb = cb;
    q->arg = arg;
    timer_init(&q->tick, d->clock, on_put);
    if (timer_start(&q->tick, 0) == 0)
        return q;
    question_free(q);
    err_set(err, ERR_NOMEM, "out of memory");
    return NULL;
}

void questions_withdrawn(void *daemon, uint64_t id)
{
    struct daemon *d = daemon;
    struct question *q;
    list_each(q, &d->questions, struct question, node)
    {
        if (q->cb || q->id != id)
            continue;
        questions_take_back(q);
        return;
    }
    dispatch(d);
}

void questions_answer(void *daemon, struct control_request *req, int64_t number, const char *text,
                      const struct err *why)
{
    struct daemon *d = daemon;
    struct question *q, *answered = NULL, *other;
    list_each(q, &d->questions, struct question, node)
    {
        if (q->to && q->to->job->req == req && q->number == number)
            answered = q;
    }
    if (!answered)
        return;
    list_each(other, &d->questions, struct question, node)
    {
        if (other != answered && !other->to && same(other, answered))
            finish(other, text, why);
    }
    finish(answered, text, why);
    dispatch(d);
}

void questioner_begin(struct questioner *w, struct job *j, const char *alias, const char *via)
{
    w->job = j;
    w->alias = alias;
    w->via = via;
    list_push(&j->d->questioners, &w->node);
}

void questioner_end(struct questioner *w)
{
    if (!w->job)
        return;
    struct daemon *d = w->job->d;
    struct question *q = w->asked;
    list_remove(&w->node);
    if (q) {
        timer_stop(&q->tick);
        q->to = NULL;
        q->deserted = true;
        if (w->job->req)
            control_withdraw(w->job->req, q->number);
    }
    *w = (struct questioner){0};
    if (q || !list_empty(&d->questions))
        dispatch(d);
}

void questions_init(struct daemon *d)
{
    list_init(&d->questions);
    list_init(&d->questioners);
}

void questions_free(struct daemon *d)
{
    struct list *node;
    while ((node = list_first(&d->questions)) != NULL)
        question_free(container_of(node, struct question, node));
}
