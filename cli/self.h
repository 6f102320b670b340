/*
 * self: how others are to call this adit: in ssh_config, on ssh's command line.
 */
#ifndef ADIT_CLI_SELF_H
#define ADIT_CLI_SELF_H

#include "base/strbuf.h"
#include "cli.h"

/* The absolute path: the one of PATH when that is this very program (it survives an upgrade), else where it
 * is. mem_free(); NULL with err set. */
char *self_path(struct err *err);

/* "PATH [--config FILE]" for ProxyCommand, which a shell reads, and for KnownHostsCommand, which ssh splits:
 * quoted so that both see the same, "%" doubled. mem_free(); ERR_INVAL for a path that no quoting can carry.
 */
char *self_command(const struct cli *cli, struct err *err);

/* One more word for such a command, quoted and with "%" doubled in the same way. ERR_INVAL. */
int self_add_word(struct strbuf *out, const char *word, struct err *err);

#endif
