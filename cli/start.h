/*
 * start: starts aditd and waits until it serves or says why it does not.
 */
#ifndef ADIT_CLI_START_H
#define ADIT_CLI_START_H

#include "base/err.h"

/* config: --config to hand on, or NULL. socket: the control socket, beside which a lock lets one of many
 * start it. probe(arg): whether it runs by now (another adit may have been first). What aditd says while it
 * starts well is printed; when it fails, more than one line is printed and one line becomes the error. */
int start_daemon(const char *config, const char *socket, int (*probe)(void *arg), void *arg, struct err *err);

#endif
