/*
 * key: checks a public key line field by field, down to the numbers inside its base64.
 */
#include "key.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

#define RSA_BITS_MIN 1024 /* sshd takes no shorter one */
#define RSA_BITS_MAX 16384
#define ED25519_LEN 32

enum shape { SHAPE_ED25519, SHAPE_RSA, SHAPE_ECDSA };

static const struct key_type {
    const char *name, *curve;
    enum shape shape;
    size_t point; /* bytes of an uncompressed point on the curve */
    bool token;   /* followed by the application of a security key */
} types[] = {
    {"ssh-ed25519", NULL, SHAPE_ED25519, 0, false},
    {"ssh-rsa", NULL, SHAPE_RSA, 0, false},
    {"ecdsa-sha2-nistp256", "nistp256", SHAPE_ECDSA, 65, false},
    {"ecdsa-sha2-nistp384", "nistp384", SHAPE_ECDSA, 97, false},
    {"ecdsa-sha2-nistp521", "nistp521", SHAPE_ECDSA, 133, false},
    {"sk-ssh-ed25519@openssh.com", NULL, SHAPE_ED25519, 0, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", SHAPE_ECDSA, 65, true},
};

/* What is left of a blob; `bad` stays once a string reaches past the end. */
struct blob {
    const uint8_t *p;
    size_t n;
    bool bad;
};

static const uint8_t *blob_string(struct blob *b, size_t *len)
{
    *len = 0;
    if (b->bad || b->n < 4) {
        b->bad = true;
        return NULL;
    }
    size_t n = (size_t)b->p[0] << 24 | (size_t)b->p[1] << 16 | (size_t)b->p[2] << 8 | b->p[3];
    if (n > b->n - 4) {
        b->bad = true;
        return NULL;
    }
    const uint8_t *at = b->p + 4;
    b->p += 4 + n;
    b->n -= 4 + n;
    *len = n;
    return at;
}

static bool blob_is(struct blob *b, const char *text)
{
    size_t n;
    const uint8_t *at = blob_string(b, &n);
    return at && n == strlen(text) && memcmp(at, text, n) == 0;
}

static bool blob_of(struct blob *b, size_t len, int first)
{
    size_t n;
    const uint8_t *at = blob_string(b, &n);
    return at && n == len && (first < 0 || at[0] == first);
}

/* Bits of a positive number in its shortest form (RFC 4251 §5), or 0. */
static size_t blob_bits(struct blob *b)
{
    size_t n;
    const uint8_t *at = blob_string(b, &n);
    if (!at || n == 0 || at[0] & 0x80)
        return 0;
    if (at[0] == 0) {
        at++, n--;
        if (n == 0 || !(at[0] & 0x80))
            return 0;
    }
    size_t bits = n * 8;
    for (unsigned top = 0x80; !(at[0] & top); top >>= 1)
        bits--;
    return bits;
}

static bool blob_fits(const struct key_type *t, struct blob b)
{
    bool ok = blob_is(&b, t->name);
    size_t bits;
    if (t->shape == SHAPE_ED25519) {
        ok = ok && blob_of(&b, ED25519_LEN, -1);
    } else if (t->shape == SHAPE_ECDSA) {
        ok = ok && blob_is(&b, t->curve) && blob_of(&b, t->point, 4);
    } else {
        ok = ok && blob_bits(&b) > 1;
        bits = ok ? blob_bits(&b) : 0;
        ok = ok && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
    }
    if (t->token && ok) {
        size_t n;
        ok = blob_string(&b, &n) && n > 0;
    }
    return ok && !b.bad && b.n == 0;
}

/* Bytes of the character at s, 0 when it is no UTF-8, a control character or an end of a line. */
static size_t character(const uint8_t *s, size_t n)
{
    uint32_t c = s[0];
    if (c < 0x80)
        return c < 0x20 || c == 0x7f ? 0 : 1;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || len > n)
        return 0;
    c &= 0xffu >> (len + 1);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    return c < 0xa0 || c == 0x2028 || c == 0x2029 ? 0 : len;
}

static int text_check(const char *text, size_t len, struct err *err)
{
    for (size_t i = 0; i < len;) {
        size_t n = character((const uint8_t *)text + i, len - i);
        if (text[i] == '\n' || text[i] == '\r')
            return err_set(err, ERR_INVAL,
                           "public key: there is a second line; one key on one line is wanted");
        if (n == 0)
            return err_set(err, ERR_INVAL, "public key: byte %zu is a control character or no UTF-8", i + 1);
        i += n;
    }
    return 0;
}

static const struct key_type *type_find(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].name) == n && memcmp(types[i].name, text, n) == 0)
            return &types[i];
    return NULL;
}

static int blob_check(const struct key_type *t, const char *text, size_t n, struct err *err)
{
    uint8_t *data = mem_alloc(n / 4 * 3 + 1);
    char *again = mem_alloc(BASE64_SIZE(n));
    int rc = ERR_NOMEM;
    if (data && again) {
        long len = base64_decode(data, text, n);
        struct blob b = {data, len > 0 ? (size_t)len : 0, false};
        rc = 0;
        /* Other spellings of the same bytes are not taken: what is removed must be what was added. */
        if (len <= 0 || base64_encode(again, data, b.n) != n || memcmp(again, text, n) != 0)
            rc = err_set(err, ERR_INVAL, "public key: what follows %s is not base64", t->name);
        else if (!blob_fits(t, b))
            rc = err_set(err, ERR_INVAL, "public key: its base64 does not hold a key of type %s", t->name);
    } else {
        err_set(err, rc, "public key: out of memory");
    }
    mem_free(data);
    mem_free(again);
    return rc;
}

int key_line_check(const char *text, size_t len, char **line, struct err *err)
{
    *line = NULL;
    if (len && text[len - 1] == '\n')
        len--;
    if (len && text[len - 1] == '\r')
        len--;
    if (len > KEY_LINE_MAX)
        return err_set(err, ERR_INVAL, "public key: longer than %d bytes", KEY_LINE_MAX);
    int rc = text_check(text, len, err);
    if (rc < 0)
        return rc;
    const char *gap = memchr(text, ' ', len);
    size_t type_len = gap ? (size_t)(gap - text) : len;
    const struct key_type *t = type_find(text, type_len);
    if (!t)
        return err_set(
            err, ERR_INVAL,
            "public key: it begins with no type that is known here (ssh-ed25519, ssh-rsa, …); the file "
            "wanted is the one that ends in .pub");
    size_t at = type_len;
    while (at < len && text[at] == ' ')
        at++;
    gap = memchr(text + at, ' ', len - at);
    size_t end = gap ? (size_t)(gap - text) : len;
    rc = blob_check(t, text + at, end - at, err);
    if (rc < 0)
        return rc;
    while (len > end && text[len - 1] == ' ')
        len--;
    *line = mem_printf("%s %.*s", t->name, (int)(len - at), text + at);
    return *line ? 0 : err_set(err, ERR_NOMEM, "public key: out of memory");
}
