/*
 * fake_hands: the hands, on the fake world's SSH server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_world_private.h"

#define STEP_MS 50

struct text_op {
    struct fake_op op;
    bool knock;
    prepare_text_cb cb;
    void *arg;
};

struct enter_op {
    struct fake_op op;
    enum prepare_stage stage, until;
    bool keys_fit;
    prepare_stage_cb cb;
    void *arg;
};

static void on_time(struct timer *t)
{
    struct fake_op *op = (struct fake_op *)(void *)t;
    op->finish(op);
}

static bool reachable(const struct fake_world *w, struct err *err)
{
    if (strcmp(w->power, "running") != 0 || !w->public_ip || !fake_lets_in(w))
        return err_set(err, ERR_TIMEOUT, "198.51.100.9:22: no answer within 10 s") == 0;
    if (!fake_sshd_up(w))
        return err_set(err, ERR_REFUSED, "198.51.100.9:22: connection refused") == 0;
    return true;
}

static void finish_text(struct fake_op *op)
{
    struct text_op t = *(struct text_op *)(void *)op;
    struct fake_world *w = op->w;
    struct err err = {0};
    const char *text = t.knock ? "SSH-2.0-OpenSSH_for_Windows_9.5" : w->id;
    if (t.knock)
        reachable(w, &err);
    else if (w->sign_in)
        err_set(&err, w->sign_in, "no credential gives a token");
    fake_op_end(op);
    t.cb(t.arg, err.code ? NULL : text, err.code ? &err : NULL);
}

static void *begin_text(struct fake_world *w, bool knock, prepare_text_cb cb, void *arg)
{
    struct text_op *t = calloc(1, sizeof(*t));
    t->knock = knock;
    t->cb = cb;
    t->arg = arg;
    timer_init(&t->op.timer, w->clock, on_time);
    fake_op_begin(&t->op, w, STEP_MS, finish_text);
    return t;
}

static void *locate(void *self, prepare_text_cb cb, void *arg, struct err *err)
{
    struct fake_world *w = self;
    w->locates++;
    return begin_text(w, false, cb, arg);
}

static void *knock(void *self, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err)
{
    struct fake_world *w = self;
    w->knocks++;
    return begin_text(w, true, cb, arg);
}

static const char *stage_of(struct fake_world *w, const struct enter_op *e, struct err *err)
{
    switch (e->stage) {
    case PREPARE_STAGE_HOST_KEY:
        if (!reachable(w, err))
            return "";
        if (w->wrong_host_key || !e->keys_fit)
            err_set(err, ERR_HOSTKEY, "the host key is another one");
        return "ssh-ed25519 SHA256:abc";
    case PREPARE_STAGE_LOGIN:
        if (!w->key || w->key_useless)
            err_set(err, ERR_AUTH, "the server refused key ~/.ssh/id_ed25519");
        return "publickey (~/.ssh/id_ed25519)";
    case PREPARE_STAGE_FORWARD:
        if (w->no_forward)
            err_set(err, ERR_REFUSED, "administratively prohibited: open failed");
        else if (w->no_rdp)
            err_set(err, ERR_REFUSED, "connect failed: Connection refused");
        return "";
    case PREPARE_STAGE_RDP:
        return "with network level authentication";
    }
    return "";
}

static void finish_stage(struct fake_op *op)
{
    struct enter_op *e = (struct enter_op *)(void *)op, was = *e;
    struct err err = {0};
    const char *detail = stage_of(op->w, e, &err);
    if (err.code || e->stage == e->until) {
        fake_op_end(op);
    } else {
        e->stage++;
        timer_start(&op->timer, STEP_MS);
    }
    was.cb(was.arg, was.stage, err.code ? "" : detail, err.code ? &err : NULL);
}

static void *enter(void *self, const char *keys, const char *target_host, uint16_t target_port,
                   enum prepare_stage until, prepare_stage_cb cb, void *arg, struct err *err)
{
    struct fake_world *w = self;
    struct enter_op *e = calloc(1, sizeof(*e));
    w->enters++;
    e->until = until;
    e->keys_fit = !keys || strcmp(keys, HOST_KEY "\n") == 0;
    e->cb = cb;
    e->arg = arg;
    timer_init(&e->op.timer, w->clock, on_time);
    fake_op_begin(&e->op, w, STEP_MS, finish_stage);
    return e;
}

static int learn(void *self, const char *id, const char *vm_id, const char *keys, struct err *err)
{
    struct fake_world *w = self;
    w->learns++;
    return 0;
}

static void cancel(void *self, void *handle)
{
    fake_op_end(handle);
}

struct prepare_hands fake_world_hands(struct fake_world *w)
{
    return (struct prepare_hands){
        .self = w, .locate = locate, .knock = knock, .enter = enter, .learn = learn, .cancel = cancel};
}
