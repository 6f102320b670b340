/*
 * cmd_deallocate: `adit deallocate`: stops VMs and gives their machines back to Azure.
 */
#include "power.h"

int cmd_deallocate(struct cli *cli, int argc, char **argv)
{
    static const struct power_words WORDS = {.op = "deallocate",
                                             .done = "deallocated",
                                             .unchanged = "was deallocated already",
                                             .question = "Deallocate"};
    return power_run(cli, &WORDS, argc, argv);
}
