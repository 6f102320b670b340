/*
 * login_side: servers to log in to, one attempt at it, and a person who answers from a list.
 */
#include "login_side.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void on_answer_time(uv_timer_t *t)
{
    struct asker *a = t->data;
    const char *answer = a->answers[a->asked - 1];
    struct err err;
    a->armed = false;
    uv_close((uv_handle_t *)t, on_timer_closed);
    if (answer) {
        a->cb(a->arg, answer, NULL);
    } else {
        err_set(&err, ERR_CANCELED, "nobody is there");
        a->cb(a->arg, NULL, &err);
    }
}

static void *asker_ask(void *self, const struct ssh_question *q, ssh_answer_cb cb, void *arg, struct err *err)
{
    struct asker *a = self;
    assert_true(a->asked < 4);
    snprintf(a->prompts[a->asked], sizeof a->prompts[0], "%s", q->prompt);
    a->kinds[a->asked] = q->kind;
    a->echo[a->asked++] = q->echo;
    a->cb = cb;
    a->arg = arg;
    a->timer = malloc(sizeof *a->timer);
    uv_timer_init(&a->w->loop, a->timer);
    a->timer->data = a;
    a->armed = true;
    uv_timer_start(a->timer, on_answer_time,
                   a->answers[a->asked - 1] && !strcmp(a->answers[a->asked - 1], "never") ? 3600000 : 20, 0);
    return a;
}

static void asker_cancel(void *self, void *handle)
{
    struct asker *a = self;
    a->canceled++;
    a->armed = false;
    uv_close((uv_handle_t *)a->timer, on_timer_closed);
}

struct ssh_ask asker(struct asker *a)
{
    return (struct ssh_ask){.ask = asker_ask, .cancel = asker_cancel, .self = a};
}

int login_start(void **state)
{
    struct setting *s = calloc(1, sizeof *s);
    signal(SIGPIPE, SIG_IGN);
    server_start_sshd(&s->sshd, "");
    s->have_python = server_start_script(&s->python, ADIT_LOGIN_SERVER);
    snprintf(s->known, sizeof s->known, "%s/known", s->sshd.dir);
    snprintf(s->known_python, sizeof s->known_python, "%s/known", s->python.dir);
    *state = s;
    return 0;
}

int login_stop(void **state)
{
    struct setting *s = *state;
    server_stop(&s->sshd);
    server_stop(&s->python);
    free(s);
    return 0;
}

struct link_options to_sshd(const struct setting *s)
{
    return (struct link_options){.port = s->sshd.port, .user = s->sshd.user, .known_hosts = s->known};
}

struct link_options to_python(const struct setting *s, const char *user)
{
    return (struct link_options){.port = s->python.port, .user = user, .known_hosts = s->known_python};
}

static bool settled(void *arg)
{
    struct link *l = arg;
    return l->up || l->closed;
}

bool login_attempt(const struct link_options *o, struct asker *a, char *how, struct err *why)
{
    struct world w;
    struct link l;
    struct ssh_conn_info info;
    struct link_options opt = *o;
    world_open(&w);
    if (a) {
        a->w = &w;
        opt.ask = asker(a);
    }
    if (link_open(&w, &l, &opt, why) == 0)
        assert_true(world_run_until(&w, settled, &l, 20000));
    bool up = l.up;
    if (up) {
        ssh_conn_info(l.conn, &info);
        snprintf(how, 128, "%s", info.auth);
    } else if (l.why.code) {
        *why = l.why;
    }
    link_close(&w, &l);
    world_close(&w);
    return up;
}
