/*
 * environment_hint: tells a user whose Azure variables are not the daemon's.
 *
 * The daemon was started by an earlier command, with that one's environment. Whoever exports another secret
 * afterwards and is refused again would look for the fault in the wrong place.
 */
#include "environment_hint.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "control/environment.h"
#include "output.h"

#define CALL_MS 500

static bool wanted;

void environment_hint_note(int code)
{
    wanted |= code == ERR_AUTH || code == ERR_DENIED || code == ERR_NOTFOUND;
}

static void print(const json_t *differ, long pid)
{
    const json_t *name;
    size_t i;

    fputs("adit: ", stderr);
    json_array_foreach(differ, i, name)
    {
        fputs(i ? ", " : "", stderr);
        output_text(stderr, json_string_value(name) ? json_string_value(name) : "?");
    }
    fprintf(stderr,
            ": not the same here as where aditd (pid %ld) was started, and aditd uses its own; `adit stop`, "
            "then the next command starts it with these\n",
            pid);
}

void environment_hint_print(void)
{
    struct control_client *c = NULL;
    json_t *answer = NULL, *args = wanted ? environment_describe() : NULL;
    char *path = args ? paths_socket(NULL) : NULL;

    wanted = false;
    if (path && control_client_open(&c, path, CALL_MS, NULL) == 0)
        control_call(c, "environment", json_incref(args), CALL_MS, NULL, NULL, &answer, NULL, NULL);
    if (json_array_size(json_object_get(answer, "differ")) > 0)
        print(json_object_get(answer, "differ"), control_client_pid(c));
    mem_free(path);
    json_decref(args);
    json_decref(answer);
    control_client_close(c);
}
