/*
 * forward_list: the -L and -D options of `adit forward` and `adit cancel`, checked before anybody is asked.
 */
#include "forward_list.h"

#include <string.h>

#include "base/mem.h"
#include "config/forward_spec.h"

static const struct {
    enum forward_kind kind;
    int option;
    const char *name;
} KINDS[] = {
    {FORWARD_LOCAL, 'L', "local"}, {FORWARD_DYNAMIC, 'D', "dynamic"}, {FORWARD_REMOTE, 'R', "remote"}};

bool forward_list_kind(int option, enum forward_kind *kind)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (KINDS[i].option != option)
            continue;
        *kind = KINDS[i].kind;
        return true;
    }
    return false;
}

const char *forward_list_kind_name(enum forward_kind kind)
{
    size_t i = 0;
    while (KINDS[i].kind != kind)
        i++;
    return KINDS[i].name;
}

int forward_list_add(const struct cli *cli, json_t *list, int option, const char *text)
{
    enum forward_kind kind = FORWARD_LOCAL;
    struct forward_spec spec;
    struct err err = {0};

    forward_list_kind(option, &kind);
    if (forward_spec_parse(&spec, kind, text, &err) < 0)
        return cli_usage(cli, "%s", err.msg);
    forward_spec_done(&spec);
    json_array_append_new(
        list, json_pack("{s:s, s:o}", "kind", forward_list_kind_name(kind), "spec", control_text(text)));
    return 0;
}

bool forward_list_is(const json_t *forward, enum forward_kind kind)
{
    const char *name = json_string_value(json_object_get(forward, "kind"));
    return name && strcmp(name, forward_list_kind_name(kind)) == 0;
}

char *forward_list_vm(const char *vm, const char *user)
{
    return user ? mem_printf("%s@%s", user, vm) : mem_strdup(vm);
}
