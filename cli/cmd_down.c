/*
 * cmd_down: `adit down`: closes VMs' forwards and connections.
 */
#include <sysexits.h>

#include "cli.h"
#include "json.h"
#include "options.h"
#include "outcome.h"

#define TIMEOUT_MS 15000

int cmd_down(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"all", no_argument, NULL, OPT_ALL}, {"json", no_argument, NULL, OPT_JSON}, {NULL, 0, NULL, 0}};
    bool all = false, as_json = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        all |= o == OPT_ALL;
        as_json |= o == OPT_JSON;
    }
    if (all == (optind < argc))
        return cli_usage(cli, all ? "either --all or names, not both" : "which VM? (--all for every one)");

    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;
    int rc = cli_connect(cli, CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0) {
        json_t *args = all ? json_pack("{s:b}", "all", 1)
                           : json_pack("{s:o}", "vms", json_words(argv + optind, argc - optind));
        rc = control_call(c, "down", args, TIMEOUT_MS, NULL, NULL, &answer, NULL, &err);
    }
    int status = rc == 0 ? outcome_print(answer, "down", "down", as_json) : cli_fail(&err, "down");
    json_decref(answer);
    control_client_close(c);
    return status;
}
