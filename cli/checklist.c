/*
 * checklist: the steps of doctor and prepare as they come to their end.
 *
 *   ✓ power          running
 *   ✗ security rule  no rule of win-new-nsg lets 203.0.113.7/32 reach port 22
 *                    `adit prepare win-new` adds the rule allow-SSH (priority 1000) for 203.0.113.7/32
 *   – login          not known before SSH port passes
 */
#include "checklist.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "output.h"

#define TITLE_WIDTH 14
#define OUR_MEND "`adit prepare "

struct look {
    const char *status, *mark, *style, *word;
};

static const struct look LOOKS[] = {
    {"pass", "✓", "32", "pass"},
    {"mended", "✓", "32", "mended"},
    {"fail", "✗", "31", "FAIL"},
    {"skip", "–", "2", "skip"},
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static const struct look *look_of(const char *status)
{
    for (size_t i = 0; i < sizeof LOOKS / sizeof LOOKS[0]; i++)
        if (strcmp(LOOKS[i].status, status) == 0)
            return &LOOKS[i];
    return &LOOKS[sizeof LOOKS / sizeof LOOKS[0] - 1];
}

void checklist_init(struct checklist *c, bool quiet)
{
    c->quiet = quiet;
    c->marks = output_colours(stdout) && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    c->steps = json_array();
    c->changed = json_array();
    c->printed = NULL;
    progress_begin(&c->progress);
    ask_init(&c->ask, false, &c->progress);
}

void checklist_done(struct checklist *c)
{
    progress_end(&c->progress);
    json_decref(c->steps);
    json_decref(c->changed);
    mem_free(c->printed);
}

void checklist_clear(struct checklist *c)
{
    json_array_clear(c->steps);
    json_array_clear(c->changed);
    mem_free(c->printed);
    c->printed = NULL;
}

void checklist_progress(void *checklist, const char *text)
{
    struct checklist *c = checklist;
    if (!ask_active(&c->ask))
        progress_show(&c->progress, text);
}

static enum control_asked on_question(void *arg, const struct control_question *q, int wake_fd,
                                      char answer[CONTROL_ANSWER_MAX + 1])
{
    struct checklist *c = arg;
    return ask_question(&c->ask, q, wake_fd, answer);
}

static void on_withdrawn(void *arg)
{
    struct checklist *c = arg;
    ask_withdrawn(&c->ask);
}

struct control_watch checklist_watch(struct checklist *c, bool short_)
{
    return (struct control_watch){.progress = checklist_progress,
                                  .event = short_ ? checklist_event_short : checklist_event,
                                  .question = on_question,
                                  .withdrawn = on_withdrawn,
                                  .arg = c};
}

/* The mark, or the word in a column of its own. */
static void print_mark(const struct checklist *c, const struct look *look)
{
    if (c->marks)
        printf("\033[%sm%s\033[0m ", look->style, look->mark);
    else
        printf("%-6s  ", look->word);
}

static void print_title(FILE *f, const char *title)
{
    size_t width = output_width(title);
    output_text(f, title);
    fprintf(f, "%*s  ", width < TITLE_WIDTH ? (int)(TITLE_WIDTH - width) : 0, "");
}

static void print_step(struct checklist *c, const json_t *step)
{
    const char *status = text_of(step, "status"), *mend = text_of(step, "mend");
    progress_end(&c->progress);
    print_mark(c, look_of(status));
    print_title(stdout, text_of(step, "title"));
    output_text(stdout, text_of(step, "text"));
    putchar('\n');
    if (*mend && strcmp(status, "fail") == 0) {
        printf("%*s", TITLE_WIDTH + 2 + (c->marks ? 2 : 8), "");
        output_text(stdout, mend);
        putchar('\n');
    }
    fflush(stdout);
}

static void keep(json_t *list, const json_t *data)
{
    json_t *copy = json_copy((json_t *)data);
    json_object_del(copy, "event");
    json_array_append_new(list, copy);
}

static void take(struct checklist *c, const json_t *data, bool all)
{
    const char *event = text_of(data, "event"), *status = text_of(data, "status");
    if (strcmp(event, "step") == 0) {
        bool news = strcmp(status, "mended") == 0 || strcmp(status, "fail") == 0;
        keep(c->steps, data);
        if (!c->quiet && (all || news))
            print_step(c, data);
    } else if (strcmp(event, "changed") == 0) {
        keep(c->changed, data);
        progress_end(&c->progress);
        if (!c->quiet) {
            output_text(stdout, text_of(data, "text"));
            putchar('\n');
            fflush(stdout);
        }
    } else if (strcmp(event, "printed") == 0) {
        mem_free(c->printed);
        c->printed = mem_strdup(text_of(data, "text"));
    }
}

void checklist_event(void *checklist, const json_t *data)
{
    take(checklist, data, true);
}

void checklist_event_short(void *checklist, const json_t *data)
{
    take(checklist, data, false);
}

unsigned checklist_failures(const struct checklist *c, unsigned *mendable)
{
    const json_t *step;
    size_t i;
    unsigned failed = 0;
    *mendable = 0;
    json_array_foreach(c->steps, i, step)
    {
        if (strcmp(text_of(step, "status"), "fail") != 0)
            continue;
        failed++;
        *mendable += json_is_true(json_object_get(step, "mendable"));
    }
    return failed;
}

bool checklist_denied(const struct checklist *c)
{
    const json_t *step;
    size_t i;
    json_array_foreach(c->steps, i, step)
    {
        if (strcmp(text_of(step, "code"), err_code_name(ERR_DENIED)) == 0)
            return true;
    }
    return false;
}

const char *checklist_status(const struct checklist *c, const char *name)
{
    const json_t *step;
    size_t i;
    json_array_foreach(c->steps, i, step)
    {
        if (strcmp(text_of(step, "step"), name) == 0)
            return text_of(step, "status");
    }
    return "";
}

/* "`adit prepare win-new` adds the rule" is "adds the rule" in the plan of that very command. */
static const char *without_command(const char *mend)
{
    const char *end = strncmp(mend, OUR_MEND, strlen(OUR_MEND)) == 0 ? strstr(mend, "` ") : NULL;
    return end ? end + 2 : mend;
}

void checklist_print_plan(const struct checklist *c, const char *key_from)
{
    const json_t *step;
    size_t i;
    fputs("adit prepare would do this:\n", stderr);
    json_array_foreach(c->steps, i, step)
    {
        if (strcmp(text_of(step, "status"), "fail") != 0 || !json_is_true(json_object_get(step, "mendable")))
            continue;
        fputs("  ", stderr);
        print_title(stderr, text_of(step, "title"));
        output_text(stderr, without_command(text_of(step, "mend")));
        fputc('\n', stderr);
    }
    if (key_from && strcmp(checklist_status(c, "login"), "skip") == 0) {
        fputs("  ", stderr);
        print_title(stderr, "login");
        fputs("adds your public key if the server does not take it yet (", stderr);
        output_text(stderr, key_from);
        fputs(")\n", stderr);
    }
}

char *checklist_changes(const struct checklist *c)
{
    const json_t *change;
    size_t i;
    struct strbuf out;
    if (json_array_size(c->changed) == 0)
        return NULL;
    strbuf_init(&out);
    json_array_foreach(c->changed, i, change)
    {
        strbuf_printf(&out, "%s%s", i ? "; " : "", text_of(change, "text"));
    }
    return strbuf_take(&out);
}

json_t *checklist_json(const struct checklist *c, const char *vm, const json_t *answer, const struct err *err)
{
    json_t *error = json_object_get(answer, "error");
    return json_pack("{s:o, s:b, s:O, s:O, s:o, s:o}", "vm", control_text(vm), "ready",
                     json_is_true(json_object_get(answer, "ready")), "steps", c->steps, "changed", c->changed,
                     "printed", control_text(c->printed), "error",
                     err     ? control_err_to_json(err)
                     : error ? json_incref(error)
                             : json_null());
}
