/*
 * cmd_completion: `adit completion`: the script that makes a shell complete adit's command lines, and what
 * that script asks each time.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli.h"
#include "complete.h"
#include "completion_scripts.h"
#include "options.h"

static int print_script(const struct cli *cli, const char *shell)
{
    for (size_t i = 0; COMPLETION_SCRIPTS[i].shell; i++) {
        if (strcmp(COMPLETION_SCRIPTS[i].shell, shell) != 0)
            continue;
        fputs(COMPLETION_SCRIPTS[i].text, stdout);
        return 0;
    }
    return cli_usage(cli, "there is no completion for \"%s\"", shell);
}

int cmd_completion(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{NULL, 0, NULL, 0}};
    struct strbuf out;

    if (options_next(cli, argc, argv, "", OPTIONS) != -1)
        return EX_USAGE;
    if (strcmp(argv[optind - 1], "--") != 0)
        return optind + 1 == argc ? print_script(cli, argv[optind])
                                  : cli_usage(cli, "which shell: bash, zsh or fish?");
    strbuf_init(&out);
    complete_words(cli, argv + optind, argc - optind, &out);
    if (out.data && !out.bad)
        fputs(out.data, stdout);
    strbuf_done(&out);
    return 0;
}
