/*
 * complete: what a user may mean at the cursor of a command line.
 */
#include "complete.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "forward_list.h"
#include "help_options.h"
#include "known_names.h"
#include "rdp_client.h"

#define GLOBAL                                                                                               \
    "  -c, --config FILE  use this configuration\n      --version  print the version\n"                      \
    "  -h, --help  show help\n"
#define EVERYWHERE "  -h, --help  show help\n"

struct line {
    struct cli cli;
    const struct cli_command *command; /* NULL: not typed yet */
    const char *vm;
    int places;                /* words behind the command that are neither options nor values */
    struct help_option wanted; /* the option whose value is typed next; no name and no letter: none */
    bool ended;                /* "--" was there: what follows is not adit's */
    const char *typed;
    size_t prefix_len; /* of the typed word, kept in front of each candidate */
    struct strbuf *out;
};

static void offer(struct line *l, const char *candidate, size_t n, const char *about, size_t about_len)
{
    const char *typed = l->typed + l->prefix_len;
    size_t len = strlen(typed);

    if (len > n || strncasecmp(candidate, typed, len) != 0)
        return;
    strbuf_add(l->out, l->typed, l->prefix_len);
    strbuf_add(l->out, candidate, n);
    if (about_len > 0) {
        strbuf_puts(l->out, "\t");
        strbuf_add(l->out, about, about_len);
    }
    strbuf_puts(l->out, "\n");
}

static void offer_text(struct line *l, const char *candidate, const char *about)
{
    offer(l, candidate, strlen(candidate), about ? about : "", about ? strlen(about) : 0);
}

static void offer_names(struct line *l, struct known_names *k)
{
    known_names_sort(k);
    for (size_t i = 0; i < k->count; i++)
        offer_text(l, k->items[i].name, k->items[i].about);
    known_names_done(k);
}

static void offer_vms(struct line *l)
{
    struct known_names k = {NULL, 0, 0};
    const char *at = strrchr(l->typed + l->prefix_len, '@');

    if (at) /* user@vm */
        l->prefix_len = (size_t)(at + 1 - l->typed);
    known_names_vms(&k, &l->cli, l->typed[l->prefix_len] != '\0');
    offer_names(l, &k);
}

static void offer_forwards(struct line *l, char option)
{
    struct known_names k = {NULL, 0, 0};
    const char *at = l->vm ? strrchr(l->vm, '@') : NULL;

    enum forward_kind kind;
    if (l->vm && forward_list_kind(option, &kind))
        known_names_forwards(&k, &l->cli, at ? at + 1 : l->vm, kind);
    offer_names(l, &k);
}

static void offer_commands(struct line *l)
{
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++)
        offer_text(l, c->name, c->summary);
}

static void offer_options(struct line *l, const char *help)
{
    struct help_option o;
    char name[64];

    while (help_options_next(&help, &o)) {
        if (o.name.n > 0)
            snprintf(name, sizeof name, "--%.*s", (int)o.name.n, o.name.p);
        else
            snprintf(name, sizeof name, "-%c", o.letter);
        offer(l, name, strlen(name), o.text.p, o.text.n);
    }
}

/* What the help calls a value tells what it is. */
static void offer_value(struct line *l, struct help_option o)
{
    static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int)o.value.n, o.value.p);
    if (strcmp(name, "VM") == 0) {
        offer_vms(l);
    } else if (strcmp(name, "FORWARD") == 0) {
        offer_forwards(l, o.letter);
    } else if (strncmp(name, "FILE", 4) == 0) {
        strbuf_puts(l->out, COMPLETE_FILES "\n");
    } else if (strcmp(name, "FOLDER") == 0) {
        strbuf_puts(l->out, COMPLETE_FOLDERS "\n");
    } else if (strcmp(name, "LEVEL") == 0) {
        for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++)
            offer_text(l, LEVELS[i], NULL);
    } else if (strcmp(name, "CLIENT") == 0) {
        for (size_t i = 0; rdp_client_program(i); i++)
            offer_text(l, rdp_client_program(i), NULL);
    }
}

/* The words in small letters that a synopsis begins with, in each of its alternatives: "check [FILE] | path".
 */
static bool offer_literals(struct line *l)
{
    bool any = false;
    for (const char *p = l->command->synopsis; *p; p += strcspn(p, "|")) {
        p += strspn(p, "| ");
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");
        if (n > 0 && (p[n] == ' ' || !p[n])) {
            offer(l, p, n, "", 0);
            any = true;
        }
    }
    return any;
}

static void offer_place(struct line *l)
{
    const char *s = l->command->synopsis;
    bool first = l->places == 0;

    if (first && offer_literals(l))
        return;
    if (strstr(s, "VM...") || (first && (help_text_has(s, "VM") || help_text_has(s, "HOST"))))
        offer_vms(l);
    else if (first && help_text_has(s, "COMMAND"))
        offer_commands(l);
    else if (!first && help_text_has(s, "FILE"))
        strbuf_puts(l->out, COMPLETE_FILES "\n");
}

static bool is_called(const struct help_option *o, const char *word, size_t len)
{
    if (len > 2 && strncmp(word, "--", 2) == 0)
        return o->name.n == len - 2 && strncmp(word + 2, o->name.p, len - 2) == 0;
    return len == 2 && o->letter && word[1] == o->letter;
}

static struct help_option find_option(const char *help, const char *word, size_t len)
{
    struct help_option o;
    while (help_options_next(&help, &o))
        if (is_called(&o, word, len))
            return o;
    return (struct help_option){.letter = '\0'};
}

static struct help_option option_of(const struct line *l, const char *word, size_t len)
{
    return find_option(l->command ? l->command->help : GLOBAL, word, len);
}

static void take(struct line *l, char *word)
{
    struct help_option value_of = l->wanted;

    l->wanted = (struct help_option){.letter = '\0'};
    if (value_of.value.n > 0) {
        if (!l->command)
            l->cli.config = word;
        if (l->command && value_of.value.n == 2 && strncmp(value_of.value.p, "VM", 2) == 0)
            l->vm = word;
    } else if (strcmp(word, "--") == 0) {
        l->ended = true;
    } else if (word[0] == '-') {
        struct help_option o = option_of(l, word, strlen(word));
        if (!o.value_optional)
            l->wanted = o;
        if (!l->command && strncmp(word, "--config=", 9) == 0)
            l->cli.config = word + 9;
    } else if (!l->command) {
        l->command = cli_command_find(word);
        l->ended |= !l->command; /* a mistyped one has no arguments */
    } else {
        l->vm = l->vm ? l->vm : word;
        l->places++;
    }
}

static void offer_at_cursor(struct line *l)
{
    const char *equals = strchr(l->typed, '=');

    if (l->wanted.value.n > 0) {
        offer_value(l, l->wanted);
    } else if (l->typed[0] == '-' && equals) {
        l->prefix_len = (size_t)(equals + 1 - l->typed);
        offer_value(l, option_of(l, l->typed, (size_t)(equals - l->typed)));
    } else if (l->typed[0] == '-') {
        offer_options(l, l->command ? l->command->help : GLOBAL);
        if (l->command)
            offer_options(l, EVERYWHERE);
    } else if (l->command) {
        offer_place(l);
    } else {
        offer_commands(l);
    }
}

void complete_words(const struct cli *cli, char **words, int count, struct strbuf *out)
{
    struct line l = {.cli = *cli, .out = out};

    for (int i = 0; i + 1 < count && !l.ended; i++)
        take(&l, words[i]);
    l.typed = count > 0 ? words[count - 1] : "";
    if (!l.ended)
        offer_at_cursor(&l);
}
