/*
 * cmd_stop: `adit stop`: ends the daemon, of whatever version, and waits until it has ended.
 */
#include <poll.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "options.h"

#define CALL_MS 1500

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The connection is the last thing that goes. */
static int wait_for_end(struct control_client *c, uint32_t timeout_ms, struct err *err)
{
    int64_t deadline = now_ms() + timeout_ms;
    char rest[256];

    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd p = {.fd = control_client_fd(c), .events = POLLIN};
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT,
                           "aditd (pid %ld) has not ended yet: `adit stop --now`, or kill it",
                           control_client_pid(c));
        if (poll(&p, 1, (int)left) > 0 && read(p.fd, rest, sizeof rest) == 0)
            return 0;
    }
}

static int stop(bool now, uint32_t timeout_ms, struct err *err)
{
    struct control_client *c = NULL;
    char *path = paths_socket(err);
    int rc = path ? control_client_open_any(&c, path, CALL_MS, err) : err->code;
    mem_free(path);
    if (rc == ERR_NOTFOUND) { /* what was wanted is so already */
        fprintf(stderr, "adit: stop: aditd is not running\n");
        return 0;
    }
    if (rc == 0) {
        json_t *args = now ? json_pack("{s:i}", "grace_ms", 0) : NULL;
        rc = control_call(c, "stop", args, CALL_MS, NULL, NULL, NULL, NULL, err);
        if (rc == 0)
            rc = wait_for_end(c, timeout_ms, err);
        else if (rc == ERR_CLOSED && now) /* told twice, it ends before it can answer */
            rc = 0;
    }
    control_client_close(c);
    return rc;
}

int cmd_stop(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"now", no_argument, NULL, OPT_NOW},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {NULL, 0, NULL, 0}};
    bool now = false;
    uint32_t timeout_ms = 10000;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &timeout_ms) != 0))
            return EX_USAGE;
        now |= o == OPT_NOW;
    }
    if (optind < argc)
        return cli_usage(cli, "it takes no argument");
    struct err err = {0};
    return stop(now, timeout_ms, &err) == 0 ? 0 : cli_fail(&err, "stop");
}
