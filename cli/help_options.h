/*
 * help_options: the options that a command's help text tells of.
 *
 * The help is what a user reads, so what completion offers is taken from it and from nothing else. A line of
 * options begins with spaces and a dash: "  -L, --local SPEC   listen here", "  -w, --watch[=TIME]   stay",
 * several of them parted by commas.
 */
#ifndef ADIT_CLI_HELP_OPTIONS_H
#define ADIT_CLI_HELP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct help_text {
    const char *p; /* into the help, not terminated; n 0: none */
    size_t n;
};

struct help_option {
    char letter;            /* '\0': none */
    struct help_text name;  /* without "--" */
    struct help_text value; /* "SPEC" */
    bool value_optional;    /* then only behind "=" */
    struct help_text text;
};

/* The next option behind *at, which moves on; false at the end. */
bool help_options_next(const char **at, struct help_option *out);

/* Whether the text has this word, as in "[VM...] | --install", parted by what is no letter, digit or dash. */
bool help_text_has(const char *text, const char *word);

#endif
