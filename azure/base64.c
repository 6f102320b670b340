/*
 * base64: written by hand because OpenSSL's decoder takes padding for data and knows one alphabet only.
 */
#include "base64.h"

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static char letter(unsigned value, const char *last_two)
{
    return value < 62 ? common[value] : last_two[value - 62];
}

static int encode(struct blob *out, const uint8_t *p, size_t n, const char *last_two, char pad)
{
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        char four[4] = {letter(v >> 18, last_two), letter(v >> 12 & 63, last_two),
                        left > 1 ? letter(v >> 6 & 63, last_two) : pad,
                        left > 2 ? letter(v & 63, last_two) : pad};
        rc = blob_add(out, four, pad || left > 2 ? 4 : left + 1);
        mem_wipe(four, sizeof(four));
    }
    return rc;
}

int base64_add(struct blob *out, const void *data, size_t n)
{
    return encode(out, data, n, "+/", '=');
}

int base64url_add(struct blob *out, const void *data, size_t n)
{
    return encode(out, data, n, "-_", 0);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static int decode(struct blob *out, const char *text, size_t n)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        int v = value_of(text[i]);
        if (v < 0)
            return ERR_INVAL;
        bits = bits << 6 | (uint32_t)v;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        uint8_t byte = (uint8_t)(bits >> count);
        if (blob_add(out, &byte, 1))
            return ERR_NOMEM;
    }
    return count >= 6 ? ERR_INVAL : 0;
}

int base64_add_decoded(struct blob *out, const char *text, size_t n)
{
    size_t before = out->len;
    for (unsigned pads = 0; n && text[n - 1] == '=' && pads < 2; pads++)
        n--;
    int rc = decode(out, text, n);
    if (rc && out->data) {
        mem_wipe(out->data + before, out->len - before);
        out->len = before;
        out->data[before] = 0;
    }
    return rc;
}
