/*
 * script_output: what a Run Command wrote, from either system's shape of answer.
 *
 * Linux: one entry, "Enable succeeded: \n[stdout]\n…\n[stderr]\n…". Windows: an entry for each stream, told
 * by its code. What a VM wrote ends up on a terminal, so control characters other than tab and newline become
 * '?'; a CR before a newline goes.
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "script.h"

#define ENTRIES_MAX 16
#define TEXT_MAX 65536 /* the platform keeps 4096 bytes of each stream */

struct part {
    const char *p;
    size_t n;
};

static const json_t *entries(const json_t *result)
{
    const json_t *output = json_object_get(json_object_get(result, "properties"), "output");
    if (!output)
        output = result;
    const json_t *value = json_object_get(output, "value");
    return json_is_array(value) ? value : NULL;
}

static const char *last(const char *text, size_t n, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = n; i-- > 0;)
        if (n - i >= len && memcmp(text + i, what, len) == 0 && (i == 0 || text[i - 1] == '\n'))
            return text + i;
    return NULL;
}

/* A head that was cut off may have taken "[stdout]" along: then standard output is what comes before
 * "[stderr]", and all there is where there is no mark at all. A failure that wrote nothing is told by its
 * head line. */
static void both_split(const char *text, bool failed, struct part *out, struct part *bad)
{
    static const char mark_out[] = "[stdout]\n", mark_bad[] = "[stderr]\n";
    size_t n = strlen(text);
    const char *head = strstr(text, mark_out);
    const char *from = head ? head + strlen(mark_out) : text;
    const char *end = last(from, n - (size_t)(from - text), mark_bad);
    *out = (struct part){from, end ? (size_t)(end - from) : n - (size_t)(from - text)};
    if (end && out->n)
        out->n--; /* the newline before the mark is the platform's */
    if (end)
        *bad = (struct part){end + strlen(mark_bad), strlen(end + strlen(mark_bad))};
    if (failed && bad->n == 0)
        *bad = (struct part){text, strcspn(text, "\n")};
}

static char *clean(struct part part)
{
    char *text = mem_alloc(part.n + 1);
    size_t n = 0;
    for (size_t i = 0; text && i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];
        if (c == '\r' && i + 1 < part.n && part.p[i + 1] == '\n')
            continue;
        text[n++] = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : (char)c;
    }
    if (text)
        text[n] = 0;
    return text;
}

static int parts_find(const json_t *value, struct part *out, struct part *bad, struct err *err)
{
    size_t i;
    const json_t *entry;
    bool some = false;
    json_array_foreach(value, i, entry)
    {
        const char *code = json_string_value(json_object_get(entry, "code"));
        const char *message = json_string_value(json_object_get(entry, "message"));
        if (i >= ENTRIES_MAX)
            break;
        if (!code || !message)
            continue;
        if (strlen(message) > TEXT_MAX)
            return err_set(err, ERR_PROTOCOL, "Run Command: more than %d bytes of output", TEXT_MAX);
        some = true;
        if (strcasestr(code, "/StdOut/"))
            *out = (struct part){message, strlen(message)};
        else if (strcasestr(code, "/StdErr/"))
            *bad = (struct part){message, strlen(message)};
        else
            both_split(message, strcasestr(code, "/failed") != NULL, out, bad);
    }
    return some ? 0 : err_set(err, ERR_PROTOCOL, "Run Command: the answer holds no output of the script");
}

int script_output(const struct json_t *result, char **out, char **bad, struct err *err)
{
    struct part part_out = {"", 0}, part_bad = {"", 0};
    *out = *bad = NULL;
    int rc = parts_find(entries(result), &part_out, &part_bad, err);
    if (rc < 0)
        return rc;
    *out = clean(part_out);
    *bad = clean(part_bad);
    if (*out && *bad)
        return 0;
    mem_free(*out);
    mem_free(*bad);
    *out = *bad = NULL;
    return err_set(err, ERR_NOMEM, "Run Command: out of memory");
}
