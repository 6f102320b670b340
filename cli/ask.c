/*
 * ask: puts the questions of a request under way to whoever sits before this command.
 */
#include "ask.h"

#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

void ask_init(struct ask *a, bool batch, struct progress *progress)
{
    *a = (struct ask){.batch = batch, .progress = progress, .terminal = {.fd = -1}, .program = {.fd = -1}};
}

enum way { WAY_NONE, WAY_TERMINAL, WAY_PROGRAM };

static enum way choose(const struct ask *a)
{
    enum ask_program_use use = ask_program_use();
    bool program = use != ASK_PROGRAM_NEVER && ask_program_there();
    if (a->batch)
        return WAY_NONE;
    if (program && (use == ASK_PROGRAM_ONLY || use == ASK_PROGRAM_FIRST))
        return WAY_PROGRAM;
    if (use != ASK_PROGRAM_ONLY && ask_terminal_there())
        return WAY_TERMINAL;
    return program ? WAY_PROGRAM : WAY_NONE;
}

void ask_args(const struct ask *a, json_t *args)
{
    if (a->batch)
        json_object_set_new(args, "ask", json_false());
    else if (choose(a) != WAY_NONE)
        json_object_set_new(args, "ask", json_true());
}

bool ask_active(const struct ask *a)
{
    return a->terminal.active || a->program.active;
}

/* The server's own words are marked as such, so that they cannot pass for ours. */
static char *words(const struct ask *a, const struct control_question *q)
{
    struct strbuf out;
    strbuf_init(&out);
    if (strcmp(q->kind, "prompt") == 0)
        strbuf_printf(&out, "(%s) ", q->vm);
    strbuf_puts(&out, a->again ? "Please answer yes or no: " : q->prompt);
    if (out.len > 0 && out.data[out.len - 1] != ' ')
        strbuf_puts(&out, " ");
    char *text = strbuf_take(&out);
    strbuf_done(&out);
    return text;
}

static enum control_asked put(struct ask *a, const struct control_question *q, int wake_fd, char *answer)
{
    char *prompt = words(a, q);
    enum way way = a->terminal.active ? WAY_TERMINAL : a->program.active ? WAY_PROGRAM : choose(a);
    enum control_asked asked = CONTROL_ASKED_NONE;
    if (prompt && way == WAY_TERMINAL)
        asked = ask_terminal_read(&a->terminal, prompt, q->echo, wake_fd, answer);
    else if (prompt && way == WAY_PROGRAM)
        asked = ask_program_read(&a->program, prompt, wake_fd, answer);
    mem_free(prompt);
    return asked;
}

enum control_asked ask_question(struct ask *a, const struct control_question *q, int wake_fd,
                                char answer[CONTROL_ANSWER_MAX + 1])
{
    enum control_asked asked;
    if (!ask_active(a))
        progress_end(a->progress);
    do {
        asked = put(a, q, wake_fd, answer);
        a->again = asked == CONTROL_ASKED_LATER
                       ? a->again
                       : asked == CONTROL_ASKED_ANSWER && strcmp(q->kind, "host-key") == 0 &&
                             strcmp(answer, "yes") != 0 && strcmp(answer, "no") != 0;
    } while (a->again && asked == CONTROL_ASKED_ANSWER);
    return asked;
}

void ask_withdrawn(struct ask *a)
{
    ask_terminal_stop(&a->terminal);
    ask_program_stop(&a->program);
    a->again = false;
}

static void on_progress(void *arg, const char *text)
{
    struct ask *a = arg;
    if (!ask_active(a))
        progress_show(a->progress, text);
}

static enum control_asked on_question(void *arg, const struct control_question *q, int wake_fd,
                                      char answer[CONTROL_ANSWER_MAX + 1])
{
    return ask_question(arg, q, wake_fd, answer);
}

static void on_withdrawn(void *arg)
{
    ask_withdrawn(arg);
}

int ask_call(struct ask *a, struct control_client *c, const char *op, json_t *args, uint32_t timeout_ms,
             json_t **data, int *fd, struct err *err)
{
    const struct control_watch watch = {
        .progress = on_progress, .question = on_question, .withdrawn = on_withdrawn, .arg = a};
    ask_args(a, args);
    return control_call_watch(c, op, args, timeout_ms, &watch, data, fd, err);
}
