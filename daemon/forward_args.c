/*
 * forward_args: the `forwards` argument of the operations "forward" and "cancel".
 */
#include "forward_args.h"

#include <string.h>

static const char *const KINDS[] = {
    [FORWARD_LOCAL] = "local", [FORWARD_DYNAMIC] = "dynamic", [FORWARD_REMOTE] = "remote"};

const char *forward_args_kind_name(enum forward_kind kind)
{
    return KINDS[kind];
}

static int parse_one(struct forward_spec *out, const json_t *item, struct err *err)
{
    const char *kind = json_string_value(json_object_get(item, "kind"));
    const char *text = json_string_value(json_object_get(item, "spec"));

    if (!kind || !text)
        return err_set(err, ERR_INVAL, "each of \"forwards\" must have a \"kind\" and a \"spec\"");
    for (size_t k = 0; k < sizeof KINDS / sizeof KINDS[0]; k++)
        if (strcmp(KINDS[k], kind) == 0)
            return forward_spec_parse(out, (enum forward_kind)k, text, err);
    return err_set(err, ERR_INVAL, "the kind of a forward is local, dynamic or remote");
}

int forward_args_parse(struct forward_args *out, const json_t *args, struct err *err)
{
    const json_t *list = json_object_get(args, "forwards");

    out->count = 0;
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > FORWARD_ARGS_MAX)
        return err_set(err, ERR_INVAL, "\"forwards\" must be an array of 1 to %d forwards", FORWARD_ARGS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        int rc = parse_one(&out->specs[i], json_array_get(list, i), err);
        if (rc < 0) {
            forward_args_done(out);
            return rc;
        }
        out->count++;
    }
    return 0;
}

void forward_args_done(struct forward_args *a)
{
    while (a->count > 0)
        forward_spec_done(&a->specs[--a->count]);
}
