/*
 * ssh_args: the command line of `adit ssh`: the options of `az ssh vm`, then "--" and ssh's own words.
 */
#ifndef ADIT_CLI_SSH_ARGS_H
#define ADIT_CLI_SSH_ARGS_H

#include "cli.h"

/* All borrowed from argv but `vm`. */
struct ssh_args {
    char *vm;         /* what `adit proxy` is to be asked for; owned */
    const char *user; /* --local-user or "user@" */
    const char *identity, *public_key, *certificate, *client_folder;
    uint32_t port; /* 0: not given */
    bool private_ip;
    bool batch;   /* nobody is to be asked */
    char **words; /* behind "--" */
    int word_count;
};

/* 0, or 64 after the mistake has been reported. ssh_args_done() either way. */
int ssh_args_parse(struct ssh_args *a, const struct cli *cli, int argc, char **argv);
void ssh_args_done(struct ssh_args *a);

/* Whether ssh's words are nothing but -N and forwards by -L, -D and -R, and no other option asks for
 * something that only ssh does: then adit's own connection can carry them. Calls add for each, unless it is
 * NULL. */
typedef void (*ssh_args_forward_cb)(void *arg, char option, char *spec);
bool ssh_args_only_forwards(const struct ssh_args *a, ssh_args_forward_cb add, void *arg);

#endif
