/*
 * prepare_args: what a request for doctor or prepare asks for.
 */
#include "prepare_args.h"

#include "args.h"
#include "base/mem.h"
#include "prepare_json.h"

#define DOCTOR_MS (10 * 60 * 1000)
#define PREPARE_MS (30 * 60 * 1000)

void prepare_args_done(struct prepare_args *a)
{
    mem_free(a->public_key);
    mem_free(a->source);
}

static int read_only(const json_t *args, unsigned *only, struct err *err)
{
    json_t *names = NULL;
    int rc = args_texts(args, "only", PREPARE_STEPS, &names, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        enum prepare_step s = prepare_step_find(name);
        if (s == PREPARE_STEPS)
            rc = err_set(
                err, ERR_INVAL,
                "there is no step \"%s\"; the steps are sign-in, vm, power, address, extension, rule, port, "
                "host-key, login, forward and rdp",
                name);
        else
            *only |= PREPARE_BIT(s);
    }
    return rc;
}

static int copy_text(const json_t *args, const char *key, char **out, struct err *err)
{
    const char *text = NULL;
    int rc = args_text(args, key, false, &text, err);
    if (rc < 0 || !text)
        return rc;
    *out = mem_strdup(text);
    return *out ? 0 : err_set(err, ERR_NOMEM, "aditd is out of memory");
}

/* A key line is longer than other texts may be. */
static int copy_key(const json_t *args, char **out, struct err *err)
{
    const json_t *v = json_object_get(args, "public_key");
    if (!v)
        return 0;
    if (!json_is_string(v) || json_string_length(v) == 0)
        return err_set(err, ERR_INVAL, "\"public_key\" must be a line of text");
    *out = mem_strdup(json_string_value(v));
    return *out ? 0 : err_set(err, ERR_NOMEM, "aditd is out of memory");
}

static int read_changes(const json_t *args, struct prepare_args *a, struct err *err)
{
    bool plan = false, undo = false;
    const char *form = NULL;
    int rc = args_bool(args, "plan", &plan, err);
    if (rc == 0)
        rc = args_bool(args, "undo", &undo, err);
    if (rc == 0)
        rc = args_bool(args, "create_public_ip", &a->create_public_ip, err);
    if (rc == 0)
        rc = args_text(args, "print", false, &form, err);
    if (rc == 0)
        rc = copy_key(args, &a->public_key, err);
    if (rc < 0)
        return rc;
    a->print = form ? prepare_json_form(form) : PREPARE_FORM_NONE;
    if (form && a->print == PREPARE_FORM_NONE)
        return err_set(err, ERR_INVAL,
                       "nothing is printed as \"%s\"; the forms are az, powershell, arm and bicep", form);
    if (undo && (plan || form))
        return err_set(err, ERR_INVAL, "an undo has no plan and is not printed");
    a->mode = undo ? PREPARE_UNDO : plan || form ? PREPARE_CHECK : PREPARE_MEND;
    return 0;
}

int prepare_args_read(struct prepare_args *a, const json_t *args, bool changes, struct err *err)
{
    uint32_t timeout_ms = changes ? PREPARE_MS : DOCTOR_MS;
    int rc = args_u32(args, "timeout_ms", 1, UINT32_MAX, &timeout_ms, err);
    if (rc == 0)
        rc = copy_text(args, "source", &a->source, err);
    if (rc == 0)
        rc = read_only(args, &a->only, err);
    if (rc == 0 && changes)
        rc = read_changes(args, a, err);
    a->timeout_ms = timeout_ms;
    return rc;
}
