/*
 * text: makes text that a server sent fit to be shown, and searches its comma-separated lists.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

/* Length of a well-formed, printable UTF-8 sequence at p, or 0. */
static size_t glyph(const uint8_t *p, size_t n)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                 : (p[0] & 0xf0) == 0xe0        ? 3
                 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                : 0;
    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0) /* C1 controls */
        return 0;
    if (len == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)))
        return 0;
    if (len == 3 && p[0] == 0xe2 && (p[1] == 0x80 || p[1] == 0x81)) /* direction overrides and their kin */
        return 0;
    if (len == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
        return 0;
    return len;
}

char *ssh_text_clean(char *out, size_t size, const void *data, size_t n)
{
    static const char cut[] = "…";
    const uint8_t *p = data;
    size_t len = 0, i = 0, fits = 0; /* fits: where the mark could still be put */
    while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r' || p[n - 1] == ' '))
        n--;
    while (i < n) {
        size_t g = glyph(p + i, n - i);
        size_t wide = g ? g : 1;
        if (len + wide >= size)
            break;
        if (len + sizeof cut <= size)
            fits = len;
        if (g)
            memcpy(out + len, p + i, g);
        else
            out[len] = p[i] == '\n' || p[i] == '\t' || p[i] == '\r' ? ' ' : '?';
        len += wide;
        i += wide;
    }
    if (i < n && size > sizeof cut) {
        if (len + sizeof cut <= size)
            fits = len;
        memcpy(out + fits, cut, sizeof cut - 1);
        len = fits + sizeof cut - 1;
    }
    out[len] = '\0';
    return out;
}

bool ssh_text_lists(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p && *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && memcmp(p, name, n) == 0)
            return true;
        p += len;
        p += *p == ',';
    }
    return false;
}
