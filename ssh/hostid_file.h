/*
 * hostid_file: adit's known_hosts file as hostid uses it: read as a whole, changed under a lock. Private to
 * ssh/.
 *
 * Thread: any (calls block on a small local file).
 */
#ifndef ADIT_SSH_HOSTID_FILE_H
#define ADIT_SSH_HOSTID_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "hostid.h"
#include "known_hosts.h"

#define HOSTID_KEYS_MAX 64 /* of one VM, as reported */

/* *text is to be freed with mem_free(); a file that is not there is an empty one. */
int hostid_file_read(const char *path, char **text, size_t *len, struct err *err);
/* Makes the folder if need be. *fd is to be closed. */
int hostid_file_lock(const char *path, int *fd, struct err *err);

/* line counts from 1; p and n are the line without its end. */
typedef void (*hostid_entry_cb)(void *arg, const struct known_host *k, unsigned line, const char *p,
                                size_t n);
/* Each entry of the wanted host, certificate authorities left out. Malformed lines are skipped, as ssh does.
 */
void hostid_each_entry(const struct ssh_hostid_want *want, const char *text, size_t len,
                       hostid_entry_cb visit, void *arg);
/* Each key of lines "TYPE BASE64[ …]". ERR_PROTOCOL: none, or a line that is no key; ERR_LIMIT, ERR_NOMEM. */
int hostid_each_key(const char *keys, hostid_entry_cb visit, void *arg, struct err *err);

/* Does this entry speak of the VM that is wanted, rather than of an earlier one of its name? */
bool hostid_same_vm(const struct ssh_hostid_want *want, const struct known_host *k);
/* … and does it count under the policy? */
bool hostid_counts(const struct ssh_hostid_want *want, const struct known_host *k);

/* Appends the text without the lines of the wanted host that are of earlier VMs, or (all) without any but the
 * revoked ones; it ends with a line end. */
void hostid_file_copy(struct strbuf *out, const struct ssh_hostid_want *want, bool all, const char *text,
                      size_t len);
/* Appends the line of one key. ERR_PROTOCOL: it is malformed. */
int hostid_file_add(struct strbuf *out, const struct ssh_hostid_want *want, const uint8_t *blob, size_t len,
                    bool reported, struct err *err);
int hostid_file_write(const char *path, const struct strbuf *text, struct err *err);

#endif
