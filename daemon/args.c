/*
 * args: reads the members of a request's arguments, with an error that names the member.
 */
#include "args.h"

#define TEXT_MAX 1024

int args_bool(const json_t *args, const char *key, bool *out, struct err *err)
{
    const json_t *v = json_object_get(args, key);
    if (!v)
        return 0;
    if (!json_is_boolean(v))
        return err_set(err, ERR_INVAL, "\"%s\" must be true or false", key);
    *out = json_is_true(v);
    return 0;
}

int args_u32(const json_t *args, const char *key, uint32_t min, uint32_t max, uint32_t *out, struct err *err)
{
    const json_t *v = json_object_get(args, key);
    if (!v)
        return 0;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return err_set(err, ERR_INVAL, "\"%s\" must be a whole number from %u to %u", key, min, max);
    *out = (uint32_t)json_integer_value(v);
    return 0;
}

static bool is_text(const json_t *v)
{
    return json_is_string(v) && json_string_length(v) > 0 && json_string_length(v) <= TEXT_MAX;
}

int args_text(const json_t *args, const char *key, bool required, const char **out, struct err *err)
{
    const json_t *v = json_object_get(args, key);
    if (!v && !required)
        return 0;
    if (!is_text(v))
        return err_set(err, ERR_INVAL, "\"%s\" must be a text of 1 to %d bytes", key, TEXT_MAX);
    *out = json_string_value(v);
    return 0;
}

int args_texts(const json_t *args, const char *key, size_t max, json_t **out, struct err *err)
{
    json_t *v = json_object_get(args, key);
    *out = NULL;
    if (!v)
        return 0;
    bool good = json_is_array(v) && json_array_size(v) <= max;
    for (size_t i = 0; good && i < json_array_size(v); i++)
        good = is_text(json_array_get(v, i));
    if (!good)
        return err_set(err, ERR_INVAL, "\"%s\" must be an array of at most %zu texts", key, max);
    *out = v;
    return 0;
}
