/*
 * algorithms: what is offered to the server, and what both sides know (RFC 4253 §7.1).
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "../text.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "exchange.h"
#include "native.h"

#define COOKIE 16
#define EXTENSIONS ",ext-info-c,kex-strict-c-v00@openssh.com"
#define STRICT_SERVER "kex-strict-s-v00@openssh.com"

enum { OFFER_KEX, OFFER_HOST_KEY, OFFER_CIPHER };

static const struct cipher *const ciphers[] = {&cipher_aes128_gcm, &cipher_aes256_gcm, &cipher_chacha,
                                               &cipher_aes128_ctr, &cipher_aes256_ctr, NULL};

/* The i-th name of a kind, best first; NULL after the last. */
static const char *name_at(int kind, size_t i)
{
    switch (kind) {
    case OFFER_KEX:
        return KEX_METHODS[i].name;
    case OFFER_HOST_KEY:
        return HOST_KEY_METHODS[i].name;
    default:
        return ciphers[i] ? ciphers[i]->name : NULL;
    }
}

static const struct cipher *cipher_named(const char *name)
{
    for (size_t i = 0; ciphers[i]; i++)
        if (strcmp(ciphers[i]->name, name) == 0)
            return ciphers[i];
    return NULL;
}

static bool known(int kind, const char *name, size_t len)
{
    const char *one;
    for (size_t i = 0; (one = name_at(kind, i)) != NULL; i++)
        if (strlen(one) == len && memcmp(one, name, len) == 0)
            return true;
    return false;
}

bool algorithms_know(enum ssh_method method, const char *name)
{
    static const int kinds[] = {[SSH_METHOD_CIPHER] = OFFER_CIPHER,
                                [SSH_METHOD_KEX] = OFFER_KEX,
                                [SSH_METHOD_HOST_KEY] = OFFER_HOST_KEY};
    if (method == SSH_METHOD_MAC)
        return strcmp(name, CIPHER_MAC) == 0;
    return known(kinds[method], name, strlen(name));
}

static void add(struct strbuf *s, const char *name, size_t len)
{
    char text[128];
    if (len >= sizeof text)
        return;
    memcpy(text, name, len);
    text[len] = '\0';
    if (s->len > 0 && ssh_text_lists(s->data, text))
        return;
    strbuf_printf(s, "%s%s", s->len > 0 ? "," : "", text);
}

/* A cipher that needs a MAC is of no use when the MAC is not allowed. */
static bool usable(const struct native *n, int kind, const char *name, size_t len)
{
    if (kind != OFFER_CIPHER || !n->kex.no_mac)
        return known(kind, name, len);
    for (size_t i = 0; ciphers[i]; i++)
        if (strlen(ciphers[i]->name) == len && memcmp(ciphers[i]->name, name, len) == 0)
            return ciphers[i]->mac_key_len == 0;
    return false;
}

/* The names of `list` that are known. */
static void add_list(struct native *n, struct strbuf *s, int kind, const char *list)
{
    for (const char *p = list; *p; p += *p == ',') {
        size_t len = strcspn(p, ",");
        if (usable(n, kind, p, len))
            add(s, p, len);
        p += len;
    }
}

/* A host whose key is known is asked for that type first; its RSA key signs under two names. */
static void add_known_types(struct strbuf *s, const char *types, const char *allowed)
{
    for (size_t i = 0; HOST_KEY_METHODS[i].name; i++) {
        const struct host_key_method *m = &HOST_KEY_METHODS[i];
        if (ssh_text_lists(types, m->key_type) && (!allowed || ssh_text_lists(allowed, m->name)))
            add(s, m->name, strlen(m->name));
    }
}

static int offer(struct native *n, int kind, const char *allowed, const char *what, struct err *err)
{
    struct strbuf s;
    const char *name;
    strbuf_init(&s);
    if (kind == OFFER_HOST_KEY)
        add_known_types(&s, n->known_types, allowed);
    if (allowed)
        add_list(n, &s, kind, allowed);
    for (size_t i = 0; !allowed && (name = name_at(kind, i)) != NULL; i++)
        if (usable(n, kind, name, strlen(name)))
            add(&s, name, strlen(name));
    bool none = s.len == 0;
    n->kex.offer[kind] = strbuf_take(&s);
    if (!n->kex.offer[kind])
        return err_set(err, ERR_NOMEM, "out of memory");
    if (none)
        return err_set(err, ERR_UNSUPPORTED, "the engine native knows none of the %s that are allowed: %s",
                       what, allowed);
    return 0;
}

int algorithms_offer(struct native *n, const struct ssh_engine_config *config, struct err *err)
{
    n->kex.no_mac = config->algorithms.macs && !ssh_text_lists(config->algorithms.macs, CIPHER_MAC);
    int rc = offer(n, OFFER_KEX, config->algorithms.kex, "key exchanges", err);
    if (rc == 0)
        rc = offer(n, OFFER_HOST_KEY, config->algorithms.host_keys, "host keys", err);
    if (rc == 0)
        rc = offer(n, OFFER_CIPHER, config->algorithms.ciphers, "ciphers", err);
    return rc;
}

