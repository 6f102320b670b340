/*
 * forward_spec: takes the text of one forward apart (ssh(1): -L, -D, -R).
 *
 * The text is cut at colons into at most four parts, brackets keeping IPv6 addresses whole. A part that
 * begins with a slash is a socket path, which settles how many parts belong to which end.
 */
#include "forward_spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"

#define TEXT_MAX 512
#define HOST_MAX 255
#define PATH_MAX_UNIX 107 /* sun_path of Linux, less its NUL */
#define PARTS_MAX 4

struct part {
    const char *text;
    size_t len;
    bool bracketed;
};

struct parse {
    enum forward_kind kind;
    const char *text;
    struct part parts[PARTS_MAX];
    size_t count;
    struct err *err;
};

static const char *example(enum forward_kind kind)
{
    switch (kind) {
    case FORWARD_DYNAMIC:
        return "1080 or 127.0.0.1:1080";
    case FORWARD_REMOTE:
        return "8080:localhost:80";
    case FORWARD_LOCAL:
        break;
    }
    return "3389:localhost:3389";
}

__attribute__((format(printf, 2, 3))) static int bad(const struct parse *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)err_setv(p->err, ERR_INVAL, fmt, ap);
    va_end(ap);
    (void)err_wrap(p->err, "forward \"%s\"", p->text);
    (void)err_hint(p->err, "; write it like %s", example(p->kind));
    return ERR_INVAL;
}

static int nomem(const struct parse *p)
{
    return err_set(p->err, ERR_NOMEM, "forward: out of memory");
}

static bool is_path(const struct part *part)
{
    return !part->bracketed && part->len > 0 && part->text[0] == '/';
}

static int split(struct parse *p)
{
    const char *at = p->text;
    for (;;) {
        if (p->count == PARTS_MAX)
            return bad(p,
                       "it has more than %d parts (an IPv6 address stands in brackets, a path has no colon)",
                       PARTS_MAX);
        struct part *part = &p->parts[p->count++];
        if (*at == '[') {
            const char *end = strchr(at, ']');
            if (!end || (end[1] != '\0' && end[1] != ':'))
                return bad(p, "the bracket is not closed before a colon or the end");
            *part = (struct part){.text = at + 1, .len = (size_t)(end - at - 1), .bracketed = true};
            at = end + 1;
        } else {
            size_t n = strcspn(at, ":");
            *part = (struct part){.text = at, .len = n};
            at += n;
        }
        if (*at == '\0')
            return 0;
        at++;
    }
}

static int take_port(const struct parse *p, const struct part *part, uint16_t min, uint16_t *out)
{
    unsigned long v = 0;
    bool ok = part->len > 0 && part->len <= 5 && !part->bracketed;
    for (size_t i = 0; ok && i < part->len; i++) {
        ok = isdigit((unsigned char)part->text[i]);
        v = v * 10 + (unsigned long)(part->text[i] - '0');
    }
    if (!ok || v > UINT16_MAX || v < min)
        return bad(p, "port \"%.*s\" is not a number from %u to 65535", (int)part->len, part->text,
                   (unsigned)min);
    *out = (uint16_t)v;
    return 0;
}

static bool ipv6_literal(const char *text)
{
    char plain[HOST_MAX + 1];
    size_t n = strcspn(text, "%");
    struct in6_addr addr;
    if (text[n] == '%' && text[n + 1] == '\0')
        return false;
    (void)memcpy(plain, text, n);
    plain[n] = '\0';
    return inet_pton(AF_INET6, plain, &addr) == 1;
}

static int take_host(const struct parse *p, const struct part *part, char **out)
{
    if (part->len == 0)
        return bad(p, "the host is empty");
    if (part->len > HOST_MAX)
        return bad(p, "the host is longer than %d characters", HOST_MAX);
    for (size_t i = 0; i < part->len && !part->bracketed; i++) {
        unsigned char c = (unsigned char)part->text[i];
        if (!isalnum(c) && !strchr("-._", c))
            return bad(p, "host \"%.*s\" holds a character that no host name has", (int)part->len,
                       part->text);
    }
    char *host = mem_strndup(part->text, part->len);
    if (!host)
        return nomem(p);
    if (part->bracketed && !ipv6_literal(host)) {
        mem_free(host);
        return bad(p, "\"[%.*s]\" is not an IPv6 address", (int)part->len, part->text);
    }
    *out = host;
    return 0;
}

