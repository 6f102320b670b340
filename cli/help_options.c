/*
 * help_options: the options that a command's help text tells of.
 */
#include "help_options.h"

#include <string.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789-"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD CAPITALS SMALL

static struct help_text span(const char **p, const char *of)
{
    struct help_text t = {*p, strspn(*p, of)};
    *p += t.n;
    return t;
}

static struct help_text description(const char *p)
{
    size_t line = strcspn(p, "\n");
    for (const char *end = p + line; p + 1 < end; p++) {
        if (p[0] != ' ' || p[1] != ' ')
            continue;
        p += strspn(p, " ");
        return (struct help_text){p, (size_t)(end - p)};
    }
    return (struct help_text){p, 0};
}

static void read_option(const char **at, struct help_option *o)
{
    const char *p = *at;

    *o = (struct help_option){.letter = '\0'};
    if (p[1] != '-' && p[1]) {
        o->letter = p[1];
        p += 2;
        p += strncmp(p, ", --", 4) == 0 ? 2 : 0;
    }
    if (strncmp(p, "--", 2) == 0) {
        p += 2;
        o->name = span(&p, SMALL);
    }
    if (strncmp(p, "[=", 2) == 0) {
        p += 2;
        o->value_optional = true;
        o->value = span(&p, CAPITALS);
        p += *p == ']';
    } else if (p[0] == ' ' && p[1] && strchr(CAPITALS, p[1])) {
        p++;
        o->value = (struct help_text){p, strcspn(p, " ,\n")};
        p += o->value.n;
    }
    o->text = description(p);
    *at = strncmp(p, ", -", 3) == 0 ? p + 2 : p + strcspn(p, "\n");
}

bool help_options_next(const char **at, struct help_option *out)
{
    while (**at) {
        const char *p = *at + strspn(*at, " \n");
        if (*p == '-') {
            *at = p;
            read_option(at, out);
            return true;
        }
        *at = p + strcspn(p, "\n");
    }
    return false;
}

bool help_text_has(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p++)
        if ((p == text || !strchr(WORD, p[-1])) && (!p[n] || !strchr(WORD, p[n])))
            return true;
    return false;
}
