/*
 * record: what was added to Azure and to VMs, remembered on disk, so that an undo takes away that and nothing
 * else.
 *
 *   {"format": "adit-prepare", "version": 1, "vms": [{"id", "vmId", "started",
 *     "rules": [{"id", "source", "priority"}], "keys": [{"user", "line", "administrator"}],
 *     "extension": NAME, "publicIp": {"id", "nic", "config"}}]}
 *
 * One file, 0600, replaced in one step; public keys and resource IDs only, nothing secret. An entry is
 * written before its change is begun: what Azure does after we are gone is then known too, and an undo looks
 * at what is really there. Private to prepare/. Blocking: a few KiB on a local disk. Thread: the loop's.
 */
#ifndef ADIT_PREPARE_RECORD_H
#define ADIT_PREPARE_RECORD_H

#include <stdbool.h>

#include "base/err.h"

#define RECORD_FILE_MAX (4u << 20)
#define RECORD_VMS_MAX 4096
#define RECORD_PARTS_MAX 16 /* rules of one VM, keys of one VM */

struct record_rule {
    char *id; /* resource ID */
    char *source;
    int priority;
};

struct record_key {
    char *user, *line;
    bool administrator;
};

struct record_vm {
    char *id, *vm_id;
    bool started; /* by us */
    struct record_rule rules[RECORD_PARTS_MAX];
    unsigned rule_count;
    struct record_key keys[RECORD_PARTS_MAX];
    unsigned key_count;
    char *extension;                              /* its name, or NULL */
    char *public_ip, *public_nic, *public_config; /* all three or none */
};

/* What is recorded of the VM; an empty one if nothing is. What was on a machine that is gone (another vmId
 * under the same ID) is left out. ERR_DENIED (others can write the file), ERR_INVAL (damaged), ERR_LIMIT,
 * ERR_SYSTEM, ERR_NOMEM. */
int record_read(struct record_vm **out, const char *path, const char *id, const char *vm_id, struct err *err);
void record_free(struct record_vm *r);

/* Reads, lets `edit` change it, writes; an entry that is empty then is dropped. edit returns 0 or a code. */
typedef int (*record_edit_cb)(struct record_vm *r, const void *arg);
int record_edit(const char *path, const char *id, const char *vm_id, record_edit_cb edit, const void *arg,
                struct err *err);

/* For edits. A rule of that ID, a key of that line and user, is there once. ERR_NOMEM, ERR_LIMIT. */
int record_rule_put(struct record_vm *r, const struct record_rule *rule);
void record_rule_drop(struct record_vm *r, const char *id);
const struct record_rule *record_rule_find(const struct record_vm *r, const char *id); /* or NULL */
int record_key_put(struct record_vm *r, const struct record_key *key);
void record_key_drop(struct record_vm *r, const struct record_key *key);
int record_text_set(char **to, const char *text); /* text NULL: forgets. ERR_NOMEM */

#endif
