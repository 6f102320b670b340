/*
 * token_json: the checks of a token and its times, and the wiping of what they came in.
 */
#include "token_json.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* A number, or a string of digits. */
static uint64_t number_of(const json_t *root, const char *name)
{
    const json_t *v = json_object_get(root, name);
    if (json_is_integer(v))
        return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
    const char *text = json_string_value(v);
    return text && isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : 0;
}

int token_value_copy(const char *text, char **out, struct err *err)
{
    size_t len = strlen(text);
    if (len == 0 || len > TOKEN_MAX)
        return err_set(err, ERR_PROTOCOL, "a token of %zu characters is none", len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return err_set(err, ERR_PROTOCOL, "the access_token holds characters that no token has");
    *out = mem_strdup(text);
    return *out ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int token_json_parse(const json_t *root, struct token *out, struct err *err)
{
    const json_t *value = json_object_get(root, "access_token");
    const char *text = json_string_value(value);
    uint64_t lives = number_of(root, "expires_in"), ends = number_of(root, "expires_on");
    uint64_t now = clock_wall_ms() / 1000;
    if (lives == 0 && ends > now)
        lives = ends - now;
    if (!text || *text == 0 || strlen(text) != json_string_length(value) || lives == 0)
        return err_set(err, ERR_PROTOCOL, "the reply holds no usable access_token and expires_in");
    int rc = token_value_copy(text, &out->value, err);
    if (rc)
        return rc;
    out->lives_s = lives;
    out->refresh_in_s = number_of(root, "refresh_in");
    return 0;
}

void token_json_wipe(json_t *root)
{
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value) if (json_is_string(value))
        mem_wipe((char *)json_string_value(value), json_string_length(value));
}
