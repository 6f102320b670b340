/*
 * text: strings of any origin and errors as JSON values, and back.
 */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "control.h"

/* Length of the UTF-8 sequence at s (RFC 3629), or 0 if it is none. */
static size_t utf8_len(const unsigned char *s)
{
    unsigned c = s[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xC2 && c < 0xE0 ? 2
               : c >= 0xE0 && c < 0xF0 ? 3
               : c >= 0xF0 && c < 0xF5 ? 4
                                       : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] > 0x9F) || (c == 0xF0 && s[1] < 0x90) ||
        (c == 0xF4 && s[1] > 0x8F))
        return 0;
    return n;
}

struct json_t *control_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *json = json_string(text);
    if (json)
        return json;
    char *copy = mem_strdup(text); /* no UTF-8, or no memory: the next call tells */
    if (!copy)
        return NULL;
    for (unsigned char *p = (unsigned char *)copy; *p;) {
        size_t n = utf8_len(p);
        if (n == 0) {
            *p = '?';
            n = 1;
        }
        p += n;
    }
    json = json_string(copy);
    mem_free(copy);
    return json;
}

struct json_t *control_err_to_json(const struct err *err)
{
    json_t *json = json_object();
    if (json_object_set_new(json, "code", json_string(err_code_name(err->code))) != 0 ||
        json_object_set_new(json, "message", control_text(err->msg)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

void control_err_from_json(struct err *err, const struct json_t *json)
{
    const char *code = json_string_value(json_object_get(json, "code"));
    const char *message = json_string_value(json_object_get(json, "message"));

    if (!code || !message)
        err_set(err, ERR_PROTOCOL, "an error without code or message");
    else
        err_set(err, err_code_of_name(code) ? err_code_of_name(code) : ERR_PROTOCOL, "%s", message);
}