static int take_path(const struct parse *p, const struct part *part, char **out)
{
    if (part->len > PATH_MAX_UNIX)
        return bad(p, "the socket path is longer than %d bytes", PATH_MAX_UNIX);
    if (part->len < 2)
        return bad(p, "\"/\" is not a socket path");
    *out = mem_strndup(part->text, part->len);
    return *out ? 0 : nomem(p);
}

static int take_bind(const struct parse *p, const struct part *part, char **out)
{
    if (!part->bracketed && (part->len == 0 || (part->len == 1 && part->text[0] == '*'))) {
        *out = mem_strdup("*");
        return *out ? 0 : nomem(p);
    }
    if (part->len == 9 && strncasecmp(part->text, "localhost", 9) == 0)
        return 0; /* the same as no address: loopback, both families */
    return take_host(p, part, out);
}

/* `count` parts from the first on: PORT or BIND:PORT. */
static int take_listen(const struct parse *p, size_t count, struct forward_end *out)
{
    if (count == 2) {
        int rc = take_bind(p, &p->parts[0], &out->host);
        if (rc < 0)
            return rc;
    }
    return take_port(p, &p->parts[count - 1], 0, &out->port);
}

static int take_target(const struct parse *p, size_t from, struct forward_end *out)
{
    size_t count = p->count - from;
    if (count == 1 && is_path(&p->parts[from]))
        return take_path(p, &p->parts[from], &out->path);
    if (count != 2)
        return bad(p, "it does not say where to go as HOST:PORT or as a socket path");
    int rc = take_host(p, &p->parts[from], &out->host);
    return rc < 0 ? rc : take_port(p, &p->parts[from + 1], 1, &out->port);
}

static int parse_both(const struct parse *p, struct forward_spec *s)
{
    if (is_path(&p->parts[0])) {
        int rc = take_path(p, &p->parts[0], &s->listen.path);
        return rc < 0 ? rc : take_target(p, 1, &s->target);
    }
    size_t target = is_path(&p->parts[p->count - 1]) ? 1 : 2;
    if (p->count <= target)
        return bad(p, "it does not say where to go as HOST:PORT or as a socket path");
    size_t listen = p->count - target;
    if (listen > 2)
        return bad(p, "it has too many parts before the socket path");
    int rc = take_listen(p, listen, &s->listen);
    return rc < 0 ? rc : take_target(p, listen, &s->target);
}

static int parse_parts(const struct parse *p, struct forward_spec *s)
{
    bool listen_only = p->count <= 2 && !is_path(&p->parts[0]) && !is_path(&p->parts[p->count - 1]);
    switch (p->kind) {
    case FORWARD_DYNAMIC:
        if (!listen_only)
            return bad(p, "a dynamic forward is only [BIND:]PORT");
        return take_listen(p, p->count, &s->listen);
    case FORWARD_REMOTE:
        return listen_only ? take_listen(p, p->count, &s->listen) : parse_both(p, s);
    case FORWARD_LOCAL:
        break;
    }
    if (p->count > 1 || is_path(&p->parts[0]))
        return parse_both(p, s);
    int rc = take_port(p, &p->parts[0], 1, &s->listen.port);
    if (rc < 0)
        return rc;
    s->target.port = s->listen.port;
    s->target.host = mem_strdup("localhost");
    return s->target.host ? 0 : nomem(p);
}

int forward_spec_parse(struct forward_spec *out, enum forward_kind kind, const char *text, struct err *err)
{
    struct parse p = {.kind = kind, .text = text, .err = err};
    size_t len = strlen(text);
    if (len == 0 || len > TEXT_MAX)
        return err_set(err, ERR_INVAL, "a forward has 1 to %d characters; write it like %s", TEXT_MAX,
                       example(kind));
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            return err_set(err, ERR_INVAL, "a forward holds no control character; write it like %s",
                           example(kind));
    }
    struct forward_spec s = {.kind = kind};
    int rc = split(&p);
    if (rc == 0)
        rc = parse_parts(&p, &s);
    if (rc == 0 && !(s.text = mem_strdup(text)))
        rc = nomem(&p);
    if (rc < 0) {
        forward_spec_done(&s);
        return rc;
    }
    *out = s;
    return 0;
}
