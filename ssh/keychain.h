/*
 * keychain: the keys that a passphrase has opened, kept for as long as the process lives, as an agent keeps
 * them, so that a connection that comes back does not ask again.
 *
 * A key is found by its file: the path, and what the file holds. Nothing of the passphrase is kept. Thread:
 * any: key files are loaded on the pool of threads, so this is the one place of ssh/ with a lock.
 */
#ifndef ADIT_SSH_KEYCHAIN_H
#define ADIT_SSH_KEYCHAIN_H

#include <stddef.h>

#include "base/list.h"

#define SSH_KEYCHAIN_MAX 64 /* keys; the one that was opened first goes when there are more */

/* path NULL: all of them. */
void ssh_keychain_forget(const char *path);

/* ---- private to ssh/ ---- */

struct ssh_keyfile;

/* text: the file's content. Puts the key into k, which has none, and clears its trouble; nothing when it is
 * not there. */
void ssh_keychain_find(struct ssh_keyfile *k, const char *text, size_t n);
/* A file is being unlocked; whoever wants its key soon waits for that rather than ask for the passphrase
 * again. */
struct ssh_keychain_opening {
    struct list node;
    const char *path;
};
void ssh_keychain_open_begin(struct ssh_keychain_opening *o, const char *path);
void ssh_keychain_open_end(struct ssh_keychain_opening *o);
void ssh_keychain_wait(const char *path); /* until no one is at it; on the pool of threads only */

/* Out of memory: it is not kept. */
void ssh_keychain_add(const struct ssh_keyfile *k, const char *text, size_t n);

#endif
