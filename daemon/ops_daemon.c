/*
 * ops_daemon: the operations that concern aditd itself: "version", "environment", "stop",
 * "log-level".
 */
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "control/environment.h"
#include "ops.h"

#define GRACE_MAX_MS 3600000

void op_version(struct daemon *d, struct control_request *req, const json_t *args)
{
    control_reply_ok(req, json_pack("{s:s, s:i, s:I, s:I, s:o, s:b}", "version", ADIT_VERSION, "protocol",
                                    CONTROL_VERSION, "pid", (json_int_t)getpid(), "started_ms",
                                    (json_int_t)d->started_wall_ms, "config", control_text(d->config->path),
                                    "config_changed", config_stamp_differs(&d->stamp, d->place->config)));
}

void op_environment(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    json_t *answer = NULL;

    if (environment_compare(args, &answer, &err) < 0)
        ops_refuse(req, &err);
    else
        control_reply_ok(req, answer);
}

void op_stop(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    uint32_t grace_ms = DAEMON_GRACE_MS;

    if (args_u32(args, "grace_ms", 0, GRACE_MAX_MS, &grace_ms, &err) < 0) {
        ops_refuse(req, &err);
        return;
    }
    control_reply_ok(req, json_pack("{s:I}", "pid", (json_int_t)getpid()));
    log_info(&DAEMON_LOG, "told to end by `adit stop`");
    if (!d->ending || grace_ms == 0)
        daemon_end(d, grace_ms);
}

void op_log_level(struct daemon *d, struct control_request *req, const json_t *args)
{
    struct err err = {0};
    const char *word = NULL;
    enum log_level level = LOG_INFO;

    if (args_text(args, "level", true, &word, &err) == 0 && log_level_parse(word, &level) < 0)
        err_set(&err, ERR_INVAL, "\"%s\" is no log level: debug, info, warn or error", word);
    if (err.code) {
        ops_refuse(req, &err);
        return;
    }
    log_set_level(level);
    control_reply_ok(req, json_pack("{s:s}", "level", log_level_name(level)));
}
