/*
 * tool: runs the tool, takes the token out of its JSON, or its complaint out of its standard error.
 */
#include "tool.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "entra.h"
#include "text.h"
#include "token_json.h"

#define TIMEOUT_MS 25000u /* az takes a second or two, on a slow machine ten */
#define COMPLAINT_MAX 300
#define HIDDEN_RUN 60 /* so many letters without a break are no word */
#define CHALLENGE_MAX 400

struct run {
    const struct tool *tool;
    struct child *child;
    credential_cb cb;
    void *arg;
};

static bool could_be_token(char c)
{
    return isalnum((unsigned char)c) || strchr("._-+=", c);
}

/* ESC [ … letter, as terminals take colours. */
static size_t colour_len(const char *p)
{
    if (p[0] != 0x1b || p[1] != '[')
        return 0;
    size_t n = 2 + strspn(p + 2, "0123456789;");
    return p[n] ? n + 1 : n;
}

void tool_text_clean(char *out, size_t size, const char *text)
{
    struct blob plain = {0};
    int rc = 0;
    for (const char *p = text; !rc && *p;) {
        size_t colour = colour_len(p), run = 0;
        while (p[run] && could_be_token(p[run]))
            run++;
        if (colour)
            p += colour;
        else if (run >= HIDDEN_RUN || (run > 20 && strncmp(p, "eyJ", 3) == 0))
            rc = blob_puts(&plain, "(hidden)"), p += run;
        else
            rc = blob_add(&plain, p, run ? run : 1), p += run ? run : 1;
    }
    text_clean(out, size, rc ? "" : plain.data);
    blob_done(&plain);
}

int tool_token(const char *value, int64_t ends_s, struct token *out, struct err *err)
{
    int64_t now = (int64_t)(clock_wall_ms() / 1000);
    if (ends_s <= now)
        return err_set(err, ERR_AUTH,
                       "it gave a token that has expired; check this machine's clock and time zone");
    int rc = token_value_copy(value, &out->value, err);
    if (!rc)
        out->lives_s = (uint64_t)(ends_s - now);
    return rc;
}

/* azd says what is wrong as JSON. */
static const char *message_in(const json_t *root)
{
    return json_string_value(json_object_get(json_object_get(root, "data"), "message"));
}

static void complaint_of(const struct child_result *result, char *out, size_t size)
{
    const char *text = result->err.len ? result->err.data : result->out.len ? result->out.data : "";
    while (isspace((unsigned char)*text))
        text++;
    json_t *root = *text == '{' ? json_loads(text, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    if (message_in(root))
        text = message_in(root);
    while (isspace((unsigned char)*text))
        text++;
    if (strncmp(text, "ERROR: ", 7) == 0)
        text += 7;
    tool_text_clean(out, size, text);
    json_decref(root);
}

static int failed(const struct tool *tool, const struct child_result *result, struct err *err)
{
    char complaint[COMPLAINT_MAX];
    complaint_of(result, complaint, sizeof(complaint));
    if (result->status == 127)
        return err_set(err, ERR_NOTFOUND, "%s is not installed properly: %s", tool->name, complaint);
    return err_set(err, ERR_AUTH, "%s failed with %d: %s%s%s", tool->name, result->status,
                   complaint[0] ? complaint : "it does not say why",
                   strstr(complaint, tool->sign_in) ? "" : "; try ",
                   strstr(complaint, tool->sign_in) ? "" : tool->sign_in);
}

static void on_child(void *arg, const struct child_result *result, const struct err *err)
{
    struct run *run = arg;
    const struct tool *tool = run->tool;
    credential_cb cb = run->cb;
    void *cb_arg = run->arg;
    struct token token = {0};
    struct err why;
    err_clear(&why);
    mem_free(run);
    if (err) {
        err_copy(&why, err, ERR_SYSTEM);
    } else if (result->status) {
        failed(tool, result, &why);
    } else {
        json_t *root = result->out.len ? json_loadb(result->out.data, result->out.len, 0, NULL) : NULL;
        if (tool->parse(root, &token, &why))
            err_wrap(&why, "%s", tool->name);
        token_json_wipe(root);
        json_decref(root);
    }
    cb(cb_arg, why.code ? NULL : &token, why.code ? &why : NULL);
    token_done(&token);
}

/* Only a person can answer what ARM asks for. */
static int challenged(const struct tool *tool, const char *claims, struct err *err)
{
    struct blob text = {0};
    base64_add(&text, claims, strlen(claims));
    bool shown = text.len > 0 && text.len < CHALLENGE_MAX;
    int rc = err_set(err, ERR_AUTH, "ARM wants you to sign in anew: run %s%s%s", tool->sign_in,
                     shown ? " --claims-challenge " : "", shown ? text.data : "");
    blob_done(&text);
    return rc;
}

int tool_begin(const struct tool *tool, const char *const *argv, const struct credential_env *env,
               const struct credential_ask *ask, credential_cb cb, void *arg, void **out, struct err *err)
{
    const char *tenant = ask->tenant ? ask->tenant : env->tenant;
    const char *all[TOOL_ARGV_MAX + 3];
    size_t n = 0;
    int rc = tenant ? entra_tenant_check(tenant, "azure: tenant", err) : 0;
    if (!rc && tenant && tenant[0] == '-')
        rc = err_set(err, ERR_INVAL, "azure: tenant: it must not begin with a dash");
    if (!rc && ask->claims)
        rc = challenged(tool, ask->claims, err);
    if (rc)
        return rc;
    while (n < TOOL_ARGV_MAX && argv[n]) {
        all[n] = argv[n];
        n++;
    }
    if (tenant) {
        all[n++] = tool->tenant_flag;
        all[n++] = tenant;
    }
    all[n] = NULL;
    struct run *run = mem_zalloc(sizeof(*run));
    if (!run)
        return err_set(err, ERR_NOMEM, "out of memory");
    run->tool = tool;
    run->cb = cb;
    run->arg = arg;
    rc =
        child_start(env->loop, env->clock, all, ask->deadline_ms < TIMEOUT_MS ? ask->deadline_ms : TIMEOUT_MS,
                    on_child, run, &run->child, err);
    if (rc)
        mem_free(run);
    else
        *out = run;
    return rc;
}

void tool_cancel(void *arg)
{
    struct run *run = arg;
    child_cancel(run->child);
    mem_free(run);
}
