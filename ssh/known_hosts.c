/*
 * known_hosts: reads one line of a file in OpenSSH's known_hosts format.
 */
#include "known_hosts.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/wire.h"

struct word {
    const char *p;
    size_t n;
};

static struct word next_word(const char **p, const char *end)
{
    while (*p < end && (**p == ' ' || **p == '\t'))
        (*p)++;
    struct word w = {*p, 0};
    while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
        (*p)++;
    w.n = (size_t)(*p - w.p);
    return w;
}

static bool word_is(struct word w, const char *text)
{
    return w.n == strlen(text) && memcmp(w.p, text, w.n) == 0;
}

static bool names(struct word list, const char *host)
{
    size_t n = strlen(host);
    const char *p = list.p, *end = list.p + list.n;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t len = (size_t)((comma ? comma : end) - p);
        if (len == n && strncasecmp(p, host, n) == 0)
            return true;
        p = comma ? comma + 1 : end;
    }
    return false;
}

static void read_comment(struct known_host *out, const char *p, const char *end)
{
    for (;;) {
        struct word w = next_word(&p, end);
        if (w.n == 0)
            return;
        if (!out->vm_id[0] && w.n > 5 && w.n - 5 < sizeof out->vm_id && strncasecmp(w.p, "vmId=", 5) == 0) {
            memcpy(out->vm_id, w.p + 5, w.n - 5);
            out->vm_id[w.n - 5] = '\0';
        }
        out->reported |= word_is(w, KNOWN_HOSTS_REPORTED);
    }
}

int known_hosts_parse(struct known_host *out, const char *line, size_t n, const char *host)
{
    const char *p = line, *end = line + n;
    memset(out, 0, offsetof(struct known_host, blob));
    out->blob_len = 0;
    out->vm_id[0] = '\0';
    out->reported = false;
    struct word w = next_word(&p, end);
    if (w.n == 0 || w.p[0] == '#')
        return 0;
    if (w.p[0] == '@') {
        out->revoked = word_is(w, "@revoked");
        out->authority = word_is(w, "@cert-authority");
        if (!out->revoked && !out->authority)
            return -1;
        w = next_word(&p, end);
    }
    struct word type = next_word(&p, end), key = next_word(&p, end);
    if (w.n == 0 || type.n == 0 || type.n >= sizeof out->type || key.n == 0)
        return -1;
    if (!names(w, host))
        return 0;
    memcpy(out->type, type.p, type.n);
    out->type[type.n] = '\0';
    if (strlen(out->type) != type.n)
        return -1;
    if (key.n / 4 * 3 > sizeof out->blob)
        return -1;
    long len = base64_decode(out->blob, key.p, key.n);
    struct wire_reader r;
    if (len <= 0)
        return -1;
    wire_read_init(&r, out->blob, (size_t)len);
    if (!wire_str_is(wire_get_str(&r), out->type))
        return -1;
    out->blob_len = (size_t)len;
    read_comment(out, p, end);
    return 1;
}
