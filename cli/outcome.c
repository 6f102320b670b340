/*
 * outcome: the answer of "up" and "down", VM by VM.
 */
#include "outcome.h"

#include <stdio.h>

#include "json.h"
#include "output.h"

int outcome_print(const json_t *answer, const char *op, const char *word, bool as_json)
{
    const json_t *item;
    size_t i;
    int status = 0;

    if (as_json)
        json_print(answer);
    json_array_foreach(json_object_get(answer, "vms"), i, item)
    {
        const char *vm = json_string_value(json_object_get(item, "vm"));
        const json_t *error = json_object_get(item, "error");
        const char *note = json_string_value(json_object_get(item, "note"));
        if (note) {
            fputs("adit: ", stderr);
            output_text(stderr, vm ? vm : "?");
            fputs(": note: ", stderr);
            output_text(stderr, note);
            fputc('\n', stderr);
        }
        if (error) {
            struct err err = {0};
            control_err_from_json(&err, error);
            int one = cli_fail(&err, "%s %s", op, vm ? vm : "?");
            status = status ? status : one;
        } else if (!as_json) {
            output_text(stdout, vm ? vm : "?");
            printf(" %s\n", word);
        }
    }
    return status;
}
