/*
 * check: single values: users, ports, times, paths, endpoints.
 */
#include "check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "duration.h"
#include "paths.h"
#include "schema.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef int (*value_check_cb)(const char *text, struct err *err);

struct value_check {
    const char *key;
    value_check_cb check; /* called for a value, or for each entry of a list */
};

static int check_user(const char *text, struct err *err)
{
    if (text[0] == '-')
        return err_set(err, ERR_INVAL, "a user name does not begin with \"-\"");
    if (strlen(text) > 255)
        return err_set(err, ERR_INVAL, "a user name has at most 255 bytes");
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(err, ERR_INVAL, "a user name holds no control character");
    return 0;
}

/* Text that is no number at all was reported already. */
static int in_range(const char *text, unsigned long min, unsigned long max, struct err *err)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || (v >= min && v <= max))
        return 0;
    return err_set(err, ERR_INVAL, "%.20s is out of range: %lu to %lu", text, min, max);
}

static int check_port(const char *text, struct err *err)
{
    return in_range(text, 1, 65535, err);
}

static int check_keepalive_count(const char *text, struct err *err)
{
    return in_range(text, 1, 100, err);
}

static int check_connections_max(const char *text, struct err *err)
{
    return in_range(text, 1, 64, err);
}

static int check_workers(const char *text, struct err *err)
{
    return in_range(text, 0, 64, err);
}

static int check_time(const char *text, bool may_be_off, uint32_t min, uint32_t max, struct err *err)
{
    uint32_t ms = 0;
    char low[DURATION_TEXT_MAX], high[DURATION_TEXT_MAX];
    int rc = duration_parse(&ms, text, err);
    if (rc < 0 || (ms == 0 && may_be_off) || (ms >= min && ms <= max))
        return rc;
    duration_text(low, min);
    duration_text(high, max);
    return err_set(err, ERR_INVAL, "%.20s is out of range: %s to %s%s", text, low, high,
                   may_be_off ? ", or 0 for off" : "");
}

static int check_connect_timeout(const char *text, struct err *err)
{
    return check_time(text, false, 100, 3600000, err);
}

static int check_keepalive(const char *text, struct err *err)
{
    return check_time(text, true, 1000, 86400000, err);
}

static int check_idle_timeout(const char *text, struct err *err)
{
    return check_time(text, true, 1000, 3600000000U, err);
}

static int check_path(const char *text, struct err *err)
{
    char *path = paths_expand(text, "/", err);
    mem_free(path);
    return path ? 0 : err->code;
}

static int check_tenant(const char *text, struct err *err)
{
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-.", *p))
            return err_set(err, ERR_INVAL, "\"%.60s\" is not a tenant; write its GUID or its domain", text);
    return 0;
}

static int check_subscription(const char *text, struct err *err)
{
    if (strlen(text) > 64 || strchr(text, '/'))
        return err_set(err, ERR_INVAL, "\"%.64s\" is not a subscription; write its GUID or its name", text);
    return 0;
}

/* https://HOST[:PORT][/] */
static int check_endpoint(const char *text, struct err *err)
{
    static const char scheme[] = "https://";
    if (strncmp(text, scheme, sizeof scheme - 1) == 0) {
        const char *host = text + sizeof scheme - 1;
        size_t n = *host == '[' ? 1 + strspn(host + 1, "0123456789abcdefABCDEF:.") : 0; /* IPv6 */
        n = n > 1 && host[n] == ']' ? n + 1 : strspn(host, LETTERS "0123456789-._");
        if (n > 0 && host[n] == ':' && strspn(host + n + 1, "0123456789") > 0)
            n += 1 + strspn(host + n + 1, "0123456789");
        if (n > 0 && (host[n] == '\0' || strcmp(host + n, "/") == 0))
            return 0;
    }
    return err_set(err, ERR_INVAL, "\"%.80s\" is not an endpoint; write https://HOST or https://HOST:PORT",
                   text);
}

static const struct value_check ssh_checks[] = {
    {"user", check_user},
    {"port", check_port},
    {"identity", check_path},
    {"connect-timeout", check_connect_timeout},
    {"keepalive", check_keepalive},
    {"keepalive-count", check_keepalive_count},
    {"connections-max", check_connections_max},
    {"idle-timeout", check_idle_timeout},
    {"ssh-config", check_path}, /* the words auto and off are names of files, as far as this goes */
};

