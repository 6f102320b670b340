/*
 * login: the flow of signing a person in by device code.
 *
 * Happy path: ask for a code, have the user shown it, then ask the token endpoint every few seconds until the
 * user has signed in with a browser somewhere; what it gives is saved. "authorization_pending" means to go on
 * asking, "slow_down" to do so less often (RFC 8628 section 3.5); a network that is away for a while means
 * the same. The user declines, the code expires, or the file cannot be written: the end, with the reason.
 *
 *   CODE --code, prompt--> PAUSE --interval--> POLL --token--> saved, done
 *                            ^                  |
 *                            +--pending---------+
 */
#include "login.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure_private.h"
#include "base/mem.h"
#include "entra.h"
#include "login_file.h"
#include "text.h"
#include "token_json.h"

/* The public client of the Azure CLI: the one that every tenant knows and that may have tokens for ARM. */
#define CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define CODE_MS 30000u
#define TRY_MS 15000u
#define SLOWER_S 5
#define INTERVAL_MAX_S 120

enum login_state { LOGIN_CODE, LOGIN_PAUSE, LOGIN_POLL };

struct azure_login {
    struct list node;
    struct azure *azure;
    enum login_state state;
    char *tenant;
    struct login_code code;
    struct blob form; /* of the request under way */
    struct http_req *http_req;
    struct retry retry;
    struct timer pause, deadline;
    azure_prompt_cb prompt;
    azure_login_cb cb;
    void *arg;
};

static void login_free(struct azure_login *l)
{
    list_remove(&l->node);
    timer_stop(&l->pause);
    timer_stop(&l->deadline);
    if (l->http_req)
        http_cancel(l->http_req);
    login_code_done(&l->code);
    blob_done(&l->form);
    mem_free(l->tenant);
    mem_free(l);
}

void azure_login_cancel(struct azure_login *l)
{
    login_free(l);
}

static void finish(struct azure_login *l, const char *user, const struct err *err)
{
    azure_login_cb cb = l->cb;
    void *arg = l->arg;
    login_free(l);
    cb(arg, user, err);
}

static struct entra_call call_of(const struct azure_login *l)
{
    return (struct entra_call){.cloud = &l->azure->cloud,
                               .tenant = l->tenant,
                               .form = &l->form,
                               .keeps_refresh = true,
                               .tenant_from = "the tenant to sign in to",
                               .client_from = "whether the tenant allows the Azure CLI",
                               .proof_from = "the code"};
}

static void on_code(void *arg, const struct http_reply *reply, const struct err *err);
static void on_poll(void *arg, const struct http_reply *reply, const struct err *err);

static int post(struct azure_login *l, const char *leaf, http_cb cb, struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json"};
    char url[ENTRA_URL_MAX];
    entra_url(url, &l->azure->cloud, l->tenant, leaf);
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .header_count = 2,
                             .body = l->form.data,
                             .body_len = l->form.len,
                             .timeout_ms = TRY_MS,
                             .fresh = l->retry.failed > 0};
    return http_send(l->azure->http, &call, cb, l, &l->http_req, err);
}

static int ask_code(struct azure_login *l, struct err *err)
{
    char scope[AZURE_ENDPOINT_MAX + 64];
    snprintf(scope, sizeof(scope), "%s offline_access openid profile", l->azure->cloud.scope);
    blob_done(&l->form);
    if (text_form_add(&l->form, "client_id", CLIENT) || text_form_add(&l->form, "scope", scope))
        return err_set(err, ERR_NOMEM, "out of memory");
    l->state = LOGIN_CODE;
    return post(l, "devicecode", on_code, err);
}

