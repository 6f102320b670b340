/*
 * ssh_lines: the output of `ssh -G` as a list of keywords and values.
 */
#include "ssh_lines.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "ssh_truth.h"

static void add(struct ssh_lines *l, char *line)
{
    size_t n = strlen(line);
    while (n > 0 && strchr(" \t\r", line[n - 1]))
        line[--n] = '\0';
    char *value = line + strcspn(line, " ");
    if (n == 0)
        return;
    if (*value)
        *value++ = '\0';
    l->items[l->count++] = (struct ssh_line){line, value};
}

int ssh_lines_init(struct ssh_lines *l, const char *text)
{
    size_t n = text ? strnlen(text, SSH_TRUTH_TEXT_MAX) : 0;
    *l = (struct ssh_lines){0};
    l->text = mem_strndup(text ? text : "", n);
    l->items = mem_calloc(SSH_TRUTH_LINES_MAX, sizeof *l->items);
    if (!l->text || !l->items) {
        ssh_lines_done(l);
        return ERR_NOMEM;
    }
    for (char *p = l->text; *p && l->count < SSH_TRUTH_LINES_MAX;) {
        char *end = p + strcspn(p, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        add(l, p);
        p = next;
    }
    return 0;
}

void ssh_lines_done(struct ssh_lines *l)
{
    mem_free(l->text);
    mem_free(l->items);
    *l = (struct ssh_lines){0};
}

const char *ssh_lines_value(const struct ssh_lines *l, const char *key)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcasecmp(l->items[i].key, key) == 0)
            return l->items[i].value;
    return NULL;
}

bool ssh_lines_has(const struct ssh_lines *l, const char *key, const char *value)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcasecmp(l->items[i].key, key) == 0 && strcmp(l->items[i].value, value) == 0)
            return true;
    return false;
}
