/*
 * ssh_install: keeps adit's Host blocks in a file of their own and ssh's configuration including it.
 */
#ifndef ADIT_CLI_SSH_INSTALL_H
#define ADIT_CLI_SSH_INSTALL_H

#include <stdbool.h>

#include "base/err.h"

/* The first line of a file that is adit's to write. */
#define SSH_INSTALL_MARK                                                                                     \
    "# Written by `adit ssh-config --install`; `adit ssh-config --uninstall` removes it.\n"

/* Writes `text` to ~/.ssh/adit.conf (0600) and an Include of it, between two marks, at the top of
 * ~/.ssh/config unless the marks stand there already. A config that is a symbolic link stays one: what it
 * points to is changed. An adit.conf that is not adit's is left alone (ERR_EXISTS). *changed: something was
 * not so before. ERR_INVAL, ERR_DENIED, ERR_SYSTEM. */
int ssh_install(const char *text, bool *changed, struct err *err);
int ssh_uninstall(bool *changed, struct err *err);

/* ~/.ssh/NAME by $HOME; mem_free(); NULL with err set. */
char *ssh_install_path(const char *name, struct err *err);

#endif
