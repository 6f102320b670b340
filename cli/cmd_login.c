/*
 * cmd_login: `adit login`: a person signs in to Azure with a code, in a browser anywhere.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "output.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* Entra's own sentence names both; it may be in another language, so it is not taken apart. */
static void on_prompt(void *arg, const json_t *data)
{
    const bool *as_json = arg;
    const char *message = text_of(data, "message");

    if (*as_json) {
        json_print_line(data);
        return;
    }
    if (*message) {
        output_text(stderr, message);
    } else {
        fputs("Open ", stderr);
        output_text(stderr, text_of(data, "verification_uri"));
        fputs(" in a browser and enter the code ", stderr);
        output_text(stderr, text_of(data, "user_code"));
    }
    fputc('\n', stderr);
}

static int finish(int rc, const json_t *data, bool as_json, const struct err *err)
{
    const char *user = text_of(data, "user");

    if (rc == ERR_CANCELED && interrupt_signal())
        return 128 + interrupt_signal();
    if (rc < 0)
        return cli_fail(err, "login");
    if (as_json) {
        json_print_line(data);
        return 0;
    }
    fputs("signed in", stdout);
    if (*user) {
        fputs(" as ", stdout);
        output_text(stdout, user);
    }
    putchar('\n');
    return 0;
}

static int call(struct cli *cli, const char *tenant, bool as_json)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *data = NULL;
    const struct control_watch watch = {.event = on_prompt, .arg = &as_json};

    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0) {
        json_t *args = tenant ? json_pack("{s:o}", "tenant", control_text(tenant)) : NULL;
        control_client_interrupt_fd(c, interrupt_catch());
        rc = control_call_watch(c, "login", args, 0, &watch, &data, NULL,
                                &err); /* the code's time is the limit */
    }
    int status = finish(rc, data, as_json, &err);
    json_decref(data);
    control_client_close(c);
    return status;
}

int cmd_login(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"tenant", required_argument, NULL, 't'}, {"json", no_argument, NULL, OPT_JSON}, {NULL, 0, NULL, 0}};
    const char *tenant = NULL;
    bool as_json = false;

    for (int o; (o = options_next(cli, argc, argv, "t:", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        if (o == 't')
            tenant = optarg;
        as_json |= o == OPT_JSON;
    }
    if (optind < argc)
        return cli_usage(cli, "it takes no argument: the tenant goes after --tenant");
    if (tenant && !*tenant)
        return cli_usage(cli, "--tenant needs a tenant's GUID or domain");
    return call(cli, tenant, as_json);
}
