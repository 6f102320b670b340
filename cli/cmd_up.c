/*
 * cmd_up: `adit up`: connects VMs and opens their forwards.
 */
#include <sysexits.h>

#include "ask.h"
#include "cli.h"
#include "config_hint.h"
#include "json.h"
#include "options.h"
#include "outcome.h"
#include "progress.h"

#define MARGIN_MS 5000 /* beyond the daemon's own deadline, before it counts as hung */

struct up {
    bool all, no_wait, as_json, batch;
    uint32_t timeout_ms;
};

static int call(struct cli *cli, const struct up *up, json_t *vms)
{
    struct control_client *c = NULL;
    struct err err = {0};
    struct progress progress;
    struct ask ask;
    json_t *answer = NULL;
    json_t *args = json_pack("{s:b, s:I}", "wait", !up->no_wait, "timeout_ms", (json_int_t)up->timeout_ms);
    if (up->all)
        json_object_set_new(args, "all", json_true());
    else
        json_object_set(args, "vms", vms);

    progress_begin(&progress);
    ask_init(&ask, up->batch, &progress);
    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0)
        rc = ask_call(&ask, c, "up", json_incref(args), up->timeout_ms + MARGIN_MS, &answer, NULL, &err);
    progress_end(&progress);
    config_hint_note(0);
    int status = rc == 0 ? outcome_print(answer, "up", up->no_wait ? "wanted" : "up", up->as_json)
                         : cli_fail(&err, "up");
    json_decref(args);
    json_decref(answer);
    control_client_close(c);
    return status;
}

int cmd_up(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"all", no_argument, NULL, OPT_ALL},
        {"wait", no_argument, NULL, OPT_WAIT},
        {"no-wait", no_argument, NULL, OPT_NO_WAIT},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"json", no_argument, NULL, OPT_JSON},
        {"batch", no_argument, NULL, OPT_BATCH},
        {NULL, 0, NULL, 0},
    };
    struct up up = {.timeout_ms = 60000};

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        if (o == OPT_TIMEOUT && options_seconds(cli, optarg, &up.timeout_ms) != 0)
            return EX_USAGE;
        up.all |= o == OPT_ALL;
        up.no_wait = o == OPT_NO_WAIT || (up.no_wait && o != OPT_WAIT);
        up.as_json |= o == OPT_JSON;
        up.batch |= o == OPT_BATCH;
    }
    if (up.all && optind < argc)
        return cli_usage(cli, "either --all or names, not both");
    up.all |= optind == argc;
    json_t *vms = json_words(argv + optind, argc - optind);
    int status = call(cli, &up, vms);
    json_decref(vms);
    return status;
}
