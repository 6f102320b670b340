/*
 * ssh_lines: the output of `ssh -G` as a list of keywords and values.
 *
 * Private to config/. Pure; any thread.
 */
#ifndef ADIT_CONFIG_SSH_LINES_H
#define ADIT_CONFIG_SSH_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct ssh_line {
    const char *key, *value; /* value "" when there is none */
};

struct ssh_lines {
    char *text;
    struct ssh_line *items;
    size_t count;
};

int ssh_lines_init(struct ssh_lines *l, const char *text); /* NULL is as "". ERR_NOMEM */
void ssh_lines_done(struct ssh_lines *l);

const char *ssh_lines_value(const struct ssh_lines *l, const char *key); /* the first one's; NULL if none */
bool ssh_lines_has(const struct ssh_lines *l, const char *key, const char *value);

#endif
