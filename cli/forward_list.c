/*
 * forward_list: the -L and -D options of `adit forward` and `adit cancel`, checked before anybody is asked.
 */
#include "forward_list.h"

#include <string.h>

#include "base/mem.h"
#include "config/forward_spec.h"

int forward_list_add(const struct cli *cli, json_t *list, int option, const char *text)
{
    bool dynamic = option == 'D';
    const char *kind = dynamic ? "dynamic" : "local";
    struct forward_spec spec;
    struct err err = {0};

    if (forward_spec_parse(&spec, dynamic ? FORWARD_DYNAMIC : FORWARD_LOCAL, text, &err) < 0)
        return cli_usage(cli, "%s", err.msg);
    forward_spec_done(&spec);
    json_array_append_new(list, json_pack("{s:s, s:o}", "kind", kind, "spec", control_text(text)));
    return 0;
}

bool forward_list_is_dynamic(const json_t *forward)
{
    const char *kind = json_string_value(json_object_get(forward, "kind"));
    return kind && strcmp(kind, "dynamic") == 0;
}

char *forward_list_vm(const char *vm, const char *user)
{
    return user ? mem_printf("%s@%s", user, vm) : mem_strdup(vm);
}
