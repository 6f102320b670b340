/*
 * cmd_version: `adit version`: of adit, and of aditd if it runs.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "json.h"
#include "options.h"
#include "output.h"

#define CALL_MS 1500

/* NULL when it does not run; an object {"error"} when it does not answer. */
static json_t *ask_daemon(void)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;
    char *path = paths_socket(&err);

    int rc = path ? control_client_open_any(&c, path, CALL_MS, &err) : err.code;
    if (rc == 0)
        rc = control_call(c, "version", NULL, CALL_MS, NULL, NULL, &answer, NULL, &err);
    control_client_close(c);
    mem_free(path);
    return rc == 0 ? answer : rc == ERR_NOTFOUND ? NULL : json_pack("{s:o}", "error", control_text(err.msg));
}

static void print(const json_t *daemon)
{
    const char *version = json_string_value(json_object_get(daemon, "version"));
    const char *error = json_string_value(json_object_get(daemon, "error"));

    printf("adit %s, protocol %d\n", ADIT_VERSION, CONTROL_VERSION);
    if (!daemon) {
        puts("aditd is not running");
    } else if (error) {
        fputs("aditd: ", stdout);
        output_text(stdout, error);
        putchar('\n');
    } else {
        fputs("aditd ", stdout);
        output_text(stdout, version ? version : "?");
        printf(", protocol %lld, pid %lld\n",
               (long long)json_integer_value(json_object_get(daemon, "protocol")),
               (long long)json_integer_value(json_object_get(daemon, "pid")));
    }
}

int cmd_version(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"json", no_argument, NULL, OPT_JSON}, {NULL, 0, NULL, 0}};
    bool as_json = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        as_json |= o == OPT_JSON;
    }
    if (optind < argc)
        return cli_usage(cli, "it takes no argument");
    json_t *daemon = ask_daemon();
    if (as_json) {
        json_t *o = json_pack("{s:s, s:i, s:o}", "version", ADIT_VERSION, "protocol", CONTROL_VERSION,
                              "daemon", daemon ? json_incref(daemon) : json_null());
        json_print(o);
        json_decref(o);
    } else {
        print(daemon);
    }
    json_decref(daemon);
    return 0;
}
