/*
 * cmd_config: `adit config`: checks and shows the configuration, without a daemon.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "config/config.h"
#include "config/paths.h"
#include "json.h"
#include "options.h"
#include "output.h"

#define CALL_MS 5000

/* The file that counts, and whether somebody named it: then it must be there. */
static char *find_file(const struct cli *cli, const char *given, bool *named, struct err *err)
{
    char dir[PATH_MAX];
    const char *environment = getenv("ADIT_CONFIG");

    *named = given || cli->config || (environment && *environment);
    if (given)
        return paths_expand(given, getcwd(dir, sizeof dir), err);
    return cli->config ? mem_strdup(cli->config) : paths_config_file(err);
}

static int report(const char *path, const struct config_problems *problems, const struct err *err)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *p = &problems->items[i];
        output_text(stderr, path);
        if (p->line)
            fprintf(stderr, ":%u:%u", p->line, p->column);
        fputs(": ", stderr);
        output_text(stderr, p->text);
        fputc('\n', stderr);
    }
    return problems->count > 0 ? EX_CONFIG : cli_fail(err, "config");
}

/* 0 with *out, or the status to exit with. */
static int load(const struct cli *cli, const char *given, char **path, const struct config **out)
{
    struct err err = {0};
    struct config_problems problems = {0};
    bool named;

    *path = find_file(cli, given, &named, &err);
    if (!*path)
        return cli_fail(&err, "config");
    int rc = config_load(out, *path, &problems, &err);
    if (rc == ERR_NOTFOUND && !named)
        rc = config_load(out, NULL, &problems, &err);
    int status = rc == 0 ? 0 : report(*path, &problems, &err);
    if (rc == ERR_NOTFOUND)
        status = EX_CONFIG;
    config_problems_done(&problems);
    return status;
}

static int check(const struct cli *cli, const char *file)
{
    const struct config *config = NULL;
    char *path = NULL;
    size_t forwards = 0;

    int status = load(cli, file, &path, &config);
    if (config && !config->path) {
        printf("there is no %s: nothing to check\n", path);
    } else if (config) {
        for (size_t i = 0; i < config->vm_count; i++)
            forwards += config->vms[i].forward_count;
        printf("%s: good: %zu VMs, %zu forwards\n", path, config->vm_count, forwards);
    }
    config_unref(config);
    mem_free(path);
    return status;
}

static int show_running(struct cli *cli)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;

    int rc = cli_connect(cli, CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0)
        rc = control_call(c, "config", NULL, CALL_MS, NULL, NULL, &answer, NULL, &err);
    if (rc == 0)
        json_print(json_object_get(answer, "config"));
    json_decref(answer);
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "config show");
}

static int show(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"json", no_argument, NULL, OPT_JSON},
                                            {"running", no_argument, NULL, OPT_RUNNING},
                                            {NULL, 0, NULL, 0}};
    const struct config *config = NULL;
    char *path = NULL;
    bool as_json = false, running = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        as_json |= o == OPT_JSON;
        running |= o == OPT_RUNNING;
    }
    if (optind < argc)
        return cli_usage(cli, "show takes no argument");
    if (running)
        return show_running(cli);
    int status = load(cli, NULL, &path, &config);
    char *text = status == 0 ? (as_json ? config_to_json(config) : config_to_yaml(config)) : NULL;
    if (text) {
        size_t n = strlen(text);
        fputs(text, stdout);
        if (n > 0 && text[n - 1] != '\n')
            putchar('\n');
    } else if (status == 0) {
        struct err err = {0};
        err_set(&err, ERR_NOMEM, "out of memory");
        status = cli_fail(&err, "config show");
    }
    mem_free(text);
    config_unref(config);
    mem_free(path);
    return status;
}

static int print_path(const struct cli *cli)
{
    struct err err = {0};
    bool named;
    char *path = find_file(cli, NULL, &named, &err);
    if (!path)
        return cli_fail(&err, "config path");
    puts(path);
    mem_free(path);
    return 0;
}

int cmd_config(struct cli *cli, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "show") == 0)
        return show(cli, argc - 1, argv + 1);
    if (strcmp(what, "check") == 0 && argc <= 3 && (argc == 2 || argv[2][0] != '-'))
        return check(cli, argc == 3 ? argv[2] : NULL);
    if (strcmp(what, "path") == 0 && argc == 2)
        return print_path(cli);
    return cli_usage(cli, "check, show or path?");
}
