/*
 * forward_list: the -L options of `adit forward` and `adit cancel`, checked before anybody is asked.
 */
#include "forward_list.h"

#include "base/mem.h"
#include "config/forward_spec.h"

int forward_list_add(const struct cli *cli, json_t *list, const char *text)
{
    struct forward_spec spec;
    struct err err = {0};

    if (forward_spec_parse(&spec, FORWARD_LOCAL, text, &err) < 0)
        return cli_usage(cli, "%s", err.msg);
    forward_spec_done(&spec);
    json_array_append_new(list, json_pack("{s:s, s:o}", "kind", "local", "spec", control_text(text)));
    return 0;
}

char *forward_list_vm(const char *vm, const char *user)
{
    return user ? mem_printf("%s@%s", user, vm) : mem_strdup(vm);
}
