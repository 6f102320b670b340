/*
 * cmd_proxy: `adit proxy`: ssh's ProxyCommand: a connection to a VM, handed on or spliced.
 *
 * Whatever goes wrong is one line and 255: that is how ssh's own failures look.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "cli.h"
#include "options.h"
#include "progress.h"
#include "splice.h"

#define MARGIN_MS 2000
#define TIMEOUT_MS 30000
#define TIMEOUT_WAIT_MS 300000 /* with --wait or --start: a VM takes its minutes */
#define STATUS 255

struct target {
    const char *host;
    uint32_t port, timeout_ms;
    bool wait, start, fdpass, batch;
};

static int dial(struct cli *cli, const struct target *t, int *fd, struct err *err)
{
    struct control_client *c = NULL;
    struct progress progress;
    struct ask ask;

    progress_begin(&progress);
    ask_init(&ask, t->batch, &progress);
    int rc = cli_connect(cli, CLI_START, &c, err);
    if (rc == 0) {
        json_t *args =
            json_pack("{s:o, s:I, s:I, s:b, s:b}", "host", control_text(t->host), "port", (json_int_t)t->port,
                      "timeout_ms", (json_int_t)t->timeout_ms, "wait", t->wait, "start", t->start);
        rc = ask_call(&ask, c, "proxy", args, t->timeout_ms + MARGIN_MS, NULL, fd, err);
    }
    if (rc == 0 && *fd < 0)
        rc = err_set(err, ERR_PROTOCOL, "aditd gave no connection");
    progress_end(&progress);
    control_client_close(c);
    return rc;
}

/* The daemon's errors begin with the VM's name, and so does the line that the user reads. */
static void fail(const struct err *err, const char *host)
{
    struct err why = *err;
    size_t n = strlen(host);
    if (strncmp(err->msg, "vm ", 3) == 0 && strncmp(err->msg + 3, host, n) == 0 &&
        strncmp(err->msg + 3 + n, ": ", 2) == 0)
        memmove(why.msg, err->msg + n + 5, strlen(err->msg + n + 5) + 1);
    cli_fail(&why, "%s", host);
}

static int run(struct cli *cli, const struct target *t)
{
    struct err err = {0};
    int fd = -1;

    int rc = dial(cli, t, &fd, &err);
    if (rc == 0 && t->fdpass) {
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
    fail(&err, t->host);
    return STATUS;
}

int cmd_proxy(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"fdpass", no_argument, NULL, OPT_FDPASS}, {"wait", no_argument, NULL, OPT_WAIT},
        {"start", no_argument, NULL, OPT_START},   {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"batch", no_argument, NULL, OPT_BATCH},   {NULL, 0, NULL, 0}};
    struct target t = {0};

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &t.timeout_ms) != 0))
            return STATUS;
        t.fdpass |= o == OPT_FDPASS;
        t.wait |= o == OPT_WAIT;
        t.start |= o == OPT_START;
        t.batch |= o == OPT_BATCH;
    }
    if (argc - optind != 2) {
        cli_usage(cli, "a host and a port must be given");
        return STATUS;
    }
    if (options_number(cli, "the port", argv[optind + 1], 1, UINT16_MAX, &t.port) != 0)
        return STATUS;
    if (t.timeout_ms == 0)
        t.timeout_ms = t.wait || t.start ? TIMEOUT_WAIT_MS : TIMEOUT_MS;
    t.host = argv[optind];
    return run(cli, &t);
}
