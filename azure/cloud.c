/*
 * cloud: the known Azure clouds, and the check of endpoints that the user writes.
 */
#include "cloud.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"

static const struct {
    const char *name, *arm, *login;
} clouds[] = {
    {"public", "https://management.azure.com", "https://login.microsoftonline.com"},
    {"usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
    {"china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
};

/* The pieces of an https URL; everything but `url` is freed by parts_done(). */
struct parts {
    CURLU *url;
    char *host, *port, *path;
};

static void parts_done(struct parts *p)
{
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->path);
    curl_url_cleanup(p->url);
}

/* Says in `why` what is wrong with it. */
static int parts_init(struct parts *p, const char *text, const char **why)
{
    char *scheme = NULL, *user = NULL;
    memset(p, 0, sizeof(*p));
    p->url = curl_url();
    if (!p->url) {
        *why = "out of memory";
        return ERR_NOMEM;
    }
    *why = NULL;
    if (curl_url_set(p->url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) ||
        curl_url_get(p->url, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(p->url, CURLUPART_HOST, &p->host, 0) ||
        curl_url_get(p->url, CURLUPART_PATH, &p->path, 0) ||
        curl_url_get(p->url, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT))
        *why = "it is no URL";
    else if (strcmp(scheme, "https") != 0)
        *why = "it must begin with https://";
    else if (curl_url_get(p->url, CURLUPART_USER, &user, 0) == CURLUE_OK)
        *why = "it must not hold a user name";
    curl_free(scheme);
    curl_free(user);
    if (!*why)
        return 0;
    parts_done(p);
    return ERR_INVAL;
}

static int endpoint_set(char *out, const char *text, const char *what, struct err *err)
{
    struct parts p;
    const char *why;
    char *query = NULL;
    int rc = parts_init(&p, text, &why);
    if (rc)
        return err_set(err, rc, "%s \"%s\": %s; write https://host or https://host:port", what, text, why);
    if (strcmp(p.path, "/") != 0 || curl_url_get(p.url, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
        rc = err_set(err, ERR_INVAL,
                     "%s \"%s\": only host and port may be given; write https://host or https://host:port",
                     what, text);
    } else {
        bool usual = strcmp(p.port, "443") == 0;
        int n = snprintf(out, AZURE_ENDPOINT_MAX, "https://%s%s%s", p.host, usual ? "" : ":",
                         usual ? "" : p.port);
        if (n < 0 || n >= AZURE_ENDPOINT_MAX - (int)sizeof("/.default"))
            rc = err_set(err, ERR_LIMIT, "%s: longer than %d characters", what, AZURE_ENDPOINT_MAX);
    }
    curl_free(query);
    parts_done(&p);
    return rc;
}

int azure_cloud_custom(struct azure_cloud *out, const char *arm, const char *login, struct err *err)
{
    int rc = endpoint_set(out->arm, arm, "azure: arm-endpoint", err);
    if (!rc)
        rc = endpoint_set(out->login, login ? login : clouds[0].login, "azure: login-endpoint", err);
    if (!rc)
        snprintf(out->scope, sizeof(out->scope), "%.*s/.default", (int)sizeof(out->scope) - 10, out->arm);
    return rc;
}

int azure_cloud_named(struct azure_cloud *out, const char *name, struct err *err)
{
    for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        if (strcmp(clouds[i].name, name) != 0)
            continue;
        int rc = azure_cloud_custom(out, clouds[i].arm, clouds[i].login, err);
        const char *authority = getenv("AZURE_AUTHORITY_HOST");
        if (!rc && authority && *authority)
            rc = endpoint_set(out->login, authority, "AZURE_AUTHORITY_HOST", err);
        return rc;
    }
    return err_set(err, ERR_INVAL,
                   "azure: cloud \"%s\" is not known; write public, usgov or china, or give arm-endpoint",
                   name);
}

bool endpoint_owns(const char *endpoint, const char *url)
{
    struct parts a, b;
    const char *why;
    if (parts_init(&a, endpoint, &why))
        return false;
    if (parts_init(&b, url, &why)) {
        parts_done(&a);
        return false;
    }
    bool same = strcasecmp(a.host, b.host) == 0 && strcmp(a.port, b.port) == 0;
    parts_done(&a);
    parts_done(&b);
    return same;
}
