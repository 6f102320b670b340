/*
 * cmd_help: `adit help`: all commands, or one.
 */
#include "cli.h"

int cmd_help(struct cli *cli, int argc, char **argv)
{
    if (argc == 1) {
        cli_print_overview();
        return 0;
    }
    const struct cli_command *c = cli_command_find(argv[1]);
    if (argc > 2 || !c)
        return cli_usage(cli, argc > 2 ? "one command at a time" : "there is no command \"%s\"", argv[1]);
    cli_print_help(c);
    return 0;
}
