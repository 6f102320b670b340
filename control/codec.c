/*
 * codec: the messages of docs/protocol.md taken apart and put together.
 */
#include "codec.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "control.h"

static int load(json_t **root, const char *line, size_t len, struct err *err)
{
    json_error_t why;
    *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (!*root)
        return json_error_code(&why) == json_error_out_of_memory
                   ? err_set(err, ERR_NOMEM, "out of memory")
                   : err_set(err, ERR_PROTOCOL, "a line is no JSON: %s (column %d)", why.text, why.column);
    if (json_is_object(*root))
        return 0;
    json_decref(*root);
    *root = NULL;
    return err_set(err, ERR_PROTOCOL, "a line is no JSON object");
}

static bool valid_id(const json_t *id)
{
    return json_is_integer(id) && json_integer_value(id) >= 1 && json_integer_value(id) < CODEC_ID_MAX;
}

/* ---- from a client ---- */

static int parse_request(struct codec_client *out, struct err *err)
{
    const json_t *op = json_object_get(out->root, "op");
    json_t *args = json_object_get(out->root, "args");

    if (!json_is_string(op) || json_string_length(op) == 0 || json_string_length(op) > CODEC_OP_MAX)
        return err_set(err, ERR_PROTOCOL, "\"op\" must be a name of at most %d characters", CODEC_OP_MAX);
    if (!args) {
        args = json_object();
        if (!args || json_object_set_new(out->root, "args", args) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    } else if (!json_is_object(args)) {
        return err_set(err, ERR_PROTOCOL, "\"args\" must be an object");
    }
    out->op = json_string_value(op);
    out->args = args;
    return 0;
}

static int parse_client(struct codec_client *out, struct err *err)
{
    const json_t *hello = json_object_get(out->root, "adit");
    const json_t *cancel = json_object_get(out->root, "cancel");
    const json_t *id = json_object_get(out->root, "id");

    if (hello) {
        out->kind = CODEC_HELLO;
        out->version = json_integer_value(hello);
        return json_is_integer(hello) && out->version > 0
                   ? 0
                   : err_set(err, ERR_PROTOCOL, "\"adit\" must be the number of the protocol's version");
    }
    out->kind = cancel ? CODEC_CANCEL : CODEC_REQUEST;
    id = cancel ? cancel : id;
    if (!valid_id(id))
        return err_set(err, ERR_PROTOCOL, "\"%s\" must be a whole number above 0", cancel ? "cancel" : "id");
    out->id = json_integer_value(id);
    return cancel ? 0 : parse_request(out, err);
}

int codec_parse_client(struct codec_client *out, const char *line, size_t len, struct err *err)
{
    memset(out, 0, sizeof *out);
    int rc = load(&out->root, line, len, err);
    if (rc == 0)
        rc = parse_client(out, err);
    if (rc < 0)
        codec_client_done(out);
    return rc;
}

void codec_client_done(struct codec_client *m)
{
    json_decref(m->root);
    m->root = NULL;
}

/* ---- from the daemon ---- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static int parse_question(struct codec_daemon *out, const json_t *q, struct err *err)
{
    out->kind = CODEC_QUESTION;
    out->question = (struct control_question){.number = json_integer_value(json_object_get(q, "number")),
                                              .vm = text_of(q, "vm"),
                                              .kind = text_of(q, "kind"),
                                              .prompt = text_of(q, "prompt"),
                                              .echo = json_is_true(json_object_get(q, "echo"))};
    if (!valid_id(json_object_get(q, "number")))
        return err_set(err, ERR_PROTOCOL, "a question has no number");
    return 0;
}

static int parse_daemon(struct codec_daemon *out, struct err *err)
{
    const json_t *id = json_object_get(out->root, "id");
    const json_t *progress = json_object_get(out->root, "progress");
    const json_t *error = json_object_get(out->root, "error");
    json_t *event = json_object_get(out->root, "event");
    json_t *ok = json_object_get(out->root, "ok");
    const json_t *question = json_object_get(out->root, "question");
    const json_t *withdrawn = json_object_get(out->root, "withdrawn");

    if (id && !valid_id(id))
        return err_set(err, ERR_PROTOCOL, "an answer has no valid id");
    out->id = json_integer_value(id);
    if (error) {
        out->kind = CODEC_ERROR;
        control_err_from_json(&out->err, error);
        return 0;
    }
    if (!id)
        return err_set(err, ERR_PROTOCOL, "an answer has no id");
    if (json_is_string(progress)) {
        out->kind = CODEC_PROGRESS;
        out->progress = json_string_value(progress);
    } else if (json_is_object(event)) {
        out->kind = CODEC_EVENT;
        out->data = event;
    } else if (json_is_object(question)) {
        return parse_question(out, question, err);
    } else if (valid_id(withdrawn)) {
        out->kind = CODEC_WITHDRAWN;
        out->question.number = json_integer_value(withdrawn);
    } else if (ok) {
        out->kind = CODEC_OK;
        out->data = ok;
        out->fd = json_is_true(json_object_get(out->root, "fd"));
    } else {
        return err_set(err, ERR_PROTOCOL, "an answer is neither ok nor error");
    }
    return 0;
}

int codec_parse_daemon(struct codec_daemon *out, const char *line, size_t len, struct err *err)
{
    memset(out, 0, sizeof *out);
    int rc = load(&out->root, line, len, err);
    if (rc == 0)
        rc = parse_daemon(out, err);
    if (rc < 0)
        codec_daemon_done(out);
    return rc;
}

void codec_daemon_done(struct codec_daemon *m)
{
    json_decref(m->root);
    m->root = NULL;
}

int codec_parse_hello(struct codec_hello *out, const char *line, size_t len, struct err *err)
{
    json_t *root = NULL;
    memset(out, 0, sizeof *out);
    if (load(&root, line, len, err) == ERR_NOMEM)
        return ERR_NOMEM;
    const json_t *version = json_object_get(root, "adit");
    const json_t *program = json_object_get(root, "version");
    const json_t *error = json_object_get(root, "error");
    out->version = json_integer_value(version);
    out->pid = (long)json_integer_value(json_object_get(root, "pid"));
    snprintf(out->program, sizeof out->program, "%s",
             json_is_string(program) ? json_string_value(program) : "?");
    if (error)
        control_err_from_json(&out->err, error);
    json_decref(root);
    return out->version > 0
               ? 0
               : err_set(err, ERR_PROTOCOL, "no aditd listens there: its first line is no hello");
}

/* ---- lines ---- */

/* Takes root over, whose members may be missing when memory was: `good` says so. */
static char *finish(json_t *root, bool good, size_t *len)
{
    char *line = NULL;
    size_t n = good ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    if (n > 0)
        line = mem_alloc(n + 2);
    if (line && json_dumpb(root, line, n, JSON_COMPACT) == n) {
        line[n] = '\n';
        line[n + 1] = '\0';
        *len = n + 1;
    } else {
        mem_free(line);
        line = NULL;
    }
    json_decref(root);
    return line;
}

static bool put(json_t *root, const char *key, json_t *value)
{
    return json_object_set_new(root, key, value) == 0;
}

char *codec_hello_line(long pid, const struct err *err, size_t *len)
{
    json_t *root = json_object();
    bool good =
        put(root, "adit", json_integer(CONTROL_VERSION)) && put(root, "version", json_string(ADIT_VERSION));
    if (pid > 0)
        good = good && put(root, "pid", json_integer(pid));
    if (err && err->code)
        good = good && put(root, "error", control_err_to_json(err));
    return finish(root, good, len);
}

char *codec_request_line(json_int_t id, const char *op, json_t *args, size_t *len)
{
    json_t *root = json_object();
    bool good = put(root, "id", json_integer(id)) && put(root, "op", json_string(op));
    if (args)
        good = good && put(root, "args", json_incref(args));
    return finish(root, good, len);
}

char *codec_cancel_line(json_int_t id, size_t *len)
{
    json_t *root = json_object();
    return finish(root, put(root, "cancel", json_integer(id)), len);
}

char *codec_ok_line(json_int_t id, json_t *data, bool fd, size_t *len)
{
    json_t *root = json_object();
    bool good = put(root, "id", json_integer(id)) && put(root, "ok", data ? json_incref(data) : json_null());
    if (fd)
        good = good && put(root, "fd", json_true());
    return finish(root, good, len);
}

char *codec_event_line(json_int_t id, json_t *data, size_t *len)
{
    json_t *root = json_object();
    return finish(root, put(root, "id", json_integer(id)) && put(root, "event", json_incref(data)), len);
}

char *codec_question_line(json_int_t id, json_int_t number, json_t *data, size_t *len)
{
    json_t *root = json_object();
    bool good = put(root, "id", json_integer(id)) && json_is_object(data) &&
                put(data, "number", json_integer(number)) && put(root, "question", json_incref(data));
    return finish(root, good, len);
}

char *codec_withdrawn_line(json_int_t id, json_int_t number, size_t *len)
{
    json_t *root = json_object();
    return finish(root, put(root, "id", json_integer(id)) && put(root, "withdrawn", json_integer(number)),
                  len);
}

char *codec_progress_line(json_int_t id, const char *text, size_t *len)
{
    json_t *root = json_object();
    return finish(root, put(root, "id", json_integer(id)) && put(root, "progress", control_text(text)), len);
}

char *codec_error_line(json_int_t id, const struct err *err, size_t *len)
{
    json_t *root = json_object();
    bool good = id == 0 || put(root, "id", json_integer(id));
    return finish(root, good && put(root, "error", control_err_to_json(err)), len);
}
