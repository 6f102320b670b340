/*
 * forward_listener: decides whether two forwards want to listen at the same place.
 */
#include "forward_listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"

#define KEY_MAX 320

/* What a listening host covers in one address family. */
enum cover { COVER_NONE, COVER_ONE, COVER_ALL };

struct place {
    enum cover cover4, cover6;
    struct in_addr v4;
    struct in6_addr v6;
    const char *name; /* a name whose addresses are not known here, or NULL */
};

static struct place place_of(const char *host)
{
    struct place p = {.cover4 = COVER_NONE};
    if (!host) {
        p.cover4 = p.cover6 = COVER_ONE;
        p.v4.s_addr = htonl(INADDR_LOOPBACK);
        p.v6 = in6addr_loopback;
    } else if (strcmp(host, "*") == 0) {
        p.cover4 = p.cover6 = COVER_ALL;
    } else if (inet_pton(AF_INET, host, &p.v4) == 1) {
        p.cover4 = p.v4.s_addr == htonl(INADDR_ANY) ? COVER_ALL : COVER_ONE;
    } else if (inet_pton(AF_INET6, host, &p.v6) == 1) {
        p.cover6 = IN6_IS_ADDR_UNSPECIFIED(&p.v6) ? COVER_ALL : COVER_ONE;
    } else {
        p.name = host;
    }
    return p;
}

static bool family_clash(enum cover a, enum cover b, const void *addr_a, const void *addr_b, size_t n)
{
    if (a == COVER_NONE || b == COVER_NONE)
        return false;
    return a == COVER_ALL || b == COVER_ALL || memcmp(addr_a, addr_b, n) == 0;
}

static bool covers_all(const struct place *p)
{
    return p->cover4 == COVER_ALL || p->cover6 == COVER_ALL;
}

bool forward_spec_same_listener(const struct forward_spec *a, const struct forward_spec *b)
{
    const struct forward_end *l = &a->listen, *r = &b->listen;
    if ((a->kind == FORWARD_REMOTE) != (b->kind == FORWARD_REMOTE))
        return false; /* one listens here, the other at the VM */
    if (l->path || r->path)
        return l->path && r->path && strcmp(l->path, r->path) == 0;
    if (l->port != r->port || l->port == 0)
        return false;
    struct place p = place_of(l->host), q = place_of(r->host);
    if (p.name && q.name)
        return strcasecmp(p.name, q.name) == 0;
    if (p.name || q.name)
        return covers_all(&p) || covers_all(&q);
    return family_clash(p.cover4, q.cover4, &p.v4, &q.v4, sizeof p.v4) ||
           family_clash(p.cover6, q.cover6, &p.v6, &q.v6, sizeof p.v6);
}

int listener_set_init(struct listener_set *s)
{
    s->by_key = map_new(false);
    return s->by_key ? 0 : ERR_NOMEM;
}

void listener_set_done(struct listener_set *s)
{
    map_free(s->by_key, NULL);
    s->by_key = NULL;
}

/* One walk looks for clashes, the next one writes the keys down: both through this. */
struct walk {
    struct map *map;
    unsigned space, port;
    void *tag, *clash;
    bool write, nomem;
};

__attribute__((format(printf, 3, 4))) static void key(struct walk *w, bool write, const char *fmt, ...)
{
    char rest[KEY_MAX - 32], full[KEY_MAX];
    if (w->write != write || w->clash || w->nomem)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(rest, sizeof rest, fmt, ap);
    va_end(ap);
    (void)snprintf(full, sizeof full, "%u %u %s", w->space, w->port, rest);
    if (!write)
        w->clash = map_get(w->map, full);
    else if (!map_get(w->map, full) && map_set(w->map, full, w->tag, NULL) < 0)
        w->nomem = true;
}

static void family(struct walk *w, int af, enum cover cover, const void *addr)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (cover == COVER_NONE)
        return;
    key(w, true, "%d used", af);
    if (cover == COVER_ALL) {
        key(w, false, "%d used", af);
        key(w, false, "name used");
        key(w, true, "%d all", af);
        key(w, true, "all");
        return;
    }
    (void)inet_ntop(af, addr, text, sizeof text);
    key(w, false, "%d all", af);
    key(w, false, "%d %s", af, text);
    key(w, true, "%d %s", af, text);
}

static void visit(struct walk *w, const struct forward_end *listen)
{
    if (listen->path) {
        key(w, false, "path %s", listen->path);
        key(w, true, "path %s", listen->path);
        return;
    }
    struct place p = place_of(listen->host);
    if (p.name) {
        char lower[256] = "";
        for (size_t i = 0; p.name[i] && i + 1 < sizeof lower; i++)
            lower[i] = (char)(p.name[i] >= 'A' && p.name[i] <= 'Z' ? p.name[i] + 32 : p.name[i]);
        key(w, false, "all");
        key(w, false, "name %s", lower);
        key(w, true, "name used");
        key(w, true, "name %s", lower);
    }
    family(w, AF_INET, p.cover4, &p.v4);
    family(w, AF_INET6, p.cover6, &p.v6);
}

int listener_set_add(struct listener_set *s, unsigned space, const struct forward_end *listen, void *tag,
                     void **clash)
{
    struct walk w = {.map = s->by_key, .space = space, .port = listen->port, .tag = tag};
    *clash = NULL;
    if (!listen->path && listen->port == 0)
        return 0; /* the system will choose another one each time */
    visit(&w, listen);
    *clash = w.clash;
    w.clash = NULL;
    w.write = true;
    visit(&w, listen);
    return w.nomem ? ERR_NOMEM : 0;
}
