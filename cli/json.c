/*
 * json: building requests and printing answers.
 */
#include "json.h"

#include <stdio.h>

#include "control/control.h"

json_t *json_words(char **words, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, control_text(words[i]));
    return list;
}

static void print(const json_t *value, size_t flags)
{
    json_dumpf(value ? value : json_null(), stdout, flags | JSON_ENCODE_ANY);
    putchar('\n');
    fflush(stdout);
}

void json_print(const json_t *value)
{
    print(value, JSON_INDENT(2));
}

void json_print_line(const json_t *value)
{
    print(value, JSON_COMPACT);
}
