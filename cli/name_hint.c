/*
 * name_hint: "did you mean" behind a failure that tells of a VM which is not there.
 */
#include "name_hint.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "known_names.h"
#include "nearest.h"
#include "output.h"

static const struct cli *ours;

void name_hint_begin(const struct cli *cli)
{
    ours = cli;
}

/* NULL when it is known as it stands: then something else is not there. */
static const char *choose(const char *typed, const struct known_names *k, const char **words)
{
    for (size_t i = 0; i < k->count; i++) {
        if (strcasecmp(k->items[i].name, typed) == 0)
            return NULL;
        words[i] = k->items[i].name;
    }
    words[k->count] = NULL;
    return nearest_word(typed, words);
}

void name_hint_print(FILE *f, const struct err *err, const char *what)
{
    struct known_names k = {NULL, 0, 0};
    const char *typed = strrchr(what, ' '), *user = strrchr(what, '@');

    typed = user ? user + 1 : typed ? typed + 1 : what;
    if (!ours || err->code != ERR_NOTFOUND || !*typed || cli_command_find(typed) ||
        !strstr(err->msg, typed) || strstr(err->msg, "did you mean"))
        return;
    known_names_vms(&k, ours, strchr(typed, '/') != NULL);
    const char **words = mem_calloc(k.count + 1, sizeof *words);
    const char *meant = words ? choose(typed, &k, words) : NULL;
    if (meant) {
        fputs("; did you mean ", f);
        output_text(f, meant);
        fputs("?", f);
    }
    mem_free(words);
    known_names_done(&k);
}
