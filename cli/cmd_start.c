/*
 * cmd_start: `adit start`: starts VMs.
 */
#include "power.h"

int cmd_start(struct cli *cli, int argc, char **argv)
{
    static const struct power_words WORDS = {.op = "start", .done = "started", .unchanged = "runs already"};
    return power_run(cli, &WORDS, argc, argv);
}
