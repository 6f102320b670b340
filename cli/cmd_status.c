/*
 * cmd_status: `adit status`: the page a user keeps looking at, once or refreshed in place.
 */
#include <sysexits.h>

#include "cli.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "screen.h"
#include "status_page.h"

#define TIMEOUT_MS 5000

struct status {
    struct cli *cli;
    struct control_client *client; /* kept between pages; NULL while there is no daemon */
    json_t *vms;                   /* names, or an empty array */
    bool as_json;
};

static int ask(struct status *s, json_t **answer, struct err *err)
{
    int rc = s->client ? 0 : cli_connect(s->cli, CLI_RUNNING_ONLY, &s->client, err);
    if (rc < 0)
        return rc;
    json_t *args = json_array_size(s->vms) > 0 ? json_pack("{s:O}", "vms", s->vms) : NULL;
    rc = control_call(s->client, "status", args, TIMEOUT_MS, NULL, NULL, answer, NULL, err);
    if (rc < 0) { /* whatever it was: the next page begins with a new connection */
        control_client_close(s->client);
        s->client = NULL;
    }
    return rc;
}

/* The daemon's error names the VM that is not there; a lone one stands in front of it. */
static int fail(const struct status *s, const struct err *err)
{
    const char *name = json_string_value(json_array_get(s->vms, 0));
    return name && json_array_size(s->vms) == 1 ? cli_fail(err, "status %s", name) : cli_fail(err, "status");
}

static int print_once(struct status *s)
{
    struct err err = {0};
    json_t *answer = NULL;
    struct strbuf page;

    if (ask(s, &answer, &err) < 0)
        return fail(s, &err);
    if (s->as_json) {
        json_print(answer);
    } else {
        strbuf_init(&page);
        status_page_print(answer, output_columns(stdout), output_colours(stdout), &page);
        if (page.data && !page.bad)
            fputs(page.data, stdout);
        strbuf_done(&page);
    }
    json_decref(answer);
    return 0;
}

static void show(struct status *s, struct screen *screen)
{
    struct err err = {0};
    json_t *answer = NULL;
    struct strbuf page;

    strbuf_init(&page);
    if (ask(s, &answer, &err) == 0) {
        status_page_print(answer, output_columns(stdout), output_colours(stdout), &page);
    } else { /* it may come back: a page that is looked at all day stays */
        output_escape(&page, err.msg);
        strbuf_puts(&page, "\n");
    }
    if (page.data && !page.bad)
        screen_show(screen, page.data);
    strbuf_done(&page);
    json_decref(answer);
}

static int watch_json(struct status *s, uint32_t every_ms)
{
    struct err err = {0};
    do {
        json_t *answer = NULL;
        if (ask(s, &answer, &err) < 0)
            return fail(s, &err);
        json_print_line(answer);
        json_decref(answer);
    } while (!ferror(stdout) && interrupt_sleep(every_ms) != 1);
    return 0;
}

static int watch(struct status *s, uint32_t every_ms)
{
    struct screen screen;

    interrupt_catch();
    if (s->as_json)
        return watch_json(s, every_ms);
    interrupt_catch_resize();
    screen_begin(&screen);
    do
        show(s, &screen);
    while (!ferror(stdout) && interrupt_sleep(every_ms) != 1);
    screen_end(&screen);
    return 0;
}

int cmd_status(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"watch", optional_argument, NULL, 'w'}, {"json", no_argument, NULL, OPT_JSON}, {NULL, 0, NULL, 0}};
    struct status s = {.cli = cli};
    uint32_t every_ms = 0;

    for (int o; (o = options_next(cli, argc, argv, "w::", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        if (o == 'w' && options_seconds(cli, optarg ? optarg : "1", &every_ms) != 0)
            return EX_USAGE;
        s.as_json |= o == OPT_JSON;
    }
    s.vms = json_words(argv + optind, argc - optind);
    int status = every_ms ? watch(&s, every_ms) : print_once(&s);
    json_decref(s.vms);
    control_client_close(s.client);
    return status;
}
