/*
 * hand_ask: the questions of a login (a passphrase, a password), put to the request that the run belongs to.
 *
 * There is one login at a time. Once it is over, what it still asks is taken back, though ssh lets go of it
 * later.
 */
#include "base/mem.h"
#include "hands_private.h"
#include "questions.h"

struct asked {
    struct list node;   /* hands.asked */
    struct question *q; /* NULL: taken back */
    ssh_answer_cb cb;
    void *arg;
};

static void on_answer(void *arg, const char *text, const struct err *err)
{
    struct asked *a = arg;
    ssh_answer_cb cb = a->cb;
    void *cb_arg = a->arg;
    list_remove(&a->node);
    mem_free(a);
    cb(cb_arg, text, err);
}

static void *ask(void *self, const struct ssh_question *q, ssh_answer_cb cb, void *arg, struct err *err)
{
    struct hands *h = self;
    struct asked *a = mem_zalloc(sizeof *a);
    if (!a) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->cb = cb;
    a->arg = arg;
    a->q = questions_put(
        h->d,
        &(struct proxy_question){
            .alias = h->vm->alias, .kind = ssh_ask_kind_name(q->kind), .prompt = q->prompt, .echo = q->echo},
        on_answer, a, err);
    if (!a->q) {
        mem_free(a);
        return NULL;
    }
    list_push(&h->asked, &a->node);
    return a;
}

static void cancel(void *self, void *handle)
{
    struct asked *a = handle;
    (void)self;
    if (a->q)
        questions_take_back(a->q);
    list_remove(&a->node);
    mem_free(a);
}

struct ssh_ask hand_ask(struct hands *h)
{
    return (struct ssh_ask){.ask = ask, .cancel = cancel, .self = h};
}

void hand_ask_stop(struct hands *h)
{
    struct asked *a;
    list_each(a, &h->asked, struct asked, node)
    {
        if (a->q)
            questions_take_back(a->q);
        a->q = NULL;
    }
}
