/*
 * cmd_forward: `adit forward`: adds forwards to a VM, until Ctrl-C or until cancelled.
 *
 * The daemon ties attached forwards to this process's connection, so that they go with it however it ends.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ask.h"
#include "base/mem.h"
#include "cli.h"
#include "forward_list.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "progress.h"

#define MARGIN_MS 5000

struct forward {
    struct cli *cli;
    const char *user;
    bool detach, as_json, batch;
    uint32_t timeout_ms;
    json_t *list;
    struct progress progress;
    struct ask ask;
    bool listening;
};

static void print_vm(const json_t *vm)
{
    output_text(stdout, json_string_value(vm) ? json_string_value(vm) : "?");
    putchar(' ');
}

static void print_one(const json_t *vm, const json_t *f)
{
    static const char *const KEYS[] = {"spec", "target", "listening"};
    const char *v[3];
    for (int i = 0; i < 3; i++) {
        v[i] = json_string_value(json_object_get(f, KEYS[i]));
        v[i] = v[i] ? v[i] : "?";
    }
    fputs("forward ", stdout);
    output_text(stdout, v[0]);
    fputs(" → ", stdout);
    bool there = forward_list_is(f, FORWARD_REMOTE);
    if (!there)
        print_vm(vm);
    output_text(stdout, forward_list_is(f, FORWARD_DYNAMIC) ? FORWARD_LIST_ANYWHERE : v[1]);
    fputs(" listening on ", stdout);
    if (there)
        print_vm(vm);
    output_text(stdout, v[2]);
    putchar('\n');
}

static void print_listening(struct forward *f, const json_t *data)
{
    const json_t *item;
    size_t i;

    progress_end(&f->progress);
    if (f->as_json)
        json_print(data);
    else
        json_array_foreach(json_object_get(data, "forwards"), i, item)
            print_one(json_object_get(data, "vm"), item);
    fflush(stdout);
}

static void on_event(void *arg, const json_t *data)
{
    struct forward *f = arg;
    print_listening(f, data);
    f->listening = true;
}

/* Before it listens: what it waits for. Afterwards: what befalls the VM, which the user of an open tunnel
 * must hear of. */
static void on_progress(void *arg, const char *text)
{
    struct forward *f = arg;
    if (ask_active(&f->ask))
        return;
    if (!f->listening) {
        progress_show(&f->progress, text);
        return;
    }
    fputs("adit: ", stderr);
    output_text(stderr, text);
    fputc('\n', stderr);
}

static enum control_asked on_question(void *arg, const struct control_question *q, int wake_fd,
                                      char answer[CONTROL_ANSWER_MAX + 1])
{
    struct forward *f = arg;
    return ask_question(&f->ask, q, wake_fd, answer);
}

static void on_withdrawn(void *arg)
{
    struct forward *f = arg;
    ask_withdrawn(&f->ask);
}

static int finish(struct forward *f, const char *vm, int rc, const json_t *data, struct err *err)
{
    progress_end(&f->progress);
    if (rc == 0) {
        print_listening(f, data);
        return 0;
    }
    if (rc == ERR_CANCELED && interrupt_signal())
        return interrupt_signal() == SIGINT && f->listening ? 0 : 128 + interrupt_signal();
    if (rc == ERR_CLOSED && f->listening)
        err_hint(err, ": the forwards are gone; the same command starts aditd anew");
    return cli_fail(err, "forward %s", vm);
}

static int call(struct forward *f, const char *vm)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *data = NULL;
    const struct control_watch watch = {.progress = on_progress,
                                        .event = on_event,
                                        .question = on_question,
                                        .withdrawn = on_withdrawn,
                                        .arg = f};
    char *full = forward_list_vm(vm, f->user);
    json_t *args = json_pack("{s:o, s:O, s:b, s:I}", "vm", control_text(full), "forwards", f->list, "detach",
                             f->detach, "timeout_ms", (json_int_t)f->timeout_ms);
    mem_free(full);
    progress_begin(&f->progress);
    ask_init(&f->ask, f->batch, &f->progress);
    ask_args(&f->ask, args);
    int rc = cli_connect(f->cli, CLI_START, &c, &err);
    if (rc == 0) {
        control_client_interrupt_fd(c, interrupt_catch());
        rc = control_call_watch(c, "forward", json_incref(args), f->detach ? f->timeout_ms + MARGIN_MS : 0,
                                &watch, &data, NULL, &err);
    }
    int status = finish(f, vm, rc, data, &err);
    json_decref(args);
    json_decref(data);
    control_client_close(c);
    return status;
}

static int parse(struct forward *f, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"local", required_argument, NULL, 'L'},
        {"dynamic", required_argument, NULL, 'D'},
        {"remote", required_argument, NULL, 'R'},
        {"detach", no_argument, NULL, 'd'},
        {"user", required_argument, NULL, 'u'},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"json", no_argument, NULL, OPT_JSON},
        {"batch", no_argument, NULL, OPT_BATCH},
        {NULL, 0, NULL, 0},
    };
    for (int o; (o = options_next(f->cli, argc, argv, "L:D:R:du:", OPTIONS)) != -1;) {
        enum forward_kind kind;
        if (o == '?' || (forward_list_kind(o, &kind) && forward_list_add(f->cli, f->list, o, optarg) != 0) ||
            (o == OPT_TIMEOUT && options_seconds(f->cli, optarg, &f->timeout_ms) != 0))
            return EX_USAGE;
        if (o == 'u')
            f->user = optarg;
        f->detach |= o == 'd';
        f->as_json |= o == OPT_JSON;
        f->batch |= o == OPT_BATCH;
    }
    if (optind + 1 != argc)
        return cli_usage(f->cli, optind == argc ? "which VM?" : "one VM at a time");
    if (json_array_size(f->list) == 0)
        return cli_usage(f->cli, "no forward given: -L 3389, say");
    return 0;
}

int cmd_forward(struct cli *cli, int argc, char **argv)
{
    struct forward f = {.cli = cli, .timeout_ms = 60000, .list = json_array()};
    int status = parse(&f, argc, argv);
    if (status == 0)
        status = call(&f, argv[optind]);
    json_decref(f.list);
    return status;
}
