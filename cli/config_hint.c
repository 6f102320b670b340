/*
 * config_hint: tells a user who has edited the configuration that aditd does not know it yet.
 *
 * An alias that only the edited file has would otherwise be taken for the name of a VM in Azure: not found,
 * or, worse, found, and up without its forwards.
 */
#include "config_hint.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "output.h"

#define CALL_MS 500

static bool wanted;

void config_hint_note(int code)
{
    wanted |= code != ERR_CONFIG && code != ERR_VERSION;
}

static void print(const char *path, long pid)
{
    fputs("adit: ", stderr);
    output_text(stderr, path ? path : "the configuration");
    fprintf(stderr, " has changed since aditd (pid %ld) read it: `adit reload`\n", pid);
}

void config_hint_print(void)
{
    struct control_client *c = NULL;
    json_t *answer = NULL;
    char *path = wanted ? paths_socket(NULL) : NULL;

    wanted = false;
    if (path && control_client_open(&c, path, CALL_MS, NULL) == 0)
        control_call(c, "version", NULL, CALL_MS, NULL, NULL, &answer, NULL, NULL);
    if (json_is_true(json_object_get(answer, "config_changed")))
        print(json_string_value(json_object_get(answer, "config")), control_client_pid(c));
    mem_free(path);
    json_decref(answer);
    control_client_close(c);
}
