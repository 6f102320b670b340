/*
 * cli: what the commands of adit share: the table they stand in, and the ways to fail and to reach the
 * daemon.
 *
 * A command returns the status to exit with. It prints an error exactly once, through cli_fail().
 */
#ifndef ADIT_CLI_CLI_H
#define ADIT_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "control/control.h"

struct cli {
    const char *config; /* --config, or NULL */
    const struct cli_command *command;
};

struct cli_command {
    const char *name;
    const char *group;                                  /* heading in `adit help` */
    const char *summary;                                /* one line, lower case, no full stop */
    const char *synopsis;                               /* without "adit NAME" */
    const char *help;                                   /* what follows the synopsis in `adit help NAME` */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct cli_command CLI_COMMANDS[]; /* ends with a NULL name */

const struct cli_command *cli_command_find(const char *name);
int cli_main(int argc, char **argv); /* the status to exit with */
void cli_print_help(const struct cli_command *c);
void cli_print_overview(void);

/* Says on standard error how the command is used wrongly; 64. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "adit: WHAT: message", once, control characters escaped; the exit status that fits. what: "up win11", or
 * NULL. */
int cli_fail(const struct err *err, const char *what_fmt, ...) __attribute__((format(printf, 2, 3)));

enum cli_start { CLI_RUNNING_ONLY, CLI_START };

/* A connection to aditd, which is started first if need be. Messages of the start (a port in use, say) are
 * printed. */
int cli_connect(struct cli *cli, enum cli_start start, struct control_client **out, struct err *err);

int cmd_up(struct cli *cli, int argc, char **argv);
int cmd_down(struct cli *cli, int argc, char **argv);
int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_forward(struct cli *cli, int argc, char **argv);
int cmd_cancel(struct cli *cli, int argc, char **argv);
int cmd_proxy(struct cli *cli, int argc, char **argv);
int cmd_resolve(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_prepare(struct cli *cli, int argc, char **argv);
int cmd_start(struct cli *cli, int argc, char **argv);
int cmd_deallocate(struct cli *cli, int argc, char **argv);
int cmd_login(struct cli *cli, int argc, char **argv);
int cmd_logout(struct cli *cli, int argc, char **argv);
int cmd_known_hosts(struct cli *cli, int argc, char **argv);
int cmd_rdp(struct cli *cli, int argc, char **argv);
int cmd_ssh(struct cli *cli, int argc, char **argv);
int cmd_ssh_config(struct cli *cli, int argc, char **argv);
int cmd_reload(struct cli *cli, int argc, char **argv);
int cmd_stop(struct cli *cli, int argc, char **argv);
int cmd_logs(struct cli *cli, int argc, char **argv);
int cmd_config(struct cli *cli, int argc, char **argv);
int cmd_version(struct cli *cli, int argc, char **argv);
int cmd_completion(struct cli *cli, int argc, char **argv);
int cmd_help(struct cli *cli, int argc, char **argv);

#endif
