/*
 * cmd_prepare: `adit prepare`: does what `adit doctor` finds missing.
 *
 *   CHECK ──nothing missing──▶ done
 *     └──the plan is shown──▶ KEY (one is made if there is none) ─▶ ASK ──yes──▶ MEND ─▶ what was changed
 *
 * With --yes there is no plan, and with --undo no check either. Failure modes: nobody can be asked; what is
 * missing cannot be mended; a write is refused (the steps are printed for somebody who may); Ctrl-C, which
 * ends it between two steps and says what had been done.
 */
#include "prepare.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "checklist.h"
#include "confirm.h"
#include "interrupt.h"
#include "json.h"
#include "key_pair.h"
#include "output.h"

#define MARGIN_MS 10000
#define RELOAD_MS 15000

struct session {
    const struct prepare_cmd *o;
    struct control_client *client;
    struct checklist list;
    char *public_key;
    json_t *answer; /* of the last run */
    struct err err;
};

static json_t *make_args(const struct session *s, bool plan)
{
    const struct prepare_cmd *o = s->o;
    json_t *args = json_pack("{s:o, s:I, s:b, s:b, s:b}", "vm", control_text(o->vm), "timeout_ms",
                             (json_int_t)o->timeout_ms, "plan", plan, "undo", o->undo, "create_public_ip",
                             o->create_public_ip);
    if (o->only)
        json_object_set(args, "only", o->only);
    if (o->source)
        json_object_set_new(args, "source", control_text(o->source));
    if (o->form)
        json_object_set_new(args, "print", control_text(o->form));
    if (s->public_key)
        json_object_set_new(args, "public_key", control_text(s->public_key));
    return args;
}

/* all: every step is shown, else those that a first run has not shown. */
static int run(struct session *s, bool plan, bool all)
{
    const struct control_watch watch = checklist_watch(&s->list, !all);
    json_t *args = make_args(s, plan);
    ask_args(&s->list.ask, args);
    json_decref(s->answer);
    s->answer = NULL;
    checklist_clear(&s->list);
    progress_begin(&s->list.progress);
    int rc = control_call_watch(s->client, "prepare", args, s->o->timeout_ms + MARGIN_MS, &watch, &s->answer,
                                NULL, &s->err);
    progress_end(&s->list.progress);
    return rc;
}

static bool is_ready(const struct session *s)
{
    return json_is_true(json_object_get(s->answer, "ready"));
}

static const char *member(const struct session *s, const char *key)
{
    return json_string_value(json_object_get(s->answer, key));
}

/* ---- the end ---- */

static int interrupted(struct session *s)
{
    char *changes = checklist_changes(&s->list);
    fprintf(stderr, "adit: prepare ");
    output_text(stderr, s->o->vm);
    fputs(changes ? ": interrupted; done by then: " : ": interrupted; nothing had been changed", stderr);
    if (changes)
        output_text(stderr, changes);
    fputs("; what Azure has begun goes on there\n", stderr);
    mem_free(changes);
    return 128 + interrupt_signal();
}

/* What somebody else has to do, on standard output: it may be kept. */
static void print_steps(const struct session *s)
{
    if (!s->list.printed)
        return;
    fflush(stdout);
    fputs("adit: somebody who may can do it like this:\n", stderr);
    output_block(stdout, s->list.printed);
}

static int failed(struct session *s)
{
    struct err err = {0};
    control_err_from_json(&err, json_object_get(s->answer, "error"));
    int status = cli_fail(&err, "prepare %s", s->o->vm);
    if (!s->o->as_json)
        print_steps(s);
    if (checklist_denied(&s->list))
        return EX_NOPERM;
    return status;
}

static void hint(const struct session *s)
{
    bool desktop =
        *checklist_status(&s->list, "rdp") && strcmp(checklist_status(&s->list, "rdp"), "skip") != 0;
    output_text(stdout, s->o->vm);
    fputs(" is ready: adit up ", stdout);
    output_text(stdout, s->o->vm);
    if (desktop) {
        fputs(", adit rdp ", stdout);
        output_text(stdout, s->o->vm);
    }
    putchar('\n');
}

static int succeeded(struct session *s)
{
    bool changed = json_array_size(s->list.changed) > 0;
    if (s->o->as_json)
        return 0;
    if (!changed) {
        output_text(stdout, s->o->vm);
        puts(s->o->undo ? ": nothing to undo" : ": nothing to do");
    }
    if (!s->o->undo && !s->o->only)
        hint(s);
    return 0;
}

static int finish(struct session *s, int rc)
{
    if (rc == ERR_CANCELED && interrupt_signal())
        return interrupted(s);
    if (rc < 0)
        return cli_fail(&s->err, "prepare %s", s->o->vm);
    return is_ready(s) ? succeeded(s) : failed(s);
}