int algorithms_write(struct native *n, struct wire_writer *w)
{
    uint8_t cookie[COOKIE];
    char *kex = mem_printf("%s%s", n->kex.offer[OFFER_KEX], n->kex.session_len == 0 ? EXTENSIONS : "");
    const char *lists[] = {kex ? kex : "",
                           n->kex.offer[OFFER_HOST_KEY],
                           n->kex.offer[OFFER_CIPHER],
                           n->kex.offer[OFFER_CIPHER],
                           CIPHER_MAC,
                           CIPHER_MAC,
                           "none",
                           "none",
                           "",
                           ""};
    bool ok = kex && RAND_bytes(cookie, sizeof cookie) == 1;
    wire_put_u8(w, MSG_KEXINIT);
    wire_put_bytes(w, cookie, sizeof cookie);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        wire_put_cstr(w, lists[i]);
    wire_put_bool(w, false);
    wire_put_u32(w, 0);
    mem_free(kex);
    return ok && wire_write_ok(w) ? 0 : ERR_NOMEM;
}

static size_t first_of(struct wire_str list)
{
    const uint8_t *comma = list.len > 0 ? memchr(list.data, ',', list.len) : NULL;
    return comma ? (size_t)(comma - list.data) : list.len;
}

static bool has(struct wire_str list, const char *name, size_t len)
{
    while (list.len > 0) {
        size_t part = first_of(list);
        if (part == len && memcmp(list.data, name, len) == 0)
            return true;
        part += part < list.len;
        list.data += part;
        list.len -= part;
    }
    return false;
}

/* RFC 4253 §7.1: the client's first that the server has too. */
static int agree(const char *ours, struct wire_str theirs, const char *what, char name[64], struct err *err)
{
    char clean[256];
    for (const char *p = ours; *p; p += *p == ',') {
        size_t len = strcspn(p, ",");
        if (len < 64 && has(theirs, p, len)) {
            memcpy(name, p, len);
            name[len] = '\0';
            return 0;
        }
        p += len;
    }
    ssh_text_clean(clean, sizeof clean, theirs.data, theirs.len);
    return err_set(err, ERR_UNSUPPORTED, "no %s in common: the server offers %s, the engine native has %s",
                   what, clean, ours);
}

static bool guessed_right(struct wire_str list, const char *ours)
{
    size_t n = first_of(list);
    return n == strcspn(ours, ",") && memcmp(list.data, ours, n) == 0;
}

int algorithms_agree(struct native *n, struct wire_reader *r, struct err *err)
{
    struct kex *k = &n->kex;
    struct wire_str lists[10];
    char host_key[64], in[64], mac[64];
    size_t i;
    (void)wire_get_bytes(r, COOKIE);
    for (i = 0; i < 10; i++)
        lists[i] = wire_get_str(r);
    bool guessed = wire_get_bool(r);
    (void)wire_get_u32(r);
    if (!wire_end(r))
        return native_wrong("a malformed offer of algorithms", err);
    if (k->session_len == 0)
        k->strict = has(lists[0], STRICT_SERVER, sizeof STRICT_SERVER - 1);
    if (agree(k->offer[OFFER_KEX], lists[0], "key exchange", k->kex_name, err) < 0 ||
        agree(k->offer[OFFER_HOST_KEY], lists[1], "kind of host key", host_key, err) < 0 ||
        agree(k->offer[OFFER_CIPHER], lists[2], "cipher", k->cipher_name, err) < 0 ||
        agree(k->offer[OFFER_CIPHER], lists[3], "cipher", in, err) < 0)
        return err->code;
    if (agree("none", lists[6], "compression", mac, err) < 0 ||
        agree("none", lists[7], "compression", mac, err) < 0)
        return err->code;
    k->cipher_out = cipher_named(k->cipher_name);
    k->cipher_in = cipher_named(in);
    if ((k->cipher_out->mac_key_len > 0 && agree(CIPHER_MAC, lists[4], "MAC", mac, err) < 0) ||
        (k->cipher_in->mac_key_len > 0 && agree(CIPHER_MAC, lists[5], "MAC", mac, err) < 0))
        return err->code;
    for (i = 0; strcmp(KEX_METHODS[i].name, k->kex_name) != 0; i++)
        ;
    k->method = &KEX_METHODS[i];
    for (i = 0; strcmp(HOST_KEY_METHODS[i].name, host_key) != 0; i++)
        ;
    k->host_key = &HOST_KEY_METHODS[i];
    k->skip_guess = guessed && !(guessed_right(lists[0], k->offer[OFFER_KEX]) &&
                                 guessed_right(lists[1], k->offer[OFFER_HOST_KEY]));
    return 0;
}