static int poll_once(struct azure_login *l, struct err *err)
{
    blob_done(&l->form);
    if (text_form_add(&l->form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code") ||
        text_form_add(&l->form, "client_id", CLIENT) ||
        text_form_add(&l->form, "device_code", l->code.device_code))
        return err_set(err, ERR_NOMEM, "out of memory");
    l->state = LOGIN_POLL;
    return post(l, "token", on_poll, err);
}

static int pause_now(struct azure_login *l)
{
    l->state = LOGIN_PAUSE;
    return timer_start(&l->pause, l->code.interval_s * UINT64_C(1000));
}

static void on_pause(struct timer *t)
{
    struct azure_login *l = container_of(t, struct azure_login, pause);
    struct err err;
    err_clear(&err);
    int rc = l->state == LOGIN_CODE ? ask_code(l, &err) : poll_once(l, &err);
    if (rc)
        finish(l, NULL, &err);
}

static void on_code(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct azure_login *l = arg;
    struct err why;
    err_clear(&why);
    l->http_req = NULL;
    int64_t wait = retry_next(&l->retry, reply, true);
    if (wait != RETRY_STOP && timer_start(&l->pause, (uint64_t)wait) == 0)
        return;
    json_t *root = reply->len ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
    if (err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    else if (reply->status == 200)
        login_code_parse(&l->code, root, &why);
    else {
        struct entra_call call = call_of(l);
        struct token none = {0};
        entra_reply_parse(&call, reply, &none, &why);
    }
    json_decref(root);
    if (!why.code && (timer_start(&l->deadline, l->code.expires_s * UINT64_C(1000)) || pause_now(l)))
        err_set(&why, ERR_NOMEM, "out of memory");
    if (why.code) {
        finish(l, NULL, &why);
        return;
    }
    const struct azure_prompt prompt = {l->code.user_code, l->code.verification_uri, l->code.message,
                                        l->code.expires_s};
    l->prompt(l->arg, &prompt); /* who may cancel us */
}

/* True when the answer means that the user has not signed in yet. */
static bool is_pending(struct azure_login *l, const struct http_reply *reply, const char *error)
{
    if (reply->failure == HTTP_NOT_TRUSTED || reply->failure == HTTP_IMPOSSIBLE)
        return false;
    if (reply->failure != HTTP_ANSWERED || reply->status >= 500 || reply->status == 429)
        return true;
    if (strcmp(error, "slow_down") == 0 && l->code.interval_s + SLOWER_S <= INTERVAL_MAX_S)
        l->code.interval_s += SLOWER_S;
    return strcmp(error, "slow_down") == 0 || strcmp(error, "authorization_pending") == 0;
}

static int save(struct azure_login *l, const char *id_token, struct token *token, struct login_who *who,
                struct err *err)
{
    struct azure *a = l->azure;
    login_who_parse(who, id_token);
    if (!token->refresh)
        return err_set(err, ERR_PROTOCOL, "sign-in: the reply holds no refresh_token");
    struct login_saved saved = {.login = a->cloud.login,
                                .tenant = who->tenant[0] ? who->tenant : l->tenant,
                                .client = (char[]){CLIENT},
                                .user = who->user,
                                .refresh = token->refresh};
    int rc = login_file_write(a->login_file, &saved, err);
    if (rc)
        return rc;
    credential_forget(a->credential);
    token_cache_forget(a->tokens);
    return 0;
}

static int refused(struct azure_login *l, const struct http_reply *reply, const char *error, struct err *err)
{
    struct entra_call call = call_of(l);
    struct token none = {0};
    if (strcmp(error, "authorization_declined") == 0 || strcmp(error, "access_denied") == 0)
        return err_set(err, ERR_DENIED, "the sign-in was declined");
    if (strcmp(error, "expired_token") == 0 || strcmp(error, "code_expired") == 0)
        return err_set(err, ERR_TIMEOUT, "the code has expired; run adit login again");
    return entra_reply_parse(&call, reply, &none, err);
}

static void on_poll(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct azure_login *l = arg;
    struct token token = {0};
    struct login_who who = {0};
    struct err why;
    err_clear(&why);
    l->http_req = NULL;
    json_t *root = reply->len ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
    const char *error = json_string_value(json_object_get(root, "error"));
    bool pending = is_pending(l, reply, error ? error : "");
    if (pending && pause_now(l))
        err_set(&why, ERR_NOMEM, "out of memory"), pending = false;
    else if (!pending && err)
        err_copy(&why, err, ERR_UNAVAILABLE);
    else if (!pending && reply->status != 200)
        refused(l, reply, error ? error : "", &why);
    else if (!pending) {
        struct entra_call call = call_of(l);
        if (entra_reply_parse(&call, reply, &token, &why) == 0)
            save(l, json_string_value(json_object_get(root, "id_token")), &token, &who, &why);
    }
    token_done(&token);
    token_json_wipe(root);
    json_decref(root);
    if (!pending)
        finish(l, why.code ? NULL : who.user, why.code ? &why : NULL);
}

static void on_deadline(struct timer *t)
{
    struct azure_login *l = container_of(t, struct azure_login, deadline);
    struct err err;
    if (l->code.device_code)
        err_set(&err, ERR_TIMEOUT, "nobody signed in with the code before it expired; run adit login again");
    else
        err_set(&err, ERR_TIMEOUT, "sign-in: %s did not answer within %u s", l->azure->cloud.login,
                CODE_MS / 1000);
    finish(l, NULL, &err);
}

int azure_login(struct azure *a, const char *tenant, azure_prompt_cb prompt, azure_login_cb cb, void *arg,
                struct azure_login **out, struct err *err)
{
    if (!tenant)
        tenant = a->tenant ? a->tenant : "organizations";
    if (!a->login_file)
        return err_set(err, ERR_UNSUPPORTED, "there is no place to keep a login in");
    if (!credential_asks(a->credential, &credential_device))
        return err_set(err, ERR_CONFIG,
                       "the login would not be used: let azure: credential (or AZURE_TOKEN_CREDENTIALS, "
                       "where aditd is started) be auto or device-code first");
    int rc = entra_tenant_check(tenant, "the tenant to sign in to", err);
    if (rc)
        return rc;
    struct azure_login *l = mem_zalloc(sizeof(*l));
    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->azure = a;
    l->prompt = prompt;
    l->cb = cb;
    l->arg = arg;
    list_init(&l->node);
    timer_init(&l->pause, a->clock, on_pause);
    timer_init(&l->deadline, a->clock, on_deadline);
    l->tenant = mem_strdup(tenant);
    rc = !l->tenant || timer_start(&l->deadline, CODE_MS) ? err_set(err, ERR_NOMEM, "out of memory")
                                                          : ask_code(l, err);
    if (rc) {
        login_free(l);
        return rc;
    }
    list_push(&a->logins, &l->node);
    *out = l;
    return 0;
}

void azure_logins_discard(struct azure *a)
{
    struct list *node;
    while ((node = list_first(&a->logins)) != NULL)
        login_free(container_of(node, struct azure_login, node));
}

int azure_logout(struct azure *a, struct err *err)
{
    if (!a->login_file)
        return err_set(err, ERR_NOTFOUND, "there is no place where a login is kept");
    int rc = login_file_remove(a->login_file, err);
    credential_forget(a->credential);
    token_cache_forget(a->tokens);
    return rc;
}