static const struct value_check azure_checks[] = {
    {"subscription", check_subscription}, {"subscriptions", check_subscription}, {"tenant", check_tenant},
    {"arm-endpoint", check_endpoint},     {"login-endpoint", check_endpoint},    {"ca-file", check_path},
};

static const struct value_check top_checks[] = {{"workers", check_workers}};

static void check_one(const struct checker *c, const struct value_check *v, const yaml_node_t *n,
                      const char *where)
{
    struct err err = {0};
    const char *text = document_scalar(n);
    if (!text || !*text || v->check(text, &err) == 0)
        return;
    if (err.code == ERR_NOMEM)
        c->report->nomem = true;
    else
        report_at(c->report, &n->start_mark, where, "%s", err.msg);
}

static void check_table(const struct checker *c, const struct value_check *table, size_t count,
                        const yaml_node_t *map, const char *where)
{
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *n = document_get(c->doc, map, table[i].key);
        char inner[REPORT_WHERE_MAX];
        (void)snprintf(inner, sizeof inner, "%s%s%s", where, *where ? ": " : "", table[i].key);
        check_one(c, &table[i], n, inner);
        for (size_t k = 0; k < document_count(n) && k < SCHEMA_SUBSCRIPTIONS_MAX; k++) {
            char item[REPORT_WHERE_MAX + 24];
            (void)snprintf(item, sizeof item, "%s[%zu]", inner, k + 1);
            check_one(c, &table[i], document_item(c->doc, n, k), item);
        }
    }
}
#define TABLE(t) (t), sizeof(t) / sizeof((t)[0])

void check_ssh(const struct checker *c, const yaml_node_t *mapping, const char *where)
{
    check_table(c, TABLE(ssh_checks), mapping, where);
}

static void check_azure(const struct checker *c, const yaml_node_t *azure)
{
    const yaml_node_t *several = document_key(c->doc, azure, "subscriptions");
    const yaml_node_t *arm = document_key(c->doc, azure, "arm-endpoint");
    const yaml_node_t *login = document_key(c->doc, azure, "login-endpoint");
    const yaml_node_t *cloud = document_get(c->doc, azure, "cloud");
    const char *word = document_scalar(cloud);
    bool custom = !word || strcmp(word, "custom") == 0;
    check_table(c, TABLE(azure_checks), azure, "azure");
    if (several && document_key(c->doc, azure, "subscription"))
        report_at(c->report, &several->start_mark, "azure",
                  "give either subscription or subscriptions, not both");
    if (!custom && (arm || login))
        report_at(c->report, arm ? &arm->start_mark : &login->start_mark, "azure",
                  "endpoints are given, but cloud is \"%.40s\"; make it custom or leave it out", word);
    else if (!arm != !login)
        report_at(c->report, arm ? &arm->start_mark : &login->start_mark, "azure",
                  "%s is given without %s; a custom cloud needs both",
                  arm ? "arm-endpoint" : "login-endpoint", arm ? "login-endpoint" : "arm-endpoint");
    else if (word && custom && !arm)
        report_at(c->report, &cloud->start_mark, "azure",
                  "cloud custom needs arm-endpoint and login-endpoint");
}

int check_alias(const char *text, struct err *err)
{
    size_t len = strlen(text);
    bool ok = len <= 80 && isalnum((unsigned char)text[0]);
    for (size_t i = 0; ok && i < len; i++)
        ok = isalnum((unsigned char)text[i]) || strchr("-._", text[i]);
    if (ok && len > 5 && strcasecmp(text + len - 5, ".adit") == 0)
        return err_set(err, ERR_INVAL, "\"%s\" ends with .adit, which adit adds itself for ssh_config", text);
    if (ok)
        return 0;
    return err_set(
        err, ERR_INVAL,
        "\"%.80s\" cannot be a name; it begins with a letter or digit and has at most 80 letters, digits, "
        "- . _",
        text);
}

int check_document(const struct checker *c, struct err *err)
{
    const yaml_node_t *root = document_root(c->doc);
    check_table(c, TABLE(top_checks), root, "");
    check_azure(c, document_get(c->doc, root, "azure"));
    check_ssh(c, document_get(c->doc, root, "defaults"), "defaults");
    return check_vms(c, document_get(c->doc, root, "vms"), err);
}
