/*
 * prepare_hands: what a run of prepare does with names, sockets and SSH: looks the VM up, knocks at its SSH
 * port, logs in, opens a channel, speaks RDP's first words.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_DAEMON_PREPARE_HANDS_H
#define ADIT_DAEMON_PREPARE_HANDS_H

#include "daemon_private.h"
#include "prepare/prepare.h"

struct hands;

/* vm is copied. ERR_NOMEM, ERR_SYSTEM. */
int hands_new(struct hands **out, struct daemon *d, const struct config_vm *vm, struct err *err);
/* For prepare_options.hands, until hands_close(). */
struct prepare_hands hands_table(struct hands *h);
/* What was last looked up; NULL before. Borrowed. */
const struct resolver_facts *hands_facts(const struct hands *h);
/* Silent: cancels what is under way, forgets what is remembered of the VM's whereabouts, and frees itself
 * when its connections are closed. The daemon's end waits for that (daemon_hands_gone()). */
void hands_close(struct hands *h);

#endif
