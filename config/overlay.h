/*
 * overlay: a snapshot with what adit.yaml leaves open filled from what ssh said (ssh_truth.h).
 *
 * adit.yaml wins where it says something, `defaults:` included; then ssh_config; then what adit has built in.
 * A ProxyJump becomes `via`: the VM of adit.yaml that the jump names, or else an entry of its own that is
 * only a way for others (config.hop_count). The new snapshot holds a reference to the one that it was made
 * of. Thread: none of its own.
 */
#ifndef ADIT_CONFIG_OVERLAY_H
#define ADIT_CONFIG_OVERLAY_H

#include "config.h"
#include "ssh_truth.h"

#define OVERLAY_HOPS_MAX 1024
#define OVERLAY_CHAIN_MAX 8 /* hosts of one ProxyJump */

/* One host of a ProxyJump: [USER@]HOST[:PORT], or ssh://… of it. */
struct overlay_jump {
    char host[256], user[128]; /* user "" for none */
    uint16_t port;             /* 0 for none */
};

/* text: n bytes between two commas. ERR_INVAL. */
int overlay_jump_parse(struct overlay_jump *out, const char *text, size_t n, struct err *err);

/* What ssh said of a host, as named to it, with the file (config_ssh.ssh_config) that it was to read. NULL:
 * nothing. */
typedef const struct ssh_truth *(*overlay_lookup_cb)(void *arg, const char *ssh_config, const char *host);

/* Why nothing could be learned about it, for people; NULL when there is no reason to tell. */
typedef const char *(*overlay_trouble_cb)(void *arg, const char *ssh_config, const char *host);

struct overlay_source {
    overlay_lookup_cb lookup;
    overlay_trouble_cb trouble;
    void *arg;
};

/* ERR_NOMEM. *out has one reference. */
int config_overlay(const struct config **out, const struct config *file, const struct overlay_source *from,
                   struct err *err);

/* The same for one VM that the configuration does not name; a jump only through a VM of `c`, as it is.
 * trouble may be NULL. ERR_NOMEM. */
int config_vm_fill(struct config_vm *vm, const struct config *c, const struct ssh_truth *t,
                   const char *trouble);

#endif
