/*
 * keys: the SSH host keys of a VM as its own control plane tells them, by one Run Command.
 *
 * What comes back was printed by the VM: each line is checked to be a public key, and cut to type and key.
 * Failure modes: the VM is off or has no agent (ARM says so), no SSH server is there yet (the script says
 * so), another Run Command is under way (write.h waits for it).
 */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "key.h"
#include "plan.h"
#include "prepare.h"
#include "ref.h"
#include "run_command.h"
#include "script.h"
#include "write.h"

#define KEYS_BEGIN "adit: host keys"
#define KEYS_END "adit: end"
#define KEYS_MAX 16
#define DEADLINE_DEFAULT_MS 300000u

struct prepare_keys {
    struct write *write;
    prepare_text_cb cb;
    void *arg;
};

/* Adds a line's type and key if it is a public key. */
static int add_key(struct strbuf *keys, const char *text, size_t n)
{
    char *line;
    struct err why = {0};
    int rc = key_line_check(text, n, &line, &why);
    if (rc < 0)
        return rc == ERR_NOMEM ? rc : 0;
    size_t type = strcspn(line, " "), key = strcspn(line + type + 1, " ");
    strbuf_add(keys, line, type + 1 + key);
    strbuf_puts(keys, "\n");
    mem_free(line);
    return 0;
}

static int collect(struct strbuf *keys, const char *out)
{
    bool inside = false;
    unsigned count = 0;
    int rc = 0;
    for (const char *p = out; *p && rc == 0;) {
        size_t n = strcspn(p, "\n"), len = n;
        while (len && (p[len - 1] == '\r' || p[len - 1] == ' '))
            len--;
        if (len == strlen(KEYS_BEGIN) && memcmp(p, KEYS_BEGIN, len) == 0)
            inside = true;
        else if (len == strlen(KEYS_END) && memcmp(p, KEYS_END, len) == 0)
            inside = false;
        else if (inside && len && count++ < KEYS_MAX)
            rc = add_key(keys, p, len);
        p += n + (p[n] == '\n');
    }
    return rc == 0 && keys->bad ? ERR_NOMEM : rc;
}

/* The lines of keys in a result, a new string. */
static char *keys_of(const json_t *result, struct err *err)
{
    char *out, *bad;
    struct strbuf keys;
    if (script_output(result, &out, &bad, err) < 0)
        return NULL;
    strbuf_init(&keys);
    if (collect(&keys, out) < 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (keys.len == 0)
        err_set(err, ERR_UNAVAILABLE, "the VM reports no SSH host keys%s%.*s", *bad ? ": " : "",
                (int)strcspn(bad, "\r\n"), bad);
    mem_free(out);
    mem_free(bad);
    char *text = err->code ? NULL : strbuf_take(&keys);
    strbuf_done(&keys);
    return text;
}

static void on_ran(void *arg, const json_t *result, const struct err *err)
{
    struct prepare_keys *k = arg;
    prepare_text_cb cb = k->cb;
    void *cb_arg = k->arg;
    struct err why = {0};
    char *keys = NULL;
    if (err)
        why = *err;
    else
        keys = keys_of(result, &why);
    mem_free(k);
    if (why.code)
        err_wrap(&why, "host keys");
    cb(cb_arg, keys, why.code ? &why : NULL);
    mem_free(keys);
}

static int begin(struct prepare_keys *k, struct azure *azure, struct clock *clock, const char *id,
                 bool windows, uint32_t deadline_ms, struct err *err)
{
    char *script = script_host_keys(windows), *path = ref_path(id, "runCommand", RUN_COMMAND_QUERY);
    json_t *body = script ? run_command_body(windows, script) : NULL;
    struct azure_call call = {.method = "POST",
                              .path = path,
                              .body = body,
                              .deadline_ms = deadline_ms ? deadline_ms : DEADLINE_DEFAULT_MS};
    int rc = body && path ? write_start(&k->write, azure, clock, &call, on_ran, k, err)
                          : err_set(err, ERR_NOMEM, "out of memory");
    json_decref(body);
    mem_free(script);
    mem_free(path);
    return rc;
}

int prepare_keys_fetch(struct prepare_keys **out, struct azure *azure, struct clock *clock, const char *id,
                       bool windows, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err)
{
    if (!ref_is(id, "Microsoft.Compute/virtualMachines"))
        return err_set(err, ERR_UNSUPPORTED, "host keys: %s is no VM that Run Command works on", id);
    struct prepare_keys *k = mem_zalloc(sizeof(*k));
    if (!k)
        return err_set(err, ERR_NOMEM, "out of memory");
    k->cb = cb;
    k->arg = arg;
    int rc = begin(k, azure, clock, id, windows, deadline_ms, err);
    if (rc < 0)
        mem_free(k);
    else
        *out = k;
    return rc;
}

void prepare_keys_cancel(struct prepare_keys *k)
{
    write_cancel(k->write);
    mem_free(k);
}
