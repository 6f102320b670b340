/*
 * cmd_reload: `adit reload`: has the daemon read its configuration again.
 */
#include <stdio.h>
#include <sysexits.h>

#include "cli.h"
#include "json.h"
#include "options.h"
#include "output.h"

#define TIMEOUT_MS 15000

static int print_problems(const json_t *answer, const char *path)
{
    const json_t *p;
    size_t i;
    json_array_foreach(json_object_get(answer, "problems"), i, p)
    {
        const char *text = json_string_value(json_object_get(p, "text"));
        output_text(stderr, path);
        if (json_integer_value(json_object_get(p, "line")) > 0)
            fprintf(stderr, ":%lld:%lld", (long long)json_integer_value(json_object_get(p, "line")),
                    (long long)json_integer_value(json_object_get(p, "column")));
        fputs(": ", stderr);
        output_text(stderr, text ? text : "?");
        fputc('\n', stderr);
    }
    fprintf(stderr, "adit: reload: nothing was changed\n");
    return EX_CONFIG;
}

static int print(const json_t *answer, bool as_json)
{
    const char *path = json_string_value(json_object_get(answer, "path"));
    const char *warning = json_string_value(json_object_get(answer, "warning"));
    const json_t *section;
    size_t i;

    if (as_json)
        json_print(answer);
    if (!json_is_true(json_object_get(answer, "applied")))
        return as_json ? EX_CONFIG : print_problems(answer, path ? path : "?");
    if (!as_json) {
        output_text(stdout, path ? path : "no configuration file");
        printf(": %lld added, %lld removed, %lld changed\n",
               (long long)json_integer_value(json_object_get(answer, "added")),
               (long long)json_integer_value(json_object_get(answer, "removed")),
               (long long)json_integer_value(json_object_get(answer, "changed")));
        json_array_foreach(json_object_get(answer, "restart"), i, section)
            printf("\"%s\" changes when aditd starts the next time (`adit stop` ends it)\n",
                   json_string_value(section));
    }
    if (!warning)
        return 0;
    struct err err = {0};
    err_set(&err, ERR_UNAVAILABLE, "%s", warning);
    return cli_fail(&err, "reload");
}

int cmd_reload(struct cli *cli, int argc, char **argv)
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

    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;
    int rc = cli_connect(cli, CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0)
        rc = control_call(c, "reload", NULL, TIMEOUT_MS, NULL, NULL, &answer, NULL, &err);
    int status = rc == 0 ? print(answer, as_json) : cli_fail(&err, "reload");
    json_decref(answer);
    control_client_close(c);
    return status;
}
