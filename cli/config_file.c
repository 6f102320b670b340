/*
 * config_file: the configuration that counts for this command, read without a daemon.
 */
#include "config_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/paths.h"
#include "output.h"

char *config_file_find(const struct cli *cli, const char *given, bool *named, struct err *err)
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

int config_file_load(const struct cli *cli, const char *given, char **path, const struct config **out)
{
    struct err err = {0};
    struct config_problems problems = {0};
    bool named;

    *path = config_file_find(cli, given, &named, &err);
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
