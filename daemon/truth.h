/*
 * truth: the configuration in use is adit.yaml with its gaps filled from ssh_config, and stays so when either
 * changes.
 *
 * What ssh said is kept until adit.yaml is loaded again or ~/.ssh/config, /etc/ssh/ssh_config or a file that
 * `ssh-config:` names is another one than it was. Thread: the main loop's.
 */
#ifndef ADIT_DAEMON_TRUTH_H
#define ADIT_DAEMON_TRUTH_H

#include "naming.h"

/* ERR_NOMEM. */
int truth_new(struct truth **out, struct daemon *d, struct err *err);
void truth_free(struct truth *t); /* what is under way is cancelled; its handles close on the loop */

/* For the start, when nothing else is on the loop: d->config, as loaded, is filled before this returns. */
void truth_first(struct daemon *d);

/* Makes `file` (a reference is taken over; NULL: the one in use, asked about anew) the configuration, once
 * ssh has been asked. Several at a time become one. Nobody who waits that `applies`: it is applied here.
 * ERR_NOMEM. */
int truth_update(struct daemon *d, const struct config *file, struct truth_wait *w, struct err *err);
void truth_wait_cancel(struct truth_wait *w); /* silent; one that does not wait may be given */

/* naming_find(), with an ssh_config that changed read again first, and with what ssh says of a VM that
 * adit.yaml does not name. 1: it is known at once, *named is set. 0: the callback follows; named is the
 * receiver's, or NULL with err. */
struct truth_find;
typedef void (*truth_find_cb)(void *arg, struct named_vm *named, const struct err *err);
int truth_find_start(struct truth_find **out, struct daemon *d, const char *typed, struct named_vm *named,
                     truth_find_cb cb, void *arg, struct err *err);
void truth_find_cancel(struct truth_find *f); /* silent */

/* Has an ssh_config changed since ssh was asked? */
bool truth_is_stale(const struct daemon *d);

#endif
