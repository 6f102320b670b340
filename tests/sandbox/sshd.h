/*
 * sshd: the files of a VM's SSH server: host keys, sshd_config, authorized keys; and the start of the server
 * itself.
 */
#ifndef ADIT_SANDBOX_SSHD_H
#define ADIT_SANDBOX_SSHD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct sshd_setup {
    const char *dir;     /* the VM's directory */
    const char *name;    /* set as ADIT_SANDBOX_VM in every session */
    const char *address; /* to listen on; NULL = every address of the namespace */
    uint16_t port;
    const char *const *lines; /* more of sshd_config, before ours: the first of a kind wins */
    unsigned lines_count;
};

int sshd_find(const char **path,
              struct err *err); /* /usr/sbin/sshd or another place; says which package is missing */
int sshd_key_new(const char *path, const char *type, const char *comment,
                 struct err *err);                        /* replaces an old one */
int sshd_host_keys_new(const char *dir, struct err *err); /* Ed25519 and ECDSA */
int sshd_config_write(const struct sshd_setup *setup,
                      struct err *err); /* written and accepted by `sshd -t` */

/* Adds a key line unless its key is there. *added tells whether it was not. */
int sshd_key_authorize(const char *dir, const char *line, bool *added, struct err *err);

/* Takes exactly that line out. *removed tells whether it was there. */
int sshd_key_revoke(const char *dir, const char *line, bool *removed, struct err *err);

/* In the VM's process: forks the server of `dir`. */
int sshd_spawn(const char *dir, pid_t *pid, struct err *err);

#endif
