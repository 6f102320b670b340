/*
 * azure_setup: makes ARM and the resolver from the configuration; without them only look-ups fail, with the
 * reason.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "config/paths.h"
#include "daemon_private.h"

static int find_cloud(const struct config_azure *c, struct azure_cloud *out, struct err *err)
{
    switch (c->cloud) {
    case CONFIG_CLOUD_PUBLIC:
        return azure_cloud_named(out, "public", err);
    case CONFIG_CLOUD_USGOV:
        return azure_cloud_named(out, "usgov", err);
    case CONFIG_CLOUD_CHINA:
        return azure_cloud_named(out, "china", err);
    case CONFIG_CLOUD_CUSTOM:
        return azure_cloud_custom(out, c->arm_endpoint, c->login_endpoint, err);
    }
    return err_set(err, ERR_INVAL, "unknown cloud");
}

static const char *or_env(const char *text, const char *variable)
{
    const char *from_env = getenv(variable);
    return text ? text : from_env ? from_env : "";
}

/* What another one's cache must not be taken for. Nothing of it is secret. NULL when out of memory. */
static char *cache_scope(const struct azure_cloud *cloud, const struct config_azure *c)
{
    return mem_printf("cloud=%s tenant=%s client=%s credential=%s", cloud->arm,
                      or_env(c->tenant, "AZURE_TENANT_ID"), or_env(NULL, "AZURE_CLIENT_ID"), c->credential);
}

static int make_resolver(struct daemon *d, const struct azure_cloud *cloud, struct err *err)
{
    const struct config_azure *c = &d->config->azure;
    struct err why;
    err_clear(&why);
    char *dir = paths_cache_dir(&why), *scope = cache_scope(cloud, c);
    if (why.code)
        log_warn(&DAEMON_LOG, "nothing is kept on disk: %s", why.msg);
    const struct resolver_options resolver = {
        .azure = d->azure,
        .clock = d->clock,
        .subscriptions = (const char *const *)c->subscriptions,
        .subscription_count = c->subscription_count,
        .loop = &d->loop,
        .cache_dir = scope ? dir : NULL,
        .cache_scope = scope,
    };
    int rc = resolver_new(&d->resolver, &resolver, err);
    mem_free(dir);
    mem_free(scope);
    return rc;
}

static int setup(struct daemon *d, struct err *err)
{
    const struct config_azure *c = &d->config->azure;
    struct azure_options azure = {
        .loop = &d->loop,
        .clock = d->clock,
        .ca_file = c->ca_file,
        .credential = c->credential,
        .tenant = c->tenant,
        .login_file = d->place->login_file,
    };
    int rc = find_cloud(c, &azure.cloud, err);
    if (rc == 0)
        rc = azure_new(&d->azure, &azure, err);
    return rc < 0 ? rc : make_resolver(d, &azure.cloud, err);
}

static void on_azure_closed(void *arg)
{
}

void azure_setup(struct daemon *d)
{
    err_clear(&d->azure_err);
    if (setup(d, &d->azure_err) == 0)
        return;
    err_wrap(&d->azure_err, "azure");
    log_warn(&DAEMON_LOG, "VM names cannot be looked up: %s", d->azure_err.msg);
    if (d->azure)
        azure_close(d->azure, on_azure_closed, NULL);
    d->azure = NULL;
    d->resolver = NULL;
}
