/*
 * cmd_resolve: `adit resolve`: what Azure says of a VM, or of every VM.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "cli.h"
#include "format.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "table.h"

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
    line("unconfirmed", json_string_value(json_object_get(facts, "unconfirmed")));
}

/* The best address of a kind. */
static const char *address_of(const json_t *vm, bool is_public)
{
    const json_t *a;
    size_t i;
    json_array_foreach(json_object_get(vm, "addresses"), i, a)
    {
        if (json_is_true(json_object_get(a, "public")) == is_public)
            return json_string_value(json_object_get(a, "ip"));
    }
    return NULL;
}

static bool in_one_subscription(const json_t *vms)
{
    const char *first = json_string_value(json_object_get(json_array_get(vms, 0), "subscription"));
    const json_t *vm;
    size_t i;
    json_array_foreach(vms, i, vm)
    {
        const char *subscription = json_string_value(json_object_get(vm, "subscription"));
        if (first && subscription && strcasecmp(first, subscription) != 0)
            return false;
    }
    return true;
}

static void print_all(const json_t *vms)
{
    static const char *const HEADINGS[] = {"VM", "POWER", "OS", "PUBLIC", "PRIVATE", "LOCATION"};
    static const char *const DIM = "2", *const BOLD = "1";
    bool one = in_one_subscription(vms), colours = output_colours(stdout);
    struct strbuf text;
    struct table t;
    const json_t *vm;
    size_t i;

    table_init(&t);
    table_row(&t, 0, 0);
    for (i = 0; i < sizeof HEADINGS / sizeof HEADINGS[0]; i++)
        table_cell(&t, DIM, HEADINGS[i]);
    json_array_foreach(vms, i, vm)
    {
        const char *subscription = json_string_value(json_object_get(vm, "subscription"));
        const char *group = json_string_value(json_object_get(vm, "group"));
        const char *name = json_string_value(json_object_get(vm, "name"));
        char label[1024];
        snprintf(label, sizeof label, "%s%s%s/%s", one || !subscription ? "" : subscription, one ? "" : "/",
                 group ? group : "?", name ? name : "?");
        table_row(&t, 0, 0);
        table_cell(&t, BOLD, label);
        table_cell(&t, NULL, json_string_value(json_object_get(vm, "power")));
        table_cell(&t, NULL, json_string_value(json_object_get(vm, "os")));
        table_cell(&t, NULL, address_of(vm, true));
        table_cell(&t, NULL, address_of(vm, false));
        table_cell(&t, NULL, json_string_value(json_object_get(vm, "location")));
    }
    strbuf_init(&text);
    table_print(&t, output_columns(stdout), colours, &text);
    fputs(text.data ? text.data : "", stdout);
    strbuf_done(&text);
    table_done(&t);
}

int cmd_resolve(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"all", no_argument, NULL, OPT_ALL},
        {"no-cache", no_argument, NULL, OPT_NO_CACHE},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"batch", no_argument, NULL, OPT_BATCH}, /* it asks nobody anyway */
        {"json", no_argument, NULL, OPT_JSON},
        {NULL, 0, NULL, 0}};
    bool all = false, no_cache = false, as_json = false;
    uint32_t timeout_ms = 30000;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &timeout_ms) != 0))
            return EX_USAGE;
        all |= o == OPT_ALL;
        no_cache |= o == OPT_NO_CACHE;
        as_json |= o == OPT_JSON;
    }
    if (optind + !all != argc)
        return cli_usage(cli, all ? "--all takes no name" : "one name must be given, or --all");

    struct control_client *c = NULL;
    struct err err = {0};
    struct progress progress;
    json_t *facts = NULL;
    progress_begin(&progress);
    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0) {
        json_t *args = json_pack("{s:b, s:I}", "no_cache", no_cache, "timeout_ms", (json_int_t)timeout_ms);
        if (all)
            json_object_set_new(args, "all", json_true());
        else
            json_object_set_new(args, "name", control_text(argv[optind]));
        rc = control_call(c, "resolve", args, timeout_ms + MARGIN_MS, progress_show, &progress, &facts, NULL,
                          &err);
    }
    progress_end(&progress);
    if (rc == 0 && as_json)
        json_print(facts);
    else if (rc == 0 && all)
        print_all(json_object_get(facts, "vms"));
    else if (rc == 0)
        print(facts);
    json_decref(facts);
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "resolve %s", all ? "--all" : argv[optind]);
}
