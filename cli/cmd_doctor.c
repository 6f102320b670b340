/*
 * cmd_doctor: `adit doctor`: what stands between this machine and a tunnel to a VM.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "checklist.h"
#include "cli.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "output.h"

#define TIMEOUT_MS (10 * 60 * 1000)
#define MARGIN_MS 10000

enum { OPT_SOURCE = 512 };

struct doctor {
    const char *vm, *source;
    bool as_json;
    uint32_t timeout_ms;
};

static int judge(const struct doctor *o, const struct checklist *list, const json_t *answer)
{
    struct err err = {0};
    char share[32];
    unsigned mendable;
    if (json_is_true(json_object_get(answer, "ready"))) {
        if (!o->as_json) {
            fputs("a tunnel to ", stdout);
            output_text(stdout, o->vm);
            fputs(" will work\n", stdout);
        }
        return 0;
    }
    control_err_from_json(&err, json_object_get(answer, "error"));
    unsigned failures = checklist_failures(list, &mendable);
    snprintf(share, sizeof share, "%u of them", mendable);
    if (mendable > 0)
        err_hint(&err, "; `adit prepare %s` can mend %s", o->vm, failures == 1 ? "it" : share);
    cli_fail(&err, "doctor %s", o->vm);
    return checklist_denied(list) ? EX_NOPERM : EX_UNAVAILABLE;
}

static int finish(const struct doctor *o, const struct checklist *list, int rc, const json_t *answer,
                  struct err *err)
{
    if (o->as_json) {
        json_t *all = checklist_json(list, o->vm, answer, rc < 0 ? err : NULL);
        json_print(all);
        json_decref(all);
    }
    if (rc == ERR_CANCELED && interrupt_signal())
        return 128 + interrupt_signal();
    return rc < 0 ? cli_fail(err, "doctor %s", o->vm) : judge(o, list, answer);
}

static int call(struct cli *cli, const struct doctor *o)
{
    struct control_client *c = NULL;
    struct err err = {0};
    struct checklist list;
    json_t *answer = NULL;

    checklist_init(&list, o->as_json);
    const struct control_watch watch = checklist_watch(&list, false);
    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0) {
        json_t *args =
            json_pack("{s:o, s:I}", "vm", control_text(o->vm), "timeout_ms", (json_int_t)o->timeout_ms);
        if (o->source)
            json_object_set_new(args, "source", control_text(o->source));
        ask_args(&list.ask, args);
        control_client_interrupt_fd(c, interrupt_catch());
        rc = control_call_watch(c, "doctor", args, o->timeout_ms + MARGIN_MS, &watch, &answer, NULL, &err);
    }
    progress_end(&list.progress);
    int status = finish(o, &list, rc, answer, &err);
    json_decref(answer);
    checklist_done(&list);
    control_client_close(c);
    return status;
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"source", required_argument, NULL, OPT_SOURCE},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};
    struct doctor o = {.timeout_ms = TIMEOUT_MS};

    for (int c; (c = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (c == '?' || (c == OPT_TIMEOUT && options_seconds(cli, optarg, &o.timeout_ms) != 0))
            return EX_USAGE;
        if (c == OPT_SOURCE)
            o.source = optarg;
        o.as_json |= c == OPT_JSON;
    }
    if (optind + 1 != argc)
        return cli_usage(cli, optind == argc ? "which VM?" : "one VM at a time");
    o.vm = argv[optind];
    return call(cli, &o);
}
