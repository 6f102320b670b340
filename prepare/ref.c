/*
 * ref: walks the segments of resource IDs.
 */
#include "ref.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/strbuf.h"

#define TYPE_AT 6 /* the namespace's segment: subscriptions 1, resourceGroups 3, providers 5 */

const char *ref_segment(const char *id, unsigned n, size_t *len)
{
    const char *p = id;
    *len = 0;
    for (; n > 0; n--) {
        p = strchr(p, '/');
        if (!p)
            return "";
        p++;
    }
    *len = strcspn(p, "/");
    return p;
}

static bool segment_is(const char *id, unsigned n, const char *word, size_t word_len)
{
    size_t len;
    const char *p = ref_segment(id, n, &len);
    return len == word_len && strncasecmp(p, word, len) == 0;
}

/* Every segment holds something, and none climbs. */
static bool segments_fit(const char *id, unsigned count)
{
    unsigned slashes = 0;
    for (const char *p = id; *p; p++)
        slashes += *p == '/';
    for (unsigned i = 1; i <= count; i++) {
        size_t len;
        const char *p = ref_segment(id, i, &len);
        if (len == 0 || (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))))
            return false;
    }
    return slashes == count;
}

bool ref_is(const char *id, const char *type)
{
    if (!id || id[0] != '/' || strnlen(id, REF_MAX) >= REF_MAX || !segment_is(id, 1, "subscriptions", 13) ||
        !segment_is(id, 3, "resourceGroups", 14) || !segment_is(id, 5, "providers", 9))
        return false;
    size_t n = strcspn(type, "/");
    unsigned at = TYPE_AT;
    if (!segment_is(id, at++, type, n))
        return false;
    for (const char *p = type + n; *p == '/'; p += n, at += 2) {
        n = strcspn(++p, "/");
        if (!segment_is(id, at, p, n))
            return false;
    }
    return segments_fit(id, at - 1);
}

bool ref_same(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

const char *ref_name(const char *id)
{
    const char *p = id ? strrchr(id, '/') : NULL;
    return p ? p + 1 : "";
}

char *ref_path(const char *id, const char *below, const char *query)
{
    struct strbuf b;
    strbuf_init(&b);
    for (unsigned part = 0; part < 2; part++) {
        const char *text = part == 0 ? id : below ? below : "";
        if (part == 1 && *text)
            strbuf_puts(&b, "/");
        for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
            if (*p < 0x80 && (isalnum(*p) || strchr("-_.~()/", *p)))
                strbuf_add(&b, (const char *)p, 1);
            else
                strbuf_printf(&b, "%%%02X", *p);
        }
    }
    strbuf_printf(&b, "?%s", query);
    return strbuf_take(&b);
}
