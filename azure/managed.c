/*
 * managed: the question's URL and the answer's meaning, which all the services share but for details.
 */
#include "managed.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "token_json.h"

#define DETAIL_MAX 200

int managed_url(struct blob *out, const char *endpoint, const char *version, const char *scope,
                const char *client)
{
    static const char suffix[] = "/.default";
    char resource[AZURE_ENDPOINT_MAX];
    size_t n = strlen(scope);
    if (n > sizeof(suffix) && strcmp(scope + n - (sizeof(suffix) - 1), suffix) == 0)
        n -= sizeof(suffix) - 1;
    snprintf(resource, sizeof(resource), "%.*s", (int)n, scope);
    struct blob query = {0};
    int rc = text_form_add(&query, "api-version", version);
    if (!rc)
        rc = text_form_add(&query, "resource", resource);
    if (!rc && client)
        rc = text_form_add(&query, "client_id", client);
    if (!rc)
        rc = blob_puts(out, endpoint);
    if (!rc)
        rc = blob_puts(out, strchr(endpoint, '?') ? "&" : "?");
    if (!rc)
        rc = blob_add(out, query.data, query.len);
    blob_done(&query);
    return rc;
}

/* What the service says is wrong, in whichever of the shapes in use. */
static void detail_of(const json_t *root, char *out, size_t size)
{
    static const char *const names[] = {"error_description", "message", "Message"};
    const char *text = NULL;
    for (size_t i = 0; !text && i < sizeof(names) / sizeof(names[0]); i++)
        text = json_string_value(json_object_get(root, names[i]));
    if (!text)
        text = json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    if (!text)
        text = json_string_value(json_object_get(root, "error"));
    text_clean(out, size, text);
}

static int refused(const char *service, const struct http_reply *reply, const json_t *root, struct err *err)
{
    char detail[DETAIL_MAX];
    detail_of(root, detail, sizeof(detail));
    if (reply->status == 400)
        return err_set(
            err, ERR_NOTFOUND,
            "%s: this machine has no such identity%s%s; assign one to it, or check AZURE_CLIENT_ID", service,
            detail[0] ? ": " : "", detail);
    int code = reply->status == 429                           ? ERR_THROTTLED
               : reply->status >= 500 || reply->status == 410 ? ERR_UNAVAILABLE
                                                              : ERR_AUTH;
    return err_set(err, code, "%s answered %d %s", service, reply->status, detail);
}

int managed_reply_parse(const char *service, const struct http_reply *reply, struct token *out,
                        struct err *err)
{
    json_t *root = json_loadb(reply->body, reply->len, 0, NULL);
    int rc = reply->status == 200 ? token_json_parse(root, out, err) : refused(service, reply, root, err);
    if (rc && reply->status == 200)
        err_wrap(err, "%s", service);
    token_json_wipe(root);
    json_decref(root);
    return rc;
}
