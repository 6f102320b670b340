/*
 * host_keys: the lines of adit's known_hosts file that speak of one VM, under the name that ssh asks for.
 */
#include "host_keys.h"

#include <string.h>
#include <strings.h>

#define REPORTED "source=arm" /* as ssh/known_hosts.h marks a line */

struct word {
    const char *p;
    size_t n;
};

static struct word next_word(const char **p, const char *end)
{
    while (*p < end && strchr(" \t\r", **p))
        (*p)++;
    struct word w = {*p, 0};
    while (*p < end && !strchr(" \t\r", **p))
        (*p)++;
    w.n = (size_t)(*p - w.p);
    return w;
}

static bool lists(struct word names, const char *host)
{
    size_t n = strlen(host);
    for (const char *p = names.p, *end = p + names.n; p < end;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        if ((size_t)(stop - p) == n && strncasecmp(p, host, n) == 0)
            return true;
        p = stop + 1;
    }
    return false;
}

static bool of_another_vm(const char *p, const char *end, const char *vm_id)
{
    for (struct word w = next_word(&p, end); vm_id && w.n > 0; w = next_word(&p, end))
        if (w.n > 5 && strncasecmp(w.p, "vmId=", 5) == 0)
            return w.n - 5 != strlen(vm_id) || strncasecmp(w.p + 5, vm_id, w.n - 5) != 0;
    return false;
}

static bool was_reported(const char *p, const char *end)
{
    for (struct word w = next_word(&p, end); w.n > 0; w = next_word(&p, end))
        if (w.n == strlen(REPORTED) && memcmp(w.p, REPORTED, w.n) == 0)
            return true;
    return false;
}

static void pick_line(const char *p, const char *end, const char *host, const char *vm_id, bool reported,
                      const char *as, struct strbuf *out)
{
    struct word names = next_word(&p, end);
    bool revoked = names.n == 8 && memcmp(names.p, "@revoked", 8) == 0;
    if (revoked)
        names = next_word(&p, end);
    struct word type = next_word(&p, end), key = next_word(&p, end);
    if (names.n == 0 || strchr("#@|", names.p[0]) || key.n == 0 || !lists(names, host) ||
        of_another_vm(p, end, vm_id) || (reported && !revoked && !was_reported(p, end)))
        return;
    strbuf_printf(out, "%s%s %.*s %.*s\n", revoked ? "@revoked " : "", as, (int)type.n, type.p, (int)key.n,
                  key.p);
}

void host_keys_pick(const char *text, const char *host, const char *vm_id, bool reported, const char *as,
                    struct strbuf *out)
{
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        pick_line(text, end, host, vm_id, reported, as, out);
        text = *end ? end + 1 : end;
    }
}
