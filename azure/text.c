/*
 * text: GUIDs, form fields, and server text made fit for a message.
 */
#include "text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"

void text_guid(char out[TEXT_GUID_SIZE])
{
    uint8_t b[16];
    if (uv_random(NULL, NULL, b, sizeof(b), 0, NULL)) {
        /* An id for tracing only: unique enough is enough. */
        uint64_t seed[2] = {uv_hrtime(), (uint64_t)(uintptr_t)out};
        memcpy(b, seed, sizeof(b));
    }
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, TEXT_GUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static bool plain_in_form(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c) != NULL;
}

int text_form_add(struct blob *form, const char *name, const char *value)
{
    int rc = form->len ? blob_puts(form, "&") : 0;
    if (!rc)
        rc = blob_puts(form, name);
    if (!rc)
        rc = blob_puts(form, "=");
    for (const unsigned char *p = (const unsigned char *)value; !rc && *p; p++) {
        char escaped[4];
        if (plain_in_form(*p)) {
            rc = blob_add(form, p, 1);
        } else {
            snprintf(escaped, sizeof(escaped), "%%%02X", *p);
            rc = blob_puts(form, escaped);
            mem_wipe(escaped, sizeof(escaped));
        }
    }
    return rc;
}

/* Bytes of the character that begins with c; 0 for a byte that begins none. */
static size_t utf8_len(unsigned char c)
{
    return c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
}

void text_clean(char *out, size_t size, const char *text)
{
    static const char cut[] = "…";
    const char *p = text ? text : "";
    size_t n = 0;
    while (*p) {
        size_t len = utf8_len((unsigned char)*p);
        if (len > strnlen(p, len))
            len = 0;
        bool space = (unsigned char)*p <= 0x20 || *p == 0x7f || len == 0;
        size_t take = space ? 1 : len;
        if (n + take + sizeof(cut) > size) {
            memcpy(out + n, cut, sizeof(cut) - 1);
            n += sizeof(cut) - 1;
            break;
        }
        if (!space)
            memcpy(out + n, p, len);
        else if (n == 0 || out[n - 1] == ' ')
            take = 0;
        else
            out[n] = ' ';
        n += take;
        p += space ? 1 : len;
    }
    while (n && out[n - 1] == ' ')
        n--;
    out[n] = 0;
}

int text_path_len(const char *path)
{
    return (int)strcspn(path, "?#");
}

bool text_quoted_after(const char *text, const char *after, char *out, size_t size)
{
    const char *p = strstr(text, after);
    p = p ? strchr(p + strlen(after), '\'') : NULL;
    if (!p)
        return false;
    p++;
    const char *end = strchr(p, '\'');
    if (!end || end == p || (size_t)(end - p) >= size)
        return false;
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = 0;
    return true;
}
