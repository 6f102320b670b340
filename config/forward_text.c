/*
 * forward_text: copies, frees and writes forward specs.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "forward_spec.h"

static void end_done(struct forward_end *e)
{
    mem_free(e->host);
    mem_free(e->path);
    *e = (struct forward_end){0};
}

void forward_spec_done(struct forward_spec *s)
{
    mem_free(s->text);
    end_done(&s->listen);
    end_done(&s->target);
    s->text = NULL;
}

static bool end_copy(struct forward_end *out, const struct forward_end *in)
{
    out->port = in->port;
    out->host = mem_strdup(in->host);
    out->path = mem_strdup(in->path);
    return (out->host || !in->host) && (out->path || !in->path);
}

int forward_spec_copy(struct forward_spec *out, const struct forward_spec *in)
{
    struct forward_spec s = {.kind = in->kind};
    s.text = mem_strdup(in->text);
    bool ok = s.text || !in->text;
    ok = end_copy(&s.listen, &in->listen) && ok;
    ok = end_copy(&s.target, &in->target) && ok;
    if (!ok) {
        forward_spec_done(&s);
        return ERR_NOMEM;
    }
    *out = s;
    return 0;
}

static void put_host(struct strbuf *b, const char *host)
{
    struct in6_addr addr;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, host, &addr) == 1 && inet_ntop(AF_INET6, &addr, text, sizeof text))
        host = text; /* one spelling for every way to write the address */
    bool brackets = strchr(host, ':') != NULL;
    if (brackets)
        strbuf_puts(b, "[");
    for (const char *p = host; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        strbuf_add(b, &c, 1);
    }
    if (brackets)
        strbuf_puts(b, "]");
}

static void put_end(struct strbuf *b, const struct forward_end *e, const char *absent)
{
    if (e->path) {
        strbuf_puts(b, e->path);
        return;
    }
    put_host(b, e->host ? e->host : absent);
    strbuf_printf(b, ":%u", (unsigned)e->port);
}

char *forward_spec_canonical(const struct forward_spec *s)
{
    struct strbuf b;
    strbuf_init(&b);
    put_end(&b, &s->listen, "localhost");
    if (s->target.path || s->target.host) {
        strbuf_puts(&b, ":");
        put_end(&b, &s->target, "");
    }
    char *text = strbuf_take(&b);
    strbuf_done(&b);
    return text;
}
