/*
 * login_rig: a login from its start to its end.
 */
#include "login_rig.h"

#include <stdio.h>
#include <string.h>

void login_on_prompt(void *arg, const struct azure_prompt *prompt)
{
    struct login_seen *s = arg;
    s->prompts++;
    snprintf(s->code, sizeof(s->code), "%s", prompt->user_code);
    snprintf(s->uri, sizeof(s->uri), "%s", prompt->verification_uri);
    snprintf(s->message, sizeof(s->message), "%s", prompt->message);
    s->expires_s = prompt->expires_s;
}

void login_on_done(void *arg, const char *user, const struct err *err)
{
    struct login_seen *s = arg;
    s->count++;
    snprintf(s->user, sizeof(s->user), "%s", user ? user : "(none)");
    err_clear(&s->err);
    if (err)
        s->err = *err;
}

struct azure_login *login_start(struct cred_rig *c, struct login_seen *s)
{
    struct azure_login *login = NULL;
    struct err err;
    memset(s, 0, sizeof(*s));
    if (azure_login(c->rig->azure, NULL, login_on_prompt, login_on_done, s, &login, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(s->prompts + s->count, 0);
    return login;
}

int login_setup(void **state)
{
    int rc = cred_setup(state);
    struct cred_rig *c = *state;
    clock_test_freeze(c->rig->clock, 1000000);
    cred_open(c, "auto");
    fake_arm_forget(c->rig->arm, HOME_ROUTE);
    fake_arm_on(c->rig->arm, CODE_ROUTE, 200, NULL, CODE);
    return rc;
}

void login_done_after(struct cred_rig *c, unsigned interval_ms)
{
    struct login_seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    login_start(c, &s);
    rig_until(c->rig, &s.prompts, 1);
    clock_test_advance(c->rig->clock, interval_ms);
    rig_until(c->rig, &s.count, 1);
    assert_int_equal(s.err.code, 0);
}

void login_done(struct cred_rig *c)
{
    login_done_after(c, 5000);
}
