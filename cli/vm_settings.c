/*
 * vm_settings: the settings in force for one VM, and where each comes from.
 */
#include "vm_settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "output.h"
#include "table.h"

#define DIM "2"

const json_t *vm_settings_find(const json_t *config, const char *name)
{
    const json_t *vm;
    size_t i;
    json_array_foreach(json_object_get(config, "vms"), i, vm)
    {
        const char *alias = json_string_value(json_object_get(vm, "name"));
        const char *text = json_string_value(json_object_get(vm, "vm"));
        if ((alias && strcasecmp(alias, name) == 0) || (text && strcasecmp(text, name) == 0))
            return vm;
    }
    return NULL;
}

static void add_value(struct strbuf *out, const json_t *value)
{
    const json_t *item;
    size_t i;
    if (json_is_string(value))
        strbuf_puts(out, json_string_value(value));
    else if (json_is_integer(value))
        strbuf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        strbuf_puts(out, json_is_true(value) ? "true" : "false");
    else if (json_is_array(value) && json_array_size(value) > 0)
        json_array_foreach(value, i, item)
        {
            strbuf_puts(out, i ? ", " : "");
            add_value(out, item);
        }
    else
        strbuf_puts(out, "-");
}

static void add_row(struct table *t, const json_t *vm, const char *key, const char *source)
{
    const json_t *ssh = json_object_get(vm, "ssh");
    const json_t *value = strcmp(key, "via") == 0 ? json_object_get(vm, key) : json_object_get(ssh, key);
    struct strbuf text;

    if (strcmp(key, "agent") == 0 && json_is_string(json_object_get(ssh, "agent-socket")))
        value = json_object_get(ssh, "agent-socket");
    strbuf_init(&text);
    add_value(&text, value);
    table_row(t, 0, 0);
    table_cell(t, NULL, key);
    table_cell(t, strcmp(source, "default") == 0 ? DIM : NULL, source);
    table_cell(t, NULL, text.data);
    t->bad |= text.bad;
    strbuf_done(&text);
}

int vm_settings_print(const json_t *vm, struct err *err)
{
    struct table t;
    struct strbuf out;
    const char *key, *note = json_string_value(json_object_get(vm, "note"));
    json_t *source;

    table_init(&t);
    strbuf_init(&out);
    json_object_foreach(json_object_get(vm, "source"), key, source)
        add_row(&t, vm, key, json_string_value(source));
    table_print(&t, 0, output_colours(stdout), &out);
    int rc = t.bad || out.bad ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    if (rc == 0)
        fputs(out.data ? out.data : "", stdout);
    if (rc == 0 && note) {
        fputs("note: ", stdout);
        output_text(stdout, note);
        putchar('\n');
    }
    strbuf_done(&out);
    table_done(&t);
    return rc;
}
