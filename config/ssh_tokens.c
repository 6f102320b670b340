/*
 * ssh_tokens: the tokens and ~ that `ssh -G` prints as they stand in ssh_config(5).
 */
#include "ssh_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "paths.h"

static const char *token(const struct ssh_tokens *t, char letter)
{
    switch (letter) {
    case '%':
        return "%";
    case 'd':
        return t->who->home;
    case 'h':
        return t->host;
    case 'k':
        return t->alias;
    case 'l':
        return t->who->host_name;
    case 'n':
        return t->name;
    case 'p':
        return t->port;
    case 'r':
        return t->user;
    case 'u':
        return t->who->user;
    default:
        return NULL;
    }
}

/* ${NAME} (ssh_config(5), ENVIRONMENT VARIABLES). Returns what follows it. */
static const char *variable(struct strbuf *out, const char *p, struct err *err)
{
    const char *end = strchr(p, '}');
    char name[64];
    size_t n = end ? (size_t)(end - p) - 2 : sizeof name;
    if (n >= sizeof name) {
        err_set(err, ERR_UNSUPPORTED, "a variable without an end");
        return NULL;
    }
    memcpy(name, p + 2, n);
    name[n] = '\0';
    const char *value = getenv(name);
    if (!value) {
        err_set(err, ERR_UNSUPPORTED, "$%s is not set where aditd runs", name);
        return NULL;
    }
    strbuf_puts(out, value);
    return end + 1;
}

int ssh_tokens_expand(char **out, const char *text, const struct ssh_tokens *t, struct err *err)
{
    struct strbuf b;
    int rc = 0;
    strbuf_init(&b);
    for (const char *p = text; rc == 0 && *p;) {
        if (p[0] == '$' && p[1] == '{') {
            p = variable(&b, p, err);
            rc = p ? 0 : ERR_UNSUPPORTED;
        } else if (*p != '%') {
            strbuf_add(&b, p++, 1);
        } else if (p[1] == 'i') {
            strbuf_printf(&b, "%u", t->who->uid);
            p += 2;
        } else {
            const char *value = token(t, p[1]);
            if (value)
                strbuf_puts(&b, value);
            else
                rc = err_set(err, ERR_UNSUPPORTED, "%%%.1s", p + 1);
            p += 2;
        }
    }
    *out = rc == 0 ? strbuf_take(&b) : NULL;
    strbuf_done(&b);
    return rc == 0 && !*out ? err_set(err, ERR_NOMEM, "out of memory") : rc;
}

int ssh_tokens_path(char **out, const char *text, const struct ssh_tokens *t, struct err *err)
{
    char *plain = NULL;
    int rc = ssh_tokens_expand(&plain, text, t, err);
    if (rc < 0)
        return rc;
    struct err why = {0};
    bool home = plain[0] == '~' && (plain[1] == '/' || plain[1] == '\0');
    *out = home ? mem_printf("%s%s", t->who->home, plain + 1) : paths_expand(plain, t->who->home, &why);
    if (!*out)
        rc = why.code && why.code != ERR_NOMEM ? err_set(err, ERR_UNSUPPORTED, "%s", why.msg)
                                               : err_set(err, ERR_NOMEM, "out of memory");
    mem_free(plain);
    return rc;
}