static int finish_json(struct session *s, int rc, int status)
{
    if (s->o->as_json) {
        json_t *all = checklist_json(&s->list, s->o->vm, s->answer, rc < 0 ? &s->err : NULL);
        json_print(all);
        json_decref(all);
    }
    return status;
}

/* ---- the key ---- */

/* Without a key no login can be mended. */
static bool lacks_key(const struct session *s)
{
    const char *login = checklist_status(&s->list, "login");
    return member(s, "new_key_file") && (strcmp(login, "fail") == 0 || strcmp(login, "skip") == 0);
}

/* 0 also when none is made; else the status to exit with. */
static int offer_key(struct session *s)
{
    char question[4200];
    const char *path = member(s, "new_key_file");
    if (!lacks_key(s))
        return 0;
    if (!s->o->make_key) {
        snprintf(question, sizeof question, "There is no SSH key to log in with. Make one (%s)?", path);
        int yes = s->o->yes ? 0 : confirm_ask(question);
        if (yes < 0)
            return interrupted(s);
        if (yes == 0)
            return 0;
    }
    int rc = key_pair_make(path, s->o->make_key, &s->err);
    char *pub = rc == 0 ? mem_printf("%s.pub", path) : NULL;
    if (pub)
        s->public_key = key_pair_read(pub, &s->err);
    mem_free(pub);
    if (!s->public_key)
        return cli_fail(&s->err, "prepare %s", s->o->vm);
    /* aditd looked for identities when it read its configuration. */
    rc = control_call(s->client, "reload", NULL, RELOAD_MS, NULL, NULL, NULL, NULL, &s->err);
    return rc < 0 ? cli_fail(&s->err, "prepare %s", s->o->vm) : 0;
}

/* ---- the way there ---- */

static int mend(struct session *s, bool all)
{
    int rc = run(s, false, all);
    return finish_json(s, rc, finish(s, rc));
}

static int ask(struct session *s, const char *question)
{
    int yes = s->o->yes ? 1 : confirm_ask(question);
    if (yes < 0)
        return interrupted(s);
    if (yes == 0)
        fputs("adit: nothing was done\n", stderr);
    return yes == 0 ? EX_UNAVAILABLE : 0;
}

static int with_plan(struct session *s)
{
    unsigned mendable;
    int rc = run(s, true, true);
    if (rc < 0 || is_ready(s))
        return finish_json(s, rc, finish(s, rc));
    unsigned failures = checklist_failures(&s->list, &mendable);
    if (mendable == 0 && !lacks_key(s))
        return finish_json(s, rc, failed(s));
    if (!s->o->as_json && mendable > 0)
        checklist_print_plan(&s->list, member(s, "key_from"));
    if (s->o->dry_run)
        return finish_json(s, rc, failures == mendable ? 0 : EX_UNAVAILABLE);
    int status = offer_key(s);
    if (status == 0 && mendable == 0 && !s->public_key)
        return finish_json(s, rc, failed(s));
    if (status == 0)
        status = ask(s, "Do it?");
    return status ? status : mend(s, false);
}

static int print_form(struct session *s)
{
    int rc = run(s, true, true);
    if (rc == 0 && s->list.printed) {
        if (s->o->as_json)
            return finish_json(s, rc, 0);
        output_block(stdout, s->list.printed);
        return 0;
    }
    return finish_json(s, rc, rc == 0 && is_ready(s) ? 0 : finish(s, rc));
}

static int go(struct session *s)
{
    if (s->o->form)
        return print_form(s);
    if (s->o->undo) {
        int status = ask(s, "Take back what adit prepare added?");
        return status ? status : mend(s, true);
    }
    if (s->o->yes && !s->o->make_key && !s->o->dry_run)
        return mend(s, true);
    return with_plan(s);
}

int prepare_run(struct cli *cli, const struct prepare_cmd *o)
{
    struct session s = {.o = o};
    int rc = 0, status;

    checklist_init(&s.list, o->as_json || o->form);
    if (o->key_file)
        rc = (s.public_key = key_pair_read(o->key_file, &s.err)) ? 0 : s.err.code;
    if (rc == 0)
        rc = cli_connect(cli, CLI_START, &s.client, &s.err);
    if (rc == 0) {
        control_client_interrupt_fd(s.client, interrupt_catch());
        status = go(&s);
    } else {
        status = cli_fail(&s.err, "prepare %s", o->vm);
    }
    control_client_close(s.client);
    checklist_done(&s.list);
    json_decref(s.answer);
    mem_free(s.public_key);
    return status;
}
