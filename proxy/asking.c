/*
 * asking: the questions that a VM's connections put to a person, and what is remembered of the answers.
 *
 *   ssh asks ─▶ a password that is kept ──────────────────────────▶ answered on the next turn
 *         └──▶ the main loop: a command that waits for this VM ───▶ answered
 *                 │ nobody is there (ERR_NOTFOUND)
 *                 └──▶ $SSH_ASKPASS of the daemon, if it has one ─▶ answered
 * A password is kept once it has let us in, for the reconnects of this VM, until the VM goes down, moves, or
 * refuses it; what unlocked keys is kept by ssh/keychain.h, and answers to a server's own questions never.
 * Connections beyond the first ask nobody: their flows share what is there. Failure modes: no person (the
 * login fails for good, and says which command asks), a connection that ends while somebody thinks (the
 * question is taken back), a request that comes when the attempt has found nobody (the VM tries once more).
 */
#include "asking.h"

#include <string.h>

#include "base/mem.h"
#include "plane.h"
#include "pool.h"
#include "vm.h"

struct asked {
    struct list node; /* plane.questions */
    struct pool_conn *conn;
    uint64_t seq;
    struct ssh_question q; /* its prompt is owned */
    ssh_answer_cb cb;
    void *arg;
    bool kept;        /* answered from memory */
    struct ready now; /* kept */
    void *handle;     /* of askpass, or NULL */
};

static void wipe(char **secret)
{
    if (*secret)
        mem_free_secret(*secret, strlen(*secret));
    *secret = NULL;
}

static void asked_free(struct asked *a)
{
    struct vm *vm = a->conn->pool->vm;
    list_remove(&a->node);
    ready_cancel(&a->now);
    if (!a->kept) {
        vm->asking.pending--;
        vm->asking.last_ms = clock_now(vm->plane->o.clock);
        vm->asking.any = true;
    }
    mem_free((char *)a->q.prompt);
    mem_free(a);
}

static void finish(struct asked *a, const char *text, const struct err *err)
{
    struct pool_conn *c = a->conn;
    ssh_answer_cb cb = a->cb;
    void *arg = a->arg;
    if (text && a->q.kind == SSH_ASK_PASSWORD && !a->kept) {
        wipe(&c->asking.password);
        c->asking.password = mem_strdup(text);
    }
    asked_free(a);
    cb(arg, text, err);
}

static void on_kept(struct ready *r)
{
    struct asked *a = container_of(r, struct asked, now);
    char *password = mem_strdup(a->conn->pool->vm->asking.password);
    struct err err = {0};
    if (!password)
        err_set(&err, ERR_NOMEM, "out of memory");
    finish(a, password, password ? NULL : &err);
    wipe(&password);
}

static void on_askpass(void *arg, const char *answer, const struct err *err)
{
    struct asked *a = arg;
    a->handle = NULL;
    finish(a, answer, err);
}

void asking_answered(struct plane *plane, uint64_t seq, const char *text, const struct err *err)
{
    struct asked *a;
    list_each(a, &plane->questions, struct asked, node)
    {
        if (a->seq != seq)
            continue;
        if (!text && err->code == ERR_NOTFOUND && plane->askpass) {
            struct ssh_ask pass = ssh_askpass_ask(plane->askpass);
            a->handle = pass.ask(pass.self, &a->q, on_askpass, a, NULL);
            if (a->handle)
                return;
        }
        if (!text && err->code == ERR_NOTFOUND)
            a->conn->pool->vm->asking.alone = true;
        finish(a, text, err);
        return;
    }
}

static void *ask(void *self, const struct ssh_question *q, ssh_answer_cb cb, void *arg, struct err *err)
{
    struct pool_conn *c = self;
    struct vm *vm = c->pool->vm;
    struct plane *plane = vm->plane;
    bool kept = q->kind == SSH_ASK_PASSWORD && vm->asking.password && !c->asking.kept_given;
    if (q->kind == SSH_ASK_PASSWORD && c->asking.kept_given)
        asking_forget(vm); /* it was refused */
    if (!kept && pool_up(c->pool) > 0) {
        err_set(err, ERR_UNSUPPORTED, "nobody is asked for one more connection");
        return NULL;
    }
    if (!kept && !plane->o.ops.ask && !plane->askpass) {
        err_set(err, ERR_NOTFOUND, "nobody can be asked");
        return NULL;
    }
    struct asked *a = mem_zalloc(sizeof *a);
    char *prompt = mem_strdup(q->prompt);
    if (!a || !prompt) {
        mem_free(a);
        mem_free(prompt);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->conn = c;
    a->seq = ++plane->next_question;
    a->q = *q;
    a->q.prompt = prompt;
    a->cb = cb;
    a->arg = arg;
    a->kept = kept;
    ready_init(&a->now, on_kept);
    list_push(&plane->questions, &a->node);
    if (kept) {
        c->asking.kept_given = true;
        ready_push(plane->o.ready, &a->now);
        return a;
    }
    vm->asking.pending++;
    if (plane->o.ops.ask) {
        plane->o.ops.ask(
            plane->o.ops_arg,
            &(struct plane_question){
                .vm = vm->id, .seq = a->seq, .kind = q->kind, .prompt = prompt, .echo = q->echo});
        return a;
    }
    struct ssh_ask pass = ssh_askpass_ask(plane->askpass);
    a->handle = pass.ask(pass.self, &a->q, on_askpass, a, err);
    if (a->handle)
        return a;
    asked_free(a);
    return NULL;
}

static void cancel(void *self, void *handle)
{
    struct pool_conn *c = self;
    struct plane *plane = c->pool->vm->plane;
    struct asked *a = handle;
    if (a->handle) {
        struct ssh_ask pass = ssh_askpass_ask(plane->askpass);
        pass.cancel(pass.self, a->handle);
    } else if (!a->kept && plane->o.ops.ask) {
        plane->o.ops.ask_over(plane->o.ops_arg, a->seq);
    }
    asked_free(a);
}

struct ssh_ask asking_of(struct pool_conn *c)
{
    return (struct ssh_ask){.ask = ask, .cancel = cancel, .self = c};
}

void asking_conn_up(struct pool_conn *c)
{
    struct vm *vm = c->pool->vm;
    vm->asking.alone = false;
    if (!c->asking.password)
        return;
    asking_forget(vm);
    vm->asking.password = c->asking.password;
    c->asking.password = NULL;
}

void asking_conn_done(struct pool_conn *c, const struct err *err)
{
    wipe(&c->asking.password);
    if (err && err->code == ERR_AUTH && c->asking.kept_given)
        asking_forget(c->pool->vm);
}

void asking_forget(struct vm *vm)
{
    wipe(&vm->asking.password);
}

void asking_somebody_came(struct vm *vm)
{
    vm->asking.once_more = vm->asking.alone;
}

bool asking_try_again(struct vm *vm)
{
    bool again = vm->asking.once_more;
    vm->asking.alone = vm->asking.once_more = false;
    return again;
}

uint64_t asking_patience(const struct vm *vm)
{
    uint64_t now = clock_now(vm->plane->o.clock), until = vm->asking.last_ms + ASKING_LOGIN_MS;
    if (vm->asking.pending > 0)
        return 1000;
    return vm->asking.any && now < until ? until - now : 0;
}
