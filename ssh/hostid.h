/*
 * hostid: is this host key the VM's? A VM is known by its vmId, not by its address (addresses are recycled).
 *
 * Keys live in one file in OpenSSH's known_hosts format: the host name is the resource ID in lower case (or
 * "address",
 * "[address]:port" where there is no VM behind it), and the comment is "vmId=GUID", followed by "source=arm"
 * when the control plane reported the key. Several connections and
 * processes may use the file: it is read anew when it changed and appended under a lock. Thread: any (calls
 * block on a small local file).
 */
#ifndef ADIT_SSH_HOSTID_H
#define ADIT_SSH_HOSTID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum ssh_hostid_policy {
    SSH_HOSTID_STRICT,     /* only a key that is already known */
    SSH_HOSTID_ACCEPT_NEW, /* a host without any known key is remembered at the first connect */
    SSH_HOSTID_ASK,        /* the same, once a person has said yes */
    SSH_HOSTID_ARM,        /* only a key that ssh_hostid_learn() recorded */
};

struct ssh_hostid_want {
    const char *file;  /* known_hosts */
    const char *host;  /* resource ID or address */
    const char *vm_id; /* or NULL when no VM is behind it */
    const char *label; /* what to call it in messages: "vm win11 (rg-desk/win11)" */
    enum ssh_hostid_policy policy;
    const char *keys; /* lines "TYPE BASE64[ …]", or NULL. With them the key must be one of these, whatever
                         the policy; the file has a say only in what is revoked, and is not written */
};

/* blob: the key as in RFC 4253 §6.6. 0: the key is known, or was remembered now. ERR_HOSTKEY: same vmId,
 * other key, with both fingerprints, the file and line, and what to do; or unknown under STRICT; or another
 * vmId: the VM was re-created (under ACCEPT_NEW the old entry is replaced and 0 returned, with a warning
 * logged). 1: unknown under ASK; nothing is written, err->msg says what there is to be accepted, and a check
 * under ACCEPT_NEW remembers it. ERR_SYSTEM, ERR_DENIED, ERR_NOMEM. */
int ssh_hostid_check(const struct ssh_hostid_want *want, const uint8_t *blob, size_t len, struct err *err);

/* Records keys (lines as want->keys; want->keys and policy do not count) that the control plane reports for
 * this VM: they take the place of every other line of its name, but revoked keys stay revoked. *changed (may
 * be NULL): the keys that count under SSH_HOSTID_ARM were others before. ERR_PROTOCOL: no key in it, or a
 * line that is none. ERR_SYSTEM, ERR_DENIED, ERR_NOMEM. */
int ssh_hostid_learn(const struct ssh_hostid_want *want, const char *keys, bool *changed, struct err *err);

/* Whether the file has a key for this VM that counts under the policy. False when it cannot be read. */
bool ssh_hostid_known(const struct ssh_hostid_want *want);

/* The key types already known for this host, preferred in the key exchange so that a second kind of key is
 * not taken for a changed one. Comma-separated into out ("" when none). */
int ssh_hostid_known_types(const struct ssh_hostid_want *want, char *out, size_t size, struct err *err);

/* "ssh-ed25519 SHA256:base64" */
void ssh_hostid_fingerprint(const uint8_t *blob, size_t len, char *out, size_t size);

#endif
