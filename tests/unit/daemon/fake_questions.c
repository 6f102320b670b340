/*
 * fake_questions: the part of the fake proxy that has questions: as from logins to its VMs, whenever the test
 * says so.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fake_proxy.h"

static struct proxy_asker asker;
static struct clock *clock_of_daemon;
static atomic_uint advance_ms;
static uv_async_t ask_async;
static pthread_mutex_t ask_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_question {
    bool ask, withdraw;
    uint64_t id;
    char alias[64], kind[16], prompt[128];
} pending[FAKE_QUESTIONS];
static struct fake_answer answers[FAKE_QUESTIONS];
static atomic_uint forgotten, answer_count;

/* On the daemon's thread. */
static void on_ask_async(uv_async_t *async)
{
    unsigned ms = atomic_exchange(&advance_ms, 0);
    if (ms > 0) {
        clock_test_freeze(clock_of_daemon, clock_now(clock_of_daemon));
        clock_test_advance(clock_of_daemon, ms);
    }
    for (size_t i = 0; i < FAKE_QUESTIONS; i++) {
        pthread_mutex_lock(&ask_lock);
        struct fake_question q = pending[i];
        pending[i] = (struct fake_question){0};
        pthread_mutex_unlock(&ask_lock);
        if (q.ask)
            asker.ask(asker.arg, &(struct proxy_question){
                                     .id = q.id, .alias = q.alias, .kind = q.kind, .prompt = q.prompt});
        if (q.withdraw)
            asker.withdrawn(asker.arg, q.id);
    }
}

static void post(const struct fake_question *q)
{
    pthread_mutex_lock(&ask_lock);
    for (size_t i = 0; i < FAKE_QUESTIONS; i++) {
        if (pending[i].ask || pending[i].withdraw)
            continue;
        pending[i] = *q;
        break;
    }
    pthread_mutex_unlock(&ask_lock);
    uv_async_send(&ask_async);
}

void fake_proxy_ask(uint64_t id, const char *alias, const char *kind, const char *prompt)
{
    struct fake_question q = {.ask = true, .id = id};
    snprintf(q.alias, sizeof q.alias, "%s", alias);
    snprintf(q.kind, sizeof q.kind, "%s", kind);
    snprintf(q.prompt, sizeof q.prompt, "%s", prompt);
    answers[id] = (struct fake_answer){0};
    post(&q);
}

void fake_proxy_advance(unsigned ms)
{
    advance_ms = ms;
    uv_async_send(&ask_async);
}

void fake_proxy_withdraw(uint64_t id)
{
    post(&(struct fake_question){.withdraw = true, .id = id});
}

size_t fake_proxy_answers(void)
{
    return answer_count;
}

struct fake_answer fake_proxy_answer(uint64_t id)
{
    return answers[id];
}

unsigned fake_proxy_forgotten(void)
{
    return forgotten;
}

void proxy_answer(struct proxy *p, uint64_t id, const char *text, const struct err *err)
{
    struct fake_answer *a = &answers[id];
    a->code = text ? 0 : err->code;
    snprintf(a->text, sizeof a->text, "%s", text ? text : err->msg);
    a->given = true;
    answer_count++;
}

bool proxy_leads_through(const struct proxy *p, const char *from, const char *via, const char *alias)
{
    return strcasecmp(from, alias) == 0 || (via && strcasecmp(via, alias) == 0);
}

void proxy_forget_answers(struct proxy *p)
{
    forgotten++;
}

void fake_questions_open(const struct proxy_options *options)
{
    asker = options->asker;
    clock_of_daemon = options->clock;
    answer_count = forgotten = 0;
    uv_async_init(options->loop, &ask_async, on_ask_async);
}

void fake_questions_close(void)
{
    uv_close((uv_handle_t *)&ask_async, NULL);
}
