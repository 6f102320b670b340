/*
 * ssh_truth: what `ssh -G HOST` printed, as settings: those that a user's ssh_config made different from what
 * ssh has built in.
 *
 * ssh_config is never read by adit itself: ssh does it, and prints what holds (ssh(1), -G: a keyword in lower
 * case and its value a line). What ssh prints with `-F none` is built in; what equals it was not said by
 * anybody. ssh leaves some tokens (%d, %u, …) and ~ as they are: they are expanded here (ssh_config(5),
 * TOKENS). Pure; any thread.
 */
#ifndef ADIT_CONFIG_SSH_TRUTH_H
#define ADIT_CONFIG_SSH_TRUTH_H

#include <stddef.h>

#include "base/err.h"
#include "config.h"

#define SSH_TRUTH_TEXT_MAX (256u << 10) /* bytes that are looked at */
#define SSH_TRUTH_LINES_MAX 4096

/* Who asks: for the tokens that ssh left. */
struct ssh_truth_who {
    const char *home, *user, *host_name; /* ours; borrowed */
    unsigned uid;
};

/* Zero-initialise; ssh_truth_done() after use. */
struct ssh_truth {
    uint32_t set;          /* enum config_key: the members of ssh that hold something */
    struct config_ssh ssh; /* only these members; texts may be NULL otherwise */
    char *host_name;       /* HostName, or the name itself; NULL when ssh told none */
    char *jump;            /* ProxyJump, tokens expanded; NULL for none */
    bool through_adit;     /* the ProxyCommand is adit's own */
    char *unhonoured;      /* "RemoteCommand, ControlPath": what adit does not do; NULL for none */
};

/* text: of `ssh -G host`; builtin: of `ssh -F none -G`. system: of the system-wide file alone, or NULL; what
 * equals that is not held against the user in `unhonoured` for keywords that distributions set. ERR_NOMEM,
 * ERR_PROTOCOL (not the output of ssh -G). */
int ssh_truth_parse(struct ssh_truth *out, const char *host, const char *text, const char *builtin,
                    const char *system, const struct ssh_truth_who *who, struct err *err);
void ssh_truth_done(struct ssh_truth *t);

/* Notes one more thing that adit does not do, once. ERR_NOMEM. */
int ssh_truth_unhonoured(struct ssh_truth *t, const char *what);

/* Gives up what was set for one of the algorithm lists or another text. */
void ssh_truth_drop(struct ssh_truth *t, enum config_key key);

#endif
