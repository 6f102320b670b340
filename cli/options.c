/*
 * options: the parts of option parsing that all commands share.
 */
#include "options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

#define OPTIONS_MAX 32
#define SECONDS_MAX 4000000.0

static int unknown(const struct cli *cli, const char *word, const struct option *options)
{
    char name[64];
    const char *names[OPTIONS_MAX];
    size_t n = 0, len = strcspn(word, "=");

    for (const struct option *o = options; o->name && n + 1 < OPTIONS_MAX; o++)
        names[n++] = o->name;
    names[n] = NULL;
    const char *meant = NULL;
    if (strncmp(word, "--", 2) == 0 && len < sizeof name) {
        memcpy(name, word + 2, len - 2);
        name[len - 2] = '\0';
        meant = nearest_word(name, names);
    }
    if (meant)
        return cli_usage(cli, "no option %.*s: did you mean --%s?", (int)len, word, meant);
    return cli_usage(cli, "no option %.*s", (int)len, word);
}

int options_next(const struct cli *cli, int argc, char **argv, const char *letters,
                 const struct option *options)
{
    char with_colon[32] = ":"; /* tells a missing argument from an unknown option */
    strncat(with_colon, letters, sizeof with_colon - 2);

    opterr = 0;
    int c = getopt_long(argc, argv, with_colon, options, NULL);
    if (c != '?' && c != ':')
        return c;
    const char *word = argv[optind - 1];
    if (c == ':')
        cli_usage(cli, "%s needs a value", word);
    else if (optopt > 0 && optopt < 256)
        cli_usage(cli, "no option -%c", optopt);
    else if (optopt >= 256)
        cli_usage(cli, "%s takes no value", word);
    else
        unknown(cli, word, options);
    return '?';
}

int options_seconds(const struct cli *cli, const char *text, uint32_t *ms)
{
    static const struct {
        const char *name;
        double seconds;
    } UNITS[] = {{"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
    char *end = NULL;
    double seconds = strtod(text, &end), unit = 0;

    for (size_t i = 0; end != text && i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (strcmp(end, UNITS[i].name) == 0)
            unit = UNITS[i].seconds;
    seconds *= unit;
    if (!isfinite(seconds) || seconds <= 0 || seconds > SECONDS_MAX)
        return cli_usage(cli, "\"%s\" is no time above 0, such as 90, 500ms or 2m", text);
    double rounded = seconds * 1000.0 + 0.5;
    *ms = rounded < 1.0 ? 1 : (uint32_t)rounded;
    return 0;
}

int options_number(const struct cli *cli, const char *what, const char *text, uint32_t min, uint32_t max,
                   uint32_t *out)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n < min || n > max)
        return cli_usage(cli, "%s must be a number from %u to %u, not \"%s\"", what, min, max, text);
    *out = (uint32_t)n;
    return 0;
}
