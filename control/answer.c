/*
 * answer: the line with which a client answers a question, read and written without a copy of the secret.
 */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

#define NUMBER_MAX ((int64_t)1 << 53)
#define HEAD_MAX 96

struct cursor {
    const char *p, *end;
};

/* Passes over blanks and then this text; false when something else stands there. */
static bool take(struct cursor *c, const char *text)
{
    size_t n = strlen(text);
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r'))
        c->p++;
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
        return false;
    c->p += n;
    return true;
}

static bool take_number(struct cursor *c, int64_t *out)
{
    int64_t n = 0;
    take(c, "");
    const char *first = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && n < NUMBER_MAX)
        n = n * 10 + (*c->p++ - '0');
    *out = n;
    return c->p > first && n > 0 && n < NUMBER_MAX;
}

static bool take_member(struct cursor *c, const char *name)
{
    return take(c, name) && take(c, ":");
}

static bool take_text(struct cursor *c, struct answer *out)
{
    uint8_t bytes[BASE64_SIZE(CONTROL_ANSWER_MAX)];
    if (!take(c, "\""))
        return false;
    const char *first = c->p;
    c->p = memchr(first, '"', (size_t)(c->end - first));
    if (!c->p)
        return false;
    size_t n = (size_t)(c->p - first);
    c->p++;
    if (n >= sizeof bytes) {
        out->too_long = true;
        return true;
    }
    long len = base64_decode(bytes, first, n);
    bool good = len >= 0 && !memchr(bytes, '\0', (size_t)len);
    out->too_long = good && len > CONTROL_ANSWER_MAX;
    out->given = good && !out->too_long;
    if (out->given)
        memcpy(out->text, bytes, (size_t)len);
    mem_wipe(bytes, sizeof bytes);
    return good;
}

bool answer_is(const char *line, size_t len)
{
    struct cursor c = {line, line + len};
    return take(&c, "{") && take(&c, "\"answer\"");
}

static bool parse(struct answer *out, struct cursor *c)
{
    if (!take(c, "{") || !take_member(c, "\"answer\"") || !take_number(c, &out->id) || !take(c, ",") ||
        !take_member(c, "\"number\"") || !take_number(c, &out->number))
        return false;
    if (take(c, ",") && !(take_member(c, "\"base64\"") && take_text(c, out)))
        return false;
    return take(c, "}") && take(c, "") && c->p == c->end;
}

int answer_parse(struct answer *out, const char *line, size_t len, struct err *err)
{
    struct cursor c = {line, line + len};
    memset(out, 0, sizeof *out);
    if (parse(out, &c))
        return 0;
    mem_wipe(out, sizeof *out);
    return err_set(err, ERR_PROTOCOL,
                   "an answer must look like {\"answer\":ID,\"number\":NUMBER,\"base64\":\"TEXT\"}");
}

char *answer_line(int64_t id, int64_t number, const char *text, size_t *len)
{
    size_t n = text ? strlen(text) : 0, size = HEAD_MAX + BASE64_SIZE(n);
    char *line = mem_alloc(size);
    if (!line)
        return NULL;
    int at = snprintf(line, size, "{\"answer\":%lld,\"number\":%lld", (long long)id, (long long)number);
    if (text) {
        at += snprintf(line + at, size - (size_t)at, ",\"base64\":\"");
        at += (int)base64_encode(line + at, (const uint8_t *)text, n);
        at += snprintf(line + at, size - (size_t)at, "\"");
    }
    at += snprintf(line + at, size - (size_t)at, "}\n");
    *len = (size_t)at;
    return line;
}
