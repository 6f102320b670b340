/*
 * cmd_logs: `adit logs`: the daemon's log file, and how much goes into it.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "follow.h"
#include "interrupt.h"
#include "options.h"

#define LOOK_AGAIN_MS 200
#define CALL_MS 2000
#define LINES_MAX 10000000

static int set_level(struct cli *cli, const char *level)
{
    struct control_client *c = NULL;
    struct err err = {0};
    int rc = cli_connect(cli, CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0)
        rc = control_call(c, "log-level", json_pack("{s:o}", "level", control_text(level)), CALL_MS, NULL,
                          NULL, NULL, NULL, &err);
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "logs");
}

static int show(const char *path, uint32_t lines, bool follow)
{
    struct follow f = {.fd = -1};
    struct err err = {0};

    int rc = follow_begin(&f, path, lines, stdout, &err);
    if (rc == ERR_NOTFOUND)
        err_hint(&err, ": aditd writes it in the background; under systemd see `journalctl --user -u aditd`");
    if (rc == 0 && follow)
        interrupt_catch();
    while (rc == 0 && follow && !ferror(stdout) && interrupt_sleep(LOOK_AGAIN_MS) != 1)
        rc = follow_more(&f, stdout, &err);
    follow_end(&f);
    return rc == 0 ? 0 : cli_fail(&err, "logs");
}

int cmd_logs(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"follow", no_argument, NULL, 'f'},
                                            {"lines", required_argument, NULL, 'n'},
                                            {"level", required_argument, NULL, OPT_LEVEL},
                                            {NULL, 0, NULL, 0}};
    uint32_t lines = 50;
    bool follow = false, shown = true;
    const char *level = NULL;

    for (int o; (o = options_next(cli, argc, argv, "fn:", OPTIONS)) != -1;) {
        if (o == '?' || (o == 'n' && options_number(cli, "--lines", optarg, 0, LINES_MAX, &lines) != 0))
            return EX_USAGE;
        follow |= o == 'f';
        if (o == OPT_LEVEL) {
            level = optarg;
            shown = false;
        }
    }
    if (optind < argc)
        return cli_usage(cli, "it takes no argument");
    int status = level ? set_level(cli, level) : 0;
    if (status != 0 || (!shown && !follow))
        return status;
    struct err err = {0};
    char *path = paths_log_file(&err);
    status = path ? show(path, lines, follow) : cli_fail(&err, "logs");
    mem_free(path);
    return status;
}
