/*
 * power: what `adit start` and `adit deallocate` share: their options, the call, and its answer VM by VM.
 */
#include "power.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/strbuf.h"
#include "confirm.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "progress.h"

#define TIMEOUT_MS (10 * 60 * 1000)
#define MARGIN_MS 5000
#define VMS_MAX 64

static int print(const struct power_words *words, const json_t *answer, bool as_json)
{
    const json_t *item;
    size_t i;
    int status = 0;

    if (as_json)
        json_print(answer);
    json_array_foreach(json_object_get(answer, "vms"), i, item)
    {
        const char *vm = json_string_value(json_object_get(item, "vm"));
        const json_t *error = json_object_get(item, "error");
        if (error) {
            struct err err = {0};
            control_err_from_json(&err, error);
            int one = cli_fail(&err, "%s %s", words->op, vm ? vm : "?");
            status = status ? status : one;
        } else if (!as_json) {
            output_text(stdout, vm ? vm : "?");
            printf(" %s\n", json_is_true(json_object_get(item, "changed")) ? words->done : words->unchanged);
        }
    }
    return status;
}

static int call(struct cli *cli, const struct power_words *words, json_t *vms, uint32_t timeout_ms,
                bool as_json)
{
    struct control_client *c = NULL;
    struct err err = {0};
    struct progress progress;
    json_t *answer = NULL;
    int status;

    progress_begin(&progress);
    int rc = cli_connect(cli, CLI_START, &c, &err);
    if (rc == 0) {
        control_client_interrupt_fd(c, interrupt_catch());
        rc = control_call(c, words->op,
                          json_pack("{s:O, s:I}", "vms", vms, "timeout_ms", (json_int_t)timeout_ms),
                          timeout_ms + MARGIN_MS, progress_show, &progress, &answer, NULL, &err);
    }
    progress_end(&progress);
    if (rc == ERR_CANCELED && interrupt_signal()) {
        fprintf(stderr, "adit: %s: what Azure has begun goes on\n", words->op);
        status = 128 + interrupt_signal();
    } else {
        status = rc == 0 ? print(words, answer, as_json) : cli_fail(&err, "%s", words->op);
    }
    json_decref(answer);
    control_client_close(c);
    return status;
}

/* 0, or the status to exit with. */
static int ask(const struct cli *cli, const struct power_words *words, char **vms, int count)
{
    struct strbuf question;
    if (!confirm_possible())
        return cli_usage(cli, "nobody can be asked here: --yes says that it is meant");
    strbuf_init(&question);
    strbuf_puts(&question, words->question);
    for (int i = 0; i < count; i++)
        strbuf_printf(&question, "%s%s", i == 0 ? " " : ", ", vms[i]);
    strbuf_puts(&question, "?");
    int yes = question.bad ? 0 : confirm_ask(question.data);
    strbuf_done(&question);
    if (yes < 0)
        return 128 + interrupt_signal();
    if (yes == 0)
        fputs("adit: nothing was done\n", stderr);
    return yes == 1 ? 0 : EX_UNAVAILABLE;
}

int power_run(struct cli *cli, const struct power_words *words, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {"yes", no_argument, NULL, 'y'},
                                            {NULL, 0, NULL, 0}};
    uint32_t timeout_ms = TIMEOUT_MS;
    bool as_json = false, yes = false;

    for (int o; (o = options_next(cli, argc, argv, "y", OPTIONS)) != -1;) {
        if (o == '?' || (o == OPT_TIMEOUT && options_seconds(cli, optarg, &timeout_ms) != 0))
            return EX_USAGE;
        as_json |= o == OPT_JSON;
        yes |= o == 'y';
    }
    if (optind == argc)
        return cli_usage(cli, "which VM?");
    if (argc - optind > VMS_MAX)
        return cli_usage(cli, "more than %d VMs at once", VMS_MAX);
    if (words->question && !yes) {
        int status = ask(cli, words, argv + optind, argc - optind);
        if (status != 0)
            return status;
    }
    json_t *vms = json_words(argv + optind, argc - optind);
    int status = call(cli, words, vms, timeout_ms, as_json);
    json_decref(vms);
    return status;
}
