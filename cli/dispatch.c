/*
 * dispatch: from the command line to the command, and what is said when there is none.
 */
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config/paths.h"
#include "config_hint.h"
#include "environment_hint.h"
#include "name_hint.h"
#include "nearest.h"
#include "output.h"

#define NAMES_MAX 64

void cli_print_overview(void)
{
    const char *group = "";

    printf("usage: adit [--config FILE] COMMAND [ARGUMENT...]\n"
           "\n"
           "The level way into an Azure VM: tunnels and SSH by the VM's name.\n");
    for (const struct cli_command *c = CLI_COMMANDS; c->name; c++) {
        if (strcmp(group, c->group) != 0)
            printf("\n%s\n", c->group);
        group = c->group;
        printf("  %-11s %s\n", c->name, c->summary);
    }
    printf("\n`adit help COMMAND` tells more; adit(1) and adit.yaml(5) tell all.\n");
}

void cli_print_help(const struct cli_command *c)
{
    printf("usage: adit %s %s\n\n%s%s", c->name, c->synopsis, c->summary, *c->help ? ":\n\n" : ".\n");
    fputs(c->help, stdout);
}

static int unknown(const char *name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (const struct cli_command *c = CLI_COMMANDS; c->name && n + 1 < NAMES_MAX; c++)
        names[n++] = c->name;
    names[n] = NULL;

    const char *meant = nearest_word(name, names);
    fputs("adit: no command \"", stderr);
    output_text(stderr, name);
    if (meant)
        fprintf(stderr, "\": did you mean `adit %s`?\n", meant);
    else
        fprintf(stderr, "\": `adit help` lists them\n");
    return EX_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(struct cli *cli, int argc, char **argv)
{
    cli->command = cli_command_find(argv[0]);
    if (!cli->command)
        return unknown(argv[0]);
    if (asks_for_help(argc, argv)) {
        cli_print_help(cli->command);
        return 0;
    }
    return cli->command->run(cli, argc, argv);
}

/* The options before the command. Returns how many words they take, or −1 with *status set. */
static int global_options(struct cli *cli, int argc, char **argv, int *status)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *o = argv[i];
        *status = 0;
        if (strcmp(o, "--help") == 0 || strcmp(o, "-h") == 0) {
            cli_print_overview();
            return -1;
        }
        if (strcmp(o, "--version") == 0) {
            printf("adit %s\n", ADIT_VERSION);
            return -1;
        }
        if (strncmp(o, "--config=", 9) == 0 && o[9]) {
            cli->config = o + 9;
        } else if ((strcmp(o, "--config") == 0 || strcmp(o, "-c") == 0) && i + 1 < argc) {
            cli->config = argv[++i];
        } else {
            fputs("adit: no option \"", stderr);
            output_text(stderr, o);
            fputs("\" here: `adit help` shows what there is\n", stderr);
            *status = EX_USAGE;
            return -1;
        }
    }
    return i;
}

/* --config as aditd, which leaves this directory, must be told it. */
static int make_absolute(struct cli *cli, char **owned)
{
    char dir[PATH_MAX];
    struct err err = {0};

    if (!cli->config)
        return 0;
    if (!getcwd(dir, sizeof dir))
        dir[0] = '\0';
    *owned = paths_expand(cli->config, *dir ? dir : NULL, &err);
    cli->config = *owned;
    return *owned ? 0 : cli_fail(&err, "--config");
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    char *config = NULL;
    int status = 0;

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    json_set_alloc_funcs(mem_alloc, mem_free);
    int skip = global_options(&cli, argc, argv, &status);
    if (skip < 0)
        return status;
    if (skip == argc) {
        fprintf(stderr, "adit: no command given: `adit help` lists them\n");
        return EX_USAGE;
    }
    status = make_absolute(&cli, &config);
    name_hint_begin(&cli);
    if (status == 0)
        status = run(&cli, argc - skip, argv + skip);
    config_hint_print();
    environment_hint_print();
    mem_free(config);
    if (fflush(stdout) != 0 && status == 0) {
        fprintf(stderr, "adit: cannot write to standard output\n");
        status = EX_IOERR;
    }
    return status;
}
