/*
 * cmd_proxy: `adit proxy`: ssh's ProxyCommand: a connection to a VM, handed on or spliced.
 *
 * Whatever goes wrong is one line and 255: that is how ssh's own failures look.
 */
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"
#include "progress.h"
#include "splice.h"

#define MARGIN_MS 2000
#define STATUS 255

static int dial(struct cli *cli, const char *host, uint32_t port, uint32_t timeout_ms, int *fd,
                struct err *err)
{
    struct control_client *c = NULL;
    struct progress progress;

    progress_begin(&progress);
    int rc = cli_connect(cli, CLI_START, &c, err);
    if (rc == 0) {
        json_t *args = json_pack("{s:o, s:I, s:I}", "host", control_text(host), "port", (json_int_t)port,
                                 "timeout_ms", (json_int_t)timeout_ms);
        rc = control_call(c, "proxy", args, timeout_ms + MARGIN_MS, progress_show, &progress, NULL, fd, err);
    }
    if (rc == 0 && *fd < 0)
        rc = err_set(err, ERR_PROTOCOL, "aditd gave no connection");
    progress_end(&progress);
    control_client_close(c);
    return rc;
}

static int run(struct cli *cli, const char *host, uint32_t port, uint32_t timeout_ms, bool fdpass)
{
    struct err err = {0};
    int fd = -1;

    int rc = dial(cli, host, port, timeout_ms, &fd, &err);
    if (rc == 0 && fdpass) {
        rc = control_hand_fd(STDOUT_FILENO, fd, &err);
        if (rc == ERR_INVAL)
            err_set(&err, rc,
                    "standard output takes no descriptor: --fdpass goes with ssh's ProxyUseFdpass yes");
    } else if (rc == 0) {
        rc = splice_run(STDIN_FILENO, STDOUT_FILENO, fd, &err);
    }
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        return 0;
    cli_fail(&err, "%s", host);
    return STATUS;
}

int cmd_proxy(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"fdpass", no_argument, NULL, OPT_FDPASS},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {NULL, 0, NULL, 0}};
    uint32_t timeout_ms = 30000, port = 0;
    bool fdpass = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &timeout_ms) != 0))
            return STATUS;
        fdpass |= o == OPT_FDPASS;
    }
    if (argc - optind != 2) {
        cli_usage(cli, "a host and a port must be given");
        return STATUS;
    }
    if (options_number(cli, "the port", argv[optind + 1], 1, UINT16_MAX, &port) != 0)
        return STATUS;
    return run(cli, argv[optind], port, timeout_ms, fdpass);
}
