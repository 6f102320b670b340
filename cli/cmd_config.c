/*
 * cmd_config: `adit config`: checks and shows the configuration, without a daemon.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "cli.h"
#include "config/config.h"
#include "config_file.h"
#include "json.h"
#include "options.h"
#include "vm_settings.h"

#define CALL_MS 5000

static int check(const struct cli *cli, const char *file)
{
    const struct config *config = NULL;
    char *path = NULL;
    size_t forwards = 0;

    int status = config_file_load(cli, file, &path, &config);
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

/* name NULL: all of it. */
static int show_running(struct cli *cli, const char *name, bool as_json)
{
    struct control_client *c = NULL;
    struct err err = {0};
    json_t *answer = NULL;

    int rc = cli_connect(cli, name ? CLI_START : CLI_RUNNING_ONLY, &c, &err);
    if (rc == 0)
        rc = control_call(c, "config", NULL, CALL_MS, NULL, NULL, &answer, NULL, &err);
    const json_t *shown = json_object_get(answer, "config");
    if (rc == 0 && name)
        shown = vm_settings_find(shown, name);
    if (rc == 0 && !shown)
        rc = err_set(&err, ERR_NOTFOUND, "the configuration names no VM %s", name ? name : "");
    else if (rc == 0 && name && !as_json)
        rc = vm_settings_print(shown, &err);
    else if (rc == 0)
        json_print(shown);
    json_decref(answer);
    control_client_close(c);
    return rc == 0 ? 0 : cli_fail(&err, "config show");
}

static int show(struct cli *cli, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"json", no_argument, NULL, OPT_JSON},
                                            {"running", no_argument, NULL, OPT_RUNNING},
                                            {"vm", required_argument, NULL, OPT_VM},
                                            {NULL, 0, NULL, 0}};
    const struct config *config = NULL;
    char *path = NULL;
    const char *name = NULL;
    bool as_json = false, running = false;

    for (int o; (o = options_next(cli, argc, argv, "", OPTIONS)) != -1;) {
        if (o == '?')
            return EX_USAGE;
        as_json |= o == OPT_JSON;
        running |= o == OPT_RUNNING;
        name = o == OPT_VM ? optarg : name;
    }
    if (optind < argc)
        return cli_usage(cli, "show takes no argument");
    if (running || name)
        return show_running(cli, name, as_json);
    int status = config_file_load(cli, NULL, &path, &config);
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
    char *path = config_file_find(cli, NULL, &named, &err);
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
