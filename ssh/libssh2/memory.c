/*
 * memory: the allocator that libssh2 is given.
 *
 * It bounds what a server can make libssh2 hold, wipes what is freed before the login is over, frees at the
 * end what libssh2 forgets when it is stopped half-way, counts blocks that outlive the call they were made in
 * (a queued packet is two of them), and reads those messages of the server which libssh2 frees without
 * telling what they said.
 */
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "base/wire.h"
#include "l2.h"

enum { MSG_KEXINIT = 20, MSG_USERAUTH_FAILURE = 51, MSG_CHANNEL_OPEN_FAILURE = 92 };

#define QUESTIONS_MAX (64u << 10)

struct l2_block {
    struct list node;
    size_t size;
    uint64_t round;
    bool rx;
    /* the user's bytes follow, aligned as malloc aligns */
} __attribute__((aligned(16)));

static size_t limit(const struct l2 *e)
{
    return L2_MEMORY_BASE + (size_t)e->chan_count * L2_MEMORY_CHANNEL;
}

static void put_names(char *out, size_t size, const char *what, struct wire_str names)
{
    char list[192];
    size_t used = strlen(out);
    ssh_text_clean(list, sizeof list, names.data, names.len);
    snprintf(out + used, size - used, "%s%s %s", used ? "; " : "", what, list);
}

/* RFC 4253 §7.1 */
static void read_kexinit(struct l2 *e, struct wire_reader *r)
{
    static const char *const what[] = {"key exchange", "host key", "cipher", NULL, "MAC"};
    char offer[sizeof e->told_offer] = "";
    (void)wire_get_bytes(r, 16);
    for (unsigned i = 0; i < 5; i++) {
        struct wire_str names = wire_get_str(r);
        if (!wire_ok(r))
            return;
        if (what[i])
            put_names(offer, sizeof offer, what[i], names);
    }
    memcpy(e->told_offer, offer, sizeof offer);
}

/* RFC 4252 §5.1 */
static void read_userauth_failure(struct l2 *e, struct wire_reader *r)
{
    struct wire_str methods = wire_get_str(r);
    bool partial = wire_get_bool(r);
    if (!wire_ok(r))
        return;
    ssh_text_clean(e->told_methods, sizeof e->told_methods, methods.data, methods.len);
    e->told_partial = partial;
    e->told_failure = true;
}

/* RFC 4254 §5.1 */
static void read_open_failure(struct l2 *e, struct wire_reader *r)
{
    static const char *const codes[] = {NULL, "administratively prohibited", NULL, "unknown channel type",
                                        "resource shortage"};
    (void)wire_get_u32(r);
    uint32_t code = wire_get_u32(r);
    struct wire_str text = wire_get_str(r);
    char clean[160];
    if (!wire_ok(r))
        return;
    ssh_text_clean(clean, sizeof clean, text.data, text.len);
    const char *kind = code < sizeof codes / sizeof *codes ? codes[code] : NULL;
    if (!kind)
        snprintf(e->told_reason, sizeof e->told_reason, "%s", *clean ? clean : "connect failed");
    else
        snprintf(e->told_reason, sizeof e->told_reason, "%s%s%s", kind, *clean ? ": " : "", clean);
}

static void overhear(struct l2 *e, const uint8_t *p, size_t n)
{
    struct wire_reader r;
    wire_read_init(&r, p, n);
    uint8_t type = wire_get_u8(&r);
    if (type == MSG_KEXINIT && e->phase == L2_HELLO)
        read_kexinit(e, &r);
    else if (type == MSG_USERAUTH_FAILURE && e->phase == L2_AUTH)
        read_userauth_failure(e, &r);
    else if (type == MSG_CHANNEL_OPEN_FAILURE && e->phase == L2_UP)
        read_open_failure(e, &r);
}

void *l2_alloc(size_t n, void **abstract)
{
    struct l2 *e = *abstract;
    if (e->live + n > limit(e))
        return NULL;
    size_t slack = 0;
    if (e->auth ==
        L2_AUTH_KBDINT) { /* libssh2 1.10 believes a length in the server's questions without looking */
        if (n > QUESTIONS_MAX)
            return NULL;
        slack = QUESTIONS_MAX;
    }
    struct l2_block *b = slack ? mem_zalloc(sizeof *b + n + slack) : mem_alloc(sizeof *b + n);
    if (!b)
        return NULL;
    b->size = n;
    b->round = e->round;
    list_init(&b->node);
    list_push(&e->blocks, &b->node);
    e->live += n;
    b->rx = e->receiving;
    if (b->rx) {
        e->newest = b;
        e->born++;
    }
    return b + 1;
}

static void forget(struct l2 *e, struct l2_block *b)
{
    list_remove(&b->node);
    e->live -= b->size;
    if (b->rx && b->round == e->round)
        e->born--;
    if (b == e->newest)
        e->newest = NULL;
    if (b == e->partial)
        e->partial = NULL;
    if (e->phase != L2_UP)
        mem_wipe(b + 1, b->size);
    mem_free(b);
}

void l2_free(void *p, void **abstract)
{
    struct l2 *e = *abstract;
    if (!p)
        return;
    struct l2_block *b = (struct l2_block *)p - 1;
    overhear(e, p, b->size);
    forget(e, b);
}

void l2_round_begin(struct l2 *e)
{
    e->round++;
    e->born = 0;
    e->partial = e->newest;
}

bool l2_nothing_queued(const struct l2 *e)
{
    return e->born == 0 || (e->born == 1 && !e->partial);
}

void *l2_realloc(void *p, size_t n, void **abstract)
{
    void *q = l2_alloc(n, abstract);
    if (!q || !p)
        return q;
    struct l2_block *b = (struct l2_block *)p - 1;
    memcpy(q, p, b->size < n ? b->size : n);
    forget(*abstract, b);
    return q;
}

void l2_free_all(struct l2 *e)
{
    struct list *node;
    while ((node = list_first(&e->blocks)) != NULL)
        forget(e, container_of(node, struct l2_block, node));
}
