/*
 * cmd_cancel: `adit cancel`: ends forwards of a VM.
 */
#include <sysexits.h>

#include "base/mem.h"
#include "cli.h"
#include "forward_list.h"
#include "options.h"

#define TIMEOUT_MS 15000

static int call(struct cli *cli, const char *vm, const char *user, json_t *list)
{
    struct control_client *c = NULL;
    struct err err = {0};
    int rc = cli_connect(cli, CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0) {
        char *full = forward_list_vm(vm, user);
        json_t *args = json_pack("{s:o, s:O}", "vm", control_text(full), "forwards", list);
        mem_free(full);
        rc = control_call(c, "cancel", args, TIMEOUT_MS, NULL, NULL, NULL, NULL, &err);
    }
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "cancel %s", vm);
}

int cmd_cancel(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"local", required_argument, NULL, 'L'},
                                            {"dynamic", required_argument, NULL, 'D'},
                                            {"remote", required_argument, NULL, 'R'},
                                            {"user", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    const char *user = NULL;
    json_t *list = json_array();
    int status = 0;

    for (int o; status == 0 && (o = options_next(cli, argc, argv, "L:D:R:u:", OPTIONS)) != -1;) {
        if (o == '?')
            status = EX_USAGE;
        else if (o != 'u')
            status = forward_list_add(cli, list, o, optarg);
        else
            user = optarg;
    }
    if (status == 0 && optind + 1 != argc)
        status = cli_usage(cli, optind == argc ? "which VM?" : "one VM at a time");
    if (status == 0 && json_array_size(list) == 0)
        status = cli_usage(cli, "no forward given: `adit status` shows them");
    if (status == 0)
        status = call(cli, argv[optind], user, list);
    json_decref(list);
    return status;
}
