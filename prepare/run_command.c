/*
 * run_command: scripts to JSON, results to lines.
 */
#include "run_command.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "run.h"
#include "script.h"

#define COMPLAINT_MAX 300

json_t *run_command_body(bool windows, const char *script)
{
    json_t *lines = json_array();
    int bad = lines ? 0 : -1;
    for (const char *p = script; *p && !bad;) {
        size_t n = strcspn(p, "\n");
        bad = json_array_append_new(lines, json_stringn(p, n));
        p += n + (p[n] == '\n');
    }
    if (bad) {
        json_decref(lines);
        return NULL;
    }
    return json_pack("{s:s,s:o}", "commandId", windows ? "RunPowerShellScript" : "RunShellScript", "script",
                     lines);
}

int run_command(struct prepare_run *run, char *script, call_cb done, size_t tag, struct err *err)
{
    json_t *body = script ? run_command_body(run->vm.windows, script) : NULL;
    struct call_change post = {.method = "POST",
                               .id = run->vm.id,
                               .below = "runCommand",
                               .query = RUN_COMMAND_QUERY,
                               .body = body,
                               .deadline_ms = RUN_COMMAND_MS};
    int rc = body ? call_write(run, &post, done, tag, err) : err_set(err, ERR_NOMEM, "out of memory");
    json_decref(body);
    mem_free(script);
    return rc;
}

static bool has_line(const char *text, const char *line)
{
    size_t want = strlen(line);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n"), len = n;
        while (len && (p[len - 1] == '\r' || p[len - 1] == ' '))
            len--;
        if (len == want && memcmp(p, line, want) == 0)
            return true;
        p += n + (p[n] == '\n');
    }
    return false;
}

int run_command_said(const json_t *result, const char *line, struct err *err)
{
    char *out, *bad;
    int rc = script_output(result, &out, &bad, err);
    if (rc < 0)
        return rc;
    if (!has_line(out, line)) {
        size_t from = strspn(bad, " \r\n\t"), n = strcspn(bad + from, "\r\n");
        rc =
            err_set(err, ERR_UNAVAILABLE, "the script on the VM %s%.*s", n ? "says: " : "said nothing of use",
                    (int)(n < COMPLAINT_MAX ? n : COMPLAINT_MAX), bad + from);
    }
    mem_free(out);
    mem_free(bad);
    return rc;
}
