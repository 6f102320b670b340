/*
 * connect: a connection to aditd, which is started first if need be and allowed.
 */
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "start.h"

#define CONNECT_MS 1500 /* connect and hello, so that a hung daemon is told of within two seconds */

struct attempt {
    const char *path;
    struct control_client *client;
    struct err *err;
};

static int attempt(void *arg)
{
    struct attempt *a = arg;
    return control_client_open(&a->client, a->path, CONNECT_MS, a->err);
}

/* --config means nothing to a daemon that runs with another file: better to say so than to use the wrong one.
 */
static int check_config(const struct cli *cli, struct control_client *c, struct err *err)
{
    json_t *data = NULL;
    if (!cli->config)
        return 0;
    int rc = control_call(c, "version", NULL, CONNECT_MS, NULL, NULL, &data, NULL, err);
    const char *used = rc == 0 ? json_string_value(json_object_get(data, "config")) : NULL;
    if (rc == 0 && (!used || strcmp(used, cli->config) != 0))
        rc = err_set(err, ERR_CONFIG, "aditd (pid %ld) runs with %s, not with %s: `adit stop` first",
                     control_client_pid(c), used ? used : "no configuration file", cli->config);
    json_decref(data);
    return rc;
}

/* One that takes the connection and hangs up without a hello is on its way out: soon there is none, or the
 * next. */
static int attempt_past_end(struct attempt *a)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000000L};
    int rc = attempt(a);
    for (int ms = 0; rc == ERR_CLOSED && ms < CONNECT_MS; ms += 10) {
        nanosleep(&pause, NULL);
        err_clear(a->err);
        rc = attempt(a);
    }
    return rc;
}

static int connect_at(struct cli *cli, enum cli_start start, struct attempt *a)
{
    int rc = attempt_past_end(a);
    if (rc == ERR_NOTFOUND && start == CLI_RUNNING_ONLY)
        return err_set(a->err, ERR_UNAVAILABLE, "aditd is not running: `adit up` starts it");
    if (rc == ERR_NOTFOUND) {
        err_clear(a->err);
        rc = start_daemon(cli->config, a->path, attempt, a, a->err);
        if (rc == 0 && !a->client)
            rc = attempt(a);
    }
    return rc == 0 ? check_config(cli, a->client, a->err) : rc;
}

int cli_connect(struct cli *cli, enum cli_start start, struct control_client **out, struct err *err)
{
    struct attempt a = {.path = NULL, .client = NULL, .err = err};
    char *path = paths_socket(err);
    if (!path)
        return err->code;
    a.path = path;
    int rc = connect_at(cli, start, &a);
    mem_free(path);
    if (rc == 0)
        *out = a.client;
    else
        control_client_close(a.client);
    return rc;
}
