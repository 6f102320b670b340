/*
 * cmd_resolve: `adit resolve`: what Azure says of a VM.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "format.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "progress.h"

#define MARGIN_MS 5000

static void line(const char *label, const char *text)
{
    if (!text)
        return;
    printf("%-13s ", label);
    output_text(stdout, text);
    putchar('\n');
}

static void print_address(const json_t *a, bool first)
{
    const char *ip = json_string_value(json_object_get(a, "ip"));
    const json_t *is_public = json_object_get(a, "public");

    printf("%-13s ", first ? "addresses" : "");
    output_text(stdout, ip ? ip : "?");
    if (is_public)
        fputs(json_is_true(is_public) ? " public" : " private", stdout);
    putchar('\n');
}

static void print(const json_t *facts)
{
    static const char *const ROWS[][2] = {{"name", "name"},
                                          {"group", "resource group"},
                                          {"subscription", "subscription"},
                                          {"location", "location"},
                                          {"id", "id"},
                                          {"vm_id", "vmId"},
                                          {"os", "OS"},
                                          {"power", "power"},
                                          {"provisioning", "provisioning"},
                                          {"admin_user", "admin user"}};
    char buf[FORMAT_MAX], age[FORMAT_MAX + 64];
    const json_t *a;
    size_t i;

    for (i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        line(ROWS[i][1], json_string_value(json_object_get(facts, ROWS[i][0])));
    json_array_foreach(json_object_get(facts, "addresses"), i, a) print_address(a, i == 0);
    if (i == 0)
        line("addresses", "none");
    const char *source = json_string_value(json_object_get(facts, "source"));
    snprintf(age, sizeof age, "%s, %s ago", source ? source : "?",
             format_duration(buf, (uint64_t)json_integer_value(json_object_get(facts, "age_ms"))));
    line("source", age);
}

int cmd_resolve(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"no-cache", no_argument, NULL, OPT_NO_CACHE},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};
    bool no_cache = false, as_json = false;
    uint32_t timeout_ms = 30000;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &timeout_ms) != 0))
            return EX_USAGE;
        no_cache |= o == OPT_NO_CACHE;
        as_json |= o == OPT_JSON;
    }
    if (optind + 1 != argc)
        return cli_usage(cli, "one name must be given");

    struct control_client *c = NULL;
    struct err err = {0};
    struct progress progress;
    json_t *facts = NULL;
    progress_begin(&progress);
    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0) {
        json_t *args = json_pack("{s:o, s:b, s:I}", "name", control_text(argv[optind]), "no_cache", no_cache,
                                 "timeout_ms", (json_int_t)timeout_ms);
        rc = control_call(c, "resolve", args, timeout_ms + MARGIN_MS, progress_show, &progress, &facts, NULL,
                          &err);
    }
    progress_end(&progress);
    if (rc == 0 && as_json)
        json_print(facts);
    else if (rc == 0)
        print(facts);
    json_decref(facts);
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "resolve %s", argv[optind]);
}
