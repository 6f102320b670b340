/*
 * conn_hostkey: the host key of a connection: checked as the keys are agreed on, and, under SSH_HOSTID_ASK,
 * put to a person before anything else is said.
 *
 *   key shown ──known──▶ keys agreed ─────────────────────▶ verified: the login begins
 *       │ unknown under ASK: kept          ▲ yes, remembered
 *       └──▶ keys agreed ──▶ asked ────────┤
 *                                          └ no, nobody: the connection fails
 * Nothing of the user goes to the server before that: only the key exchange has been done.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn.h"

static void refuse(struct ssh_conn *c, const struct err *why)
{
    struct err err = c->new_key.what;
    err_hint(&err, ", and it was not accepted%s%s", why ? ": " : "", why ? why->msg : "");
    ssh_conn_fail(c, &err);
}

int ssh_conn_host_key(void *conn, const uint8_t *blob, size_t n, struct err *err)
{
    struct ssh_conn *c = conn;
    ssh_hostid_fingerprint(blob, n, c->host_key, sizeof c->host_key);
    int rc = ssh_hostid_check(&c->opt.host, blob, n, err);
    if (rc <= 0)
        return rc;
    if (!c->opt.ask.ask || c->state != SSH_CONN_HELLO || c->new_key.asking) {
        err_hint(err, ", and nobody can be asked whether to accept it");
        return ERR_HOSTKEY;
    }
    c->new_key.what = *err;
    mem_free(c->new_key.blob); /* of an engine that another one took over from */
    c->new_key.blob = mem_alloc(n);
    if (!c->new_key.blob)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(c->new_key.blob, blob, n);
    c->new_key.len = n;
    err_clear(err);
    return 0;
}

static void on_answer(void *arg, const char *answer, const struct err *why)
{
    struct ssh_conn *c = arg;
    struct err err;
    struct ssh_hostid_want want = c->opt.host;
    c->new_key.asking = false;
    c->new_key.question = NULL;
    if (c->failed || c->silent)
        return;
    if (!answer || strcmp(answer, "yes") != 0) {
        refuse(c, why);
        return;
    }
    want.policy = SSH_HOSTID_ACCEPT_NEW;
    if (ssh_hostid_check(&want, c->new_key.blob, c->new_key.len, &err) < 0) {
        ssh_conn_fail(c, &err);
        return;
    }
    if (timer_active(&c->deadline)) /* the time that the person took is not the server's */
        (void)timer_start(&c->deadline, c->opt.handshake_timeout_ms);
    ssh_conn_verified(c);
}

void ssh_conn_ready(void *conn)
{
    struct ssh_conn *c = conn;
    struct err err;
    char prompt[ERR_MSG_MAX + 64];
    const struct ssh_question q = {.kind = SSH_ASK_HOSTKEY, .prompt = prompt, .echo = true};
    if (c->failed || c->silent)
        return;
    if (!c->new_key.blob) {
        ssh_conn_verified(c);
        return;
    }
    snprintf(prompt, sizeof prompt, "%c%s. Accept it (yes/no)? ",
             c->new_key.what.msg[0] == 't' ? 'T' : c->new_key.what.msg[0], c->new_key.what.msg + 1);
    c->new_key.question = c->opt.ask.ask(c->opt.ask.self, &q, on_answer, c, &err);
    c->new_key.asking = c->new_key.question != NULL;
    if (!c->new_key.asking)
        refuse(c, &err);
}

void ssh_conn_new_key_done(struct ssh_conn *c)
{
    if (c->new_key.asking)
        c->opt.ask.cancel(c->opt.ask.self, c->new_key.question);
    c->new_key.asking = false;
    mem_free(c->new_key.blob);
    c->new_key.blob = NULL;
}
