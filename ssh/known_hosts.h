/*
 * known_hosts: reads one line of a file in OpenSSH's known_hosts format (sshd(8), SSH_KNOWN_HOSTS FILE
 * FORMAT). Private to ssh/.
 *
 * Hashed names are not looked into: adit's own file has none. Thread: any.
 */
#ifndef ADIT_SSH_KNOWN_HOSTS_H
#define ADIT_SSH_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNOWN_HOSTS_REPORTED "source=arm"
#define KNOWN_HOSTS_BLOB_MAX 4096
#define KNOWN_HOSTS_VM_ID_MAX 64

struct known_host {
    bool revoked, authority;
    char type[64];
    uint8_t blob[KNOWN_HOSTS_BLOB_MAX];
    size_t blob_len;
    char vm_id[KNOWN_HOSTS_VM_ID_MAX]; /* of the comment's "vmId=…", or "" */
    bool reported;                     /* the comment has "source=arm": the control plane said so */
};

/* `line` is `n` bytes without its line end. 1: an entry for `host` is in *out; 0: anything else (blank,
 * comment, another host, hashed); -1: malformed. Host names are compared without regard to case. */
int known_hosts_parse(struct known_host *out, const char *line, size_t n, const char *host);

#endif
